#include "setting.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include <cmocka.h>

void *block(size_t n, size_t item_bytes)
{
    void *p = malloc(n * item_bytes);
    assert_non_null(p);
    return p;
}

static uint32_t below(struct rng *rng, uint32_t n)
{
    return (uint32_t)rng_below(rng, n);
}

static float random_float(struct rng *rng)
{
    return (float)(2.0 * rng_double(rng) - 1.0);
}

static void *table_make(struct setting *s, enum as_c_table which, size_t n, size_t entry_bytes)
{
    s->tables[which] = (struct table){block(n, entry_bytes), n, entry_bytes, {0}};
    return s->tables[which].entries;
}

static float *make_floats(struct setting *s, enum as_c_table which, size_t n, struct rng *rng)
{
    float *values = table_make(s, which, n, sizeof(float));
    for (size_t i = 0; i < n; i++)
        values[i] = random_float(rng);
    return values;
}

/* Below 4, some subnormal. */
static uint16_t random_half(struct rng *rng)
{
    return (uint16_t)((rng_u64(rng) & 0x83ff) | rng_below(rng, 17) << 10);
}

static void make_scales(struct setting *s, size_t n_rows, struct rng *rng)
{
    const enum scaling scaling = s->spec->scaling;
    const size_t n_floats[] = {
        [SCALING_NONE] = 0, [SCALING_ROW] = n_rows, [SCALING_DIM] = s->spec->kernels->dim};
    if (scaling != SCALING_ROW_OFFSET) {
        make_floats(s, AS_C_SCALES, n_floats[scaling], rng);
        return;
    }
    uint16_t *pairs = table_make(s, AS_C_SCALES, n_rows, 2 * sizeof *pairs);
    for (size_t i = 0; i < 2 * n_rows; i++)
        pairs[i] = random_half(rng);
}

static void make_rows(struct setting *s, struct rng *rng)
{
    const struct specialisation *spec = s->spec;
    uint32_t n = s->params.row_end - s->params.row_begin, dim = spec->kernels->dim;
    uint32_t width = dim / spec->kernels->n_parts;
    const struct row_table shape = {.width = width, .precision = spec->precision};
    size_t bytes = row_bytes(&shape);
    uint8_t *values = table_make(s, AS_C_ROW_VALUES, n, bytes);
    for (size_t i = 0; i < n * bytes; i++)
        values[i] = (uint8_t)rng_u64(rng);
    for (size_t i = 0; spec->precision == PRECISION_F32 && i < (size_t)n * width; i++)
        ((float *)(void *)values)[i] = random_float(rng);
    for (size_t i = 0; spec->precision == PRECISION_F16 && i < (size_t)n * width; i++)
        ((uint16_t *)(void *)values)[i] = random_half(rng);
    make_scales(s, n, rng);
}

/* As host/model/mapping.h says. */
static uint32_t computed_row(const struct setting *s, uint32_t entry, uint32_t lookup)
{
    uint64_t seed = (uint64_t)s->params.seed_high << 32 | s->params.seed_low;
    uint64_t x = (uint64_t)entry * s->spec->kernels->n_lookups + lookup + 1 + seed * 0x9e3779b97f4a7c15;
    uint32_t divisor = s->params.divisor;
    if (s->spec->mapping == MAPPING_MODULO)
        return s->params.own_first + entry % s->params.n_own;
    if (s->spec->mapping == MAPPING_QUOTIENT)
        return s->params.own_first + (lookup ? divisor + entry / divisor : entry % divisor);
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    x ^= x >> 31;
    return s->params.own_first + (uint32_t)((x >> 32) * s->params.n_own >> 32);
}

/* Some of the rows but the last, a number of them that the lookups share; tables may be too small for any. */
static void make_own_rows(struct setting *s, struct rng *rng)
{
    uint32_t n_lookups = s->spec->kernels->n_lookups, n = s->sizes.n_rows - 1;
    const bool is_computed = mapping_is_computed(s->spec->mapping), takes_all = is_computed && below(rng, 2);
    if (takes_all)
        s->params.n_own = n;
    else if (s->spec->mapping == MAPPING_MODULO)
        s->params.n_own = 1 + below(rng, n);
    else if (s->spec->has_codebooks || is_computed)
        s->params.n_own = n_lookups * below(rng, n / n_lookups + 1);
    s->params.own_first = below(rng, n - s->params.n_own + 1);
}

