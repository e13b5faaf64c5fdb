#include "score/device_lane.h"

#include "base/error.h"

/* Enough that one launch is long beside its overhead, small enough to stay in cache. */
static const struct fill_capacity INITIAL_CAPACITY = {
    .n_queries = 1024, .n_history = 16384, .n_items = 16384, .n_scores = 16384};

static void region_bytes(const struct device_lane *lane, const struct fill_capacity *n, size_t *bytes)
{
    size_t keys = kernels_find_keys(lane->kernels) ? sizeof(uint64_t) : 0;
    bytes[REGION_QUERIES] = n->n_queries * sizeof(device_query);
    bytes[REGION_HISTORY] = n->n_history * sizeof(uint32_t);
    bytes[REGION_HISTORY_WEIGHTS] = n->n_history * sizeof(float);
    bytes[REGION_ITEMS] = n->n_items * sizeof(uint32_t);
    bytes[REGION_HISTORY_KEYS] = n->n_history * keys;
    bytes[REGION_ITEM_KEYS] = n->n_items * keys;
    bytes[REGION_VECTORS] = n->n_vectors * sizeof(float);
    bytes[REGION_ROW_SCORES] = n->n_row_scores * sizeof(float);
    bytes[REGION_SCORES] = n->n_scores * sizeof(float);
}

static bool is_larger(const struct fill_capacity *a, const struct fill_capacity *b)
{
    return a->n_queries > b->n_queries || a->n_history > b->n_history || a->n_items > b->n_items ||
           a->n_vectors > b->n_vectors || a->n_row_scores > b->n_row_scores || a->n_scores > b->n_scores;
}

static void grow(size_t *n, size_t wanted)
{
    for (*n = *n ? *n : 1; *n < wanted;)
        *n *= 2;
}

enum collide_status device_lane_reserve(struct device_lane *lane, struct fill_capacity wanted,
                                        struct collide_error *err)
{
    if (lane->engine && !is_larger(&wanted, &lane->capacity))
        return COLLIDE_OK;
    struct fill_capacity capacity = lane->capacity;
    grow(&capacity.n_queries, wanted.n_queries);
    grow(&capacity.n_history, wanted.n_history);
    grow(&capacity.n_items, wanted.n_items);
    grow(&capacity.n_vectors, wanted.n_vectors);
    if (lane->user_vectors)
        grow(&capacity.n_vectors, capacity.n_queries * lane->model->model->dim);
    grow(&capacity.n_row_scores, wanted.n_row_scores);
    grow(&capacity.n_scores, wanted.n_scores);
    grow(&capacity.n_scores, capacity.n_items); /* one each */
    size_t bytes[N_SCORING_REGIONS];
    region_bytes(lane, &capacity, bytes);
    struct engine_lane *engine;
    enum collide_status status = engine_lane_create(lane->kernels->engine, bytes, &engine, err);
    if (status == COLLIDE_OK && lane->shared) {
        status = engine_lane_lend(engine, lane->shared, lane->n_shared_bytes, err);
        if (status != COLLIDE_OK)
            engine_lane_destroy(engine);
    }
    if (status != COLLIDE_OK)
        return status;
    engine_lane_destroy(lane->engine);
    lane->engine = engine;
    lane->capacity = capacity;
    lane->n_slots = engine_lane_n_slots(engine);
    return COLLIDE_OK;
}

/* Ids that the device could not make of numbers are left to the host. */
static bool reads_numbers(const struct device_lane *lane)
{
    return kernels_read_numbers(lane->kernels) &&
           (lane->model->items.kind == ID_DENSE || kernels_find_keys(lane->kernels));
}

enum collide_status device_lane_share(struct device_lane *lane, void *memory, size_t n_bytes,
                                      struct collide_error *err)
{
    if (!reads_numbers(lane))
        return COLLIDE_OK;
    enum collide_status status = engine_lane_lend(lane->engine, memory, n_bytes, err);
    if (status == COLLIDE_OK) {
        lane->shared = memory;
        lane->n_shared_bytes = n_bytes;
    }
    return status;
}

