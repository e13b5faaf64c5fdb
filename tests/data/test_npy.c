#include "base/rng.h"
#include "data/npy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MAX_BYTES = 512 };

struct npy_bytes {
    unsigned char bytes[MAX_BYTES];
    size_t n;
};

/* A file of version 1, 2 or 3 with this header text and n_values zeros behind it. */
static struct npy_bytes file_of(unsigned version, const char *header, size_t n_values)
{
    struct npy_bytes f = {.n = 8};
    const size_t n_header = strlen(header);
    memcpy(f.bytes, "\x93NUMPY", 6);
    f.bytes[6] = (unsigned char)version;
    for (unsigned b = 0; b < (version == 1 ? 2u : 4u); b++)
        f.bytes[f.n++] = (unsigned char)(n_header >> 8 * b);
    memcpy(f.bytes + f.n, header, n_header);
    f.n += n_header + n_values;
    assert_in_range(f.n, 1, MAX_BYTES);
    return f;
}

/* From the heap, so that a sanitizer sees a read past the end. */
static enum collide_status parse(const struct npy_bytes *f, size_t n, struct npy *out,
                                 struct collide_error *err)
{
    unsigned char *bytes = malloc(n + !n);
    assert_non_null(bytes);
    memcpy(bytes, f->bytes, n);
    enum collide_status status = npy_parse(bytes, n, "it", out, err);
    if (status == COLLIDE_OK) {
        uint64_t n_values = 1;
        for (unsigned d = 0; d < out->n_dims; d++)
            n_values *= out->shape[d];
        assert_ptr_equal(out->values + n_values * out->value_bytes, bytes + n);
    } else {
        assert_true(err->text[0] != '\0');
    }
    free(bytes);
    return status;
}

static const char USUAL[] = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }      \n";

static void every_version_is_read(void **state)
{
    (void)state;
    for (unsigned version = 1; version <= 3; version++) {
        struct npy_bytes f = file_of(version, USUAL, 48);
        struct npy a;
        struct collide_error err = {0};
        assert_int_equal(parse(&f, f.n, &a, &err), COLLIDE_OK);
        assert_int_equal(a.kind, NPY_FLOAT);
        assert_int_equal(a.value_bytes, 4);
        assert_int_equal(a.n_dims, 2);
        assert_int_equal(a.shape[0], 3);
        assert_int_equal(a.shape[1], 4);
    }
}

static void headers_that_others_write_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        unsigned n_bytes, n_dims, value_bytes;
        enum npy_kind kind;
    } cases[] = {
        {"{\"shape\":(3,4),\"fortran_order\":False,\"descr\":\"<f2\"}", 24, 2, 2, NPY_FLOAT},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (5,)}", 40, 1, 8, NPY_FLOAT},
        {"{'descr': '<i8', 'fortran_order': False, 'shape': ()}", 8, 0, 8, NPY_SIGNED},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3, 4)}", 24, 3, 1, NPY_UNSIGNED},
        {"{'descr': '<u4', 'fortran_order': True, 'shape': (5,)}", 20, 1, 4, NPY_UNSIGNED},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (0, 7)}", 0, 2, 4, NPY_FLOAT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct npy_bytes f = file_of(1, cases[i].header, cases[i].n_bytes);
        struct npy a;
        struct collide_error err = {0};
        assert_int_equal(parse(&f, f.n, &a, &err), COLLIDE_OK);
        assert_int_equal(a.n_dims, cases[i].n_dims);
        assert_int_equal(a.value_bytes, cases[i].value_bytes);
        assert_int_equal(a.kind, cases[i].kind);
    }
}

