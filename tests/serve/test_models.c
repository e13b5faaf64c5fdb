/* Models and versions: chosen, refused, replaced, unloaded. */
#include "score/lane.h"
#include "serve/answer.h"
#include "serve/worker.h"
#include "swap_fixture.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const struct service_options defaults;

static void make_version(const struct swap_fixture *f, const char *folder, unsigned twin, char *path)
{
    char parent[2 * SCRATCH_PATH_BYTES], name[64];
    scratch_path(&f->folder, folder, parent);
    assert_int_equal(mkdir(parent, 0700), 0);
    snprintf(name, sizeof name, "%s/model.safetensors", folder);
    scratch_path(&f->folder, name, path);
    assert_int_equal(link(f->twins[twin], path), 0);
}

static void load(struct swap_fixture *f, const char *name, const char *path, uint64_t wanted_version)
{
    struct collide_error err = {0};
    uint64_t version = 0;
    if (service_models_load(f->service, name, path, &version, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    assert_int_equal(version, wanted_version);
}

static void requests_choose_models_by_name_and_the_first_without_one(void **state)
{
    struct swap_fixture f;
    unsigned twin;
    (void)state;
    swap_fixture_create(&defaults, &f);
    assert_int_equal(swap_fixture_ask(&f, 0, "a", NULL, &twin), COLLIDE_NOT_FOUND);
    assert_int_equal(swap_fixture_ask(&f, 0, NULL, NULL, &twin), COLLIDE_BUSY);
    load(&f, "a", f.twins[0], 1);
    load(&f, "b", f.twins[1], 1);
    assert_int_equal(service_state(f.service), SERVICE_READY);
    assert_int_equal(swap_fixture_ask(&f, 0, "a", NULL, &twin), COLLIDE_OK);
    assert_int_equal(twin, 0);
    assert_int_equal(swap_fixture_ask(&f, 1, "b", "1", &twin), COLLIDE_OK);
    assert_int_equal(twin, 1);
    assert_int_equal(swap_fixture_ask(&f, 1, NULL, NULL, &twin), COLLIDE_OK);
    assert_int_equal(twin, 0);
    static const char *const versions[] = {"2", "0", "01", "", "x", "1x", "99999999999999999999"};
    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++)
        assert_int_equal(swap_fixture_ask(&f, 0, "a", versions[i], &twin), COLLIDE_NOT_FOUND);
    assert_int_equal(swap_fixture_ask(&f, 0, "c", NULL, &twin), COLLIDE_NOT_FOUND);
    swap_fixture_destroy(&f);
}

static void an_unknown_model_s_reply_says_so(void **state)
{
    struct swap_fixture f;
    struct buffer reply = {0};
    (void)state;
    swap_fixture_create(&defaults, &f);
    load(&f, "a", f.twins[0], 1);
    const struct service_request request = {.model = {.name = "none"}, .body = f.body, .n_bytes = 2};
    assert_int_equal(service_answer(f.service, 0, &request, &reply), COLLIDE_NOT_FOUND);
    buffer_append(&reply, "", 1);
    assert_string_equal(
        reply.bytes, "{\"error\":{\"code\":\"not_found\",\"message\":\"there is no model \\\"none\\\"\"}}\n");
    reply.n_bytes = 0;
    assert_int_equal(service_describe(f.service, &(struct model_choice){.name = "a", .version = "1"}, &reply),
                     COLLIDE_OK);
    buffer_append(&reply, "", 1);
    assert_non_null(strstr(reply.bytes, "{\"name\":\"a\","));
    assert_non_null(strstr(reply.bytes, "\"model_version\":1,"));
    reply.n_bytes = 0;
    assert_int_equal(service_describe(f.service, &(struct model_choice){.version = "7"}, &reply),
                     COLLIDE_NOT_FOUND);
    buffer_free(&reply);
    swap_fixture_destroy(&f);
}

static void the_newest_versions_stay_and_the_last_loaded_is_served(void **state)
{
    struct swap_fixture f;
    char old[2 * SCRATCH_PATH_BYTES], new[2 * SCRATCH_PATH_BYTES];
    unsigned twin;
    (void)state;
    swap_fixture_create(&(struct service_options){.keep_versions = 2}, &f);
    make_version(&f, "7", 0, old);
    make_version(&f, "12", 1, new);
    load(&f, "m", old, 7);
    load(&f, "m", new, 12);
    assert_int_equal(swap_fixture_served(&f, 0), 1);
    assert_int_equal(swap_fixture_ask(&f, 1, "m", "7", &twin), COLLIDE_OK);
    assert_int_equal(twin, 0);
    load(&f, "m", old, 7); /* in its place */
    assert_int_equal(swap_fixture_served(&f, 0), 1);
    assert_int_equal(swap_fixture_report(&f).n_versions, 2);
    load(&f, "m", f.twins[0], 13); /* its path says nothing */
    assert_int_equal(swap_fixture_served(&f, 0), 0);
    assert_int_equal(swap_fixture_ask(&f, 1, "m", "12", &twin), COLLIDE_OK);
    assert_int_equal(swap_fixture_ask(&f, 1, "m", "7", &twin), COLLIDE_NOT_FOUND);
    assert_int_equal(service_models_unload(f.service, "m", 13, NULL), COLLIDE_OK);
    assert_int_equal(swap_fixture_served(&f, 0), 1);
    assert_int_equal(swap_fixture_report(&f).version, 12);
    swap_fixture_destroy(&f);
}

/* What a load of these bytes in place of the good file comes to. */
static void check_roll_back(struct swap_fixture *f, const char *bytes, size_t n_bytes)
{
    struct collide_error err = {0};
    uint64_t n_failures = swap_fixture_report(f).n_failures;
    char aside[2 * SCRATCH_PATH_BYTES];
    scratch_path(&f->folder, "aside", aside);
    FILE *file = fopen(aside, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, n_bytes, file), n_bytes);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(rename(aside, f->path), 0);
    assert_int_not_equal(service_models_load(f->service, "m", NULL, NULL, &err), COLLIDE_OK);
    struct swap_report report = swap_fixture_report(f);
    assert_string_equal(report.reason, err.text);
    assert_non_null(strstr(err.text, f->path));
    assert_int_equal(report.state, MODEL_READY);
    assert_int_equal(report.version, 1);
    assert_int_equal(report.n_failures, n_failures + 1);
    assert_int_equal(swap_fixture_served(f, 0), 0);
    assert_int_equal(service_state(f->service), SERVICE_READY);
}

