#include "collide/scorer.h"

#include "base/error.h"
#include "score/fill.h"
#include "score/kernels.h"
#include "score/topk.h"

#include <stdlib.h>
#include <string.h>

struct collide_scorer {
    const struct collide_model *model;
    struct device *device;
    struct kernels *kernels;
};

/* What a slot in flight will bring. */
struct pending {
    float *scores; /* where they go; NULL: nothing in flight */
    size_t n;
};

enum { MAX_SLOTS = 2 };

struct collide_lane {
    struct collide_scorer *scorer;
    struct engine_lane *engine;
    struct fill_capacity capacity;
    struct pending pending[MAX_SLOTS];
    unsigned char *excluded;   /* (n_items), all 0 between calls; made at the first top-k */
    struct scored_id *entries; /* (n_entries), likewise */
    size_t n_entries;
};

/* Enough that one launch is long beside its overhead, small enough to stay in cache. */
static const struct fill_capacity INITIAL_CAPACITY = {
    .n_queries = 1024, .n_history = 16384, .n_items = 16384};

/* Where a device runs work-items side by side, long candidate lists are cut so that there are several. */
enum { ITEMS_PER_WORK_ITEM = 512 };

enum collide_status collide_scorer_create(const struct collide_model *model,
                                          const struct collide_scorer_options *options,
                                          struct collide_scorer **out, struct collide_error *err)
{
    static const struct collide_scorer_options defaults;
    options = options ? options : &defaults;
    enum engine_kind kind;
    enum collide_status status = engine_kind_parse(options->engine, &kind, err);
    if (status != COLLIDE_OK)
        return status;
    struct collide_scorer *s = calloc(1, sizeof *s);
    if (!s)
        return error_no_memory(err, "a scorer");
    s->model = model;
    status = device_open(options->device, &s->device, err);
    if (status == COLLIDE_OK)
        status = kernels_create(s->device, model->model, kind, options->cache_dir, &s->kernels, err);
    if (status != COLLIDE_OK) {
        collide_scorer_destroy(s);
        return status;
    }
    *out = s;
    return COLLIDE_OK;
}

void collide_scorer_destroy(struct collide_scorer *s)
{
    if (!s)
        return;
    kernels_destroy(s->kernels);
    device_close(s->device);
    free(s);
}

void collide_scorer_info(const struct collide_scorer *s, struct collide_scorer_info *out)
{
    const struct device_info *d = device_info(s->device);
    *out = (struct collide_scorer_info){
        .device = d->name,
        .platform = d->platform,
        .engine = engine_kind_name(engine_kind_of(s->kernels->engine)),
        .kernels_from_cache = program_origin(s->kernels->program) == PROGRAM_FROM_CACHE,
        .tables_in_place = kernels_in_place(s->kernels),
    };
}

/* An engine lane whose slots hold at least this much. The old one must have nothing in flight. */
static enum collide_status reserve(struct collide_lane *lane, struct fill_capacity wanted,
                                   struct collide_error *err)
{
    const size_t bytes[N_SCORING_REGIONS] = {
        [REGION_QUERIES] = wanted.n_queries * sizeof(device_query),
        [REGION_HISTORY] = wanted.n_history * sizeof(uint32_t),
        [REGION_HISTORY_WEIGHTS] = wanted.n_history * sizeof(float),
        [REGION_ITEMS] = wanted.n_items * sizeof(uint32_t),
        [REGION_SCORES] = wanted.n_scores * sizeof(float),
    };
    struct engine_lane *engine;
    enum collide_status status = engine_lane_create(lane->scorer->kernels->engine, bytes, &engine, err);
    if (status != COLLIDE_OK)
        return status;
    engine_lane_destroy(lane->engine);
    lane->engine = engine;
    lane->capacity = wanted;
    return COLLIDE_OK;
}

static struct fill fill_of_slot(const struct collide_lane *lane, unsigned slot)
{
    return (struct fill){
        .queries = engine_lane_region(lane->engine, slot, REGION_QUERIES),
        .history = engine_lane_region(lane->engine, slot, REGION_HISTORY),
        .history_weights = engine_lane_region(lane->engine, slot, REGION_HISTORY_WEIGHTS),
        .items = engine_lane_region(lane->engine, slot, REGION_ITEMS),
    };
}

