/* `collide inspect`: what a model file holds. */
#include "cli/command.h"
#include "cli/device_args.h"
#include "cli/plan.h"
#include "model/collisions.h"
#include "model/cost.h"
#include "model/layout.h"
#include "model/mapping.h"
#include "score/model_handle.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct flags {
    struct device_flags device;
    bool verify, plan;
};

/* Cut to what fits a line, control characters replaced: a file's text must not steer the terminal. */
static const char *printable(const char *text, char *out, size_t capacity)
{
    snprintf(out, capacity, "%s", text);
    for (char *c = out; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?';
    return out;
}

static void print_rows(const struct model *m, const struct collisions *c)
{
    const struct row_mapping *mapping = &m->mapping;
    printf("rows         %" PRIu32 " x %" PRIu32 " %s", m->rows.n, m->rows.width,
           precision_name(m->rows.precision));
    if (m->rows.scaling != SCALING_NONE)
        printf(", scaled by %s", scaling_name(m->rows.scaling));
    printf("\n             %" PRIu32 " rows used, %" PRIu32 " by one id alone; %.2f ids a row, %" PRIu64
           " at the most\n",
           c->n_used, c->n_private, c->mean, c->most);
    printf("mapping      %s", mapping_kind_name(mapping->kind));
    if (mapping->kind == MAPPING_PACKED)
        printf(", %" PRIu32 " bits an entry", mapping->bits);
    if (mapping->kind == MAPPING_HASHED)
        printf(", seed %" PRIu64, mapping->seed);
    if (mapping->kind == MAPPING_QUOTIENT)
        printf(", divisor %" PRIu32, mapping->divisor);
    if (mapping->n_lookups > 1)
        printf(", %" PRIu32 " rows an id, combined by %s", mapping->n_lookups,
               combine_name(mapping->combine));
    if (mapping_part_lookups(mapping) > 1 && mapping->combine == COMBINE_CONCAT)
        printf(" of %" PRIu32 " sums", mapping->n_parts);
    if (model_has_lookup_weights(m))
        printf(", each with a weight");
    putchar('\n');
}

static void print_lookups(const struct model *m, const struct space *space)
{
    if (space_n_lookups(m, space) < m->mapping.n_lookups)
        printf(", %" PRIu32 " rows an id", space->n_lookups);
}

/* The rows that a space has to itself, which may be codebooks. */
static void print_own_rows(const struct model *m, const struct space *space)
{
    const struct own_rows *rows = &space->own_rows;
    if (rows->n == 0)
        return;
    printf(", rows %" PRIu32 " to %" PRIu32, rows->first, rows->first + rows->n - 1);
    if (m->mapping.kind == MAPPING_PACKED && space_n_lookups(m, space) > 1)
        printf(" in %" PRIu32 " codebooks", space_n_lookups(m, space));
}

static void print_classes(const struct space *space)
{
    if (space->classes.words)
        printf(", in classes of %" PRIu32 " bits", space->classes.bits);
}

static void print_embedding(const struct model *m, const struct space *space)
{
    print_lookups(m, space);
    print_own_rows(m, space);
    print_classes(space);
}

static void print_spaces(const struct model *m)
{
    printf("item space   %" PRIu32 " ids (%s)", m->item.n_ids, key_kind_name(m->item.keys.kind));
    print_embedding(m, &m->item);
    putchar('\n');
    if (m->user.n_ids == 0) {
        printf("user space   none: requests bring their histories\n");
    } else {
        printf("user space   %" PRIu32 " ids (%s)%s", m->user.n_ids, key_kind_name(m->user.keys.kind),
               m->user_is_embedded ? ", embedded" : "");
        if (m->user_is_embedded)
            print_embedding(m, &m->user);
        printf(", %" PRIu32 " stored interactions\n",
               m->histories.offsets ? m->histories.offsets[m->user.n_ids + 1] : 0);
    }
    for (size_t i = 0; i < m->n_features; i++) {
        const struct space *space = &m->features[i].space;
        printf("feature      %s, %" PRIu32 " ids (%s)", m->features[i].name, space->n_ids,
               key_kind_name(space->keys.kind));
        print_embedding(m, space);
        putchar('\n');
    }
    printf("score        %g * <%s bag, embedding> + bias\n\n", (double)m->logit_scale,
           pooling_name(m->pooling));
}

static void print_collisions(const struct collisions *c, uint32_t n_rows)
{
    enum { BAR_CHARS = 40 };
    static const char bar[BAR_CHARS + 1] = "########################################";
    printf("%-22s %10s\n", "ids a row", "rows");
    for (unsigned i = 0; i < COLLISIONS_N_SIZES; i++) {
        char ids[48];
        unsigned long long least = i ? 1ull << (i - 1) : 0, most = i ? least + (least - 1) : 0;
        if (c->by_size[i] == 0)
            continue;
        if (least == most)
            snprintf(ids, sizeof ids, "%llu", least);
        else
            snprintf(ids, sizeof ids, "%llu to %llu", least, most);
        printf("%-22s %10" PRIu32 "  %.*s\n", ids, c->by_size[i],
               (int)((uint64_t)c->by_size[i] * BAR_CHARS / n_rows), bar);
    }
    putchar('\n');
}

/* As the file's metadata has it; "-" where it has none. */
static const char *checksum_of(const struct safetensors *s, const struct tensor *t)
{
    char name[128];
    snprintf(name, sizeof name, META_CHECKSUM "%s", t->name);
    const char *sum = safetensors_metadata(s, name);
    return sum ? sum : "-";
}

static bool is_padding(const struct tensor *t)
{
    return strncmp(t->name, "__pad", 5) == 0;
}

static void print_verified(const struct safetensors *s)
{
    size_t n = 0, n_stored = 0;
    for (size_t i = 0; i < safetensors_n_tensors(s); i++) {
        const struct tensor *t = safetensors_tensor(s, i);
        n += !is_padding(t);
        n_stored += !is_padding(t) && strcmp(checksum_of(s, t), "-") != 0;
    }
    printf(
        "\nverified: %zu of %zu checksums match%s, every value is finite, every index in range, keys lead to "
        "their ids\n",
        n_stored, n, n_stored < n ? " (the others are not stored)" : "");
}

static void print_tensors(const struct safetensors *s, const struct model *m)
{
    uint64_t total = 0;
    printf("%-22s %-5s %-18s %14s  %s\n", "part", "type", "shape", "bytes", "XXH3-64");
    for (size_t i = 0; i < safetensors_n_tensors(s); i++) {
        const struct tensor *t = safetensors_tensor(s, i);
        char shape[64], name[41];
        int used = 0;
        for (unsigned d = 0; d < t->n_dims && used < (int)sizeof shape; d++)
            used += snprintf(shape + used, sizeof shape - (size_t)used, "%s%" PRIu64, d ? " x " : "",
                             t->shape[d]);
        if (is_padding(t))
            continue;
        printf("%-22s %-5s %-18s %14" PRIu64 "  %.16s\n", printable(t->name, name, sizeof name),
               dtype_name(t->dtype), t->n_dims ? shape : "", t->n_bytes, checksum_of(s, t));
        total += t->n_bytes;
    }
    printf("%-22s %-5s %-18s %14" PRIu64 "\n", "together", "", "", total);
    printf("%-22s %-5s %-18s %14" PRIu64 "\n\n", "a f32 row every id", "", "", bytes_of_full_table(m));
}

static void print_provenance(const struct model *m)
{
    char name[41], value[201];
    for (size_t i = 0; i < m->n_provenance; i++)
        printf("%-22s %s\n", printable(m->provenance[i].name, name, sizeof name),
               printable(m->provenance[i].value, value, sizeof value));
}

static enum collide_status print_contents(const struct collide_model *handle, struct collide_error *err)
{
    const struct model *m = handle->model;
    struct collisions collisions = {0};
    enum collide_status status = collisions_count(m, NULL, &collisions, err);
    if (status != COLLIDE_OK)
        return status;
    print_rows(m, &collisions);
    print_spaces(m);
    print_collisions(&collisions, m->rows.n);
    print_tensors(model_file_tensors(handle->file), m);
    print_provenance(m);
    return COLLIDE_OK;
}

static enum collide_status inspect(const char *path, const struct flags *flags, struct collide_error *err)
{
    struct collide_model *handle = NULL;
    enum collide_status status =
        model_handle_open(path, flags->verify ? MODEL_CHECK_CONTENTS : MODEL_CHECK_BOUNDS, &handle, err);
    if (status != COLLIDE_OK)
        return status;
    const struct safetensors *s = model_file_tensors(handle->file);
    printf("%s, %" PRIu64 " bytes\n\n", path, safetensors_file_bytes(s));
    if (flags->plan) {
        const struct collide_scorer_options options = device_flags_options(&flags->device);
        status = plan_print(handle->model, &options, err);
    } else {
        status = print_contents(handle, err);
    }
    if (status == COLLIDE_OK && flags->verify)
        print_verified(s);
    collide_model_close(handle);
    return status;
}

static bool is_placed(const struct device_flags *f)
{
    return f->scorer.device || f->tables || f->scorer.max_bank_bytes || f->n_channels || f->shard;
}

int command_inspect(int argc, char **argv)
{
    struct flags flags = {.verify = false};
    const struct arg table[] = {
        {.name = "verify",
         .type = ARG_FLAG,
         .target = &flags.verify,
         .help = "read the whole file: compare its checksums, look for values that are not finite"},
        {.name = "plan",
         .type = ARG_FLAG,
         .target = &flags.plan,
         .help =
             "show instead where the model's tables would be on each device, how many 64-byte lines a lookup "
             "touches there, and what merging lookups would change"},
        PLACE_ARGS(&flags.device),
        shard_arg(&flags.device),
    };
    struct usage usage = {"collide inspect MODEL [--verify] [--plan [options]]",
                          "Shows what a model file holds.", table, sizeof table / sizeof table[0],
                          .positionals = {1, 1, "MODEL"}};
    int exit_code;
    if (!command_parse(&usage, argc, argv, &exit_code))
        return exit_code;
    if (!flags.plan && is_placed(&flags.device))
        return command_misused(&usage,
                               "--device, --tables, --max-bank, --channels and --shard go with --plan");
    struct collide_error err = {0};
    return inspect(usage.positionals.values[0], &flags, &err) == COLLIDE_OK ? EXIT_DONE : command_fail(&err);
}
