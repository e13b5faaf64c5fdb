#include "score/kernels.h"

#include "base/error.h"
#include "base/log.h"
#include "score/kernel_source.h"
#include "score/specialise.h"

#include <stdlib.h>

/* Parts of a launch of top-k: enough that every compute unit has something to do. */
static uint32_t max_parts_on(const struct device_info *device, enum engine_kind engine)
{
    bool one_thread = device->runs_in_caller || engine == ENGINE_RING;
    uint32_t each = device->type & CL_DEVICE_TYPE_GPU ? 16 : 2;
    return one_thread ? 1 : each * (device->n_compute_units ? device->n_compute_units : 1);
}

/* Keys are looked up where the host can see what was found without copying it back. */
static unsigned table_flags_on(const struct device_info *device, const struct kernels_options *o)
{
    return device->fine_grain_svm && o->rows.end == 0 ? TABLES_WITH_KEYS : 0;
}

enum collide_status kernels_plan(const struct device_info *device, const struct model *model,
                                 const struct kernels_options *o, struct tables *tables,
                                 struct table_plan *plan, struct collide_error *err)
{
    struct row_range rows = o->rows.end ? o->rows : (struct row_range){0, model->rows.n};
    enum collide_status status = tables_create(model, rows, table_flags_on(device, o), tables, err);
    if (status != COLLIDE_OK)
        return status;
    status = tables_plan(device, &o->memory, tables->sources, N_SCORING_TABLES, plan, err);
    if (status != COLLIDE_OK)
        tables_free(tables);
    return status;
}

/* Less is moved before anyone could read of it. */
static const uint64_t PROGRESS_BYTES = 256 << 20;

/* out: (N_SCORING_TABLES). Returns how many the model has. */
static size_t list_placed(const struct kernels *k, const struct device_table **out)
{
    size_t n = 0;
    for (size_t i = 0; i < N_SCORING_TABLES; i++)
        if (k->placed[i])
            out[n++] = k->placed[i];
    return n;
}

static enum collide_status gather_tables(struct kernels *k, struct collide_error *err)
{
    const struct device_table *tables[N_SCORING_TABLES];
    size_t n = list_placed(k, tables);
    return k->is_gathered ? table_gather(k->device, tables, n, &k->gathered, err) : COLLIDE_OK;
}

static enum collide_status place_tables(struct kernels *k, struct collide_error *err)
{
    uint64_t total = 0;
    for (size_t i = 0; i < N_SCORING_TABLES; i++)
        total += table_plan_moved_bytes(&k->tables.sources[i], &k->plan[i]);
    struct progress bar, *progress = total >= PROGRESS_BYTES ? &bar : NULL;
    enum collide_status status = COLLIDE_OK;
    if (progress)
        progress_begin(progress, "placing tables", total);
    for (size_t i = 0; i < N_SCORING_TABLES && status == COLLIDE_OK; i++)
        if (k->tables.sources[i].n_bytes) /* others are no arguments */
            status = table_place(k->device, &k->tables.sources[i], &k->plan[i], progress, &k->placed[i], err);
    if (progress)
        progress_end(progress);
    return status;
}

/* Arguments can be gathered where all tables have addresses, and kernels reach them in one address space. */
static bool can_gather(const struct kernels *k)
{
    bool can = true;
    for (size_t i = 0; i < N_SCORING_TABLES; i++)
        can = can &&
              (!k->tables.sources[i].n_bytes || (table_plan_is_shared(device_info(k->device), &k->plan[i]) &&
                                                 k->plan[i].space == TABLE_GLOBAL));
    return can;
}

/* Where the host's memory is the device's, and the host sees which ids were found without copying them back.
 */
static bool can_read_numbers(const struct kernels *k, const struct kernels_options *o)
{
    const struct device_info *device = device_info(k->device);
    return device->type & CL_DEVICE_TYPE_CPU && device->unified_memory && device->fine_grain_svm &&
           o->engine != ENGINE_RING && o->rows.end == 0;
}

