#include "base/rng.h"
#include "data/id_index.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <xxhash.h>

struct built {
    struct id_builder *builder;
    struct id_index index;
    const uint32_t *renumber;
};

static uint32_t add_text(struct id_builder *b, const char *text)
{
    uint32_t provisional = ID_NONE;
    assert_int_equal(id_builder_add(b, text, strlen(text), &provisional, NULL), COLLIDE_OK);
    return provisional;
}

static uint32_t add_number(struct id_builder *b, uint64_t number)
{
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)number);
    return add_text(b, text);
}

static struct id_builder *new_builder(void)
{
    struct id_builder *b;
    assert_int_equal(id_builder_create(&b, NULL), COLLIDE_OK);
    return b;
}

static struct built finish(struct id_builder *b)
{
    struct built built = {.builder = b};
    assert_int_equal(id_builder_finish(b, &built.index, &built.renumber, NULL), COLLIDE_OK);
    return built;
}

static struct built build(const char *const *texts, size_t n)
{
    struct id_builder *b = new_builder();
    for (size_t i = 0; i < n; i++)
        assert_int_equal(add_text(b, texts[i]), i);
    return finish(b);
}

static uint32_t find_text(const struct id_index *index, const char *text)
{
    return id_index_find(index, collide_id_text(text, strlen(text)));
}

static void assert_key_text(const struct id_index *index, uint32_t d, const char *text)
{
    struct collide_id key = id_index_key(index, d);
    assert_non_null(key.text);
    assert_int_equal(key.n_bytes, strlen(text));
    assert_memory_equal(key.text, text, key.n_bytes);
}

/* What id_index.h promises about the stored arrays, which files depend on. */
static void assert_slots_follow_the_contract(const struct id_index *index)
{
    assert_true(index->n_slots > 0 && (index->n_slots & (index->n_slots - 1)) == 0);
    assert_true((uint64_t)index->n_slots * 3 >= (uint64_t)index->n_ids * 4);
    uint32_t n_taken = 0;
    for (uint32_t s = 0; s < index->n_slots; s++)
        n_taken += index->slots[s] != ID_NONE;
    assert_int_equal(n_taken, index->n_ids);
    for (uint32_t d = 0; d < index->n_ids; d++) {
        uint64_t hash;
        if (index->kind == ID_U64) {
            uint8_t bytes[8];
            for (int i = 0; i < 8; i++)
                bytes[i] = (uint8_t)(index->keys[d] >> (8 * i));
            hash = XXH3_64bits(bytes, 8);
        } else {
            uint64_t begin = index->key_offsets[d];
            hash = XXH3_64bits(index->key_bytes + begin, index->key_offsets[d + 1] - begin);
        }
        uint32_t slot = (uint32_t)(hash & (index->n_slots - 1));
        while (index->slots[slot] != d) {
            assert_int_not_equal(index->slots[slot], ID_NONE);
            slot = (slot + 1) & (index->n_slots - 1);
        }
    }
}

static void the_same_text_is_the_same_id(void **state)
{
    (void)state;
    struct id_builder *b = new_builder();
    assert_int_equal(add_text(b, "17"), 0);
    assert_int_equal(add_text(b, "4"), 1);
    assert_int_equal(add_text(b, "17"), 0);
    assert_int_equal(add_text(b, "x"), 2);
    assert_int_equal(add_text(b, "4"), 1);
    assert_int_equal(add_text(b, "x"), 2);
    id_builder_destroy(b);
    id_builder_destroy(NULL);
}

static void close_integers_are_dense(void **state)
{
    (void)state;
    struct built b = build((const char *const[]){"3", "0", "7"}, 3);
    assert_int_equal(b.index.kind, ID_DENSE);
    assert_int_equal(b.index.n_ids, 8);
    assert_memory_equal(b.renumber, ((uint32_t[]){3, 0, 7}), 3 * sizeof(uint32_t));
    assert_null(b.index.slots);
    id_builder_destroy(b.builder);
}

/* Dense is: largest < 2 * n + 1024. With n = 3 the largest that is dense is 1029. */
static void the_boundary_of_dense_is_exact(void **state)
{
    (void)state;
    struct built dense = build((const char *const[]){"5", "1029", "6"}, 3);
    assert_int_equal(dense.index.kind, ID_DENSE);
    assert_int_equal(dense.index.n_ids, 1030);
    id_builder_destroy(dense.builder);
    struct built sparse = build((const char *const[]){"5", "1030", "6"}, 3);
    assert_int_equal(sparse.index.kind, ID_U64);
    assert_int_equal(sparse.index.n_ids, 3);
    assert_memory_equal(sparse.renumber, ((uint32_t[]){0, 1, 2}), 3 * sizeof(uint32_t));
    id_builder_destroy(sparse.builder);
}

