/* Learning from made-up click logs, whose users and ads have tastes in common by their hidden kinds. */
#include "base/log.h"
#include "base/rng.h"
#include "learn/click/click_learn.h"
#include "learn/click/click_mapping.h"
#include "learn/store/dequantize.h"
#include "model/mapping.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { N_USERS = 400, N_ADS = 300, N_KINDS = 8, N_LINES = 24000 };

struct world {
    int user_kind[N_USERS], ad_kind[N_ADS];
    double likes[N_KINDS][N_KINDS];
    double user_bias[N_USERS];
};

static void make_world(struct world *w, struct rng *rng)
{
    for (int u = 0; u < N_USERS; u++) {
        w->user_kind[u] = (int)rng_below(rng, N_KINDS);
        w->user_bias[u] = 0.5 * rng_normal(rng);
    }
    for (int a = 0; a < N_ADS; a++)
        w->ad_kind[a] = (int)rng_below(rng, N_KINDS);
    for (int i = 0; i < N_KINDS; i++)
        for (int j = 0; j < N_KINDS; j++)
            w->likes[i][j] = 2.0 * rng_normal(rng);
}

/* "click,ad,user,hour" lines; a few have no hour. */
static void write_log(const struct world *w, const char *path, int n_lines, uint64_t seed)
{
    struct rng rng = rng_seeded(seed, 1);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "click,ad,user_id,hour\n");
    for (int i = 0; i < n_lines; i++) {
        uint64_t u = rng_below(&rng, N_USERS), a = rng_below(&rng, N_ADS), hour = rng_below(&rng, 24);
        double logit = w->likes[w->user_kind[u]][w->ad_kind[a]] + w->user_bias[u] - 1.0;
        int click = rng_double(&rng) < 1.0 / (1.0 + exp(-logit));
        fprintf(file, "%d,ad-%llu,%llu,", click, (unsigned long long)a, (unsigned long long)(1000000007 * u));
        if (hour > 0)
            fprintf(file, "%llu", (unsigned long long)hour);
        fprintf(file, "\n");
    }
    fclose(file);
}

static char log_path[] = "/tmp/collide-clicks-XXXXXX";

static int make_log(void **state)
{
    (void)state;
    struct world w;
    struct rng rng = rng_seeded(11, 0);
    int fd = mkstemp(log_path);
    if (fd < 0)
        return -1;
    close(fd);
    make_world(&w, &rng);
    write_log(&w, log_path, N_LINES, 12);
    return 0;
}

static int remove_log(void **state)
{
    (void)state;
    return remove(log_path);
}

static struct click_options options_of(enum learn_method method, uint32_t n_rows)
{
    struct click_options o = click_options_default();
    o.choices = (struct click_choices){"click", "ad", "user_id,hour"};
    o.log_path = log_path;
    o.method = method;
    o.n_rows = n_rows;
    o.form = ROWS_F32;
    o.l2 = 0.01;
    o.n_threads = 2;
    return o;
}

