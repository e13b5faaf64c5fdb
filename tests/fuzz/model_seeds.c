/* Writes the seeds of corpus/model into a folder: small models of each kind, some of them with one thing
 * wrong. To be run again when the format changes. */
#include "model/model_fixture.h"
#include "model/safetensors_draft.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *folder;

/* A model of this kind as a draft without checksums, which any change of a tensor would otherwise fail. */
static struct draft begin(struct fixture_kind kind)
{
    struct fixture f;
    char path[256];
    fixture_model(kind, &f);
    snprintf(path, sizeof path, "%s/as_written", folder);
    write_model(&f.model, path);
    size_t n_bytes;
    unsigned char *bytes = read_bytes(path, &n_bytes);
    struct draft d;
    draft_read(bytes, n_bytes, &d);
    draft_arrange(&d);
    draft_drop_checksums(&d);
    free(bytes);
    return d;
}

static void end(struct draft *d, const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    draft_save(d, path);
    draft_free(d);
}

static void write_models(void)
{
    struct draft d = begin((struct fixture_kind){.precision = PRECISION_F32, .keys = KEYS_DENSE, .parts = 0});
    end(&d, "f32_dense");
    d = begin((struct fixture_kind){.precision = PRECISION_F32, .keys = KEYS_U64, .parts = FIXTURE_ALL});
    end(&d, "f32_u64_all");
    d = begin(
        (struct fixture_kind){.precision = PRECISION_F16, .keys = KEYS_STRING, .parts = FIXTURE_HISTORIES});
    end(&d, "f16_string_histories");
    d = begin((struct fixture_kind){.precision = PRECISION_I8, .keys = KEYS_DENSE, .parts = FIXTURE_WEIGHTS});
    end(&d, "i8_dense_weights");
    d = begin((struct fixture_kind){.precision = PRECISION_I8, .keys = KEYS_STRING, .parts = FIXTURE_ALL});
    end(&d, "i8_string_all");
}

static void write_kinds(void)
{
    enum { EVERYTHING = FIXTURE_ALL | FIXTURE_EMBEDDED_USERS | FIXTURE_FEATURES };
    static const struct {
        const char *name;
        struct fixture_kind kind;
    } kinds[] = {
        {"i4", {.precision = PRECISION_I4, .pooling = POOLING_MAX}},
        {"i3", {.precision = PRECISION_I3}},
        {"i2_concat", {.precision = PRECISION_I2, .combine = COMBINE_CONCAT, .n_lookups = 2}},
        {"i8_offset_multiply",
         {.precision = PRECISION_I8,
          .scaling = SCALING_ROW_OFFSET,
          .combine = COMBINE_MULTIPLY,
          .n_lookups = 2}},
        {"i8_lines_concat",
         {.precision = PRECISION_I8, .scaling = SCALING_DIM, .combine = COMBINE_CONCAT, .n_lookups = 3}},
        {"packed_features",
         {.mapping = MAPPING_PACKED, .n_lookups = 2, .keys = KEYS_U64, .parts = EVERYTHING}},
        {"hashed_features",
         {.mapping = MAPPING_HASHED, .n_lookups = 2, .keys = KEYS_STRING, .parts = EVERYTHING}},
        {"codebooks", {.mapping = MAPPING_PACKED, .n_lookups = 2, .parts = EVERYTHING | FIXTURE_OWN_ROWS}},
        {"classes",
         {.mapping = MAPPING_PACKED,
          .n_lookups = 2,
          .parts = FIXTURE_HISTORIES | FIXTURE_FEATURES | FIXTURE_OWN_ROWS | FIXTURE_CLASSES}},
        {"hashed_rows", {.mapping = MAPPING_HASHED, .parts = EVERYTHING | FIXTURE_OWN_ROWS}},
        {"stored_features", {.precision = PRECISION_F16, .parts = EVERYTHING}},
        {"concat_of_sums", {.combine = COMBINE_CONCAT, .n_lookups = 4, .n_parts = 2}},
        {"few_lookups", {.mapping = MAPPING_PACKED, .n_lookups = 3, .n_few = 2, .parts = EVERYTHING}},
        {"lookup_weights", {.n_lookups = 2, .n_few = 1, .parts = EVERYTHING | FIXTURE_LOOKUP_WEIGHTS}},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct draft d = begin(kinds[i].kind);
        end(&d, kinds[i].name);
    }
}

/* A hashed model becomes one of another computed mapping. */
static void write_computed(void)
{
    struct draft d = begin((struct fixture_kind){.mapping = MAPPING_HASHED});
    draft_set_metadata(&d, "collide.seed", NULL);
    draft_set_metadata(&d, "collide.mapping", "modulo");
    end(&d, "modulo");
    d = begin((struct fixture_kind){.mapping = MAPPING_HASHED});
    draft_set_metadata(&d, "collide.seed", NULL);
    draft_set_metadata(&d, "collide.mapping", "quotient");
    draft_set_metadata(&d, "collide.lookups", "2");
    draft_set_metadata(&d, "collide.divisor", "2");
    draft_resize(draft_tensor(&d, "item.rows"), 7); /* 2 remainders, 4 quotients, the unknown id's */
    end(&d, "quotient");
}

static void write_mutants(void)
{
    struct draft d = begin((struct fixture_kind){.precision = PRECISION_F32, .keys = KEYS_DENSE, .parts = 0});
    draft_tensor(&d, "item.remap")->bytes[0] = FIXTURE_ROWS;
    end(&d, "remap_too_high");
    d = begin((struct fixture_kind){.precision = PRECISION_F32, .keys = KEYS_U64, .parts = 0});
    memset(draft_tensor(&d, "item.key_slots")->bytes, 0, FIXTURE_SLOTS * sizeof(uint32_t));
    end(&d, "slots_full");
    d = begin(
        (struct fixture_kind){.precision = PRECISION_F16, .keys = KEYS_DENSE, .parts = FIXTURE_HISTORIES});
    draft_tensor(&d, "user.history")->bytes[0] = FIXTURE_ITEMS;
    end(&d, "history_too_high");
    d = begin((struct fixture_kind){.precision = PRECISION_I8, .keys = KEYS_DENSE, .parts = 0});
    draft_remove(&d, "item.scales");
    end(&d, "no_scales");
    d = begin((struct fixture_kind){.precision = PRECISION_F32, .keys = KEYS_DENSE, .parts = 0});
    draft_set_metadata(&d, "collide.format", "2");
    end(&d, "format_2");
    d = begin((struct fixture_kind){.mapping = MAPPING_PACKED});
    memset(draft_tensor(&d, "item.remap_packed")->bytes, 0xff, 3);
    end(&d, "packed_too_high");
    d = begin((struct fixture_kind){.mapping = MAPPING_HASHED});
    draft_set_metadata(&d, "collide.ids.item", "4294967295");
    end(&d, "hashed_too_many");
}

/* "as_written" is at last a file just as it was written, checksums and all. */
static void write_seeds(void **state)
{
    (void)state;
    write_models();
    write_kinds();
    write_computed();
    write_mutants();
    struct draft d =
        begin((struct fixture_kind){.precision = PRECISION_I8, .keys = KEYS_STRING, .parts = FIXTURE_ALL});
    draft_free(&d);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest seeds[] = {cmocka_unit_test(write_seeds)};
    folder = argc > 1 ? argv[1] : ".";
    return cmocka_run_group_tests(seeds, NULL, NULL);
}
