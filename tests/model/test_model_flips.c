/* Random damage, seeded: opening a damaged file fails with a message, or gives a model of which all holds
 * that its users rely on. */
#include "model_fixture.h"
#include "model_walk.h"
#include "safetensors_draft.h"

#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { N_DAMAGED = 400 /* of each kind */, N_SPLICED = 4000 };

static bool opens_soundly(const char *path, enum model_check check)
{
    struct model_file *file = NULL;
    struct collide_error err = {0};
    enum collide_status status = model_file_open(path, check, &file, &err);
    if (status != COLLIDE_OK) {
        assert_true(status == COLLIDE_CORRUPT || status == COLLIDE_UNSUPPORTED);
        assert_non_null(strstr(err.text, path));
        return false;
    }
    const char *wrong = model_walk(file);
    if (wrong)
        fail_msg("%s", wrong);
    model_file_close(file);
    return true;
}

/* A model of each kind without checksums and with little padding, so that damage reaches what matters. */
struct images {
    struct folder *folder;
    unsigned char *bytes[FIXTURE_N_KINDS];
    size_t n_bytes[FIXTURE_N_KINDS];
};

static void make_image(struct images *images, unsigned kind)
{
    const char *path = images->folder->file;
    struct fixture f;
    fixture_model(fixture_kind(kind), &f);
    write_model(&f.model, path);
    size_t n_bytes;
    unsigned char *bytes = read_bytes(path, &n_bytes);
    struct draft d;
    draft_read(bytes, n_bytes, &d);
    draft_arrange(&d);
    draft_drop_checksums(&d);
    draft_save(&d, path);
    draft_free(&d);
    free(bytes);
    images->bytes[kind] = read_bytes(path, &images->n_bytes[kind]);
}

static int images_make(void **state)
{
    struct images *images = calloc(1, sizeof *images);
    if (!images || folder_make((void **)&images->folder) != 0)
        return -1;
    for (unsigned kind = 0; kind < FIXTURE_N_KINDS; kind++)
        make_image(images, kind);
    *state = images;
    return 0;
}

static int images_remove(void **state)
{
    struct images *images = *state;
    for (unsigned kind = 0; kind < FIXTURE_N_KINDS; kind++)
        free(images->bytes[kind]);
    int failed = folder_remove((void **)&images->folder);
    free(images);
    return failed;
}

/* One to four bytes: a bit turned, or a value that numbers and offsets find hard. */
static void damage(struct rng *rng, unsigned char *bytes, size_t n_bytes)
{
    static const unsigned char hard[] = {0x00, 0x01, 0x7f, 0x80, 0xff, '0', '9', '"', ',', '}', '-', 'e'};
    for (uint64_t n = 1 + rng_below(rng, 4); n > 0; n--) {
        size_t at = rng_below(rng, n_bytes);
        if (rng_below(rng, 2))
            bytes[at] ^= (unsigned char)(1u << rng_below(rng, 8));
        else
            bytes[at] = hard[rng_below(rng, sizeof hard)];
    }
}

static void damaged_files_are_refused_or_harmless(void **state)
{
    const struct images *images = *state;
    const char *path = images->folder->file;
    struct rng rng = rng_seeded(20220328, 0);
    unsigned n_opened = 0;
    for (unsigned i = 0; i < FIXTURE_N_KINDS * N_DAMAGED; i++) {
        unsigned kind = i % FIXTURE_N_KINDS;
        size_t n_bytes = images->n_bytes[kind];
        unsigned char bad[8192];
        assert_in_range(n_bytes, 1, sizeof bad);
        memcpy(bad, images->bytes[kind], n_bytes);
        damage(&rng, bad, n_bytes);
        write_bytes(path, bad, n_bytes);
        n_opened += opens_soundly(path, MODEL_CHECK_BOUNDS);
        opens_soundly(path, MODEL_CHECK_CONTENTS);
    }
    /* Some damage only changes values: were all refused, the walk would not have been tried. */
    assert_in_range(n_opened, 1, FIXTURE_N_KINDS * N_DAMAGED - 1);
}

static void files_spliced_from_two_are_refused_or_harmless(void **state)
{
    const struct images *images = *state;
    const char *path = images->folder->file;
    struct rng rng = rng_seeded(20220328, 1);
    for (unsigned i = 0; i < N_SPLICED; i++) {
        uint64_t front = rng_below(&rng, FIXTURE_N_KINDS), back = rng_below(&rng, FIXTURE_N_KINDS);
        size_t n_front = images->n_bytes[front], n_back = images->n_bytes[back];
        unsigned char bad[8192];
        assert_in_range(n_back, 1, sizeof bad);
        memcpy(bad, images->bytes[back], n_back);
        memcpy(bad, images->bytes[front], rng_below(&rng, n_front < n_back ? n_front : n_back));
        write_bytes(path, bad, n_back);
        opens_soundly(path, MODEL_CHECK_BOUNDS);
        opens_soundly(path, MODEL_CHECK_CONTENTS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damaged_files_are_refused_or_harmless),
        cmocka_unit_test(files_spliced_from_two_are_refused_or_harmless),
    };
    return cmocka_run_group_tests(tests, images_make, images_remove);
}