static void what_cannot_be_loaded_leaves_what_is_served(void **state)
{
    struct swap_fixture f;
    struct collide_error err = {0};
    static char bytes[1 << 20];
    (void)state;
    swap_fixture_create(&defaults, &f);
    swap_fixture_place(&f, 0);
    swap_fixture_load(&f);
    FILE *file = fopen(f.twins[1], "r");
    assert_non_null(file);
    size_t n = fread(bytes, 1, sizeof bytes, file);
    assert_in_range(n, 1000, sizeof bytes - 1);
    assert_int_equal(fclose(file), 0);
    check_roll_back(&f, bytes, n / 2); /* truncated */
    bytes[n - 100] ^= 1;
    check_roll_back(&f, bytes, n); /* corrupt */
    check_roll_back(&f, "no model", 8);
    check_roll_back(&f, "", 0);
    assert_int_equal(unlink(f.path), 0);
    assert_int_equal(service_models_load(f.service, "m", NULL, NULL, &err), COLLIDE_NOT_FOUND);
    assert_int_equal(swap_fixture_served(&f, 1), 0);
    swap_fixture_place(&f, 1);
    swap_fixture_load(&f);
    struct swap_report report = swap_fixture_report(&f);
    assert_int_equal(report.version, 2); /* failures take no numbers */
    assert_int_equal(report.n_swaps, 1);
    assert_int_equal(report.n_failures, 5);
    assert_string_equal(report.reason, "");
    assert_int_equal(swap_fixture_served(&f, 1), 1);
    swap_fixture_destroy(&f);
}

static void a_model_that_never_loaded_is_unavailable_and_can_be_loaded_later(void **state)
{
    struct swap_fixture f;
    struct collide_error err = {0};
    unsigned twin;
    (void)state;
    swap_fixture_create(&defaults, &f);
    assert_int_equal(service_models_add(f.service, "m", f.path, &err), COLLIDE_OK);
    assert_int_equal(service_models_add(f.service, "m", f.path, &err), COLLIDE_INVALID);
    assert_int_equal(swap_fixture_ask(&f, 0, "m", NULL, &twin), COLLIDE_BUSY);
    assert_int_equal(swap_fixture_report(&f).state, MODEL_LOADING);
    assert_int_equal(service_models_load(f.service, "m", NULL, NULL, &err), COLLIDE_NOT_FOUND);
    assert_int_equal(swap_fixture_report(&f).state, MODEL_UNAVAILABLE);
    assert_int_equal(swap_fixture_ask(&f, 0, "m", NULL, &twin), COLLIDE_NOT_FOUND);
    assert_int_equal(service_state(f.service), SERVICE_LOADING);
    assert_true(service_models_is_stale(f.service, 0));
    swap_fixture_place(&f, 1);
    assert_int_equal(service_models_load(f.service, "m", NULL, NULL, &err), COLLIDE_OK);
    assert_int_equal(service_state(f.service), SERVICE_READY);
    assert_int_equal(swap_fixture_served(&f, 0), 1);
    assert_false(service_models_is_stale(f.service, 0));
    swap_fixture_place(&f, 0);
    assert_true(service_models_is_stale(f.service, 0));
    swap_fixture_destroy(&f);
}

