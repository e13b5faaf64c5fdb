/* The kernels as C. CMake compiles this file once for each specialisation, SPECIALISATION its name. */
#include "kernel_as_c.h"
#include "opencl_shim.h"

#include <stdlib.h>

/* What C's own headers declare is behind us; the kernels' names differ between specialisations. */
#define SHIM_PASTE2(a, b) a##b
#define SHIM_PASTE(a, b)  SHIM_PASTE2(a, b)
#define collide_score_v1  SHIM_PASTE(score_, SPECIALISATION)
#define collide_bag_v1    SHIM_PASTE(bag_, SPECIALISATION)
#define collide_rows_v1   SHIM_PASTE(rows_, SPECIALISATION)
#define collide_topk_v1   SHIM_PASTE(topk_, SPECIALISATION)

#define __OPENCL_VERSION__ 120
#include "collide.cl"

#if GATHERED
/* The addresses of what else are arguments, in a block that ends with them. */
#define TABLES_OF(a) gathered
#define BATCH_OF(a)
#define ADD_BANKS(T, type, name)                                                                             \
    for (uint bank = 0; bank < T##_BANKS; bank++)                                                            \
        *next++ = (uintptr_t)a->banks[table][bank];                                                          \
    table++;
static uint64_t *gathered;

static void gather(const struct kernel_arguments *a)
{
    const void *const regions[] = {a->queries,   a->history, a->history_weights, a->items, a->history_keys,
                                   a->item_keys, a->vectors, a->row_scores,      a->scores};
    enum { N_REGIONS = sizeof regions / sizeof *regions };
    gathered = malloc((1 FOR_EACH_TABLE(COUNT_BANKS) + N_REGIONS) * sizeof *gathered);
    uint64_t *next = gathered;
    size_t table = 0;
    *next++ = (uintptr_t)a->params;
    FOR_EACH_TABLE(ADD_BANKS)
    for (size_t i = 0; i < N_REGIONS; i++)
        *next++ = (uintptr_t)regions[i];
}

static void scatter(void)
{
    free(gathered);
}
#else
/* The banks of a table as so many arguments. */
#define BANKS_1(b)           (b)[0]
#define BANKS_2(b)           BANKS_1(b), (b)[1]
#define BANKS_4(b)           BANKS_2(b), (b)[2], (b)[3]
#define BANKS_8(b)           BANKS_4(b), BANKS_4((b) + 4)
#define BANKS_16(b)          BANKS_8(b), BANKS_8((b) + 8)
#define BANKS_OF(a, T, name) PASTE(BANKS_, T##_BANKS)((a)->banks[name])
#define TABLES_OF(a)                                                                                         \
    (a)->params, BANKS_OF(a, REMAP, AS_C_REMAP), BANKS_OF(a, ROWS, AS_C_ROW_VALUES),                         \
        BANKS_OF(a, SCALES, AS_C_SCALES), BANKS_OF(a, WEIGHTS, AS_C_WEIGHTS),                                \
        BANKS_OF(a, LOOKUP_WEIGHTS, AS_C_LOOKUP_WEIGHTS), BANKS_OF(a, BIAS, AS_C_BIAS),                      \
        BANKS_OF(a, CLASSES, AS_C_CLASSES), BANKS_OF(a, CLASS_WEIGHTS, AS_C_CLASS_WEIGHTS),                  \
        BANKS_OF(a, CLASS_BIAS, AS_C_CLASS_BIAS), BANKS_OF(a, USER_OFFSETS, AS_C_USER_OFFSETS),              \
        BANKS_OF(a, USER_HISTORY, AS_C_USER_HISTORY), BANKS_OF(a, KEYS, AS_C_KEYS),                          \
        BANKS_OF(a, KEY_SLOTS, AS_C_KEY_SLOTS), BANKS_OF(a, ROW_OFFSETS, AS_C_ROW_OFFSETS),                  \
        BANKS_OF(a, ROW_ITEMS, AS_C_ROW_ITEMS), BANKS_OF(a, ROW_BEST, AS_C_ROW_BEST)
#define BATCH_OF(a)                                                                                          \
    , (a)->queries, (a)->history, (a)->history_weights, (a)->items, (a)->history_keys, (a)->item_keys,       \
        (a)->vectors, (a)->row_scores, (a)->scores
#define gather(a)
#define scatter()
#endif
#if NUMBERS
#define NUMBERS_OF(a) , (a)->numbers
#else
#define NUMBERS_OF(a)
#endif

struct launch {
    enum as_c_kernel kernel;
    const struct kernel_arguments *arguments;
};

static void body(const void *argument)
{
    const struct launch *l = argument;
    (l->kernel == AS_C_SCORE ? collide_score_v1
     : l->kernel == AS_C_BAG ? collide_bag_v1
     : l->kernel == AS_C_ROWS
         ? collide_rows_v1
         : collide_topk_v1)(TABLES_OF(l->arguments) BATCH_OF(l->arguments) NUMBERS_OF(l->arguments));
}

static void run(enum as_c_kernel kernel, const struct kernel_arguments *arguments, size_t n_groups)
{
    const struct launch launch = {kernel, arguments};
    size_t n_local = 1;
#if defined(FORM_GROUP)
    if (kernel != AS_C_TOPK)
        n_local = GROUP;
#endif
    gather(arguments);
    work_groups_run(body, &launch, n_groups, n_local);
    scatter();
}

#if KEYED
static tables tables_of(TABLE_ARGUMENTS)
{
    tables t = TABLES;
    return t;
}

static uint32_t find(const struct kernel_arguments *a, uint64_t key)
{
    gather(a);
    const tables t = tables_of(TABLES_OF(a));
    uint32_t item = find_item(&t, key);
    scatter();
    return item;
}
#endif

/* CMake gives all tables several banks, or one each. */
#if REMAP_BANKS > 1
#define PLACED(T)                                                                                            \
    {                                                                                                        \
        T##_BANKS, T##_SHIFT                                                                                 \
    }
#else
#define PLACED(T)                                                                                            \
    {                                                                                                        \
        1, 31                                                                                                \
    }
#endif

extern const struct kernel_as_c SPECIALISATION;
const struct kernel_as_c SPECIALISATION = {
    .dim = DIM,
    .n_lookups = LOOKUPS,
    .n_parts = PARTS,
    .map_bits = MAP_BITS,
    .class_bits = CLASS_BITS,
    .lookup_weighted = LOOKUP_WEIGHTED,
    .banks = {PLACED(REMAP), PLACED(ROWS), PLACED(SCALES), PLACED(WEIGHTS), PLACED(LOOKUP_WEIGHTS),
              PLACED(BIAS), PLACED(CLASSES), PLACED(CLASS_WEIGHTS), PLACED(CLASS_BIAS), PLACED(USER_OFFSETS),
              PLACED(USER_HISTORY), PLACED(KEYS), PLACED(KEY_SLOTS), PLACED(ROW_OFFSETS), PLACED(ROW_ITEMS),
              PLACED(ROW_BEST)},
    .run = run,
#if KEYED
    .find_item = find,
#endif
};