/* Whether the engine is to be the one that calls, as far as the kernels go. */
static bool wants_call(const struct kernels *k, const struct kernels_options *o)
{
    bool is_wanted = o->engine == ENGINE_AUTO || o->engine == ENGINE_CALL;
    return is_wanted && engine_check_device(ENGINE_CALL, device_info(k->device), NULL) == COLLIDE_OK &&
           k->is_gathered && k->tuning.form == FORM_ITEM;
}

static enum collide_status build_program(struct kernels *k, const struct kernels_options *o,
                                         struct collide_error *err)
{
    specialise(k, o, k->options, sizeof k->options);
    const struct program_source source = {kernel_source, kernel_source_bytes, k->options, o->means};
    if (o->binary)
        return program_load(k->device, &source, o->binary, &k->program, err);
    return program_build(k->device, &source, o->cache_dir, &k->program, err);
}

static enum collide_status create_program(struct kernels *k, const struct kernels_options *o,
                                          struct collide_error *err)
{
    struct program_manifest manifest;
    k->tuning = o->tuning ? *o->tuning : tuning_load(o->cache_dir, device_info(k->device), k->model);
    k->is_gathered = can_gather(k);
    k->reads_numbers = can_read_numbers(k, o);
    k->is_called = wants_call(k, o);
    if (o->binary && !o->tuning) {
        enum collide_status status = program_manifest_read(o->binary, &manifest, err);
        if (status != COLLIDE_OK)
            return status;
        specialise_read_tuning(manifest.options, &k->tuning);
        k->is_gathered = k->is_gathered && specialise_gathers(manifest.options);
        k->is_called = wants_call(k, o) && specialise_calls(manifest.options);
    }
    return build_program(k, o, err);
}

static void retain_kernels(void *k)
{
    kernels_retain(k);
}

static void release_kernels(void *k)
{
    kernels_release(k);
}

static enum collide_status create_engine(struct kernels *k, enum engine_kind kind, struct collide_error *err)
{
    size_t group = k->tuning.form == FORM_GROUP ? k->tuning.group_size : 1;
    struct engine_spec spec = {
        .device = k->device,
        .program = k->program,
        .kernels = {[KERNEL_SCORE] = "collide_score_v1",
                    [KERNEL_BAG] = "collide_bag_v1",
                    [KERNEL_ROWS] = "collide_rows_v1",
                    [KERNEL_TOPK] = "collide_topk_v1"},
        .local_sizes =
            {[KERNEL_SCORE] = group, [KERNEL_BAG] = group, [KERNEL_ROWS] = group, [KERNEL_TOPK] = 1},
        .n_kernels = N_SCORING_KERNELS,
        .directions = {[REGION_ROW_SCORES] = REGION_SCRATCH, [REGION_SCORES] = REGION_OUT},
        .n_regions = N_SCORING_REGIONS,
        .gathered = k->gathered,
        .reads_lent_memory = k->reads_numbers,
        .call_kernel = k->is_called ? "collide_call_v1" : NULL,
        .ring_kernel = kind == ENGINE_RING ? "collide_ring_v1" : NULL,
        .tables_owner = {k, retain_kernels, release_kernels},
    };
    spec.n_tables = list_placed(k, spec.tables);
    /* What is to be kept is compiled first: PoCL 3.1 aborts the process where it is while a kernel runs that
     * it has compiled for a launch ("ref_count > 0" in pocl_release_dlhandle_cache). */
    if (kind == ENGINE_RING)
        program_keep(k->program);
    return engine_create(kind, &spec, &k->engine, err);
}