static uint32_t any_entry(const struct setting *s, struct rng *rng)
{
    static const uint32_t beyond[] = {0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff};
    uint32_t bits = s->spec->mapping == MAPPING_PACKED ? s->spec->kernels->map_bits : 32;
    uint32_t n_book = s->params.n_own / s->spec->kernels->n_lookups;
    if (s->hostility == AS_WRITTEN || below(rng, 3))
        return below(rng, !s->spec->has_codebooks ? s->sizes.n_rows : n_book ? n_book : 1);
    return (below(rng, 2) ? beyond[below(rng, 4)] : (uint32_t)rng_u64(rng)) & UINT32_MAX >> (32 - bits);
}

/* As words of so many bits an entry, and one more. */
static void table_pack(struct setting *s, enum as_c_table which, const uint32_t *entries, size_t n,
                       uint32_t bits)
{
    size_t n_words = (n * bits + 31) / 32 + 1;
    uint32_t *words = memset(table_make(s, which, n_words, 4), 0, n_words * 4);
    for (size_t bit = 0; bit < n * bits; bit++)
        if (entries[bit / bits] >> bit % bits & 1)
            words[bit / 32] |= 1u << bit % 32;
}

/* As host/model/mapping.h says; what is too much for a row stays that. */
static uint32_t mapped_row(const struct setting *s, uint32_t entry, uint32_t lookup)
{
    uint32_t n_lookups = s->spec->kernels->n_lookups;
    bool is_computed = mapping_is_computed(s->spec->mapping);
    if ((is_computed || s->spec->has_codebooks) && entry == s->sizes.n_items)
        return s->sizes.n_rows - 1;
    if (is_computed)
        return computed_row(s, entry, lookup);
    uint64_t row = s->entries[entry * n_lookups + lookup];
    if (s->spec->has_codebooks)
        row += s->params.own_first + lookup * (s->params.n_own / n_lookups);
    return row < UINT32_MAX ? (uint32_t)row : UINT32_MAX;
}

static void make_mapping(struct setting *s, struct rng *rng)
{
    uint32_t n_lookups = s->spec->kernels->n_lookups;
    size_t n = (size_t)s->params.n_entries * n_lookups;
    make_own_rows(s, rng);
    s->entries = block(n, sizeof *s->entries);
    s->mapped = block(n, sizeof *s->mapped);
    for (size_t i = 0; i < n; i++)
        s->entries[i] = any_entry(s, rng);
    for (uint32_t i = 0; i < s->sizes.n_items; i++)
        if (below(rng, 4) == 0) /* blank, if its weight and bias are too */
            memcpy(&s->entries[i * n_lookups], &s->entries[s->sizes.n_items * n_lookups],
                   n_lookups * sizeof *s->entries);
    for (size_t i = 0; i < n; i++)
        s->mapped[i] = mapped_row(s, (uint32_t)(i / n_lookups), (uint32_t)(i % n_lookups));
    if (s->spec->mapping == MAPPING_STORED)
        memcpy(table_make(s, AS_C_REMAP, n, 4), s->entries, n * 4);
    else if (s->spec->mapping == MAPPING_PACKED)
        table_pack(s, AS_C_REMAP, s->entries, n, s->spec->kernels->map_bits);
    else
        table_make(s, AS_C_REMAP, 0, 4);
}