static void no_ids_are_dense(void **state)
{
    (void)state;
    struct built b = build(NULL, 0);
    assert_int_equal(b.index.kind, ID_DENSE);
    assert_int_equal(b.index.n_ids, 0);
    id_builder_destroy(b.builder);
}

static void sparse_integers_are_found_in_either_spelling(void **state)
{
    (void)state;
    struct built b = build((const char *const[]){"18446744073709551615", "0", "9007199254740993"}, 3);
    assert_int_equal(b.index.kind, ID_U64);
    assert_int_equal(id_index_find(&b.index, collide_id_number(UINT64_MAX)), 0);
    assert_int_equal(find_text(&b.index, "18446744073709551615"), 0);
    assert_int_equal(find_text(&b.index, "0"), 1);
    assert_int_equal(id_index_find(&b.index, collide_id_number(9007199254740993u)), 2);
    assert_int_equal(id_index_find(&b.index, collide_id_number(9007199254740992u)), 3);
    assert_int_equal(find_text(&b.index, "00"), 3);
    assert_int_equal(find_text(&b.index, "eve"), 3);
    assert_true(id_index_key(&b.index, 0).number == UINT64_MAX);
    assert_slots_follow_the_contract(&b.index);
    id_builder_destroy(b.builder);
}

static void one_id_that_is_no_integer_makes_all_strings_as_spelled(void **state)
{
    (void)state;
    struct built b = build((const char *const[]){"7", "18446744073709551615", "007", "eve", "0"}, 5);
    assert_int_equal(b.index.kind, ID_STRING);
    assert_key_text(&b.index, 0, "7");
    assert_key_text(&b.index, 1, "18446744073709551615");
    assert_key_text(&b.index, 2, "007");
    assert_key_text(&b.index, 3, "eve");
    assert_int_equal(find_text(&b.index, "007"), 2);
    assert_int_equal(find_text(&b.index, "7"), 0);
    assert_int_equal(id_index_find(&b.index, collide_id_number(7)), 0);
    assert_int_equal(id_index_find(&b.index, collide_id_number(0)), 4);
    assert_int_equal(id_index_find(&b.index, collide_id_number(8)), 5);
    assert_int_equal(find_text(&b.index, "ev"), 5);
    assert_slots_follow_the_contract(&b.index);
    id_builder_destroy(b.builder);
}

/* Integers whose hashes share their low bits all start at one slot of a small index and must still be told
 * apart. */
static void ids_of_one_first_slot_are_told_apart(void **state)
{
    (void)state;
    enum { N = 300 };
    uint64_t keys[N];
    struct id_builder *b = new_builder();
    uint64_t candidate = (uint64_t)1 << 40;
    for (uint32_t n = 0; n < N; candidate++) {
        if ((XXH3_64bits(&candidate, 8) & 1023) != 1020) /* near the end, so that probing wraps around */
            continue;
        keys[n] = candidate;
        assert_int_equal(add_number(b, candidate), n);
        n++;
    }
    struct built built = finish(b);
    assert_int_equal(built.index.n_slots, 1024);
    for (uint32_t i = 0; i < N; i++)
        assert_int_equal(id_index_find(&built.index, collide_id_number(keys[i])), i);
    assert_int_equal(id_index_find(&built.index, collide_id_number(candidate)), N);
    assert_slots_follow_the_contract(&built.index);
    id_builder_destroy(b);
}

static void many_ids_survive_growth_and_a_late_string(void **state)
{
    (void)state;
    enum { N = 20000 };
    struct id_builder *b = new_builder();
    for (uint64_t i = 0; i < N; i++)
        assert_int_equal(add_number(b, i * 1000003), i);
    assert_int_equal(add_text(b, "late"), N);
    for (uint64_t i = 0; i < N; i++)
        assert_int_equal(add_number(b, i * 1000003), i);
    struct built built = finish(b);
    assert_int_equal(built.index.kind, ID_STRING);
    assert_int_equal(built.index.n_ids, N + 1);
    assert_slots_follow_the_contract(&built.index);
    for (uint64_t i = 0; i < N; i++)
        assert_int_equal(id_index_find(&built.index, collide_id_number(i * 1000003)), i);
    id_builder_destroy(b);
}

