#include "cli/plan.h"

#include "base/error.h"
#include "learn/merge.h"
#include "model/mapping.h"
#include "score/kernels.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { LINE_BYTES = 64 };

/* ---- Lines of 64 bytes that an id touches, on average over ids. */

/* Of entries of n_bytes, one behind the other from the start of a line on: LINE_BYTES of them are a period.
 */
static double lines_of_entry(uint64_t n_bytes)
{
    uint64_t n = 0;
    for (uint64_t i = 0; i < LINE_BYTES; i++)
        n += ((i + 1) * n_bytes - 1) / LINE_BYTES - i * n_bytes / LINE_BYTES + 1;
    return (double)n / LINE_BYTES;
}

/* Kernels read the word that an entry begins in, and the next one. */
static double lines_of_packed_id(uint32_t n_lookups, uint32_t bits)
{
    enum { PERIOD = 8 * LINE_BYTES };
    uint64_t n = 0;
    for (uint64_t id = 0; id < PERIOD; id++) {
        uint64_t first_word = id * n_lookups * bits / 32;
        uint64_t last_word = ((id + 1) * n_lookups - 1) * bits / 32 + 1;
        n += last_word * 4 / LINE_BYTES - first_word * 4 / LINE_BYTES + 1;
    }
    return (double)n / PERIOD;
}

static double lines_of_mapping(const struct model *m, enum mapping_kind kind)
{
    if (kind == MAPPING_HASHED)
        return 0.0;
    if (kind == MAPPING_PACKED)
        return lines_of_packed_id(m->mapping.n_lookups, m->mapping.bits);
    return lines_of_entry(m->mapping.n_lookups * sizeof(uint32_t));
}

static double lines_of_rows(const struct model *m)
{
    return m->mapping.n_lookups * lines_of_entry(row_bytes(&m->rows));
}

/* Scales of dimensions are folded into the query. */
static double lines_of_scales(const struct model *m)
{
    bool is_by_row = m->rows.scaling == SCALING_ROW || m->rows.scaling == SCALING_ROW_OFFSET;
    return is_by_row ? m->mapping.n_lookups : 0.0;
}

/* Who looks an id up: a bag, or a candidate's score. */
enum reader { READ_BY_BAG, READ_BY_CANDIDATE };

static double lines_of_table(const struct model *m, const struct tables *t, enum scoring_table table,
                             enum reader reader)
{
    bool is_there = t->sources[table].n_bytes > 0;
    switch (table) {
    case TABLE_REMAP:
        return lines_of_mapping(m, t->mapping);
    case TABLE_ROWS:
        return lines_of_rows(m);
    case TABLE_SCALES:
        return lines_of_scales(m);
    case TABLE_WEIGHTS:
        return is_there && reader == READ_BY_BAG;
    case TABLE_BIAS:
        return is_there && reader == READ_BY_CANDIDATE;
    case TABLE_KEYS:
    case TABLE_KEY_SLOTS:
        return is_there;
    default:
        return 0.0;
    }
}

/* ---- The tables. */

static void print_lines(double lines)
{
    if (lines > 0.0)
        printf(" %12.2f", lines);
    else
        printf(" %12s", "-");
}

static void print_tables(const struct model *m, const struct tables *t, const struct table_plan *plans)
{
    uint64_t n_bytes = 0;
    double by_bag = 0.0, by_candidate = 0.0;
    printf("%-26s %14s %6s  %-24s %12s %12s\n", "table", "bytes", "banks", "where", "id of a bag",
           "candidate");
    for (enum scoring_table i = 0; i < N_SCORING_TABLES; i++) {
        const struct table_source *source = &t->sources[i];
        if (source->n_bytes == 0)
            continue;
        char where[32];
        snprintf(where, sizeof where, "%s%s", placement_name(plans[i].placement),
                 plans[i].space == TABLE_CONSTANT ? ", constant memory" : "");
        double bag = lines_of_table(m, t, i, READ_BY_BAG);
        double candidate = lines_of_table(m, t, i, READ_BY_CANDIDATE);
        printf("%-26s %14" PRIu64 " %6u  %-24s", source->name, source->n_bytes, plans[i].n_banks, where);
        print_lines(bag);
        print_lines(candidate);
        printf("\n");
        n_bytes += source->n_bytes;
        by_bag += bag;
        by_candidate += candidate;
    }
    printf("%-26s %14" PRIu64 " %6s  %-24s", "together", n_bytes, "", "64-byte lines a lookup:");
    print_lines(by_bag);
    print_lines(by_candidate);
    printf("\n");
}