/* Weights and biases, many of them those of the unknown item. */
static void make_values(struct setting *s, struct rng *rng)
{
    uint32_t unknown = s->sizes.n_items;
    bool weighted = s->spec->weighted && !s->spec->classed, biased = s->spec->biased && !s->spec->classed;
    uint32_t n_lookups = s->spec->kernels->n_lookups;
    float *weights = make_floats(s, AS_C_WEIGHTS, weighted ? s->params.n_entries : 0, rng);
    float *lookup_weights = make_floats(
        s, AS_C_LOOKUP_WEIGHTS, s->spec->kernels->lookup_weighted ? s->params.n_entries * n_lookups : 0, rng);
    float *bias = make_floats(s, AS_C_BIAS, biased ? unknown + 1 : 0, rng);
    for (uint32_t i = 0; i < unknown; i++)
        if (below(rng, 3)) {
            if (weighted)
                weights[i] = weights[unknown];
            if (s->spec->kernels->lookup_weighted && below(rng, 3))
                memcpy(&lookup_weights[i * n_lookups], &lookup_weights[unknown * n_lookups],
                       n_lookups * sizeof *lookup_weights);
            if (biased)
                bias[i] = bias[unknown];
        }
}

/* The same by classes, which only models of one space have on a device. */
static void make_classes(struct setting *s, struct rng *rng)
{
    uint32_t bits = s->spec->kernels->class_bits, unknown = s->sizes.n_items;
    size_t n_classes = bits ? (size_t)1 << bits : 0;
    make_floats(s, AS_C_CLASS_WEIGHTS, n_classes, rng);
    make_floats(s, AS_C_CLASS_BIAS, n_classes, rng);
    s->codes = block(s->params.n_entries, sizeof *s->codes);
    for (uint32_t i = s->params.n_entries; bits && i-- > 0;)
        s->codes[i] = i < unknown && below(rng, 3) ? s->codes[unknown] : below(rng, (uint32_t)n_classes);
    if (bits)
        table_pack(s, AS_C_CLASSES, s->codes, s->params.n_entries, bits);
    else
        table_make(s, AS_C_CLASSES, 0, 4);
}

static void make_users(struct setting *s, struct rng *rng)
{
    uint32_t n_users = s->sizes.n_users, n = 0;
    uint32_t *offsets = table_make(s, AS_C_USER_OFFSETS, n_users ? n_users + 2 : 0, 4);
    for (uint32_t u = 0; u < n_users; u++) {
        offsets[u] = n;
        n += below(rng, s->sizes.max_user_history + 1);
    }
    if (n_users)
        offsets[n_users] = offsets[n_users + 1] = n;
    for (uint32_t u = 0; s->hostility != AS_WRITTEN && n_users && u < n_users + 2; u++)
        if (below(rng, 3) == 0)
            offsets[u] = below(rng, 2) ? (uint32_t)rng_u64(rng) : below(rng, n + 1);
    uint32_t *history = table_make(s, AS_C_USER_HISTORY, n, 4);
    for (uint32_t j = 0; j < n; j++)
        history[j] = s->hostility != AS_WRITTEN && below(rng, 3) == 0 ? (uint32_t)rng_u64(rng)
                                                                      : below(rng, s->sizes.n_items);
    s->params.n_stored = n;
}

static void make_keys(struct setting *s, struct rng *rng)
{
    uint32_t n = s->spec->keyed ? s->sizes.n_items : 0, n_slots = n ? 1 : 0;
    while (3 * n_slots < 4 * n)
        n_slots *= 2;
    uint64_t *keys = table_make(s, AS_C_KEYS, n, sizeof *keys);
    uint32_t *slots = table_make(s, AS_C_KEY_SLOTS, n_slots, sizeof *slots);
    memset(slots, 0xff, n_slots * sizeof *slots);
    for (uint32_t i = 0; i < n; i++) {
        keys[i] = rng_u64(rng);
        uint32_t slot = (uint32_t)XXH3_64bits(&keys[i], sizeof keys[i]) & (n_slots - 1);
        while (slots[slot] != UINT32_MAX)
            slot = (slot + 1) & (n_slots - 1);
        slots[slot] = i;
    }
    for (uint32_t i = 0; s->hostility == LOST_SLOTS && i < n_slots; i++)
        slots[i] = below(rng, n);
    s->params.n_key_slots = n_slots;
}

/* What a request may hold as an id: one in four is beyond the last. */
static uint32_t any_id(struct rng *rng, uint32_t n_ids)
{
    const uint32_t beyond[] = {n_ids, n_ids + 1, 0x80000000u, 0xffffffffu};
    return n_ids > 0 && below(rng, 4) ? below(rng, n_ids) : beyond[below(rng, 4)];
}