static void the_service_is_ready_when_all_it_was_given_is_loaded(void **state)
{
    struct swap_fixture f;
    (void)state;
    swap_fixture_create(&defaults, &f);
    assert_int_equal(service_models_add(f.service, "a", f.twins[0], NULL), COLLIDE_OK);
    assert_int_equal(service_models_add(f.service, "b", f.twins[1], NULL), COLLIDE_OK);
    load(&f, "a", NULL, 1);
    assert_int_equal(service_state(f.service), SERVICE_LOADING);
    load(&f, "b", NULL, 1);
    assert_int_equal(service_state(f.service), SERVICE_READY);
    swap_fixture_destroy(&f);
}

static void names_and_versions_come_from_paths(void **state)
{
    struct swap_fixture f;
    char path[2 * SCRATCH_PATH_BYTES];
    struct collide_error err = {0};
    unsigned twin;
    (void)state;
    swap_fixture_create(&defaults, &f);
    swap_fixture_place(&f, 0);
    load(&f, NULL, f.path, 1);
    assert_int_equal(swap_fixture_ask(&f, 0, "file", "1", &twin), COLLIDE_OK);
    scratch_path(&f.folder, "shop", path);
    assert_int_equal(mkdir(path, 0700), 0);
    make_version(&f, "shop/3", 1, path);
    load(&f, NULL, path, 3);
    assert_int_equal(swap_fixture_ask(&f, 0, "shop", "3", &twin), COLLIDE_OK);
    static const char *const names[] = {"", "a/b", "a\nb", "\"", "\\"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_int_equal(service_models_load(f.service, names[i], path, NULL, &err), COLLIDE_INVALID);
    assert_int_equal(service_models_load(f.service, "nobody", NULL, NULL, &err), COLLIDE_NOT_FOUND);
    swap_fixture_destroy(&f);
}

/* A worker uses the first twin, while a thread of its own changes what is served. */
struct pinned {
    struct swap_fixture fixture;
    struct pinned_model model;
    enum collide_status (*change)(struct swap_fixture *f);
    enum collide_status status; /* of the change */
    atomic_bool has_changed;
    pthread_t changer;
};

static int pin_set_up(void **state)
{
    static struct pinned p;
    p = (struct pinned){.change = NULL};
    swap_fixture_create(&defaults, &p.fixture);
    swap_fixture_place(&p.fixture, 0);
    swap_fixture_load(&p.fixture);
    assert_int_equal(service_pin(p.fixture.service, 0, &(struct model_choice){.name = "m"}, &p.model, NULL),
                     COLLIDE_OK);
    assert_int_equal(p.model.version, 1);
    *state = &p;
    return 0;
}

static int pin_tear_down(void **state)
{
    struct pinned *p = *state;
    swap_fixture_destroy(&p->fixture);
    return 0;
}

static enum collide_status load_second_twin(struct swap_fixture *f)
{
    swap_fixture_place(f, 1);
    return service_models_load(f->service, "m", f->path, NULL, NULL);
}

static enum collide_status unload(struct swap_fixture *f)
{
    return service_models_unload(f->service, "m", 0, NULL);
}

static void *run_change(void *context)
{
    struct pinned *p = context;
    p->status = p->change(&p->fixture);
    atomic_store(&p->has_changed, true);
    return NULL;
}

static void begin_change(struct pinned *p, enum collide_status (*change)(struct swap_fixture *f))
{
    p->change = change;
    assert_int_equal(pthread_create(&p->changer, NULL, run_change, p), 0);
}

static void check_pinned_scores(struct pinned *p)
{
    const struct swap_fixture *f = &p->fixture;
    struct collide_id user = collide_id_number(f->user), items[SWAP_ITEMS];
    const struct collide_query query = {.user = &user, .items = items, .n_items = SWAP_ITEMS};
    float scores[SWAP_ITEMS];
    for (size_t i = 0; i < SWAP_ITEMS; i++)
        items[i] = collide_id_number(f->items[i]);
    assert_int_equal(collide_score(p->model.lane, &query, 1, scores, NULL, NULL), COLLIDE_OK);
    assert_memory_equal(scores, f->scores[0], sizeof scores);
}

/* The change waits for the worker, to which nothing has changed. */
static void check_that_it_waits(struct pinned *p)
{
    usleep(50000);
    assert_false(atomic_load(&p->has_changed));
    check_pinned_scores(p);
}

static void unpin(struct pinned *p)
{
    service_unpin(p->fixture.service, 0);
    pthread_join(p->changer, NULL);
}

static void a_pinned_version_outlives_its_successor_s_coming(void **state)
{
    struct pinned *p = *state;
    begin_change(p, load_second_twin);
    while (swap_fixture_served(&p->fixture, 1) == 0) /* others get the new one at once */
        usleep(1000);
    check_that_it_waits(p);
    unpin(p);
    assert_int_equal(p->status, COLLIDE_OK);
    assert_int_equal(swap_fixture_served(&p->fixture, 0), 1);
}

static void an_unload_waits_for_those_that_use_the_model(void **state)
{
    struct pinned *p = *state;
    struct swap_fixture *f = &p->fixture;
    unsigned twin;
    begin_change(p, unload);
    while (swap_fixture_ask(f, 1, "m", NULL, &twin) == COLLIDE_OK)
        usleep(1000);
    check_that_it_waits(p);
    unpin(p);
    assert_int_equal(p->status, COLLIDE_OK);
    assert_int_equal(swap_fixture_ask(f, 0, "m", NULL, &twin), COLLIDE_NOT_FOUND);
    assert_string_equal(swap_fixture_report(f).reason, "unloaded");
    assert_int_equal(service_state(f->service), SERVICE_LOADING);
    assert_int_equal(unload(f), COLLIDE_NOT_FOUND);
    assert_false(service_models_is_stale(f->service, 0)); /* it was wanted so */
    load(f, "m", NULL, 2);
    assert_int_equal(service_state(f->service), SERVICE_READY);
}

/* A worker that never ends does not keep the service from stopping. */
static void a_drain_waits_for_no_pin(void **state)
{
    struct pinned *p = *state;
    struct service *s = p->fixture.service;
    begin_change(p, load_second_twin);
    while (swap_fixture_served(&p->fixture, 1) == 0)
        usleep(1000);
    service_drain(s);
    pthread_join(p->changer, NULL);
    check_pinned_scores(p);
    assert_int_equal(service_models_load(s, "m", NULL, NULL, NULL), COLLIDE_BUSY);
    assert_int_equal(unload(&p->fixture), COLLIDE_BUSY);
    service_unpin(s, 0);
}

/* Up to as many as can be known. */
static void know_names(struct service *s)
{
    char name[16];
    for (size_t i = service_models_count(s); i < MODELS_MAX; i++) {
        snprintf(name, sizeof name, "%zu", i);
        assert_int_equal(service_models_load(s, name, "/nowhere", NULL, NULL), COLLIDE_NOT_FOUND);
    }
}

static bool is_known(struct service *s, const char *name)
{
    struct collide_error err = {0};
    service_models_unload(s, name, 7, &err); /* which nobody has */
    return strstr(err.text, "has no such version");
}

static void one_more_name_takes_the_place_of_the_one_unavailable_longest(void **state)
{
    struct pinned *p = *state;
    struct service *s = p->fixture.service;
    char name[MODEL_NAME_CHARS];
    unsigned twin;
    service_unpin(s, 0);
    assert_int_equal(unload(&p->fixture), COLLIDE_OK); /* number 0 is not to be had */
    load(&p->fixture, "served", p->fixture.twins[1], 1);
    know_names(s);
    assert_int_equal(service_models_load(s, "2", NULL, NULL, NULL), COLLIDE_NOT_FOUND); /* once more */
    load(&p->fixture, "new", p->fixture.twins[0], 1);
    assert_int_equal(service_models_count(s), MODELS_MAX);
    service_models_name(s, 3, name);
    assert_string_equal(name, "new");
    assert_false(is_known(s, "3"));
    assert_true(is_known(s, "2"));
    assert_true(is_known(s, "m"));
    assert_int_equal(swap_fixture_ask(&p->fixture, 0, "new", NULL, &twin), COLLIDE_OK);
    assert_int_equal(twin, 0);
    assert_int_equal(swap_fixture_ask(&p->fixture, 0, "served", NULL, &twin), COLLIDE_OK);
    assert_int_equal(twin, 1);
}

static enum collide_status load_one_more(struct swap_fixture *f)
{
    return service_models_load(f->service, "one more", f->twins[1], NULL, NULL);
}

/* The worker sees a catalogue that has the old name in it. */
static void a_name_is_not_forgotten_while_somebody_may_read_it(void **state)
{
    struct pinned *p = *state;
    struct service *s = p->fixture.service;
    char name[MODEL_NAME_CHARS];
    service_unpin(s, 0);
    know_names(s);
    assert_int_equal(service_pin(s, 0, &(struct model_choice){.name = "m"}, &p->model, NULL), COLLIDE_OK);
    begin_change(p, load_one_more);
    do {
        usleep(1000);
        service_models_name(s, 1, name);
    } while (strcmp(name, "one more") != 0);
    check_that_it_waits(p);
    service_drain(s);
    pthread_join(p->changer, NULL);
    const struct catalogue *seen = atomic_load(&s->workers[0].pinned);
    assert_string_equal(seen->models[1].name, "1");
    service_unpin(s, 0);
}

static void no_name_is_forgotten_that_is_in_use(void **state)
{
    struct swap_fixture f;
    struct collide_error err = {0};
    char name[16];
    (void)state;
    swap_fixture_create(&defaults, &f);
    for (unsigned i = 0; i < MODELS_MAX; i++) {
        snprintf(name, sizeof name, "%u", i);
        assert_int_equal(service_models_add(f.service, name, "/nowhere", NULL), COLLIDE_OK);
    }
    assert_int_equal(service_models_load(f.service, "m", f.twins[0], NULL, &err), COLLIDE_BUSY);
    assert_string_equal(err.text, "there are 4096 models already; unload one first");
    swap_fixture_destroy(&f);
}

static void requests_gain_from_company_where_a_model_s_launches_queue(void **state)
{
    struct swap_fixture f;
    (void)state;
    swap_fixture_create(&(struct service_options){.scorer.engine = "queued"}, &f);
    assert_false(service_gains_from_company(f.service));
    load(&f, "m", f.twins[0], 1);
    assert_true(service_gains_from_company(f.service));
    assert_int_equal(unload(&f), COLLIDE_OK);
    assert_false(service_gains_from_company(f.service));
    swap_fixture_destroy(&f);
    swap_fixture_create(&(struct service_options){.scorer.engine = "direct"}, &f);
    load(&f, "m", f.twins[0], 1);
    assert_false(service_gains_from_company(f.service));
    swap_fixture_destroy(&f);
}

static void more_memory_than_allowed_is_not_taken(void **state)
{
    struct swap_fixture f;
    struct collide_error err = {0};
    (void)state;
    swap_fixture_create(&defaults, &f);
    swap_fixture_place(&f, 0);
    swap_fixture_load(&f);
    uint64_t one = swap_fixture_report(&f).resident_bytes;
    struct stat file;
    assert_int_equal(stat(f.path, &file), 0);
    assert_in_range(one, file.st_size, 1 << 20);
    swap_fixture_destroy(&f);
    const uint64_t limits[] = {(uint64_t)file.st_size - 1, one - 1, one, 2 * one - 1, 2 * one};
    for (size_t i = 0; i < 5; i++) {
        swap_fixture_create(&(struct service_options){.max_memory_bytes = limits[i]}, &f);
        swap_fixture_place(&f, 0);
        assert_int_equal(service_models_load(f.service, "m", f.path, NULL, &err),
                         i < 2 ? COLLIDE_NO_MEMORY : COLLIDE_OK);
        assert_int_equal(service_models_load(f.service, "n", f.twins[0], NULL, &err),
                         i < 4 ? COLLIDE_NO_MEMORY : COLLIDE_OK);
        if (i >= 2)
            assert_int_equal(swap_fixture_served(&f, 0), 0);
        swap_fixture_destroy(&f);
    }
    assert_non_null(strstr(err.text, "over the limit of"));
    assert_non_null(strstr(err.text, "unload a model first"));
}

static void the_index_is_triton_s(void **state)
{
    struct swap_fixture f;
    struct buffer out = {0};
    (void)state;
    swap_fixture_create(&defaults, &f);
    service_models_print(f.service, &out);
    load(&f, "a", f.twins[0], 1);
    service_models_add(f.service, "b", "/nowhere", NULL);
    service_models_print(f.service, &out);
    service_models_load(f.service, "b", NULL, NULL, NULL);
    service_models_unload(f.service, "a", 0, NULL);
    service_models_print(f.service, &out);
    buffer_append(&out, "", 1);
    assert_string_equal(
        out.bytes,
        "[]"
        "[{\"name\":\"a\",\"version\":\"1\",\"state\":\"READY\",\"reason\":\"\"},"
        "{\"name\":\"b\",\"state\":\"LOADING\",\"reason\":\"\"}]"
        "[{\"name\":\"a\",\"state\":\"UNAVAILABLE\",\"reason\":\"unloaded\"},"
        "{\"name\":\"b\",\"state\":\"UNAVAILABLE\",\"reason\":\"cannot open /nowhere: No such file or "
        "directory\"}]");
    buffer_free(&out);
    swap_fixture_destroy(&f);
}

static void what_gone_versions_counted_is_not_lost(void **state)
{
    struct swap_fixture f;
    (void)state;
    swap_fixture_create(&defaults, &f);
    for (unsigned i = 0; i < 4; i++) {
        swap_fixture_place(&f, i % 2);
        swap_fixture_load(&f);
        for (unsigned k = 0; k <= i; k++)
            assert_int_equal(swap_fixture_served(&f, k % 2), i % 2);
    }
    struct swap_report report = swap_fixture_report(&f);
    assert_int_equal(report.all_counts.n_requests, 1 + 2 + 3 + 4);
    assert_int_equal(report.all_counts.n_lookups, 10 * (SWAP_ITEMS + 1)); /* and the user's */
    assert_int_equal(report.n_loads, 4);
    assert_int_equal(report.n_swaps, 3);
    swap_fixture_destroy(&f);
}

static void keep_program(void *context, const struct model_report *r)
{
    const struct program **at = context;
    while (*at)
        at++;
    *at = r->scorer->kernels[0]->program;
}

static void models_of_one_shape_share_their_kernels(void **state)
{
    struct swap_fixture f;
    const struct program *programs[4] = {NULL};
    (void)state;
    swap_fixture_create(&(struct service_options){.keep_versions = 2}, &f);
    load(&f, "m", f.twins[0], 1);
    load(&f, "m", f.twins[1], 2);
    load(&f, "n", f.twins[0], 1);
    service_models_each(f.service, keep_program, programs);
    assert_non_null(programs[2]);
    assert_ptr_equal(programs[1], programs[0]);
    assert_ptr_equal(programs[2], programs[0]);
    assert_int_equal(service_models_unload(f.service, "m", 0, NULL), COLLIDE_OK); /* which built them */
    load(&f, "m", f.twins[1], 3);
    assert_int_equal(swap_fixture_served(&f, 0), 1);
    swap_fixture_destroy(&f);
}

#define PIN_TEST(name) cmocka_unit_test_setup_teardown(name, pin_set_up, pin_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_choose_models_by_name_and_the_first_without_one),
        cmocka_unit_test(an_unknown_model_s_reply_says_so),
        cmocka_unit_test(the_newest_versions_stay_and_the_last_loaded_is_served),
        cmocka_unit_test(what_cannot_be_loaded_leaves_what_is_served),
        cmocka_unit_test(a_model_that_never_loaded_is_unavailable_and_can_be_loaded_later),
        cmocka_unit_test(the_service_is_ready_when_all_it_was_given_is_loaded),
        cmocka_unit_test(names_and_versions_come_from_paths),
        PIN_TEST(a_pinned_version_outlives_its_successor_s_coming),
        PIN_TEST(an_unload_waits_for_those_that_use_the_model),
        PIN_TEST(a_drain_waits_for_no_pin),
        PIN_TEST(one_more_name_takes_the_place_of_the_one_unavailable_longest),
        PIN_TEST(a_name_is_not_forgotten_while_somebody_may_read_it),
        cmocka_unit_test(no_name_is_forgotten_that_is_in_use),
        cmocka_unit_test(requests_gain_from_company_where_a_model_s_launches_queue),
        cmocka_unit_test(more_memory_than_allowed_is_not_taken),
        cmocka_unit_test(the_index_is_triton_s),
        cmocka_unit_test(what_gone_versions_counted_is_not_lost),
        cmocka_unit_test(models_of_one_shape_share_their_kernels),
    };
    return test_service_has_device() ? cmocka_run_group_tests(tests, NULL, NULL) : TEST_SKIPPED;
}
