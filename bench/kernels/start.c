/* `collide-bench start`: how soon a model of some size answers, with its kernels in a device binary and its
 * file in the page cache. */
#include "base/clock.h"
#include "base/error.h"
#include "collide/scorer.h"
#include "commands.h"
#include "json.h"
#include "machine.h"
#include "model/write.h"
#include "rig.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

struct options {
    struct rig_options rig;
    uint64_t n_bytes, dim;
    const char *folder, *tables;
};

/* Ids and their unknown one are counted in 32 bits. */
static const uint32_t MAX_IDS = UINT32_MAX - 2;

struct results {
    double open_s, scorer_s, lane_s, score_s;
    uint64_t file_bytes;
    struct collide_scorer_info info; /* its texts are static, but for the device's */
};

/* A file that is gone again afterwards. */
struct temporary {
    char path[4096];
};

static enum collide_status temporary_name(const char *folder, const char *what, struct temporary *out,
                                          struct collide_error *err)
{
    int n = snprintf(out->path, sizeof out->path, "%s/collide-bench-%s-%ld", folder, what, (long)getpid());
    if (n < 0 || (size_t)n >= sizeof out->path)
        return error_set(err, COLLIDE_INVALID, "--folder %s is too long", folder);
    return COLLIDE_OK;
}

/* Half of what is left beside the rows is the mapping, as where ids share rows: two ids a row. */
static enum collide_status write_model(const struct options *o, const char *path, struct collide_error *err)
{
    uint64_t n_rows = o->n_bytes / (o->dim + 2 * sizeof(uint32_t));
    if (2 * n_rows > MAX_IDS)
        return error_set(err, COLLIDE_INVALID,
                         "--bytes %" PRIu64 " with --dim %" PRIu64 " are %" PRIu64
                         " ids, above %u; take a larger --dim",
                         o->n_bytes, o->dim, 2 * n_rows, MAX_IDS);
    const struct kernel_shape shape = {.n_ids = (uint32_t)(2 * n_rows),
                                       .n_rows = (uint32_t)n_rows,
                                       .dim = (uint32_t)o->dim,
                                       .bag = 1,
                                       .form = ROWS_I8_LINE};
    struct kernel_case *c = NULL;
    enum collide_status status = kernel_case_create(&shape, o->rig.seed, &c, err);
    if (status == COLLIDE_OK)
        status = model_write(&c->model, path, err);
    kernel_case_destroy(c);
    return status;
}

static double lap(uint64_t *since)
{
    double seconds = clock_seconds_since(*since);
    *since = clock_now_ns();
    return seconds;
}

/* From nothing to a first score. */
static enum collide_status start(const struct collide_scorer_options *options, const char *path,
                                 struct results *r, struct collide_error *err)
{
    struct collide_model *model = NULL;
    struct collide_scorer *scorer = NULL;
    struct collide_lane *lane = NULL;
    const struct collide_id ids[2] = {collide_id_number(1), collide_id_number(2)};
    const struct collide_query query = {.history = ids, .n_history = 1, .items = ids + 1, .n_items = 1};
    float score;
    uint64_t at = clock_now_ns();
    enum collide_status status = collide_model_open(path, &model, err);
    r->open_s = lap(&at);
    if (status == COLLIDE_OK)
        status = collide_scorer_create(model, options, &scorer, err);
    r->scorer_s = lap(&at);
    if (status == COLLIDE_OK)
        status = collide_lane_create(scorer, &lane, err);
    r->lane_s = lap(&at);
    if (status == COLLIDE_OK)
        status = collide_score(lane, &query, 1, &score, NULL, err);
    r->score_s = lap(&at);
    if (status == COLLIDE_OK) {
        struct collide_model_info info;
        collide_model_info(model, &info);
        r->file_bytes = info.file_bytes;
        collide_scorer_info(scorer, &r->info);
    }
    collide_lane_destroy(lane);
    collide_scorer_destroy(scorer);
    collide_model_close(model);
    return status;
}

static enum collide_status build_kernels(const struct collide_scorer_options *options, const char *model_path,
                                         const char *path, struct collide_error *err)
{
    struct collide_model *model = NULL;
    enum collide_status status = collide_model_open(model_path, &model, err);
    if (status == COLLIDE_OK)
        status = collide_kernels_build(model, options, path, err);
    collide_model_close(model);
    return status;
}