static uint32_t find_key(const struct setting *s, uint64_t key)
{
    const uint64_t *keys = s->tables[AS_C_KEYS].entries;
    uint32_t i = 0;
    while (i < s->sizes.n_items && keys[i] != key)
        i++;
    return i;
}

static struct id_list make_ids(const struct setting *s, uint32_t n, struct rng *rng)
{
    struct id_list list = {n, block(n, 4), block(n, 4), block(s->spec->keyed ? n : 0, sizeof(uint64_t))};
    for (uint32_t j = 0; j < n; j++) {
        uint32_t id = any_id(rng, s->params.n_entries);
        list.sent[j] = id;
        list.meant[j] = id < s->params.n_entries ? id : s->sizes.n_items;
        if (!s->spec->keyed)
            continue;
        list.keys[j] = rng_u64(rng);
        if (below(rng, 2)) {
            list.sent[j] = ID_BY_KEY;
            if (below(rng, 4))
                list.keys[j] = ((const uint64_t *)s->tables[AS_C_KEYS].entries)[below(rng, s->sizes.n_items)];
        }
        if (list.sent[j] == ID_BY_KEY)
            list.meant[j] = find_key(s, list.keys[j]);
    }
    return list;
}

/* Appends a number of 1 or 2 words. */
static uint64_t add_number(struct setting *s, uint64_t number, uint32_t n_words)
{
    s->numbers[s->n_numbers++] = (uint32_t)number;
    if (n_words == 2)
        s->numbers[s->n_numbers++] = (uint32_t)(number >> 32);
    return n_words == 2 ? number : (uint32_t)number;
}

/* The first few ids of [begin, end) become numbers: known ones, or any at all. Returns how many. */
static uint32_t make_numbers(struct setting *s, struct id_list *list, uint32_t begin, uint32_t end,
                             uint32_t n_words, struct rng *rng)
{
    const uint64_t *keys = s->tables[AS_C_KEYS].entries;
    uint32_t n_items = s->sizes.n_items;
    uint32_t n = below(rng, 3) ? end - begin : below(rng, end - begin + 1);
    for (uint32_t j = begin; j < begin + n; j++) {
        const uint64_t strange[] = {n_items,    n_items + 1,       UINT32_MAX,
                                    UINT64_MAX, (uint64_t)1 << 32, rng_u64(rng)};
        uint32_t item = below(rng, n_items);
        uint64_t number = below(rng, 3) == 0 ? strange[below(rng, 6)] : s->spec->keyed ? keys[item] : item;
        number = add_number(s, number, n_words);
        list->meant[j] = s->spec->keyed ? find_key(s, number) : number < n_items ? (uint32_t)number : n_items;
        list->sent[j] = list->meant[j];
    }
    return n;
}

/* What the host does where ids may be numbers. */
static void number_queries(struct setting *s, struct rng *rng)
{
    s->numbers = block(2 * ((size_t)s->history.n + s->items.n) + 1, 4);
    add_number(s, 0, 1); /* none is at the start */
    for (uint32_t i = 0; s->spec->numbers && i < s->sizes.n_queries; i++) {
        device_query *q = &s->queries[i];
        uint32_t n_words = 1 + below(rng, 2);
        q->history_limit = q->history_end;
        q->items_limit = q->items_end;
        if (below(rng, 4) == 0)
            continue;
        q->flags |= n_words == 2 ? QUERY_LONG_NUMBERS : 0;
        q->history_numbers = s->n_numbers;
        q->n_history_numbers = make_numbers(s, &s->history, q->history_begin, q->history_end, n_words, rng);
        q->item_numbers = s->n_numbers;
        q->n_item_numbers = make_numbers(s, &s->items, q->items_begin, q->items_end, n_words, rng);
    }
}

