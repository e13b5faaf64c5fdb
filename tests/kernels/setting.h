/* A random model and a batch of queries on it, every array in a heap block of exactly its size, so that
 * AddressSanitizer sees any access beside one. */
#ifndef TESTS_SETTING_H
#define TESTS_SETTING_H

#include "base/rng.h"
#include "specialisation.h"

enum hostility {
    AS_WRITTEN,
    DAMAGED,    /* mapping entries, history offsets, stored ids and users of any value */
    LOST_SLOTS, /* and a key index that is full of nonsense */
};

struct sizes {
    uint32_t n_items, n_features, n_rows, n_users, max_user_history;
    uint32_t n_queries, max_history, max_items;
};

struct table {
    void *entries; /* owned, as are the banks where there are several */
    size_t n, entry_bytes;
    void *banks[AS_C_MAX_BANKS];
};

/* Ids as they are sent, and what they stand for: entries of the model, below n_entries. */
struct id_list {
    uint32_t n;
    uint32_t *sent, *meant;
    uint64_t *keys;
};

struct setting {
    const struct specialisation *spec;
    struct sizes sizes;
    enum hostility hostility;
    device_params params;
    uint32_t *entries; /* (n_entries, n_lookups): as the mapping has them */
    uint32_t *mapped;  /* the rows that they lead to, which may be none of the table's */
    uint32_t *codes;   /* (n_entries): classes, where there are some */
    struct table tables[N_AS_C_TABLES];
    device_query *queries;
    struct id_list history, items;
    uint32_t *numbers, n_numbers; /* words: what some ids of score and bag come as */
    float *history_weights, *vectors;
};

/* A block of n items, which ends where they do; owned. Fails the test without memory. */
void *block(size_t n, size_t item_bytes);

/* Destroy with setting_destroy. spec is borrowed until then. */
struct setting setting_create(const struct specialisation *spec, const struct sizes *sizes,
                              enum hostility hostility, struct rng *rng);
void setting_destroy(struct setting *s);

/* Runs a kernel into n_scores floats; lists of ids are copied first. Returned owned. row_scores: for top-k.
 * Fails the test where ids that came as numbers are not what the lists then hold. */
float *setting_run(const struct setting *s, enum as_c_kernel kernel, size_t n_groups, float *row_scores,
                   size_t n_scores);

/* The tables as arguments. */
struct kernel_arguments setting_arguments(const struct setting *s);

/* Row of lookup l of an entry: what a kernel is to make of a damaged one, too. */
uint32_t setting_row(const struct setting *s, uint32_t entry, uint32_t lookup);

/* The stored history of a user, positions [begin, end), likewise; and the entry at one of them. */
void setting_history(const struct setting *s, uint32_t user, uint32_t *begin, uint32_t *end);
uint32_t setting_stored(const struct setting *s, uint32_t position);

float setting_lookup_weight(const struct setting *s, uint32_t entry, uint32_t lookup);
/* Of its own, or by its class. */
float setting_weight(const struct setting *s, uint32_t entry);
float setting_bias(const struct setting *s, uint32_t entry);

/* Whether an item is one of which nothing was learned. */
bool setting_is_blank(const struct setting *s, uint32_t item);

#endif
