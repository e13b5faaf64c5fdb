/* Models whose mapping is computed are those with a stored one, without the entries. */
#include "base/buffer.h"
#include "base/rng.h"
#include "learn/embeddings/embedding_learn.h"
#include "learn/learn.h"
#include "learn/map/id_mapping.h"
#include "learn/store/dequantize.h"
#include "learn_fixture.h"
#include "model/cost.h"
#include "model/id_values.h"
#include "model/mapping.h"
#include "model/read.h"
#include "model/write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { N_USERS = 90, N_FIRST = 60, LAST = 70, N_SEEN = N_FIRST + 1, N_ITEMS = 75, N_ROWS = 20, DIM = 16 };

static const enum learn_method methods[] = {LEARN_MODULO, LEARN_HASH,        LEARN_DOUBLE,    LEARN_BLOOM,
                                            LEARN_QR,     LEARN_QR_MULTIPLY, LEARN_QR_CONCAT, LEARN_HASHEMB};
enum { N_METHODS = sizeof methods / sizeof methods[0] };

/* Items 0 .. N_FIRST - 1 and LAST have users; those between have none, nor have those behind, as where they
 * are held out. */
static void make_log(struct interactions *out)
{
    struct buffer text = {0};
    struct rng rng = rng_seeded(3, 0);
    for (int u = 0; u < N_USERS; u++) {
        buffer_printf(&text, "%d %d\n", u, u % N_FIRST);
        for (int k = 0; k < 8; k++)
            buffer_printf(&text, "%d %d\n", u,
                          (int)(rng_below(&rng, 2) ? rng_below(&rng, 10) : rng_below(&rng, N_FIRST)));
    }
    buffer_printf(&text, "%d %d\n", N_USERS, LAST);
    buffer_append(&text, "", 1);
    assert_false(text.failed);
    fixture_log(text.bytes, out);
    assert_int_equal(out->items.kind, ID_DENSE);
    out->items.n_ids = N_ITEMS;
    buffer_free(&text);
}

static struct learn_options quick_options(enum learn_method method)
{
    struct learn_options o = learn_options_default();
    o.items = (struct space_plan){.method = method, .n_rows = N_ROWS};
    o.users.n_rows = N_ROWS;
    o.dim = DIM;
    o.n_threads = 1;
    o.histories = HISTORIES_NONE;
    o.training.teacher_epochs = 2;
    o.training.mapped_epochs = 2;
    o.training.n_negatives = 32;
    return o;
}

/* Of all ids that were learned, bit for bit; what is there of the others keeps them out of answers. */
static void assert_alike(const struct model *stored, const struct model *computed)
{
    const struct space *a = &stored->item, *b = &computed->item;
    uint32_t n_blank = 0;
    for (uint32_t id = 0; id <= N_ITEMS; id++) {
        float x[DIM], y[DIM];
        dequantize_embedding(stored, a, id, x);
        dequantize_embedding(computed, b, id, y);
        assert_int_equal(model_item_is_blank(stored, id), model_item_is_blank(computed, id));
        n_blank += model_item_is_blank(stored, id);
        if (id < N_FIRST || id == LAST || id == N_ITEMS)
            assert_memory_equal(x, y, sizeof x);
        assert_true(model_weight_of(a, id) == model_weight_of(b, id));
        assert_true(model_bias_of(stored, id) == model_bias_of(computed, id));
    }
    assert_int_equal(n_blank, N_ITEMS - N_SEEN + 1);
    assert_int_equal(stored->rows.n, computed->rows.n);
    assert_int_equal(bytes_of_model(stored, 0) - bytes_of_model(computed, 0), bytes_of_mapping(stored));
    assert_int_equal(bytes_of_mapping(computed), 0);
}

static struct model_file *reopen(const struct model *m)
{
    char path[] = "/tmp/collide-computed-XXXXXX";
    struct collide_error err = {0};
    struct model_file *file = NULL;
    close(mkstemp(path));
    enum collide_status status = model_write(m, path, &err);
    if (status == COLLIDE_OK)
        status = model_file_open(path, MODEL_CHECK_CONTENTS, &file, &err);
    unlink(path);
    if (status != COLLIDE_OK)
        fail_msg("%s", err.text);
    return file;
}

