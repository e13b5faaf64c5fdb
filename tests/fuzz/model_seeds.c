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
static struct draft begin(enum precision precision, enum key_kind keys, unsigned parts)
{
    struct fixture f;
    char path[256];
    fixture_model((struct fixture_kind){precision, keys, parts}, &f);
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
    struct draft d = begin(PRECISION_F32, KEYS_DENSE, 0);
    end(&d, "f32_dense");
    d = begin(PRECISION_F32, KEYS_U64, FIXTURE_ALL);
    end(&d, "f32_u64_all");
    d = begin(PRECISION_F16, KEYS_STRING, FIXTURE_HISTORIES);
    end(&d, "f16_string_histories");
    d = begin(PRECISION_I8, KEYS_DENSE, FIXTURE_WEIGHTS);
    end(&d, "i8_dense_weights");
    d = begin(PRECISION_I8, KEYS_STRING, FIXTURE_ALL);
    end(&d, "i8_string_all");
}

static void write_mutants(void)
{
    struct draft d = begin(PRECISION_F32, KEYS_DENSE, 0);
    draft_tensor(&d, "item.remap")->bytes[0] = FIXTURE_ROWS;
    end(&d, "remap_too_high");
    d = begin(PRECISION_F32, KEYS_U64, 0);
    memset(draft_tensor(&d, "item.key_slots")->bytes, 0, FIXTURE_SLOTS * sizeof(uint32_t));
    end(&d, "slots_full");
    d = begin(PRECISION_F16, KEYS_DENSE, FIXTURE_HISTORIES);
    draft_tensor(&d, "user.history")->bytes[0] = FIXTURE_ITEMS;
    end(&d, "history_too_high");
    d = begin(PRECISION_I8, KEYS_DENSE, 0);
    draft_remove(&d, "item.scales");
    end(&d, "no_scales");
    d = begin(PRECISION_F32, KEYS_DENSE, 0);
    draft_set_metadata(&d, "collide.format", "2");
    end(&d, "format_2");
}

/* "as_written" is at last a file just as it was written, checksums and all. */
static void write_seeds(void **state)
{
    (void)state;
    write_models();
    write_mutants();
    struct draft d = begin(PRECISION_I8, KEYS_STRING, FIXTURE_ALL);
    draft_free(&d);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest seeds[] = {cmocka_unit_test(write_seeds)};
    folder = argc > 1 ? argv[1] : ".";
    return cmocka_run_group_tests(seeds, NULL, NULL);
}