static enum collide_status submit(struct collide_lane *lane, unsigned slot, enum scoring_kernel kernel,
                                  const struct fill *fill, struct collide_error *err)
{
    struct engine_work work = {
        .kernel = kernel,
        .n_work_items = fill->used.n_queries,
        .used_bytes = {[REGION_QUERIES] = fill->used.n_queries * sizeof(device_query),
                       [REGION_HISTORY] = fill->used.n_history * sizeof(uint32_t),
                       [REGION_HISTORY_WEIGHTS] = fill->used.n_history * sizeof(float),
                       [REGION_ITEMS] = fill->used.n_items * sizeof(uint32_t),
                       [REGION_SCORES] = fill->used.n_scores * sizeof(float)},
    };
    return engine_submit(lane->engine, slot, &work, err);
}

/* Runs every kernel once: drivers compile the rest of a kernel at its first launch. */
static enum collide_status warm_up(struct collide_lane *lane, struct collide_error *err)
{
    for (unsigned slot = 0; slot < engine_lane_n_slots(lane->engine); slot++)
        for (enum scoring_kernel kernel = 0; kernel < N_SCORING_KERNELS; kernel++) {
            struct fill fill = fill_of_slot(lane, slot);
            const struct collide_query nothing = {0};
            fill_histories(lane->scorer->model, &nothing, &fill);
            enum collide_status status = submit(lane, slot, kernel, &fill, err);
            if (status == COLLIDE_OK)
                status = engine_wait(lane->engine, slot, err);
            if (status != COLLIDE_OK)
                return status;
        }
    return COLLIDE_OK;
}

enum collide_status collide_lane_create(struct collide_scorer *scorer, struct collide_lane **out,
                                        struct collide_error *err)
{
    struct collide_lane *lane = calloc(1, sizeof *lane);
    if (!lane)
        return error_no_memory(err, "a lane");
    lane->scorer = scorer;
    struct fill_capacity capacity = INITIAL_CAPACITY;
    size_t n_rows = scorer->model->model->item.n_rows;
    capacity.n_scores = capacity.n_items > n_rows ? capacity.n_items : n_rows;
    enum collide_status status = reserve(lane, capacity, err);
    if (status == COLLIDE_OK)
        status = warm_up(lane, err);
    if (status != COLLIDE_OK) {
        collide_lane_destroy(lane);
        return status;
    }
    *out = lane;
    return COLLIDE_OK;
}

void collide_lane_destroy(struct collide_lane *lane)
{
    if (!lane)
        return;
    engine_lane_destroy(lane->engine);
    free(lane->excluded);
    free(lane->entries);
    free(lane);
}

/* A history is never cut, so the slots must hold the longest. */
static enum collide_status prepare(struct collide_lane *lane, const struct collide_query *queries, size_t n,
                                   struct collide_error *err)
{
    struct fill_capacity wanted = lane->capacity;
    for (size_t i = 0; i < n; i++) {
        enum collide_status status = fill_check(lane->scorer->model, &queries[i], i, err);
        if (status != COLLIDE_OK)
            return status;
        while (wanted.n_history < queries[i].n_history)
            wanted.n_history *= 2;
    }
    return wanted.n_history > lane->capacity.n_history ? reserve(lane, wanted, err) : COLLIDE_OK;
}

/* Waits for a slot and takes its scores out. */
static enum collide_status collect(struct collide_lane *lane, unsigned slot, struct collide_error *err)
{
    struct pending *p = &lane->pending[slot];
    enum collide_status status = engine_wait(lane->engine, slot, err);
    if (status == COLLIDE_OK && p->scores)
        memcpy(p->scores, engine_lane_region(lane->engine, slot, REGION_SCORES), p->n * sizeof(float));
    *p = (struct pending){0};
    return status;
}

static void add_counts(struct collide_counts *to, const struct collide_counts *from)
{
    to->n_lookups += from->n_lookups;
    to->n_unknown += from->n_unknown;
}

/* Goes round the slots: collect what a slot did, fill it anew, submit it. */
static enum collide_status run_batches(struct collide_lane *lane, const struct collide_query *queries,
                                       size_t n, float *scores, struct collide_counts *counts,
                                       struct collide_error *err)
{
    unsigned n_slots = engine_lane_n_slots(lane->engine);
    size_t max_items = n_slots > 1 ? ITEMS_PER_WORK_ITEM : lane->capacity.n_items;
    struct fill_position at = {0};
    for (unsigned slot = 0; at.query < n; slot = (slot + 1) % n_slots) {
        enum collide_status status = collect(lane, slot, err);
        if (status != COLLIDE_OK)
            return status;
        struct fill fill = fill_of_slot(lane, slot);
        fill_queries(lane->scorer->model, queries, n, &lane->capacity, max_items, &at, &fill);
        status = submit(lane, slot, KERNEL_SCORE, &fill, err);
        if (status != COLLIDE_OK)
            return status;
        lane->pending[slot] = (struct pending){.scores = scores, .n = fill.used.n_items};
        scores += fill.used.n_items;
        add_counts(counts, &fill.counts);
    }
    return COLLIDE_OK;
}