static enum collide_status print(const struct results *r, const struct options *o, struct collide_error *err)
{
    double total = r->open_s + r->scorer_s + r->lane_s;
    struct machine machine = machine_describe();
    if (!o->rig.json) {
        printf("a model of %.2f GiB, kernels from a %s, tables %.0f%% in place; %s, %u CPUs, %s\n\n",
               (double)r->file_bytes / (1 << 30), r->info.kernels,
               100.0 * (double)r->info.in_place_bytes / (double)r->info.table_bytes, machine.cpu,
               machine.n_cpus, machine.kernel);
        printf(
            "open and check the file: %8.3f s\nplace tables, load kernels: %5.3f s\na warm lane: %20.3f s\n",
            r->open_s, r->scorer_s, r->lane_s);
        printf("ready: %26.3f s\n", total);
        return COLLIDE_OK;
    }
    cJSON *document = cJSON_CreateObject();
    cJSON_AddStringToObject(document, "cpu", machine.cpu);
    cJSON_AddNumberToObject(document, "file_bytes", (double)r->file_bytes);
    cJSON_AddStringToObject(document, "kernels", r->info.kernels);
    cJSON_AddNumberToObject(document, "in_place_bytes", (double)r->info.in_place_bytes);
    cJSON_AddNumberToObject(document, "open_s", r->open_s);
    cJSON_AddNumberToObject(document, "scorer_s", r->scorer_s);
    cJSON_AddNumberToObject(document, "lane_s", r->lane_s);
    cJSON_AddNumberToObject(document, "ready_s", total);
    return json_print(stdout, document, err);
}

/* The fastest of some: the first one brings the file into the page cache. */
static enum collide_status run(const void *options, struct collide_error *err)
{
    const struct options *o = options;
    struct temporary model, kernels;
    struct results best = {.open_s = 1e9};
    struct collide_scorer_options scorer = {
        .device = o->rig.device, .engine = o->rig.engine, .tables = o->tables, .cache_dir = ""};
    enum collide_status status = temporary_name(o->folder, "model", &model, err);
    if (status == COLLIDE_OK)
        status = temporary_name(o->folder, "kernels", &kernels, err);
    if (status != COLLIDE_OK)
        return status;
    status = write_model(o, model.path, err);
    if (status == COLLIDE_OK)
        status = build_kernels(&scorer, model.path, kernels.path, err);
    scorer.kernels = kernels.path;
    for (uint64_t i = 0; i < o->rig.repeats && status == COLLIDE_OK; i++) {
        struct results r;
        status = start(&scorer, model.path, &r, err);
        if (status == COLLIDE_OK &&
            r.open_s + r.scorer_s + r.lane_s < best.open_s + best.scorer_s + best.lane_s)
            best = r;
    }
    if (status == COLLIDE_OK)
        status = print(&best, o, err);
    unlink(model.path);
    unlink(kernels.path);
    return status;
}

int bench_start(int argc, char **argv)
{
    struct options o = {.rig = {.repeats = 3, .seed = 1}, .n_bytes = 1 << 30, .dim = 64, .folder = "/tmp"};
    const struct arg table[] = {
        {.name = "bytes",
         .type = ARG_U64,
         .target = &o.n_bytes,
         .min = 1 << 16,
         .max = 1ull << 36,
         .help = "of the model's tables"},
        dim_arg(&o.dim),
        {.name = "tables",
         .type = ARG_TEXT,
         .target = &o.tables,
         .value_name = "POLICY",
         .default_text = "auto",
         .help = "auto, in-place or copied"},
        {.name = "folder",
         .type = ARG_TEXT,
         .target = &o.folder,
         .value_name = "DIR",
         .help = "for the model's file while it runs"},
        RIG_ARGS(&o.rig),
    };
    const struct bench_usage usage = {
        "collide-bench start [options]",
        "Times from opening a model's file to a first score, kernels from a device "
        "binary; the fastest of --repeats.",
        table, sizeof table / sizeof table[0]};
    return bench_main(&usage, argc, argv, run, &o);
}