/* Where nobody has asked for calls, launches are as good; but they are of other kernels. */
static enum collide_status create_any_engine(struct kernels *k, const struct kernels_options *o,
                                             struct collide_error *err)
{
    struct collide_error why;
    enum collide_status status = create_engine(k, o->engine, &why);
    if (status == COLLIDE_OK)
        return status;
    if (!k->is_called || o->engine != ENGINE_AUTO || o->binary)
        return error_set(err, status, "%s", why.text);
    log_warning("kernels are launched, not called: %s", why.text);
    program_destroy(k->program);
    k->program = NULL;
    k->is_called = false;
    status = build_program(k, o, err);
    return status == COLLIDE_OK ? create_engine(k, ENGINE_AUTO, err) : status;
}

enum collide_status kernels_create(struct device *device, const struct model *model,
                                   const struct kernels_options *options, struct kernels **out,
                                   struct collide_error *err)
{
    struct kernels *k = calloc(1, sizeof *k);
    if (!k)
        return error_no_memory(err, "the kernels");
    atomic_init(&k->n_owners, 1);
    k->device = device;
    device_retain(device);
    k->model = model;
    k->max_parts = max_parts_on(device_info(device), options->engine);
    k->model_owner = options->model_owner;
    shared_retain(&k->model_owner);
    enum collide_status status = engine_check_device(options->engine, device_info(device), err);
    if (status == COLLIDE_OK)
        status = kernels_plan(device_info(device), model, options, &k->tables, k->plan, err);
    if (status == COLLIDE_OK)
        status = create_program(k, options, err);
    if (status == COLLIDE_OK)
        status = place_tables(k, err);
    if (status == COLLIDE_OK)
        status = gather_tables(k, err);
    if (status == COLLIDE_OK)
        status = create_any_engine(k, options, err);
    if (status != COLLIDE_OK) {
        kernels_destroy(k);
        return status;
    }
    *out = k;
    return COLLIDE_OK;
}

void kernels_destroy(struct kernels *k)
{
    if (!k)
        return;
    engine_destroy(k->engine);
    k->engine = NULL;
    kernels_release(k);
}

void kernels_retain(struct kernels *k)
{
    atomic_fetch_add(&k->n_owners, 1);
}

void kernels_release(struct kernels *k)
{
    if (atomic_fetch_sub(&k->n_owners, 1) > 1)
        return;
    for (size_t i = 0; i < N_SCORING_TABLES; i++)
        table_destroy(k->placed[i]);
    table_destroy(k->gathered);
    program_destroy(k->program);
    tables_free(&k->tables);
    device_close(k->device);
    shared_release(&k->model_owner);
    free(k);
}

enum collide_status kernels_save(const struct kernels *k, const char *path, struct collide_error *err)
{
    return program_save(k->program, path, err);
}

size_t kernels_n_groups(const struct kernels *k, enum scoring_kernel kernel, size_t n_queries, size_t n_parts)
{
    if (kernel == KERNEL_ROWS || kernel == KERNEL_TOPK)
        return n_queries * n_parts;
    /* A pipeline goes through the batch by itself; on a ring, the resident kernel does. */
    bool one_does_all = k->tuning.form == FORM_PIPELINE && engine_kind_of(k->engine) != ENGINE_RING;
    return one_does_all ? n_queries > 0 : n_queries;
}

size_t kernels_n_row_scores(const struct kernels *k)
{
    if (k->model->mapping.combine == COMBINE_MULTIPLY)
        return 0; /* rows have no scores of their own */
    return (size_t)mapping_n_parts(&k->model->mapping) *
           (k->tables.params.row_end - k->tables.params.row_begin);
}

bool kernels_run_side_by_side(const struct kernels *k)
{
    return !device_info(k->device)->runs_in_caller && engine_kind_of(k->engine) != ENGINE_RING &&
           k->tuning.form != FORM_PIPELINE;
}

bool kernels_read_numbers(const struct kernels *k)
{
    return k->reads_numbers;
}

bool kernels_find_keys(const struct kernels *k)
{
    return k->tables.params.n_key_slots != 0;
}