enum collide_status collide_score(struct collide_lane *lane, const struct collide_query *queries,
                                  size_t n_queries, float *scores, struct collide_counts *counts,
                                  struct collide_error *err)
{
    struct collide_counts seen = {0};
    enum collide_status status = prepare(lane, queries, n_queries, err);
    if (status != COLLIDE_OK)
        return status;
    status = run_batches(lane, queries, n_queries, scores, &seen, err);
    for (unsigned slot = 0; slot < engine_lane_n_slots(lane->engine); slot++) {
        if (status != COLLIDE_OK)
            lane->pending[slot].scores = NULL;
        enum collide_status last = collect(lane, slot, status == COLLIDE_OK ? err : NULL);
        status = status == COLLIDE_OK ? last : status;
    }
    if (status == COLLIDE_OK && counts)
        *counts = seen;
    return status;
}

static enum collide_status prepare_topk(struct collide_lane *lane, size_t k, struct collide_error *err)
{
    if (!lane->excluded)
        lane->excluded = calloc((size_t)lane->scorer->model->items.n_ids + 1, 1);
    if (k > lane->n_entries) {
        struct scored_id *entries = realloc(lane->entries, k * sizeof *entries);
        if (!entries)
            return error_no_memory(err, "the best items");
        lane->entries = entries;
        lane->n_entries = k;
    }
    return lane->excluded ? COLLIDE_OK : error_no_memory(err, "the excluded items");
}

/* Sets the mark of every item that the query leaves out; called again with 0 it takes all of them back. */
static void mark_excluded(struct collide_lane *lane, const struct collide_topk_query *query,
                          const device_query *placed, const uint32_t *history, unsigned char mark)
{
    const struct model *m = lane->scorer->model->model;
    for (size_t i = 0; i < query->n_exclude; i++)
        lane->excluded[id_index_find(&lane->scorer->model->items, query->exclude[i])] = mark;
    if (!(query->flags & COLLIDE_TOPK_EXCLUDE_SEEN))
        return;
    for (uint32_t j = placed->history_begin; j < placed->history_end; j++)
        lane->excluded[history[j]] = mark;
    if (placed->user < m->user.n_ids)
        for (uint32_t j = m->user.offsets[placed->user]; j < m->user.offsets[placed->user + 1]; j++)
            lane->excluded[m->user.history[j]] = mark;
}

/* Rows were scored once; each item takes its row's score and adds its bias. */
static void select_items(const struct collide_lane *lane, const float *row_scores, struct topk *best)
{
    const struct model *m = lane->scorer->model->model;
    for (uint32_t id = 0; id < m->item.n_ids; id++) {
        float score = row_scores[m->item.remap[id]] + (m->item.bias ? m->item.bias[id] : 0.0f);
        if (best->n == best->capacity && score < best->entries[0].score)
            continue;
        if (!lane->excluded[id] && !model_item_is_blank(m, id))
            topk_offer(best, (struct scored_id){.score = score, .id = id});
    }
}

enum collide_status collide_topk(struct collide_lane *lane, const struct collide_topk_query *query,
                                 struct collide_hit *hits, size_t *n_hits, struct collide_counts *counts,
                                 struct collide_error *err)
{
    const struct collide_model *model = lane->scorer->model;
    size_t k = query->k < model->items.n_ids ? query->k : model->items.n_ids;
    enum collide_status status = prepare(lane, &query->query, 1, err);
    if (status == COLLIDE_OK)
        status = prepare_topk(lane, k ? k : 1, err);
    if (status != COLLIDE_OK)
        return status;
    struct fill fill = fill_of_slot(lane, 0);
    fill_histories(model, &query->query, &fill);
    fill.used.n_scores = model->model->item.n_rows;
    status = submit(lane, 0, KERNEL_ROWS, &fill, err);
    if (status == COLLIDE_OK)
        status = engine_wait(lane->engine, 0, err);
    if (status != COLLIDE_OK)
        return status;
    struct topk best = {.entries = lane->entries, .capacity = k};
    mark_excluded(lane, query, &fill.queries[0], fill.history, 1);
    if (k > 0)
        select_items(lane, engine_lane_region(lane->engine, 0, REGION_SCORES), &best);
    mark_excluded(lane, query, &fill.queries[0], fill.history, 0);
    topk_sort(&best);
    for (size_t i = 0; i < best.n; i++)
        hits[i] = (struct collide_hit){.item = id_index_key(&model->items, best.entries[i].id),
                                       .score = best.entries[i].score};
    *n_hits = best.n;
    if (counts)
        *counts = fill.counts;
    return COLLIDE_OK;
}