static void make_queries(struct setting *s, struct rng *rng)
{
    const struct sizes *z = &s->sizes;
    uint32_t n_history = 0, n_items = 0, dim = s->spec->kernels->dim, n_parts = 1 + below(rng, 3);
    s->queries = block(z->n_queries, sizeof *s->queries);
    for (uint32_t i = 0; i < z->n_queries; i++) {
        device_query *q = &s->queries[i];
        *q = (device_query){.user = any_id(rng, z->n_users),
                            .history_begin = n_history,
                            .items_begin = n_items,
                            .n_parts = n_parts};
        q->history_end = n_history += below(rng, z->max_history + 1);
        q->items_end = n_items += below(rng, z->max_items + 1);
        q->k = below(rng, 3) ? 1 + below(rng, 8) : below(rng, z->n_items + 3);
        q->flags = (below(rng, 2) ? QUERY_EXCLUDE_SEEN : 0) | (below(rng, 4) ? 0 : QUERY_VECTOR);
        if (s->spec->pooling != POOLING_MEAN && below(rng, 2))
            q->flags |= QUERY_SUM;
    }
    for (uint32_t i = 0; i < z->n_queries; i++) {
        s->queries[i].history_limit = n_history;
        s->queries[i].items_limit = n_items;
    }
    s->queries[z->n_queries - 1].flags |= QUERY_LAST;
    s->history = make_ids(s, n_history, rng);
    s->items = make_ids(s, n_items, rng);
    number_queries(s, rng);
    s->history_weights = block(n_history, sizeof(float));
    for (uint32_t j = 0; j < n_history; j++)
        s->history_weights[j] = random_float(rng);
    s->vectors = block((size_t)z->n_queries * dim, sizeof(float));
    for (size_t i = 0; i < (size_t)z->n_queries * dim; i++)
        s->vectors[i] = random_float(rng);
}

/* What the host builds for top-k where an item has one stored row. */
static void make_row_items(struct setting *s)
{
    bool by_rows = s->spec->mapping == MAPPING_STORED && s->spec->kernels->n_lookups == 1 &&
                   !s->spec->kernels->lookup_weighted;
    uint32_t n_rows = by_rows ? s->params.row_end - s->params.row_begin : 0, n = 0;
    uint32_t *items = block(s->sizes.n_items, sizeof *items);
    uint32_t *offsets = table_make(s, AS_C_ROW_OFFSETS, by_rows ? n_rows + 1 : 0, 4);
    float *best = table_make(s, AS_C_ROW_BEST, n_rows, sizeof *best);
    for (uint32_t row = 0; row < n_rows; row++) {
        uint32_t begin = offsets[row] = n;
        for (uint32_t i = 0; i < s->sizes.n_items; i++) {
            if (setting_row(s, i, 0) != s->params.row_begin + row || setting_is_blank(s, i))
                continue;
            uint32_t at = n++;
            for (; at > begin && setting_bias(s, items[at - 1]) < setting_bias(s, i); at--)
                items[at] = items[at - 1];
            items[at] = i;
        }
        best[row] = n > begin ? setting_bias(s, items[begin]) : -__builtin_inff();
    }
    if (by_rows)
        offsets[n_rows] = n;
    memcpy(table_make(s, AS_C_ROW_ITEMS, n, 4), items, n * 4);
    free(items);
}

static void table_split(struct setting *s, enum as_c_table which)
{
    struct table *t = &s->tables[which];
    size_t n_banks = s->spec->kernels->banks[which].n,
           capacity = (size_t)1 << s->spec->kernels->banks[which].shift;
    if (n_banks == 1 || (which == AS_C_SCALES && s->spec->scaling == SCALING_DIM)) {
        t->banks[0] = t->entries; /* dimensions' scales are in one bank always */
        return;
    }
    assert_true(t->n <= n_banks * capacity);
    for (size_t b = 0; b < n_banks; b++) {
        size_t first = b * capacity < t->n ? b * capacity : t->n;
        size_t n = t->n - first < capacity ? t->n - first : capacity;
        t->banks[b] = block(n, t->entry_bytes);
        memcpy(t->banks[b], (char *)t->entries + first * t->entry_bytes, n * t->entry_bytes);
    }
}

