#include "base/buffer.h"
#include "base/rng.h"
#include "log_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define AUTO LOG_LAYOUT_AUTO

static enum collide_status read_bytes(const struct buffer *b, const char *spill, struct interactions *out,
                                      struct collide_error *err)
{
    char path[64];
    write_temporary(path, ".log", b->bytes, b->n_bytes);
    enum collide_status status = interactions_read(path, AUTO, spill, out, err);
    remove(path);
    return status;
}

static struct interactions read_text(const char *text)
{
    struct interactions in;
    struct buffer b = {0};
    buffer_append_text(&b, text);
    assert_int_equal(read_bytes(&b, NULL, &in, NULL), COLLIDE_OK);
    buffer_free(&b);
    return in;
}

static bool has_pair(const struct interactions *in, const char *user, const char *item)
{
    uint32_t u = id_index_find(&in->users, collide_id_text(user, strlen(user)));
    uint32_t i = id_index_find(&in->items, collide_id_text(item, strlen(item)));
    if (u == in->users.n_ids || i == in->items.n_ids)
        return false;
    for (uint64_t k = in->histories.offsets[u]; k < in->histories.offsets[u + 1]; k++)
        if (in->histories.values[k] == i)
            return true;
    return false;
}

static void duplicates_are_removed_and_counted(void **state)
{
    (void)state;
    struct interactions in = read_text("2 9\n0 3\n2 1\n2 9\n2 9\n0 3\n");
    assert_int_equal(in.n_duplicates, 3);
    assert_int_equal(in.users.kind, ID_DENSE);
    assert_int_equal(in.users.n_ids, 3);
    assert_int_equal(in.items.n_ids, 10);
    assert_memory_equal(in.histories.offsets, ((uint64_t[]){0, 1, 1, 3}), 4 * sizeof(uint64_t));
    assert_memory_equal(in.histories.values, ((uint32_t[]){3, 1, 9}), 3 * sizeof(uint32_t));
    uint32_t counts[10];
    memset(counts, 0xff, sizeof counts);
    interactions_count_items(&in, counts);
    assert_memory_equal(counts, ((uint32_t[]){0, 1, 0, 1, 0, 0, 0, 0, 0, 1}), sizeof counts);
    interactions_free(&in);
    assert_null(in.user_builder);
}

static void users_and_items_may_be_of_different_kinds(void **state)
{
    (void)state;
    struct interactions in = read_text("ann,5000000000\nbob,7\nann,7\n");
    assert_int_equal(in.users.kind, ID_STRING);
    assert_int_equal(in.items.kind, ID_U64);
    assert_true(has_pair(&in, "ann", "5000000000"));
    assert_true(has_pair(&in, "ann", "7"));
    assert_true(has_pair(&in, "bob", "7"));
    assert_false(has_pair(&in, "bob", "5000000000"));
    assert_false(has_pair(&in, "eve", "7"));
    interactions_free(&in);
}

/* 7 and 007 are one integer but two strings, and the log holds both. */
static void ids_spelled_differently_are_different(void **state)
{
    (void)state;
    struct interactions in = read_text("1 7\n1 007\n2 7\n");
    assert_int_equal(in.items.kind, ID_STRING);
    assert_int_equal(in.items.n_ids, 2);
    assert_int_equal(in.n_duplicates, 0);
    assert_false(has_pair(&in, "2", "007"));
    assert_true(has_pair(&in, "1", "007"));
    interactions_free(&in);
}

static void logs_without_interactions_are_refused(void **state)
{
    (void)state;
    struct interactions in = {.n_duplicates = 77};
    struct collide_error err;
    struct buffer b = {0};
    assert_int_equal(read_bytes(&b, NULL, &in, &err), COLLIDE_INVALID);
    assert_non_null(
        strstr(err.text, ".log holds no interactions; give a log with a user and an item on each line"));
    buffer_append_text(&b, "user,item\n");
    assert_int_equal(read_bytes(&b, NULL, &in, &err), COLLIDE_INVALID);
    assert_int_equal(in.n_duplicates, 77);
    buffer_free(&b);
}

static void a_bad_line_is_named_and_nothing_is_given(void **state)
{
    (void)state;
    struct interactions in = {.n_duplicates = 77};
    struct collide_error err;
    struct buffer b = {0};
    buffer_append_text(&b, "1,2\n3,4\n5,\n");
    assert_int_equal(read_bytes(&b, NULL, &in, &err), COLLIDE_INVALID);
    assert_non_null(strstr(err.text, ".log:3: the item is empty"));
    assert_int_equal(in.n_duplicates, 77);
    buffer_free(&b);
}