/* ---- Merging. */

static double lines_of_id(const struct model *m)
{
    return lines_of_mapping(m, m->mapping.kind) + lines_of_rows(m) + lines_of_scales(m);
}

static uint64_t bytes_of_rows(const struct model *m)
{
    return (uint64_t)m->rows.n * row_bytes(&m->rows) + row_scale_bytes(m);
}

/* The shape of what `collide convert --merge` makes. */
static struct model merged_shape(const struct model *m, const struct merge *merge)
{
    struct model merged = *m;
    merged.rows.n = merge->n_rows;
    merged.rows.width = merge->width;
    merged.mapping.n_lookups = merge->n_lookups;
    if (merged.mapping.kind == MAPPING_HASHED)
        merged.mapping.kind = MAPPING_STORED;
    merged.mapping.bits = mapping_bits(merge->n_rows);
    return merged;
}

static enum collide_status print_merging(const struct model *m, struct collide_error *err)
{
    uint32_t n_lookups = m->mapping.n_lookups;
    if (n_lookups == 1)
        return COLLIDE_OK;
    if (n_lookups % 2 != 0) {
        printf("\n%" PRIu32 " lookups an id: they would merge by twos, so these do not\n", n_lookups);
        return COLLIDE_OK;
    }
    struct merge merge;
    enum collide_status status = merge_create(m, &merge, err);
    if (status != COLLIDE_OK)
        return status;
    struct model merged = merged_shape(m, &merge);
    printf("\n%-26s %14s %14s\n", "lookups merged by twos", "before", "after");
    printf("%-26s %14" PRIu32 " %14" PRIu32 "\n", "lookups an id", n_lookups, merge.n_lookups);
    printf("%-26s %14.2f %14.2f\n", "64-byte lines an id", lines_of_id(m), lines_of_id(&merged));
    printf("%-26s %14" PRIu64 " %14" PRIu64 "\n", "bytes of rows and scales", bytes_of_rows(m),
           bytes_of_rows(&merged));
    printf("collide convert --merge %" PRIu64 " makes such a model\n", bytes_of_rows(&merged));
    merge_free(&merge);
    return COLLIDE_OK;
}

/* ---- */

static enum collide_status print_on(const struct model *m, const struct device_info *device,
                                    const struct kernels_options *options, struct collide_error *err)
{
    struct tables tables;
    struct table_plan plans[N_SCORING_TABLES];
    enum collide_status status = kernels_plan(device, m, options, &tables, plans, err);
    if (status != COLLIDE_OK)
        return status;
    printf("plan on %s, %.2f GiB of memory in banks of at most %.2f GiB, tables %s\n\n", device->name,
           (double)device->memory_bytes / 0x1p30, (double)device->max_alloc_bytes / 0x1p30,
           table_policy_name(options->memory.policy));
    print_tables(m, &tables, plans);
    tables_free(&tables);
    return print_merging(m, err);
}

enum collide_status plan_print(const struct model *m, const struct device_flags *flags,
                               struct collide_error *err)
{
    unsigned device = 0;
    struct kernels_options options = {.memory.max_bank_bytes = flags->scorer.max_bank_bytes};
    struct platform_list *list = malloc(sizeof *list);
    if (!list)
        return error_no_memory(err, "the device list");
    enum collide_status status = table_policy_parse(flags->scorer.tables, &options.memory.policy, err);
    if (status == COLLIDE_OK)
        status = platform_list_devices(list, err);
    if (status == COLLIDE_OK)
        status = platform_choose(list, flags->scorer.device, &device, err);
    if (status == COLLIDE_OK)
        status = print_on(m, &list->devices[device], &options, err);
    free(list);
    return status;
}