struct setting setting_create(const struct specialisation *spec, const struct sizes *sizes,
                              enum hostility hostility, struct rng *rng)
{
    struct setting s = {.spec = spec, .sizes = *sizes, .hostility = hostility};
    if (spec->mapping == MAPPING_MODULO && sizes->n_rows < 2)
        s.sizes.n_rows = 2;
    bool has_features = sizes->n_features > 0 && !spec->classed;
    s.params = (device_params){
        .n_items = sizes->n_items,
        .n_entries = sizes->n_items + 1 + (has_features ? sizes->n_features + 1 : 0),
        .n_users = sizes->n_users,
        .n_rows = s.sizes.n_rows,
        .seed_low = (uint32_t)rng_u64(rng),
        .seed_high = (uint32_t)rng_u64(rng),
        .divisor = 1 + below(rng, s.sizes.n_rows),
        .row_begin = spec->sharded && below(rng, 2) ? s.sizes.n_rows / 3 : 0,
        .row_end = spec->sharded ? s.sizes.n_rows - s.sizes.n_rows / 4 : s.sizes.n_rows,
        .logit_scale = 3.25f,
    };
    make_rows(&s, rng);
    make_mapping(&s, rng);
    make_values(&s, rng);
    make_classes(&s, rng);
    make_users(&s, rng);
    make_keys(&s, rng);
    make_row_items(&s);
    make_queries(&s, rng);
    for (int t = 0; t < N_AS_C_TABLES; t++)
        table_split(&s, (enum as_c_table)t);
    return s;
}

static void ids_free(struct id_list *list)
{
    free(list->sent);
    free(list->meant);
    free(list->keys);
}

void setting_destroy(struct setting *s)
{
    for (int t = 0; t < N_AS_C_TABLES; t++) {
        for (int b = 0; b < AS_C_MAX_BANKS; b++)
            if (s->tables[t].banks[b] != s->tables[t].entries)
                free(s->tables[t].banks[b]);
        free(s->tables[t].entries);
    }
    ids_free(&s->history);
    ids_free(&s->items);
    free(s->entries);
    free(s->mapped);
    free(s->codes);
    free(s->queries);
    free(s->numbers);
    free(s->history_weights);
    free(s->vectors);
}

struct kernel_arguments setting_arguments(const struct setting *s)
{
    struct kernel_arguments a = {.params = &s->params};
    for (int t = 0; t < N_AS_C_TABLES; t++)
        for (int b = 0; b < AS_C_MAX_BANKS; b++)
            a.banks[t][b] = s->tables[t].banks[b];
    return a;
}

static void *copy(const void *items, size_t n, size_t item_bytes)
{
    return memcpy(block(n, item_bytes), items, n * item_bytes);
}

/* What stands in a list where a number is to be read is no matter. */
static void forget(uint32_t *ids, uint32_t begin, uint32_t n)
{
    for (uint32_t j = begin; j < begin + n; j++)
        ids[j] = j * 2654435761u;
}

static void assert_found(const struct id_list *list, const uint32_t *ids, uint32_t begin, uint32_t n)
{
    for (uint32_t j = begin; j < begin + n; j++)
        assert_int_equal(ids[j], list->meant[j]);
}

static void assert_numbers_found(const struct setting *s, enum as_c_kernel kernel,
                                 const struct kernel_arguments *a)
{
    for (uint32_t i = 0; i < s->sizes.n_queries; i++) {
        const device_query *q = &a->queries[i];
        if (kernel == AS_C_SCORE)
            assert_found(&s->items, a->items, q->items_begin, q->n_item_numbers);
        if (kernel == AS_C_BAG || !(q->flags & QUERY_VECTOR))
            assert_found(&s->history, a->history, q->history_begin, q->n_history_numbers);
    }
}