static void assert_key(const struct id_index *index, uint32_t d, const char *text)
{
    struct collide_id key = id_index_key(index, d);
    assert_int_equal(key.n_bytes, strlen(text));
    assert_memory_equal(key.text, text, key.n_bytes);
}

/* b is on three lines, c and a on two, c first; dense ids stay what they are. */
static void frequent_ids_come_first_unless_dense(void **state)
{
    (void)state;
    struct interactions in = read_text("5,c\n4,b\n5,a\n5,b\n4,c\n4,b\n5,a\n");
    static const char *const items[] = {"b", "c", "a"};
    for (uint32_t d = 0; d < 3; d++)
        assert_key(&in.items, d, items[d]);
    assert_int_equal(in.users.kind, ID_DENSE);
    assert_memory_equal(in.histories.offsets + 4, ((uint64_t[]){0, 2, 5}), 3 * sizeof(uint64_t));
    assert_memory_equal(in.histories.values, ((uint32_t[]){0, 1, 0, 1, 2}), 5 * sizeof(uint32_t));
    interactions_free(&in);
}

/* Random logs in every spelling of users and items against a bit per pair. */
enum { N_USERS = 40, N_ITEMS = 50, N_SPELLINGS = 3 };

static const char *spell(char text[32], unsigned spelling, unsigned number)
{
    static const char *const formats[N_SPELLINGS] = {"%llu", "id %llu", "%llu"};
    unsigned long long value = spelling == 2 ? 1ull << 62 | (unsigned long long)number << 40 : number;
    snprintf(text, 32, formats[spelling], value);
    return text;
}

static void assert_matches_bitmap(const struct interactions *in, unsigned round,
                                  const bool seen[N_USERS][N_ITEMS])
{
    char user[32], item[32];
    uint64_t n_pairs = 0;
    for (unsigned u = 0; u < N_USERS; u++)
        for (unsigned i = 0; i < N_ITEMS; i++) {
            n_pairs += seen[u][i];
            spell(user, round % N_SPELLINGS, u);
            spell(item, round / N_SPELLINGS % N_SPELLINGS, i);
            assert_int_equal(has_pair(in, user, item), seen[u][i]);
        }
    const struct csr *h = &in->histories;
    assert_int_equal(h->offsets[h->n_rows], n_pairs);
    for (uint32_t r = 0; r < h->n_rows; r++)
        for (uint64_t k = h->offsets[r] + 1; k < h->offsets[r + 1]; k++)
            assert_true(h->values[k - 1] < h->values[k]);
}

static void random_logs_match_a_bitmap(void **state)
{
    (void)state;
    struct rng rng = rng_seeded(6, 0);
    for (unsigned round = 0; round < 90; round++) {
        bool seen[N_USERS][N_ITEMS] = {0};
        struct buffer b = {0};
        uint64_t n_distinct = 0;
        uint64_t n_lines = 1 + rng_below(&rng, 1500);
        for (uint64_t k = 0; k < n_lines; k++) {
            char user[32], item[32];
            unsigned u = (unsigned)rng_below(&rng, N_USERS);
            unsigned i = (unsigned)rng_below(&rng, N_ITEMS);
            buffer_printf(&b, "%s\t%s\n", spell(user, round % N_SPELLINGS, u),
                          spell(item, round / N_SPELLINGS % N_SPELLINGS, i));
            n_distinct += !seen[u][i];
            seen[u][i] = true;
        }
        struct interactions in;
        assert_int_equal(read_bytes(&b, round % 2 ? "/tmp" : NULL, &in, NULL), COLLIDE_OK);
        assert_int_equal(in.n_duplicates, n_lines - n_distinct);
        assert_matches_bitmap(&in, round, (const bool(*)[N_ITEMS])seen);
        interactions_free(&in);
        buffer_free(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(duplicates_are_removed_and_counted),
        cmocka_unit_test(users_and_items_may_be_of_different_kinds),
        cmocka_unit_test(ids_spelled_differently_are_different),
        cmocka_unit_test(logs_without_interactions_are_refused),
        cmocka_unit_test(a_bad_line_is_named_and_nothing_is_given),
        cmocka_unit_test(frequent_ids_come_first_unless_dense),
        cmocka_unit_test(random_logs_match_a_bitmap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
