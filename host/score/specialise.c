#include "score/specialise.h"

#include "model/id_values.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Text that grows to its capacity and no further. */
struct text {
    char *bytes;
    size_t capacity, n;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *t, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(t->bytes + t->n, t->capacity - t->n, format, arguments);
    va_end(arguments);
    t->n = n < 0 || (size_t)n >= t->capacity - t->n ? t->capacity - 1 : t->n + (size_t)n;
}

static void add_model(struct text *t, const struct kernels *k)
{
    static const char *const rows[] = {
        [PRECISION_F32] = "ROWS_F32", [PRECISION_F16] = "ROWS_F16", [PRECISION_I8] = "ROWS_I8",
        [PRECISION_I4] = "ROWS_I4",   [PRECISION_I3] = "ROWS_I3",   [PRECISION_I2] = "ROWS_I2"};
    static const char *const scales[] = {[SCALING_NONE] = "SCALE_NONE",
                                         [SCALING_ROW] = "SCALE_ROW",
                                         [SCALING_ROW_OFFSET] = "SCALE_ROW_OFFSET",
                                         [SCALING_DIM] = "SCALE_DIM"};
    static const char *const combines[] = {[COMBINE_SUM] = "COMBINE_SUM",
                                           [COMBINE_MULTIPLY] = "COMBINE_MULTIPLY",
                                           [COMBINE_CONCAT] = "COMBINE_SUM"};
    static const char *const maps[] = {[MAPPING_STORED] = "MAP_STORED",
                                       [MAPPING_PACKED] = "MAP_PACKED",
                                       [MAPPING_HASHED] = "MAP_HASHED",
                                       [MAPPING_MODULO] = "MAP_MODULO",
                                       [MAPPING_QUOTIENT] = "MAP_QUOTIENT"};
    static const char *const pools[] = {[POOLING_SUM] = "POOL_SUM",
                                        [POOLING_MEAN] = "POOL_MEAN",
                                        [POOLING_NORMALISED] = "POOL_NORMALISED",
                                        [POOLING_MAX] = "POOL_MAX"};
    const struct model *m = k->model;
    add(t, " -DDIM=%u -D%s -D%s -DLOOKUPS=%u -DPARTS=%u -D%s -D%s -D%s", m->dim, rows[m->rows.precision],
        scales[m->rows.scaling], m->mapping.n_lookups, mapping_n_parts(&m->mapping),
        combines[m->mapping.combine], maps[k->tables.mapping], pools[m->pooling]);
    if (k->tables.mapping == MAPPING_PACKED)
        add(t, " -DMAP_BITS=%u", m->mapping.bits);
    if (k->tables.has_codebooks)
        add(t, " -DCODEBOOKS=1");
    if (model_is_blank_by_values(m))
        add(t, " -DBLANK_BY_VALUES=1");
    add(t, " -DWEIGHTED=%d -DBIASED=%d", k->tables.weighted, k->tables.biased);
    if (k->tables.class_bits)
        add(t, " -DCLASS_BITS=%u", k->tables.class_bits);
    if (k->tables.lookup_weighted)
        add(t, " -DLOOKUP_WEIGHTED=1");
    if (k->tables.params.n_key_slots)
        add(t, " -DKEYED=1");
    if (k->tables.selects_by_rows)
        add(t, " -DSELECT_BY_ROWS=1");
}

static void add_tables(struct text *t, const struct kernels *k)
{
    for (enum scoring_table i = TABLE_PARAMS + 1; i < N_SCORING_TABLES; i++) {
        const struct table_plan *plan = &k->plan[i];
        if (!k->tables.sources[i].n_bytes)
            add(t, " -D%s_BANKS=0", scoring_table_name(i));
        if (plan->n_banks > 1)
            add(t, " -D%s_BANKS=%u -D%s_SHIFT=%u", scoring_table_name(i), plan->n_banks,
                scoring_table_name(i), plan->shift);
        if (plan->space == TABLE_CONSTANT)
            add(t, " -D%s_SPACE=__constant", scoring_table_name(i));
    }
}

static const char *const forms[N_FORMS] = {
    [FORM_ITEM] = " -DFORM_ITEM", [FORM_GROUP] = " -DFORM_GROUP", [FORM_PIPELINE] = " -DFORM_PIPELINE"};

void specialise(const struct kernels *k, const struct kernels_options *o, char *out, size_t capacity)
{
    struct text t = {out, capacity, 0};
    bool ring = o->engine == ENGINE_RING;
    /* Atomics came with 2.0; what is built without them builds everywhere. */
    static const char *const ring_std[] = {
        [ATOMICS_NONE] = "CL2.0", [ATOMICS_CL2] = "CL2.0", [ATOMICS_CL3] = "CL3.0"};
    add(&t, "-cl-std=%s", ring ? ring_std[device_info(k->device)->atomics] : "CL1.2");
    add_model(&t, k);
    add_tables(&t, k);
    add(&t, "%s", forms[k->tuning.form]);
    if (k->tuning.form == FORM_GROUP)
        add(&t, " -DGROUP=%u", k->tuning.group_size);
    add(&t, " -DPREFETCH=%u", k->tuning.prefetch);
    if (k->tuning.prefetch)
        add(&t, " -DROW_AHEAD=%u -DREMAP_AHEAD=%u", k->tuning.row_ahead, k->tuning.remap_ahead);
    add(&t, " -DGATHERED=%d", k->is_gathered);
    if (k->is_called)
        add(&t, " -DCALL=1");
    if (k->reads_numbers)
        add(&t, " -DNUMBERS=1");
    if (o->rows.end)
        add(&t, " -DSHARDED=1");
    if (ring)
        add(&t, " -DRING=1");
}

static void read_number(const char *options, const char *name, unsigned *out)
{
    const char *at = strstr(options, name);
    if (at)
        *out = (unsigned)strtoul(at + strlen(name), NULL, 10);
}

static bool is_set(const char *options, const char *name)
{
    unsigned value = 0;
    read_number(options, name, &value);
    return value;
}

bool specialise_gathers(const char *options)
{
    return is_set(options, " -DGATHERED=");
}

bool specialise_calls(const char *options)
{
    return is_set(options, " -DCALL=");
}

void specialise_read_tuning(const char *options, struct tuning *t)
{
    for (enum kernel_form form = 0; form < N_FORMS; form++)
        if (strstr(options, forms[form]))
            t->form = form;
    read_number(options, " -DGROUP=", &t->group_size);
    read_number(options, " -DPREFETCH=", &t->prefetch);
    read_number(options, " -DROW_AHEAD=", &t->row_ahead);
    read_number(options, " -DREMAP_AHEAD=", &t->remap_ahead);
}
