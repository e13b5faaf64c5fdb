/* A mapping that leads out of its table, as one that was damaged after it was checked: kernels follow it to
 * the last row. Run under Oclgrind this also shows that nothing beside the tables is read. */
#include "scorer_fixture.h"

#include "base/rng.h"
#include "model/mapping.h"
#include "support/random_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { N_ITEMS = 300, N_ROWS = 90, N_HISTORY = 20, K = 10 };

/* A model of two lookups an id, so that the host does not follow them for top-k's lists. */
static struct random_model spec_of(enum mapping_kind mapping)
{
    return (struct random_model){.seed = 91,
                                 .n_items = N_ITEMS,
                                 .n_rows = N_ROWS,
                                 .dim = 12,
                                 .precision = PRECISION_I8,
                                 .scales = RANDOM_SCALES_OFFSET,
                                 .mapping = mapping,
                                 .combine = COMBINE_SUM,
                                 .n_lookups = 2};
}

/* The model with other mapping entries; free words. */
struct remapped {
    struct model model;
    struct collide_model handle;
    uint32_t *words;
};

static void remap(const struct collide_model *source, const uint32_t *entries, struct remapped *out)
{
    const struct row_mapping *mapping = &source->model->mapping;
    uint64_t n = (N_ITEMS + 1) * (uint64_t)mapping->n_lookups;
    out->model = *source->model;
    out->handle = *source;
    out->words = calloc(mapping_n_words(n, 32), sizeof *out->words);
    assert_non_null(out->words);
    if (mapping->kind == MAPPING_PACKED)
        mapping_pack(entries, n, mapping->bits, out->words);
    else
        memcpy(out->words, entries, n * sizeof *entries);
    out->model.item.remap = out->words;
    out->handle.model = &out->model;
}

struct answers {
    float scores[N_ITEMS];
    struct collide_hit hits[K];
    size_t n_hits;
};

static void ask(const struct collide_model *model, struct answers *out)
{
    static const struct tuning item = {.form = FORM_ITEM, .group_size = 64};
    struct device_setup setups[DEVICES_MAX_SETUPS];
    struct collide_id ids[N_ITEMS];
    struct collide_error err = {0};
    struct scorer_fixture f;
    if (devices_setups(setups) == 0)
        skip();
    for (uint32_t i = 0; i < N_ITEMS; i++)
        ids[i] = collide_id_number(i);
    const struct collide_query query = {
        .history = ids, .n_history = N_HISTORY, .items = ids, .n_items = N_ITEMS};
    const struct collide_topk_query topk = {.query = {.history = ids, .n_history = N_HISTORY}, .k = K};
    scorer_fixture_build(model, &setups[0], (struct kernels_options){.tuning = &item}, &f);
    scorer_fixture_score(f.lane, &query, 1, out->scores, NULL);
    if (collide_topk(f.lane, &topk, 1, out->hits, &out->n_hits, NULL, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    scorer_fixture_close(&f);
}

/* Half of the entries lead outside, as far as they can; `healed` has the last row there instead. */
static void check(enum mapping_kind kind)
{
    static uint32_t hostile[2 * (N_ITEMS + 1)], healed[2 * (N_ITEMS + 1)];
    static struct answers got, wanted;
    const struct random_model spec = spec_of(kind);
    struct collide_model *model = random_model_open(&spec);
    uint32_t largest = kind == MAPPING_PACKED ? UINT32_MAX >> (32 - model->model->mapping.bits) : UINT32_MAX;
    struct rng rng = rng_seeded(7, 0);
    struct remapped bad, good;
    assert_true(largest >= N_ROWS);
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
        uint32_t row = (uint32_t)rng_below(&rng, N_ROWS);
        hostile[i] = i % 2 ? row : largest - row % (largest - N_ROWS + 1);
        healed[i] = i % 2 ? row : N_ROWS - 1;
    }
    remap(model, hostile, &bad);
    remap(model, healed, &good);
    ask(&bad.handle, &got);
    ask(&good.handle, &wanted);
    assert_memory_equal(got.scores, wanted.scores, sizeof got.scores);
    assert_int_equal(got.n_hits, wanted.n_hits);
    for (size_t i = 0; i < got.n_hits; i++)
        assert_true(got.hits[i].item.number == wanted.hits[i].item.number &&
                    got.hits[i].score == wanted.hits[i].score);
    free(bad.words);
    free(good.words);
    collide_model_close(model);
}

static void stored_entries_out_of_the_table_lead_to_its_last_row(void **state)
{
    (void)state;
    check(MAPPING_STORED);
}

static void packed_entries_out_of_the_table_lead_to_its_last_row(void **state)
{
    (void)state;
    check(MAPPING_PACKED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stored_entries_out_of_the_table_lead_to_its_last_row),
        cmocka_unit_test(packed_entries_out_of_the_table_lead_to_its_last_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
