/* Public logs in their own formats, where they lie beside the checkout; sizes as their publishers state them.
 */
#include "data/interactions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

struct real_log {
    const char *path;
    uint32_t n_users;
    uint32_t n_items;
    uint64_t n_interactions;
};

static void assert_sizes(const struct real_log *log)
{
    if (access(log->path, R_OK) != 0) {
        print_message("[  SKIPPED ] no %s\n", log->path);
        skip();
    }
    struct interactions in;
    struct collide_error err = {0};
    enum collide_status status = interactions_read(log->path, LOG_LAYOUT_AUTO, NULL, &in, &err);
    assert_string_equal(err.text, "");
    assert_int_equal(status, COLLIDE_OK);
    assert_int_equal(in.users.n_ids, log->n_users);
    assert_int_equal(in.items.n_ids, log->n_items);
    assert_int_equal(in.histories.offsets[in.users.n_ids], log->n_interactions);
    assert_int_equal(in.n_duplicates, 0);
    interactions_free(&in);
}

static void gowalla_pairs_are_read(void **state)
{
    (void)state;
    assert_sizes(&(struct real_log){REAL_DATA_DIR "/gowalla/train.txt", 29858, 40981, 821896});
}

static void gowalla_adjacency_is_recognised(void **state)
{
    (void)state;
    assert_sizes(&(struct real_log){REAL_DATA_DIR "/gowalla/adjacency_sample.txt", 29858, 40981, 217242});
}

/* Its ids begin at 1, and dense ids at 0: hence one more of each than the 943 and 1682 there are. */
static void movielens_atomic_file_is_read(void **state)
{
    (void)state;
    assert_sizes(&(struct real_log){REAL_DATA_DIR "/ml100k/ml-100k.inter", 944, 1683, 100000});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gowalla_pairs_are_read),
        cmocka_unit_test(gowalla_adjacency_is_recognised),
        cmocka_unit_test(movielens_atomic_file_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
