/* Bodies of the Open Inference Protocol, as the server reads them. */
#include "http_tensors.h"

#include "api/oip.h"
#include "score/query_ids.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct request_limits limits = {.max_parts = 10, .max_items = 10000, .max_history = 10000};

struct parsed {
    struct buffer body;
    struct request request;
    struct oip_form form;
};

static void make(const struct question *q, enum tensor_data data, struct parsed *out)
{
    struct rng rng = question_rng(q);
    struct collide_error err = {0};
    uint64_t *ids = calloc((q->batch + 1) * (question_n_ids(q) + 1), sizeof *ids);
    assert_non_null(ids);
    size_t n_json = http_tensors_append(&out->body, q, &rng, ids, data);
    const struct oip_body body = {out->body.bytes, out->body.n_bytes, n_json};
    assert_true((n_json < out->body.n_bytes) == (data == TENSORS_AS_BYTES));
    if (oip_parse(&body, &limits, &out->request, &out->form, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    assert_int_equal(out->request.n_queries, q->batch);
    for (unsigned i = 0; i < out->form.n_outputs; i++)
        assert_int_equal(out->form.outputs[i].is_binary, data == TENSORS_AS_BYTES);
    free(ids);
}

static void parsed_free(struct parsed *p)
{
    buffer_free(&p->body);
    request_free(&p->request);
}

/* Both forms ask the same, of ids that there are. */
static void both_forms_ask_the_same(void **state)
{
    (void)state;
    static const struct question questions[] = {
        {.n_users = 3, .n_items = 50, .n_candidates = 7, .batch = 1, .seed = 1},
        {.n_users = 3, .n_items = 50, .n_candidates = 7, .batch = 5, .seed = 2},
        {.n_items = 50, .n_candidates = 3, .n_history = 9, .batch = 4, .seed = 3}};
    for (size_t k = 0; k < sizeof questions / sizeof *questions; k++) {
        const struct question *q = &questions[k];
        struct parsed json = {0}, bytes = {0};
        make(q, TENSORS_AS_JSON, &json);
        make(q, TENSORS_AS_BYTES, &bytes);
        for (uint64_t row = 0; row < q->batch; row++) {
            const struct collide_query *a = &json.request.queries[row], *b = &bytes.request.queries[row];
            assert_int_equal(a->n_items, q->n_candidates);
            assert_int_equal(a->n_history, q->n_history);
            assert_true(q->n_history || (a->user->number < q->n_users && a->user->number == b->user->number));
            for (size_t i = 0; i < a->n_items; i++) {
                assert_true(query_item(a, i).number < q->n_items);
                assert_int_equal(query_item(a, i).number, query_item(b, i).number);
            }
            for (size_t i = 0; i < a->n_history; i++)
                assert_int_equal(query_history(a, i).number, query_history(b, i).number);
        }
        parsed_free(&json);
        parsed_free(&bytes);
    }
}

static void topk_asks_for_k(void **state)
{
    (void)state;
    const struct question q = {.n_users = 30, .topk = 9, .batch = 3, .seed = 1};
    struct parsed p = {0};
    make(&q, TENSORS_AS_BYTES, &p);
    assert_int_equal(p.request.kind, REQUEST_TOPK);
    assert_int_equal(p.request.topk[2].k, 9);
    parsed_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_forms_ask_the_same),
        cmocka_unit_test(topk_asks_for_k),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