static void a_computed_model_says_what_the_stored_one_does(void **state)
{
    (void)state;
    static const struct {
        enum row_form form;
        uint32_t scalar_bits;
    } forms[] = {{ROWS_F32, 0}, {ROWS_I8, 4}, {ROWS_I8_LINE, 0}, {ROWS_I4, 0}};
    struct interactions log;
    make_log(&log);
    for (size_t i = 0; i < N_METHODS; i++)
        for (size_t f = 0; f < sizeof forms / sizeof forms[0]; f++) {
            struct learn_options o = quick_options(methods[i]);
            o.form = forms[f].form;
            o.scalar_bits = forms[f].scalar_bits;
            struct learned *stored = fixture_learn(&log, &o);
            o.mapping = ENTRIES_COMPUTED;
            struct learned *computed = fixture_learn(&log, &o);
            struct model_file *file = reopen(learned_model(computed));
            const struct model *m = model_file_model(file);
            assert_int_equal(m->mapping.kind, mapping_method(methods[i])->kind);
            assert_null(m->item.remap);
            assert_alike(learned_model(stored), m);
            model_file_close(file);
            learned_destroy(stored);
            learned_destroy(computed);
        }
    interactions_free(&log);
}

/* Auto: computed where that can be; bytes are known beforehand, and a budget's rows are more. */
static void bytes_that_entries_would_take_go_into_rows(void **state)
{
    (void)state;
    enum { BUDGET = 1600 };
    struct interactions log;
    make_log(&log);
    struct learn_options packed = quick_options(LEARN_BLOOM), chosen = packed;
    packed.mapping = ENTRIES_PACKED;
    chosen.mapping = ENTRIES_AUTO;
    struct learner *learner = NULL;
    assert_int_equal(learner_create(&log, &chosen, &learner, NULL), COLLIDE_OK);
    assert_int_equal(learner_fit_rows(learner, BUDGET, &packed, NULL), COLLIDE_OK);
    assert_int_equal(learner_fit_rows(learner, BUDGET, &chosen, NULL), COLLIDE_OK);
    assert_true(chosen.items.n_rows > packed.items.n_rows + 4);
    for (int has_all_rows = 0; has_all_rows < 2; has_all_rows++) {
        struct learned *l = NULL;
        uint64_t n_bytes;
        chosen.items.n_rows = has_all_rows ? N_SEEN : chosen.items.n_rows;
        assert_int_equal(learner_learn(learner, &chosen, &l, NULL, NULL), COLLIDE_OK);
        const struct model *m = learned_model(l);
        assert_int_equal(m->mapping.kind, has_all_rows ? MAPPING_PACKED : MAPPING_HASHED);
        if (!has_all_rows) {
            assert_int_equal(learner_bytes(learner, &chosen, &n_bytes, NULL), COLLIDE_OK);
            assert_int_equal(n_bytes, bytes_of_model(m, 0));
            assert_true(n_bytes <= BUDGET);
        }
        learned_destroy(l);
    }
    learner_destroy(learner);
    interactions_free(&log);
}

static void auto_packs_what_cannot_be_computed(void **state)
{
    (void)state;
    struct interactions log;
    make_log(&log);
    struct learn_options o = quick_options(LEARN_LHF);
    o.mapping = ENTRIES_AUTO;
    struct learned *lhf = fixture_learn(&log, &o);
    assert_int_equal(learned_model(lhf)->mapping.kind, MAPPING_PACKED);
    o = quick_options(LEARN_HASH);
    o.users.method = LEARN_HASH;
    o.training.backbone = BACKBONE_USER;
    o.mapping = ENTRIES_AUTO;
    struct learned *users = fixture_learn(&log, &o);
    assert_int_equal(learned_model(users)->mapping.kind, MAPPING_PACKED);
    learned_destroy(lhf);
    learned_destroy(users);
    interactions_free(&log);
}

static void refuses(const struct interactions *log, const struct learn_options *o, const char *why)
{
    struct learned *l = NULL;
    struct collide_error err = {0};
    assert_int_equal(learn_model(log, o, &l, &err), COLLIDE_INVALID);
    assert_non_null(strstr(err.text, why));
}

