#include "support/test_service.h"

#include "base/rng.h"
#include "device/platform.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

const struct random_model test_service_model = {.seed = 1,
                                                .n_items = 500,
                                                .n_users = 50,
                                                .n_rows = 60,
                                                .dim = 16,
                                                .max_history = 30,
                                                .precision = PRECISION_I8,
                                                .pooling = POOLING_NORMALISED,
                                                .keys = KEYS_DENSE,
                                                .values = VALUES_ORDINARY,
                                                .flags = RANDOM_WEIGHTS | RANDOM_BIAS};

enum collide_status test_service_answer(struct test_service *t, unsigned worker, enum request_kind kind,
                                        const char *body, struct buffer *reply)
{
    const struct service_request request = {.kind = kind, .body = body, .n_bytes = strlen(body)};
    return service_answer(t->service, worker, &request, reply);
}

static void require(enum collide_status status, const struct collide_error *err)
{
    if (status != COLLIDE_OK)
        fail_msg("%s", err->text);
}

bool test_service_has_device(void)
{
    static struct platform_list list;
    struct collide_error err = {0};
    if (platform_list_devices(&list, &err) == COLLIDE_OK)
        return true;
    print_message("skipped: %s\n", err.text);
    return false;
}

void test_service_create(const struct random_model *spec, unsigned n_workers, struct test_service *out)
{
    test_service_create_on(spec, &(struct collide_scorer_options){.device = NULL}, n_workers, out);
}

void test_service_create_on(const struct random_model *spec, const struct collide_scorer_options *scorer,
                            unsigned n_workers, struct test_service *out)
{
    struct collide_error err = {0};
    struct collide_scorer_options uncached = *scorer;
    uncached.cache_dir = "";
    const struct service_options options = {
        .scorer = uncached,
        .limits = {.max_parts = 10, .max_items = 1000, .max_history = 200},
        .n_workers = n_workers,
    };
    *out = (struct test_service){.lane = NULL};
    scratch_create(&out->folder);
    scratch_path(&out->folder, "tiny.model", out->model_path);
    random_model_write(spec, out->model_path);
    require(service_create(&options, &out->service, &err), &err);
    require(collide_model_open(out->model_path, &out->model, &err), &err);
    require(collide_scorer_create(out->model, &options.scorer, &out->scorer, &err), &err);
    require(collide_lane_create(out->scorer, &out->lane, &err), &err);
}

void test_service_load(struct test_service *t)
{
    struct collide_error err = {0};
    require(service_models_load(t->service, NULL, t->model_path, NULL, &err), &err);
}

void test_service_destroy(struct test_service *t)
{
    service_destroy(t->service);
    collide_lane_destroy(t->lane);
    collide_scorer_destroy(t->scorer);
    collide_model_close(t->model);
    scratch_destroy(&t->folder);
}

void test_service_check_scores(const struct test_service *t, const char *reply, uint64_t user,
                               const uint64_t *items, size_t n_items)
{
    struct collide_error err = {0};
    struct collide_id user_id = collide_id_number(user);
    struct collide_id *ids = malloc((n_items + 1) * sizeof *ids);
    float *scores = malloc((n_items + 1) * sizeof *scores);
    assert_true(ids && scores);
    for (size_t i = 0; i < n_items; i++)
        ids[i] = collide_id_number(items[i]);
    const struct collide_query query = {.user = &user_id, .items = ids, .n_items = n_items};
    require(collide_score(t->lane, &query, 1, scores, NULL, &err), &err);
    const char *at = strstr(reply, "\"scores\":[");
    if (!at)
        fail_msg("no scores in: %s", reply);
    at += strlen("\"scores\":[");
    for (size_t i = 0; i < n_items; i++) {
        char *end;
        assert_true(strtof(at, &end) == scores[i]);
        assert_int_equal(*end, i + 1 < n_items ? ',' : ']');
        at = end + 1;
    }
    free(ids);
    free(scores);
}

void test_service_request(uint64_t seed, size_t n, uint64_t *user, uint64_t *items, char *body)
{
    struct rng rng = rng_seeded(seed, 7);
    *user = rng_below(&rng, test_service_model.n_users);
    char *at = body + sprintf(body, "{\"user\":%llu,\"items\":[", (unsigned long long)*user);
    for (size_t i = 0; i < n; i++) {
        items[i] = rng_below(&rng, test_service_model.n_items);
        at += sprintf(at, "%s%llu", i ? "," : "", (unsigned long long)items[i]);
    }
    strcpy(at, "]}");
}

int test_service_setup(void **state)
{
    static struct test_service service;
    test_service_create(&test_service_model, 2, &service);
    test_service_load(&service);
    *state = &service;
    return 0;
}

int test_service_teardown(void **state)
{
    test_service_destroy(*state);
    return 0;
}
