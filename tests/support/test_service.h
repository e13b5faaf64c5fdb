/* A service with a small random model, and the truth to compare its answers with: the same model behind the
 * public API. */
#ifndef TESTS_TEST_SERVICE_H
#define TESTS_TEST_SERVICE_H

#include "serve/models.h"
#include "support/random_model.h"
#include "support/scratch.h"

struct test_service {
    struct scratch folder;
    char model_path[2 * SCRATCH_PATH_BYTES];
    struct service *service;
    struct collide_model *model;
    struct collide_scorer *scorer;
    struct collide_lane *lane;
};

/* 500 items, 50 users with histories, dense ids. */
extern const struct random_model test_service_model;

/* Without a device nothing here works: for main, which is to return TEST_SKIPPED then. Says why. */
enum { TEST_SKIPPED = 77 };
bool test_service_has_device(void);

/* Limits are 10 parts, 1000 items, 200 of a history. The service is left loading: test_service_load makes it
 * ready. */
void test_service_create(const struct random_model *spec, unsigned n_workers, struct test_service *out);

/* The same on a device and with an engine; scorer->cache_dir is not used. */
void test_service_create_on(const struct random_model *spec, const struct collide_scorer_options *scorer,
                            unsigned n_workers, struct test_service *out);

void test_service_load(struct test_service *t);
void test_service_destroy(struct test_service *t);

/* A group's setup and teardown: *state is one of test_service_model, loaded, with two workers. */
int test_service_setup(void **state);
int test_service_teardown(void **state);

/* Asks the first model; appends the reply. */
enum collide_status test_service_answer(struct test_service *t, unsigned worker, enum request_kind kind,
                                        const char *body, struct buffer *reply);

/* {"scores":[...],...}: checks each score, to the last bit, against the truth for (user, items). */
void test_service_check_scores(const struct test_service *t, const char *reply, uint64_t user,
                               const uint64_t *items, size_t n_items);

/* A request for n items, which it makes up from the seed. items: (n), body: (64 + 8 * n). */
void test_service_request(uint64_t seed, size_t n, uint64_t *user, uint64_t *items, char *body);

#endif