float *setting_run(const struct setting *s, enum as_c_kernel kernel, size_t n_groups, float *row_scores,
                   size_t n_scores)
{
    float *scores = block(n_scores, sizeof *scores);
    device_query *queries = copy(s->queries, s->sizes.n_queries, sizeof *queries);
    for (uint32_t i = 0; i < s->sizes.n_queries; i++)
        queries[i].scores_begin = (uint32_t)(i * (n_scores / s->sizes.n_queries));
    struct kernel_arguments a = setting_arguments(s);
    a.queries = queries;
    a.history = copy(s->history.sent, s->history.n, sizeof *a.history);
    a.items = copy(s->items.sent, s->items.n, sizeof *a.items);
    a.history_weights = s->history_weights;
    for (uint32_t i = 0; i < s->sizes.n_queries; i++)
        if (kernel == AS_C_ROWS || kernel == AS_C_TOPK) {
            queries[i].n_history_numbers = queries[i].n_item_numbers = 0;
        } else {
            forget(a.history, queries[i].history_begin, queries[i].n_history_numbers);
            forget(a.items, queries[i].items_begin, queries[i].n_item_numbers);
        }
    uint32_t *numbers = copy(s->numbers, s->n_numbers, sizeof *numbers); /* ends where they do */
    a.numbers = numbers;
    a.history_keys = s->history.keys;
    a.item_keys = s->items.keys;
    a.vectors = s->vectors;
    a.row_scores = row_scores;
    a.scores = scores;
    s->spec->kernels->run(kernel, &a, n_groups);
    if (s->hostility != LOST_SLOTS) /* there keys are not where they should be */
        assert_numbers_found(s, kernel, &a);
    free(numbers);
    free(a.items);
    free(a.history);
    free(queries);
    return scores;
}

uint32_t setting_row(const struct setting *s, uint32_t entry, uint32_t lookup)
{
    uint32_t row = s->mapped[entry * s->spec->kernels->n_lookups + lookup];
    return row < s->sizes.n_rows ? row : s->sizes.n_rows - 1;
}

void setting_history(const struct setting *s, uint32_t user, uint32_t *begin, uint32_t *end)
{
    const uint32_t *offsets = s->tables[AS_C_USER_OFFSETS].entries;
    *begin = *end = 0;
    if (user >= s->sizes.n_users)
        return;
    *end = offsets[user + 1] < s->params.n_stored ? offsets[user + 1] : s->params.n_stored;
    *begin = offsets[user] < *end ? offsets[user] : *end;
}

uint32_t setting_stored(const struct setting *s, uint32_t position)
{
    uint32_t id = ((const uint32_t *)s->tables[AS_C_USER_HISTORY].entries)[position];
    return id < s->params.n_entries ? id : s->sizes.n_items;
}

float setting_lookup_weight(const struct setting *s, uint32_t entry, uint32_t lookup)
{
    const float *weights = s->tables[AS_C_LOOKUP_WEIGHTS].entries;
    return s->spec->kernels->lookup_weighted ? weights[entry * s->spec->kernels->n_lookups + lookup] : 1.0f;
}

float setting_weight(const struct setting *s, uint32_t entry)
{
    if (s->spec->classed)
        return ((const float *)s->tables[AS_C_CLASS_WEIGHTS].entries)[s->codes[entry]];
    if (s->spec->weighted)
        return ((const float *)s->tables[AS_C_WEIGHTS].entries)[entry];
    return entry == s->sizes.n_items ? 0.0f : 1.0f;
}

float setting_bias(const struct setting *s, uint32_t entry)
{
    uint32_t item = entry < s->sizes.n_items ? entry : s->sizes.n_items;
    if (s->spec->classed)
        return ((const float *)s->tables[AS_C_CLASS_BIAS].entries)[s->codes[item]];
    return s->spec->biased ? ((const float *)s->tables[AS_C_BIAS].entries)[item] : 0.0f;
}

bool setting_is_blank(const struct setting *s, uint32_t item)
{
    uint32_t unknown = s->sizes.n_items;
    bool has_such_rows = !s->spec->has_codebooks && !mapping_is_computed(s->spec->mapping);
    bool same = s->spec->weighted && setting_weight(s, item) == setting_weight(s, unknown) &&
                setting_bias(s, item) == setting_bias(s, unknown);
    for (uint32_t l = 0; l < s->spec->kernels->n_lookups; l++)
        same = same && (!has_such_rows || setting_row(s, item, l) == setting_row(s, unknown, l)) &&
               setting_lookup_weight(s, item, l) == setting_lookup_weight(s, unknown, l);
    return same;
}