static void what_is_no_plain_array_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        enum collide_status status;
        const char *text; /* part of the message */
    } cases[] = {
        {"{'descr': '<f4', 'fortran_order': True, 'shape': (3, 4), }", COLLIDE_UNSUPPORTED, "Fortran order"},
        {"{'descr': '>f4', 'fortran_order': False, 'shape': (3, 4), }", COLLIDE_UNSUPPORTED, "big-endian"},
        {"{'descr': '<c8', 'fortran_order': False, 'shape': (3, 4), }", COLLIDE_UNSUPPORTED, "'<c8'"},
        {"{'descr': '<f1', 'fortran_order': False, 'shape': (3, 4), }", COLLIDE_UNSUPPORTED, "'<f1'"},
        {"{'descr': '|O', 'fortran_order': False, 'shape': (3, 4), }", COLLIDE_UNSUPPORTED, "'|O'"},
        {"{'descr': '<U12', 'fortran_order': False, 'shape': (3, 4), }", COLLIDE_UNSUPPORTED, "'<U12'"},
        {"{'descr': '', 'fortran_order': False, 'shape': (3, 4), }", COLLIDE_UNSUPPORTED, "''"},
        {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (3,), }", COLLIDE_CORRUPT,
         "plain array"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (3, -4), }", COLLIDE_CORRUPT, "plain array"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (3 4), }", COLLIDE_CORRUPT, "plain array"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (12), }", COLLIDE_CORRUPT, "plain array"},
        {"{'descr': '<f4', 'fortran_order': False, }", COLLIDE_CORRUPT, "plain array"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), 'more': 1}", COLLIDE_CORRUPT, "plain"},
        {"{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (3, 4)}", COLLIDE_CORRUPT,
         "plain"},
        {"{'descr': '<f4', 'fortran_order': 0, 'shape': (3, 4), }", COLLIDE_CORRUPT, "plain array"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1)}", COLLIDE_CORRUPT, "plain"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4)} x", COLLIDE_CORRUPT, "plain array"},
        {"", COLLIDE_CORRUPT, "plain array"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 5), }", COLLIDE_CORRUPT, "truncated"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 3), }", COLLIDE_CORRUPT, "12 bytes follow"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }", COLLIDE_CORRUPT,
         "cannot be"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (18446744073709551616,), }", COLLIDE_CORRUPT,
         "plain array"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct npy_bytes f = file_of(1, cases[i].header, 48);
        struct npy a;
        struct collide_error err = {0};
        assert_int_equal(parse(&f, f.n, &a, &err), cases[i].status);
        if (!strstr(err.text, cases[i].text))
            fail_msg("%s: %s", cases[i].header, err.text);
    }
    struct npy_bytes f = file_of(4, USUAL, 48);
    struct npy a;
    struct collide_error err = {0};
    assert_int_equal(parse(&f, f.n, &a, &err), COLLIDE_UNSUPPORTED);
}

static void files_cut_short_are_refused(void **state)
{
    (void)state;
    for (unsigned version = 1; version <= 3; version++) {
        struct npy_bytes f = file_of(version, USUAL, 48);
        for (size_t n = 0; n < f.n; n++) {
            struct npy a;
            struct collide_error err = {0};
            assert_int_not_equal(parse(&f, n, &a, &err), COLLIDE_OK);
        }
    }
}

/* parse checks what comes out of it. */
static void no_change_of_a_file_leads_outside_of_it(void **state)
{
    (void)state;
    static const unsigned char bytes[] = "\x00\xff 09'\"(),{}:-<>|fiu\n\\TF";
    struct rng rng = rng_seeded(1, 0);
    struct npy a;
    struct collide_error err = {0};
    for (size_t at = 0; at < 12 + sizeof USUAL; at++)
        for (size_t b = 0; b < sizeof bytes; b++) {
            struct npy_bytes f = file_of(1, USUAL, 48);
            f.bytes[at] = bytes[b];
            parse(&f, f.n, &a, &err);
        }
    for (int i = 0; i < 20000; i++) {
        struct npy_bytes f = file_of(1 + (unsigned)rng_below(&rng, 3), USUAL, 48);
        for (uint64_t k = 1 + rng_below(&rng, 4); k > 0; k--)
            f.bytes[rng_below(&rng, 12 + sizeof USUAL)] = bytes[rng_below(&rng, sizeof bytes)];
        parse(&f, f.n - rng_below(&rng, 3), &a, &err);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_version_is_read),
        cmocka_unit_test(headers_that_others_write_are_read),
        cmocka_unit_test(what_is_no_plain_array_is_refused),
        cmocka_unit_test(files_cut_short_are_refused),
        cmocka_unit_test(no_change_of_a_file_leads_outside_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