/* The same ids as one by one, though the index grows and becomes one of strings on the way. */
static void batches_are_as_one_by_one(void **state)
{
    (void)state;
    enum { N = 5000 };
    struct rng rng = rng_seeded(8, 0);
    struct id_builder *one_by_one = new_builder(), *by_batches = new_builder();
    size_t n_batch = 1;
    for (size_t done = 0; done < N; done += n_batch) {
        char texts[ID_BATCH][24];
        struct collide_id batch[ID_BATCH];
        uint32_t ids[ID_BATCH];
        n_batch = 1 + rng_below(&rng, ID_BATCH);
        for (size_t i = 0; i < n_batch; i++) {
            const bool is_text = done + i > N / 2 && rng_below(&rng, 10) == 0;
            const int n = snprintf(texts[i], sizeof texts[i], is_text ? "id %u" : "%u000000",
                                   1 + (unsigned)rng_below(&rng, 2000));
            batch[i] = collide_id_text(texts[i], (size_t)n);
        }
        assert_int_equal(id_builder_add_batch(by_batches, batch, n_batch, ids, NULL), COLLIDE_OK);
        for (size_t i = 0; i < n_batch; i++)
            assert_int_equal(ids[i], add_text(one_by_one, texts[i]));
    }
    assert_int_equal(id_builder_n_ids(by_batches), id_builder_n_ids(one_by_one));
    id_builder_destroy(one_by_one);
    id_builder_destroy(by_batches);
}

/* The oracle is a plain list searched from its front. */
static void random_texts_match_a_list(void **state)
{
    (void)state;
    struct rng rng = rng_seeded(4, 0);
    for (int round = 0; round < 100; round++) {
        char list[200][8];
        uint32_t n_list = 0;
        struct id_builder *b = new_builder();
        for (int i = 0; i < 300; i++) {
            char text[8] = {0};
            size_t n_bytes = 1 + rng_below(&rng, 2);
            for (size_t k = 0; k < n_bytes; k++)
                text[k] = "0123456789ab"[rng_below(&rng, round % 2 ? 10 : 12)];
            uint32_t expected = 0;
            while (expected < n_list && strcmp(list[expected], text) != 0)
                expected++;
            if (expected == n_list)
                strcpy(list[n_list++], text);
            assert_int_equal(add_text(b, text), expected);
        }
        struct built built = finish(b);
        for (uint32_t i = 0; i < n_list; i++)
            assert_int_equal(find_text(&built.index, list[i]), built.renumber[i]);
        id_builder_destroy(b);
    }
}

/* Of every kind, by many orders: an id is found under its place in the order, with its key. */
static void reordered_ids_are_found_where_they_were_put(void **state)
{
    (void)state;
    enum { N = 2000, STEP = 617 /* prime to N */ };
    static const char *const formats[] = {"%llu", "%llu000000000", "id %llu"};
    for (int kind = ID_DENSE; kind <= ID_STRING; kind++) {
        struct id_builder *b = new_builder();
        char texts[N][32];
        uint32_t order[N];
        for (uint32_t i = 0; i < N; i++) {
            snprintf(texts[i], sizeof texts[i], formats[kind], (unsigned long long)(i + 1));
            assert_int_equal(add_text(b, texts[i]), i);
            order[i] = (uint32_t)((uint64_t)i * STEP % N);
        }
        assert_int_equal(id_builder_n_ids(b), N);
        assert_int_equal(id_builder_reorder(b, order, NULL), COLLIDE_OK);
        struct built built = finish(b);
        assert_int_equal(built.index.kind, kind);
        for (uint32_t k = 0; k < N; k++) {
            uint32_t d = kind == ID_DENSE ? order[k] + 1 : k;
            assert_int_equal(built.renumber[order[k]], d);
            assert_int_equal(find_text(&built.index, texts[order[k]]), d);
            struct collide_id key = id_index_key(&built.index, d);
            assert_int_equal(id_index_find(&built.index, key), d);
        }
        if (kind != ID_DENSE)
            assert_slots_follow_the_contract(&built.index);
        id_builder_destroy(b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_text_is_the_same_id),
        cmocka_unit_test(close_integers_are_dense),
        cmocka_unit_test(the_boundary_of_dense_is_exact),
        cmocka_unit_test(no_ids_are_dense),
        cmocka_unit_test(sparse_integers_are_found_in_either_spelling),
        cmocka_unit_test(one_id_that_is_no_integer_makes_all_strings_as_spelled),
        cmocka_unit_test(ids_of_one_first_slot_are_told_apart),
        cmocka_unit_test(many_ids_survive_growth_and_a_late_string),
        cmocka_unit_test(batches_are_as_one_by_one),
        cmocka_unit_test(random_texts_match_a_list),
        cmocka_unit_test(reordered_ids_are_found_where_they_were_put),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