static struct click_learned *learn(const struct click_options *options)
{
    struct collide_error err;
    struct click_learned *learned;
    if (click_learn(options, &learned, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    return learned;
}

static double auc_of(enum learn_method method, uint32_t n_rows)
{
    struct click_options options = options_of(method, n_rows);
    struct click_learned *learned = learn(&options);
    double auc = click_learned_quality(learned).auc;
    click_learned_destroy(learned);
    return auc;
}

/* 23 hours and the missing one keep their rows; 100 are left for 700 users and ads of 8 hidden kinds each. */
static void lhf_tells_clicks_apart_with_few_rows_where_modulo_cannot(void **state)
{
    (void)state;
    double full = auc_of(LEARN_FULL, 0), lhf = auc_of(LEARN_LHF, 124), modulo = auc_of(LEARN_MODULO, 124);
    assert_true(full > 0.7);
    assert_true(lhf > full - 0.02);
    assert_true(lhf > modulo + 0.1);
}

static void a_teacher_of_few_dimensions_is_enough(void **state)
{
    (void)state;
    struct click_options options = options_of(LEARN_LHF, 124);
    options.teacher_dim = 6;
    struct click_learned *learned = learn(&options);
    assert_true(click_learned_quality(learned).auc > 0.75);
    assert_int_equal(click_learned_model(learned)->dim, 16);
    click_learned_destroy(learned);
}

static const struct space *space_of(const struct model *m, size_t s)
{
    return s == 0 ? &m->item : s == 1 ? &m->user : &m->features[s - 2].space;
}

static uint32_t find(const struct space *space, struct click_text text)
{
    static const enum id_kind kinds[] = {
        [KEYS_DENSE] = ID_DENSE, [KEYS_U64] = ID_U64, [KEYS_STRING] = ID_STRING};
    const struct id_index index = {.kind = kinds[space->keys.kind],
                                   .n_ids = space->n_ids,
                                   .keys = space->keys.u64,
                                   .key_bytes = space->keys.bytes,
                                   .key_offsets = space->keys.offsets,
                                   .slots = space->keys.slots,
                                   .n_slots = space->keys.n_slots};
    return id_index_find(&index, collide_id_text(text.text, text.n_bytes));
}

/* Scores the held-out tenth as docs/FORMAT.md has it, from what is stored. */
struct scorer {
    const struct model *model;
    size_t n_seen, n;
    float logits[N_LINES / 10];
    uint8_t is_click[N_LINES / 10];
};

static enum collide_status score(void *context, bool is_click, const struct click_text *ids,
                                 struct collide_error *err)
{
    (void)err;
    struct scorer *s = context;
    const struct model *m = s->model;
    if (s->n_seen++ < N_LINES - N_LINES / 10)
        return COLLIDE_OK;
    float item[MODEL_MAX_DIM], feature[MODEL_MAX_DIM];
    uint32_t ad = find(&m->item, ids[0]);
    double logit = (double)m->bias[ad];
    dequantize_embedding(m, &m->item, ad, item);
    for (size_t f = 1; f < 3; f++) {
        const struct space *space = space_of(m, f);
        uint32_t id = find(space, ids[f]);
        if (id == space->n_ids)
            continue;
        dequantize_embedding(m, space, id, feature);
        for (uint32_t d = 0; d < m->dim; d++)
            logit += (double)feature[d] * (double)item[d];
    }
    s->is_click[s->n] = is_click;
    s->logits[s->n++] = (float)logit;
    return COLLIDE_OK;
}

static void what_is_stored_scores_as_what_was_trained(void **state)
{
    (void)state;
    static struct scorer s;
    const enum learn_method methods[] = {LEARN_FULL, LEARN_LHF, LEARN_FREQUENCY};
    for (size_t i = 0; i < 3; i++) {
        struct click_options options = options_of(methods[i], 200);
        options.mapped_epochs = options.teacher_epochs = 3;
        struct click_learned *learned = learn(&options);
        struct click_quality trained = click_learned_quality(learned), stored;
        struct click_columns columns;
        const struct click_visitor visitor = {score, &s};
        s = (struct scorer){.model = click_learned_model(learned)};
        assert_true(s.model->user_is_embedded && s.model->n_features == 1);
        assert_string_equal(s.model->features[0].name, "hour");
        assert_int_equal(click_columns_parse(&options.choices, &columns, NULL), COLLIDE_OK);
        assert_int_equal(click_log_scan(log_path, &columns, &visitor, NULL), COLLIDE_OK);
        assert_int_equal(s.n, trained.n);
        assert_int_equal(click_quality_measure(s.logits, s.is_click, s.n, &stored, NULL), COLLIDE_OK);
        /* The means are taken off in floats: logits of about 1 change by some 1e-6. */
        assert_true(fabs(stored.log_loss - trained.log_loss) < 1e-5);
        assert_true(fabs(stored.auc - trained.auc) < 1e-4);
        click_learned_destroy(learned);
    }
}

static void the_same_seed_gives_the_same_model(void **state)
{
    (void)state;
    struct click_options options = options_of(LEARN_LHF, 124);
    options.mapped_epochs = options.teacher_epochs = 2;
    options.l2 = -1.0;
    struct click_learned *first = learn(&options), *second = learn(&options);
    const struct model *a = click_learned_model(first), *b = click_learned_model(second);
    assert_int_equal(a->rows.n, b->rows.n);
    assert_memory_equal(a->rows.values, b->rows.values, a->rows.n * row_bytes(&a->rows));
    assert_memory_equal(a->bias, b->bias, (a->item.n_ids + 1) * sizeof *a->bias);
    assert_memory_equal(a->user.remap, b->user.remap, (a->user.n_ids + 1) * sizeof *a->user.remap);
    click_learned_destroy(first);
    click_learned_destroy(second);
}

/* Spaces of 1000, 20, 3000 and 32 ids. */
static void rows_are_shared_out_by_ids(void **state)
{
    (void)state;
    struct click_data data = {.n_spaces = 4,
                              .spaces = {{.n_seen = 1000}, {.n_seen = 20}, {.n_seen = 3000}, {.n_seen = 32}},
                              .n_entries = 4052};
    struct collide_error err;
    uint32_t shares[CLICK_MAX_IDS];
    for (uint32_t n_rows = 54; n_rows <= 4052; n_rows++) {
        assert_int_equal(click_rows_share(&data, n_rows, shares, NULL), COLLIDE_OK);
        assert_int_equal(shares[1], 20);
        assert_int_equal(shares[3], 32);
        assert_int_equal(shares[0] + shares[2], n_rows - 52);
        assert_true(shares[0] >= 1 && shares[2] >= 1 && shares[0] <= 1000 && shares[2] <= 3000);
        assert_true(fabs(shares[0] - (n_rows - 52) / 4.0) <= 2.0);
    }
    assert_int_equal(click_rows_share(&data, 53, shares, &err), COLLIDE_INVALID);
    assert_string_equal(err.text, "53 rows are too few for 4 columns of ids; give 54 at least");
    assert_int_equal(click_rows_share(&data, 1000000, shares, NULL), COLLIDE_OK);
    assert_int_equal(shares[0], 1000);
    assert_int_equal(shares[2], 3000);
}

static const char *refusal(const struct click_options *options)
{
    static struct collide_error err;
    struct click_learned *learned;
    assert_int_equal(click_learn(options, &learned, &err), COLLIDE_INVALID);
    return err.text;
}

/* 23 hours and the missing one, a row at least for users and ads. */
static void what_cannot_be_learned_is_refused(void **state)
{
    (void)state;
    struct click_options options = options_of(LEARN_LHF, 25);
    assert_string_equal(refusal(&options), "25 rows are too few for 3 columns of ids; give 26 at least");
    options = options_of(LEARN_LHF, 100);
    options.teacher_dim = 17;
    assert_string_equal(refusal(&options), "the teacher's dim, 17, is above that of rows, 16");
    options = options_of(LEARN_LHF, 100);
    options.choices.features = "nobody";
    assert_non_null(strstr(refusal(&options), ":1: there is no column nobody among the 4 of the first line"));
    options.choices = (struct click_choices){"hour>=100", "ad", "user_id"};
    assert_non_null(strstr(refusal(&options), "the label is \"\" where a number is needed"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_shared_out_by_ids),
        cmocka_unit_test(lhf_tells_clicks_apart_with_few_rows_where_modulo_cannot),
        cmocka_unit_test(a_teacher_of_few_dimensions_is_enough),
        cmocka_unit_test(what_is_stored_scores_as_what_was_trained),
        cmocka_unit_test(the_same_seed_gives_the_same_model),
        cmocka_unit_test(what_cannot_be_learned_is_refused),
    };
    log_set_level(LOG_WARNING);
    return cmocka_run_group_tests(tests, make_log, remove_log);
}
