/* Finding ids through the index that a file holds: every key is found, no lookup runs away, and an index that
 * does not lead where it should is refused when contents are checked. */
#include "model_fixture.h"
#include "safetensors_draft.h"

#include "score/model_handle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct collide_model *open_handle(const char *path, enum model_check check)
{
    struct collide_model *h = NULL;
    struct collide_error err = {0};
    if (model_handle_open(path, check, &h, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    return h;
}

static void save_kind(const char *path, enum key_kind kind, struct draft *d)
{
    struct fixture f;
    fixture_model((struct fixture_kind){.precision = PRECISION_F32,
                                        .keys = kind,
                                        .parts = FIXTURE_ALL | FIXTURE_FEATURES},
                  &f);
    write_model(&f.model, path);
    size_t n_bytes;
    unsigned char *bytes = read_bytes(path, &n_bytes);
    draft_read(bytes, n_bytes, d);
    draft_arrange(d);
    draft_drop_checksums(d);
    free(bytes);
}

static uint32_t find_text(const struct id_index *index, const char *text)
{
    return id_index_find(index, collide_id_text(text, strlen(text)));
}

static void every_key_is_found_and_no_other(void **state)
{
    const struct folder *folder = *state;
    for (enum key_kind kind = KEYS_DENSE; kind <= KEYS_STRING; kind++) {
        struct fixture f;
        fixture_model((struct fixture_kind){.precision = PRECISION_F32,
                                            .keys = kind,
                                            .parts = FIXTURE_ALL | FIXTURE_FEATURES},
                      &f);
        write_model(&f.model, folder->file);
        struct collide_model *h = open_handle(folder->file, MODEL_CHECK_CONTENTS);
        for (uint32_t d = 0; d < FIXTURE_ITEMS; d++)
            assert_int_equal(id_index_find(&h->items, id_index_key(&h->items, d)), d);
        for (uint32_t d = 0; d < FIXTURE_USERS; d++)
            assert_int_equal(id_index_find(&h->users, id_index_key(&h->users, d)), d);
        for (size_t i = 0; i < FIXTURE_FEATURES_N; i++)
            for (uint32_t d = 0; d <= FIXTURE_USERS; d++)
                assert_int_equal(id_index_find(&h->features[i], id_index_key(&h->items, d)), d);
        assert_int_equal(model_feature_find(h, "os!", 2), 1);
        assert_int_equal(model_feature_find(h, "o", 1), FIXTURE_FEATURES_N);
        for (uint64_t i = 0; i < 1000; i++)
            assert_int_equal(id_index_find(&h->items, collide_id_number(i + 7)), FIXTURE_ITEMS);
        assert_int_equal(find_text(&h->items, ""), FIXTURE_ITEMS);
        assert_int_equal(find_text(&h->items, "no such key"), FIXTURE_ITEMS);
        collide_model_close(h);
    }
}

/* Its lookups, for keys of the file and others, end and stay in range, whatever they find. */
static void assert_lookups_end(const char *path)
{
    struct collide_model *h = open_handle(path, MODEL_CHECK_BOUNDS);
    for (uint32_t d = 0; d < FIXTURE_ITEMS; d++)
        assert_in_range(id_index_find(&h->items, id_index_key(&h->items, d)), 0, FIXTURE_ITEMS);
    for (uint64_t i = 0; i < 1000; i++)
        assert_in_range(id_index_find(&h->items, collide_id_number(i * i)), 0, FIXTURE_ITEMS);
    collide_model_close(h);
}

static void assert_handle_refused(const char *path, const char *text)
{
    struct collide_model *h = NULL;
    struct collide_error err = {0};
    assert_int_equal(collide_model_open(path, &h, &err), COLLIDE_CORRUPT);
    if (!strstr(err.text, path) || !strstr(err.text, text))
        fail_msg("expected the path and \"%s\" in: %s", text, err.text);
    assert_null(h);
}

/* Moves every entry of the index on by one slot, as another hash might have put it. */
static void rotate(struct draft *d, const char *name)
{
    uint32_t *slots = (uint32_t *)(void *)draft_tensor(d, name)->bytes, last = slots[FIXTURE_SLOTS - 1];
    memmove(slots + 1, slots, (FIXTURE_SLOTS - 1) * sizeof *slots);
    slots[0] = last;
}

static void an_index_made_with_another_hash_is_refused(void **state)
{
    const struct folder *folder = *state;
    static const char *const spaces[] = {"item", "user", "os"};
    for (enum key_kind kind = KEYS_U64; kind <= KEYS_STRING; kind++)
        for (size_t s = 0; s < 3; s++) {
            struct draft d;
            char name[32];
            snprintf(name, sizeof name, "%s.key_slots", spaces[s]);
            save_kind(folder->file, kind, &d);
            rotate(&d, name);
            draft_save(&d, folder->file);
            draft_free(&d);
            assert_handle_refused(folder->file, name);
            assert_lookups_end(folder->file);
        }
}

static void an_id_in_two_slots_in_place_of_another_is_refused(void **state)
{
    const struct folder *folder = *state;
    for (enum key_kind kind = KEYS_U64; kind <= KEYS_STRING; kind++) {
        struct draft d;
        save_kind(folder->file, kind, &d);
        uint32_t *slots = (uint32_t *)(void *)draft_tensor(&d, "item.key_slots")->bytes;
        for (size_t i = 0; i < FIXTURE_SLOTS; i++)
            slots[i] = slots[i] == 3 ? 2 : slots[i];
        draft_save(&d, folder->file);
        draft_free(&d);
        assert_handle_refused(folder->file, "the key of id 3");
        assert_lookups_end(folder->file);
    }
}

static void two_ids_of_one_key_are_refused(void **state)
{
    const struct folder *folder = *state;
    struct draft d;
    save_kind(folder->file, KEYS_U64, &d);
    uint64_t *keys = (uint64_t *)(void *)draft_tensor(&d, "item.keys")->bytes;
    keys[4] = keys[1];
    draft_save(&d, folder->file);
    draft_free(&d);
    assert_handle_refused(folder->file, "the key of id 4");
    assert_lookups_end(folder->file);
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_make, folder_remove)
    const struct CMUnitTest tests[] = {
        IN_FOLDER(every_key_is_found_and_no_other),
        IN_FOLDER(an_index_made_with_another_hash_is_refused),
        IN_FOLDER(an_id_in_two_slots_in_place_of_another_is_refused),
        IN_FOLDER(two_ids_of_one_key_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