static void what_cannot_be_computed_is_refused(void **state)
{
    (void)state;
    struct interactions log;
    make_log(&log);
    for (int method = 0; method < LEARN_N_METHODS; method++) {
        struct learn_options o = quick_options((enum learn_method)method);
        o.mapping = ENTRIES_COMPUTED;
        if (mapping_method((enum learn_method)method)->kind == MAPPING_STORED)
            refuses(&log, &o, "choose one of modulo, hash, double, bloom, qr, qr-mul, qr-concat, hashemb");
    }
    struct learn_options o = quick_options(LEARN_HASH);
    o.mapping = ENTRIES_COMPUTED;
    o.training.backbone = BACKBONE_USER;
    refuses(&log, &o, "users are to have rows of their own");
    o = quick_options(LEARN_HASH);
    o.mapping = ENTRIES_COMPUTED;
    o.budget_bytes = 3000;
    o.hold_out = 0.1;
    refuses(&log, &o, "a budget chooses");
    o = quick_options(LEARN_LHF);
    o.mapping = ENTRIES_COMPUTED;
    struct learner *learner = NULL;
    struct collide_error err = {0};
    assert_int_equal(learner_create(&log, &o, &learner, NULL), COLLIDE_OK);
    assert_int_equal(learner_fit_rows(learner, 3000, &o, &err), COLLIDE_INVALID);
    assert_non_null(strstr(err.text, "the rows of lhf cannot be computed"));
    learner_destroy(learner);
    interactions_free(&log);
}

/* A method with as many rows as ids remains what it is. */
static void many_rows_are_computed_too(void **state)
{
    (void)state;
    struct interactions log;
    make_log(&log);
    for (size_t i = 0; i < N_METHODS; i++) {
        struct learn_options o = quick_options(methods[i]);
        o.items.n_rows = 2 * N_ITEMS;
        o.mapping = ENTRIES_COMPUTED;
        struct learned *l = fixture_learn(&log, &o);
        struct model_file *file = reopen(learned_model(l));
        assert_int_equal(model_file_model(file)->mapping.kind, mapping_method(methods[i])->kind);
        model_file_close(file);
        learned_destroy(l);
    }
    interactions_free(&log);
}

static void embeddings_are_compressed_without_entries(void **state)
{
    (void)state;
    float vectors[N_ITEMS * DIM];
    struct rng rng = rng_seeded(5, 0);
    for (size_t k = 0; k < sizeof vectors / sizeof vectors[0]; k++)
        vectors[k] = (float)rng_normal(&rng);
    const struct embedding_tables tables = {.dim = DIM, .n_items = N_ITEMS, .items = vectors};
    for (size_t i = 0; i < N_METHODS; i++) {
        struct embedding_options o = {
            .items = {.method = methods[i], .n_rows = N_ROWS}, .form = ROWS_I8, .seed = 7, .n_threads = 1};
        struct embedding_report report;
        struct learned *stored = NULL, *computed = NULL;
        if (methods[i] == LEARN_QR_MULTIPLY || methods[i] == LEARN_HASHEMB) /* these need a log */
            continue;
        assert_int_equal(embedding_learn(&tables, &o, &stored, &report, NULL), COLLIDE_OK);
        o.mapping = ENTRIES_COMPUTED;
        assert_int_equal(embedding_learn(&tables, &o, &computed, &report, NULL), COLLIDE_OK);
        struct model_file *file = reopen(learned_model(computed));
        const struct model *a = learned_model(stored), *b = model_file_model(file);
        assert_int_equal(b->mapping.kind, mapping_method(methods[i])->kind);
        for (uint32_t id = 0; id <= N_ITEMS; id++) {
            float x[DIM], y[DIM];
            dequantize_embedding(a, &a->item, id, x);
            dequantize_embedding(b, &b->item, id, y);
            assert_memory_equal(x, y, sizeof x);
        }
        model_file_close(file);
        learned_destroy(stored);
        learned_destroy(computed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_computed_model_says_what_the_stored_one_does),
        cmocka_unit_test(bytes_that_entries_would_take_go_into_rows),
        cmocka_unit_test(auto_packs_what_cannot_be_computed),
        cmocka_unit_test(what_cannot_be_computed_is_refused),
        cmocka_unit_test(many_rows_are_computed_too),
        cmocka_unit_test(embeddings_are_compressed_without_entries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
