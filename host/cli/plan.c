#include "cli/plan.h"

#include "base/error.h"
#include "learn/store/merge.h"
#include "model/cost.h"
#include "model/mapping.h"
#include "score/kernels.h"
#include "score/shards.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Who looks an id up: a bag, or a candidate's score. */
enum reader { READ_BY_BAG, READ_BY_CANDIDATE };

/* Lines of 64 bytes of a table that an id touches. Kernels see one space, whatever it was joined from. */
static double lines_of_table(const struct model *m, const struct tables *t, enum scoring_table table,
                             enum reader reader)
{
    struct model placed = *m;
    placed.mapping.kind = t->mapping;
    placed.item.n_lookups = m->mapping.n_lookups;
    placed.item.weights = t->sources[TABLE_WEIGHTS].bytes;
    placed.item.lookup_weights = t->sources[TABLE_LOOKUP_WEIGHTS].bytes;
    placed.user_is_embedded = false;
    placed.n_features = 0;
    if (t->sources[table].n_bytes == 0)
        return 0.0;
    switch (table) {
    case TABLE_REMAP:
        return cost_of_mapping(&placed).lines;
    case TABLE_ROWS:
        return cost_of_rows(&placed).lines;
    case TABLE_SCALES:
        return cost_of_scales(&placed).lines;
    case TABLE_WEIGHTS:
        return reader == READ_BY_BAG ? cost_of_weight(&placed).lines : 0.0;
    case TABLE_CLASSES:
        return reader == READ_BY_BAG ? cost_of_weight(&placed).lines : cost_of_bias(&placed).lines;
    case TABLE_LOOKUP_WEIGHTS:
        return cost_of_lookup_weights(&placed).lines;
    case TABLE_BIAS:
        return reader == READ_BY_CANDIDATE ? cost_of_bias(&placed).lines : 0.0;
    case TABLE_KEYS:
    case TABLE_KEY_SLOTS:
        return 1.0;
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

/* The channels of a table's banks: first to last, round about. */
static void print_channels(const struct table_plan *plan)
{
    char channels[32];
    unsigned last = (plan->channel + plan->n_banks - 1) % plan->n_channels;
    if (plan->n_banks == 1)
        snprintf(channels, sizeof channels, "%u", plan->channel);
    else if (plan->n_banks >= plan->n_channels)
        snprintf(channels, sizeof channels, "all");
    else
        snprintf(channels, sizeof channels, "%u to %u", plan->channel, last);
    printf(" %9s", channels);
}

static void print_heading(unsigned n_channels)
{
    printf("%-26s %14s %6s", "table", "bytes", "banks");
    if (n_channels > 1)
        printf(" %9s", "channels");
    printf("  %-24s %12s %12s\n", "where", "id of a bag", "candidate");
}

static void print_table(const struct table_source *source, const struct table_plan *plan)
{
    char where[32];
    snprintf(where, sizeof where, "%s%s", placement_name(plan->placement),
             plan->space == TABLE_CONSTANT ? ", constant memory" : "");
    printf("%-26s %14" PRIu64 " %6u", source->name, source->n_bytes, plan->n_banks);
    if (plan->n_channels > 1)
        print_channels(plan);
    printf("  %-24s", where);
}

static void print_tables(const struct model *m, const struct tables *t, const struct table_plan *plans)
{
    uint64_t n_bytes = 0;
    double by_bag = 0.0, by_candidate = 0.0;
    unsigned n_channels = plans[TABLE_PARAMS].n_channels;
    print_heading(n_channels);
    for (enum scoring_table i = 0; i < N_SCORING_TABLES; i++) {
        const struct table_source *source = &t->sources[i];
        if (source->n_bytes == 0)
            continue;
        double bag = lines_of_table(m, t, i, READ_BY_BAG);
        double candidate = lines_of_table(m, t, i, READ_BY_CANDIDATE);
        print_table(source, &plans[i]);
        print_lines(bag);
        print_lines(candidate);
        printf("\n");
        n_bytes += source->n_bytes;
        by_bag += bag;
        by_candidate += candidate;
    }
    printf("%-26s %14" PRIu64 " %6s%*s  %-24s", "together", n_bytes, "", n_channels > 1 ? 10 : 0, "",
           "64-byte lines a lookup:");
    print_lines(by_bag);
    print_lines(by_candidate);
    printf("\n");
}

/* ---- Merging. */

/* The shape of what `collide convert --merge` makes. */
static struct model merged_shape(const struct model *m, const struct merge *merge)
{
    struct model merged = *m;
    merged.rows.n = merge->n_rows;
    merged.rows.width = merge->width;
    merged.mapping = merge_mapping(merge);
    merged.mapping.bits = mapping_bits(merge->n_rows);
    merged.item.n_lookups = (m->item.n_lookups + 1) / 2;
    merged.user.n_lookups = (m->user.n_lookups + 1) / 2;
    return merged;
}

static enum collide_status print_merging(const struct model *m, struct collide_error *err)
{
    uint32_t n_lookups = m->mapping.n_lookups;
    if (n_lookups == 1)
        return COLLIDE_OK;
    struct collide_error why_not;
    if (merge_check(m, &why_not) != COLLIDE_OK) {
        printf("\n%" PRIu32 " lookups an id: %s\n", n_lookups, why_not.text);
        return COLLIDE_OK;
    }
    struct merge merge;
    enum collide_status status = merge_create(m, &merge, err);
    if (status != COLLIDE_OK)
        return status;
    struct model merged = merged_shape(m, &merge);
    printf("\n%-26s %14s %14s\n", "lookups merged by twos", "before", "after");
    printf("%-26s %14" PRIu32 " %14" PRIu32 "\n", "lookups an id", n_lookups, merge.n_lookups);
    printf("%-26s %14.2f %14.2f\n", "64-byte lines an id", cost_of_embedding(m).lines,
           cost_of_embedding(&merged).lines);
    printf("%-26s %14" PRIu64 " %14" PRIu64 "\n", "bytes of rows and scales", bytes_of_rows(m),
           bytes_of_rows(&merged));
    printf("collide convert --merge %" PRIu64 " makes such a model\n", bytes_of_rows(&merged));
    merge_free(&merge);
    return COLLIDE_OK;
}

/* ---- The devices. */

static enum collide_status print_on(const struct model *m, const struct device_info *device,
                                    const struct kernels_options *options, struct collide_error *err)
{
    struct tables tables;
    struct table_plan plans[N_SCORING_TABLES];
    enum collide_status status = kernels_plan(device, m, options, &tables, plans, err);
    if (status != COLLIDE_OK)
        return status;
    printf("plan on %s, %.2f GiB of memory in banks of at most %.2f GiB, tables %s\n", device->name,
           (double)device->memory_bytes / 0x1p30, (double)device->max_alloc_bytes / 0x1p30,
           table_policy_name(options->memory.policy));
    if (options->rows.end)
        printf("a shard: rows %" PRIu32 " to %" PRIu32 " of %" PRIu32
               "; the lines are those of an id whose rows are here\n",
               options->rows.begin, options->rows.end - 1, m->rows.n);
    printf("\n");
    print_tables(m, &tables, plans);
    tables_free(&tables);
    return COLLIDE_OK;
}

static enum collide_status print_on_each(const struct model *m, const struct platform_list *list,
                                         const struct collide_scorer_options *wanted,
                                         struct collide_error *err)
{
    unsigned devices[PLATFORM_MAX_DEVICES], n = 0;
    struct kernels_options options = {
        .memory = {.max_bank_bytes = wanted->max_bank_bytes, .n_channels = wanted->n_channels}};
    enum collide_status status = table_policy_parse(wanted->tables, &options.memory.policy, err);
    if (status == COLLIDE_OK)
        status = platform_choose_several(list, wanted->device, devices, &n, err);
    bool is_sharded = wanted->spread == COLLIDE_SHARD;
    if (status == COLLIDE_OK && is_sharded)
        status = shards_check(m, n, err);
    for (unsigned i = 0; i < n && status == COLLIDE_OK; i++) {
        if (is_sharded)
            options.rows = shard_rows(m, i, n);
        if (i > 0)
            printf("\n");
        status = print_on(m, &list->devices[devices[i]], &options, err);
    }
    return status;
}

enum collide_status plan_print(const struct model *m, const struct collide_scorer_options *options,
                               struct collide_error *err)
{
    struct platform_list *list = malloc(sizeof *list);
    if (!list)
        return error_no_memory(err, "the device list");
    enum collide_status status = platform_list_devices(list, err);
    if (status == COLLIDE_OK)
        status = print_on_each(m, list, options, err);
    if (status == COLLIDE_OK)
        status = print_merging(m, err);
    free(list);
    return status;
}