struct fill device_lane_fill(const struct device_lane *lane, unsigned slot)
{
    bool keys = kernels_find_keys(lane->kernels);
    return (struct fill){
        .model = lane->model,
        .queries = engine_lane_region(lane->engine, slot, REGION_QUERIES),
        .history = engine_lane_region(lane->engine, slot, REGION_HISTORY),
        .history_weights = engine_lane_region(lane->engine, slot, REGION_HISTORY_WEIGHTS),
        .items = engine_lane_region(lane->engine, slot, REGION_ITEMS),
        .history_keys = keys ? engine_lane_region(lane->engine, slot, REGION_HISTORY_KEYS) : NULL,
        .item_keys = keys ? engine_lane_region(lane->engine, slot, REGION_ITEM_KEYS) : NULL,
        .user_vectors = lane->user_vectors,
        .vectors = engine_lane_region(lane->engine, slot, REGION_VECTORS),
        .shared = lane->shared,
        .n_shared_bytes = lane->n_shared_bytes,
    };
}

float *device_lane_scores(const struct device_lane *lane, unsigned slot)
{
    return engine_lane_region(lane->engine, slot, REGION_SCORES);
}

float *device_lane_vectors(const struct device_lane *lane, unsigned slot)
{
    return engine_lane_region(lane->engine, slot, REGION_VECTORS);
}

enum collide_status device_lane_submit(struct device_lane *lane, unsigned slot,
                                       const enum scoring_kernel *kernels, size_t n_kernels,
                                       const struct fill *fill, struct collide_error *err)
{
    struct engine_work work = {.n_steps = n_kernels};
    for (size_t i = 0; i < n_kernels; i++)
        work.steps[i] =
            (struct engine_step){.kernel = kernels[i],
                                 .n_groups = kernels_n_groups(lane->kernels, kernels[i], fill->used.n_queries,
                                                              fill->queries[0].n_parts)};
    region_bytes(lane, &fill->used, work.used_bytes);
    for (size_t i = 0; i < fill->used.n_queries; i++) {
        device_query *q = &fill->queries[i];
        /* What a query finds by numbers is not there before. */
        q->history_limit = fill->shared ? q->history_end : (uint32_t)fill->used.n_history;
        q->items_limit = fill->shared ? q->items_end : (uint32_t)fill->used.n_items;
    }
    if (fill->used.n_queries > 0)
        fill->queries[fill->used.n_queries - 1].flags |= QUERY_LAST;
    return engine_submit(lane->engine, slot, &work, err);
}

enum collide_status device_lane_wait(struct device_lane *lane, unsigned slot, struct collide_error *err)
{
    return engine_wait(lane->engine, slot, err);
}

/* What the bag of a query takes among the scores: its values and its weight. */
static size_t bag_values(const struct collide_model *model)
{
    return model->model->dim + 1;
}

/* Drivers compile the rest of a kernel at its first launch. The very first is as wide as any will be:
 * PoCL 3.1 keeps a compiled kernel again for each launch that is wider than all before, and when it has done
 * so while another thread runs the kernel, it aborts the process ("ref_count > 0" in
 * pocl_release_dlhandle_cache). */
static enum collide_status warm_up(struct device_lane *lane, struct collide_error *err)
{
    static const struct collide_query nothing;
    for (unsigned slot = 0; slot < lane->n_slots; slot++)
        for (enum scoring_kernel kernel = 0; kernel < N_SCORING_KERNELS; kernel++) {
            const size_t n_queries = slot == 0 ? INITIAL_CAPACITY.n_queries : 1;
            struct fill fill = device_lane_fill(lane, slot);
            while (fill.used.n_queries < n_queries) {
                fill_histories(&fill, &nothing);
                fill.queries[fill.used.n_queries - 1].scores_begin = (uint32_t)fill.used.n_scores;
                fill.used.n_scores += bag_values(lane->model);
            }
            enum collide_status status = device_lane_submit(lane, slot, &kernel, 1, &fill, err);
            if (status == COLLIDE_OK)
                status = device_lane_wait(lane, slot, err);
            if (status != COLLIDE_OK)
                return status;
        }
    return COLLIDE_OK;
}

enum collide_status device_lane_create(const struct collide_model *model, const float *user_vectors,
                                       struct kernels *kernels, struct device_lane *out,
                                       struct collide_error *err)
{
    *out = (struct device_lane){
        .model = model, .user_vectors = user_vectors, .kernels = kernels, .capacity = INITIAL_CAPACITY};
    struct fill_capacity wanted = INITIAL_CAPACITY;
    grow(&wanted.n_scores, wanted.n_queries * bag_values(model)); /* for warm_up */
    enum collide_status status = device_lane_reserve(out, wanted, err);
    if (status == COLLIDE_OK)
        status = warm_up(out, err);
    if (status == COLLIDE_OK)
        program_keep(kernels->program);
    else
        device_lane_destroy(out);
    return status;
}

void device_lane_destroy(struct device_lane *lane)
{
    engine_lane_destroy(lane->engine);
    *lane = (struct device_lane){0};
}
