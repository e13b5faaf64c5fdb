/* `collide-bench numbers`: scores printed and ids read as JSON has them, beside printf and strtoull. */
#include "api/json_reader.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/number.h"
#include "base/rng.h"
#include "commands.h"
#include "figures.h"
#include "json.h"
#include "machine.h"
#include "rig.h"

#include <inttypes.h>
#include <stdlib.h>

struct options {
    uint64_t n, n_ids, repeats, seed;
    bool json;
};

/* So many that no branch is learnt by heart, as it is not where every request brings new ones. */
enum { N_LISTS = 2000 };

struct lists {
    size_t n;
    float *scores; /* (N_LISTS, n) */
    char *text;    /* (N_LISTS, n_chars): ids with commas between them, then ']' */
    size_t n_chars;
    uint64_t *ids; /* (n), as they are read */
    char *out;     /* (n, NUMBER_MAX_CHARS + 1) */
};

static void lists_free(struct lists *l)
{
    free(l->scores);
    free(l->text);
    free(l->ids);
    free(l->out);
}

static void draw(struct lists *l, struct rng *rng, uint64_t n_ids)
{
    for (size_t i = 0; i < N_LISTS * l->n; i++)
        l->scores[i] = (float)rng_normal(rng);
    for (size_t i = 0; i < N_LISTS; i++) {
        char *at = l->text + i * l->n_chars;
        for (size_t j = 0; j < l->n; j++) {
            at += number_print_u64(at, rng_below(rng, n_ids));
            *at++ = j + 1 < l->n ? ',' : ']';
        }
    }
}

static enum collide_status lists_make(const struct options *o, struct lists *l, struct collide_error *err)
{
    size_t n_chars = o->n * (NUMBER_MAX_CHARS + 1);
    *l = (struct lists){.n = o->n,
                        .scores = calloc(N_LISTS * o->n, sizeof(float)),
                        .text = calloc(N_LISTS, n_chars),
                        .n_chars = n_chars,
                        .ids = calloc(o->n, sizeof(uint64_t)),
                        .out = calloc(1, n_chars)};
    if (!l->scores || !l->text || !l->ids || !l->out)
        return error_no_memory(err, "the lists");
    struct rng rng = rng_seeded(o->seed, 1);
    draw(l, &rng, o->n_ids);
    return COLLIDE_OK;
}

/* Each works on list i and gives what keeps the compiler from leaving it out. */
static size_t print_list(struct lists *l, size_t i)
{
    return number_print_f32s(l->out, l->scores + i * l->n, l->n);
}

static size_t print_each(struct lists *l, size_t i)
{
    char *at = l->out;
    for (size_t j = 0; j < l->n; j++)
        at += number_print_f32(at, l->scores[i * l->n + j]);
    return (size_t)(at - l->out);
}

static size_t print_by_printf(struct lists *l, size_t i)
{
    char *at = l->out;
    for (size_t j = 0; j < l->n; j++)
        at += snprintf(at, NUMBER_MAX_CHARS, "%.9g", (double)l->scores[i * l->n + j]);
    return (size_t)(at - l->out);
}

static size_t read_list(struct lists *l, size_t i)
{
    struct json_reader r = json_reader_over(l->text + i * l->n_chars, l->n_chars, NULL, NULL);
    return json_small_integers(&r, l->ids, l->n);
}

static size_t read_by_strtoull(struct lists *l, size_t i)
{
    char *at = l->text + i * l->n_chars;
    for (size_t j = 0; j < l->n; j++, at++)
        l->ids[j] = strtoull(at, &at, 10);
    return l->n;
}

enum { LIST, EACH, PRINTF, READ, STRTOULL, N_WAYS };

static const struct {
    const char *name, *key;
    size_t (*run)(struct lists *l, size_t i);
} ways[N_WAYS] = {
    [LIST] = {"scores printed in lists", "print_list_ns", print_list},
    [EACH] = {"the same one by one", "print_each_ns", print_each},
    [PRINTF] = {"the same by printf, not always the shortest", "printf_ns", print_by_printf},
    [READ] = {"ids read from lists", "read_list_ns", read_list},
    [STRTOULL] = {"the same by strtoull", "strtoull_ns", read_by_strtoull},
};

/* A number, in ns. */
static double measure(struct lists *l, size_t way, volatile size_t *sink)
{
    uint64_t begin_ns = clock_now_ns();
    for (size_t i = 0; i < N_LISTS; i++)
        *sink = ways[way].run(l, i);
    return (double)(clock_now_ns() - begin_ns) / (double)(N_LISTS * l->n);
}

static enum collide_status print(const struct options *o, const struct spread *ns, struct collide_error *err)
{
    struct machine machine = machine_describe();
    if (!o->json) {
        printf("lists of %" PRIu64 "; %s, %u CPUs, %s\n\n", o->n, machine.cpu, machine.n_cpus,
               machine.kernel);
        for (size_t way = 0; way < N_WAYS; way++)
            printf("%-44s %6.1f ns a number (%.1f .. %.1f), %.1fx\n", ways[way].name, ns[way].median,
                   ns[way].min, ns[way].max, ns[way].median / ns[way < READ ? LIST : READ].median);
        return COLLIDE_OK;
    }
    cJSON *document = cJSON_CreateObject();
    cJSON_AddStringToObject(document, "cpu", machine.cpu);
    cJSON_AddNumberToObject(document, "n", (double)o->n);
    for (size_t way = 0; way < N_WAYS; way++)
        cJSON_AddNumberToObject(document, ways[way].key, ns[way].median);
    return json_print(stdout, document, err);
}

/* In turn, so that what disturbs one disturbs all. */
static enum collide_status run(const void *options, struct collide_error *err)
{
    const struct options *o = options;
    struct lists l;
    struct spread spreads[N_WAYS];
    volatile size_t sink = 0;
    double *ns = calloc(N_WAYS * o->repeats, sizeof *ns);
    enum collide_status status = lists_make(o, &l, err);
    if (status == COLLIDE_OK && !ns)
        status = error_no_memory(err, "the measurements");
    for (size_t i = 0; i < o->repeats && status == COLLIDE_OK; i++)
        for (size_t way = 0; way < N_WAYS; way++)
            ns[way * o->repeats + i] = measure(&l, way, &sink);
    for (size_t way = 0; way < N_WAYS && status == COLLIDE_OK; way++)
        spreads[way] = figure_spread(ns + way * o->repeats, o->repeats);
    if (status == COLLIDE_OK)
        status = print(o, spreads, err);
    lists_free(&l);
    free(ns);
    return status;
}

int bench_numbers(int argc, char **argv)
{
    struct options o = {.n = 100, .n_ids = 20000, .repeats = 9, .seed = 1};
    const struct arg table[] = {
        {.name = "n", .type = ARG_U64, .target = &o.n, .min = 1, .max = 10000, .help = "numbers in a list"},
        ids_arg(&o.n_ids),
        {.name = "repeats",
         .type = ARG_U64,
         .target = &o.repeats,
         .min = 1,
         .max = 1000,
         .help = "measurements; their median is shown"},
        {.name = "seed", .type = ARG_U64, .target = &o.seed, .help = "of scores and ids"},
        {.name = "json", .type = ARG_FLAG, .target = &o.json, .help = "print one JSON document"},
    };
    const struct bench_usage usage = {
        "collide-bench numbers [options]",
        "Times printing scores and reading ids as JSON has them, beside printf and strtoull.", table,
        sizeof table / sizeof table[0]};
    return bench_main(&usage, argc, argv, run, &o);
}
