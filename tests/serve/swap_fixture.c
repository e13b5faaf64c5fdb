#include "swap_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void require(enum collide_status status, const struct collide_error *err)
{
    if (status != COLLIDE_OK)
        fail_msg("%s", err->text);
}

/* The library's scores, and the reply of a service of its own. */
static void ask_library(struct swap_fixture *f, unsigned twin)
{
    struct random_model spec = test_service_model;
    struct test_service t;
    struct buffer reply = {0};
    struct collide_id user = collide_id_number(f->user), items[SWAP_ITEMS];
    const struct collide_query query = {.user = &user, .items = items, .n_items = SWAP_ITEMS};
    for (size_t i = 0; i < SWAP_ITEMS; i++)
        items[i] = collide_id_number(f->items[i]);
    spec.seed += twin;
    random_model_write(&spec, f->twins[twin]);
    test_service_create(&spec, 1, &t);
    test_service_load(&t);
    assert_int_equal(collide_score(t.lane, &query, 1, f->scores[twin], NULL, NULL), COLLIDE_OK);
    assert_int_equal(test_service_answer(&t, 0, REQUEST_SCORE, f->body, &reply), COLLIDE_OK);
    snprintf(f->replies[twin], sizeof f->replies[twin], "%.*s", (int)reply.n_bytes, reply.bytes);
    buffer_free(&reply);
    test_service_destroy(&t);
}

void swap_fixture_create(const struct service_options *options, struct swap_fixture *out)
{
    struct service_options o = *options;
    struct collide_error err = {0};
    *out = (struct swap_fixture){.service = NULL};
    o.scorer.cache_dir = o.scorer.cache_dir ? o.scorer.cache_dir : "";
    o.limits = (struct request_limits){.max_parts = 10, .max_items = 1000, .max_history = 200};
    o.n_workers = SWAP_WORKERS;
    scratch_create(&out->folder);
    scratch_path(&out->folder, "file.safetensors", out->path);
    test_service_request(5, SWAP_ITEMS, &out->user, out->items, out->body);
    for (unsigned twin = 0; twin < N_TWINS; twin++) {
        scratch_path(&out->folder, twin ? "second" : "first", out->twins[twin]);
        ask_library(out, twin);
    }
    assert_string_not_equal(out->replies[0], out->replies[1]);
    require(service_create(&o, &out->service, &err), &err);
}

void swap_fixture_destroy(struct swap_fixture *f)
{
    service_destroy(f->service);
    scratch_destroy(&f->folder);
}

void swap_fixture_place(const struct swap_fixture *f, unsigned twin)
{
    char aside[2 * SCRATCH_PATH_BYTES];
    scratch_path(&f->folder, "aside", aside);
    assert_int_equal(link(f->twins[twin], aside), 0);
    assert_int_equal(rename(aside, f->path), 0);
    unlink(aside); /* renaming one name of a file to another of it does nothing */
}

void swap_fixture_load(struct swap_fixture *f)
{
    struct collide_error err = {0};
    require(service_models_load(f->service, "m", f->path, NULL, &err), &err);
}

enum collide_status swap_fixture_ask(struct swap_fixture *f, unsigned worker, const char *name,
                                     const char *version, unsigned *twin)
{
    struct buffer reply = {0};
    const struct service_request request = {.kind = REQUEST_SCORE,
                                            .model = {.name = name, .version = version},
                                            .body = f->body,
                                            .n_bytes = strlen(f->body)};
    enum collide_status status = service_answer(f->service, worker, &request, &reply);
    for (*twin = 0; *twin < N_TWINS; ++*twin)
        if (reply.n_bytes == strlen(f->replies[*twin]) &&
            memcmp(reply.bytes, f->replies[*twin], reply.n_bytes) == 0)
            break;
    buffer_free(&reply);
    return status;
}

unsigned swap_fixture_served(struct swap_fixture *f, unsigned worker)
{
    unsigned twin;
    assert_int_equal(swap_fixture_ask(f, worker, "m", NULL, &twin), COLLIDE_OK);
    assert_in_range(twin, 0, N_TWINS - 1);
    return twin;
}

static void keep_report(void *context, const struct model_report *r)
{
    struct swap_report *out = context;
    if (strcmp(r->name, "m") != 0)
        return;
    out->n_versions += r->version > 0;
    if (r->version > 0 && !r->is_served)
        return;
    out->version = r->version;
    out->resident_bytes = r->resident_bytes;
    out->n_loads = r->n_loads;
    out->n_failures = r->n_failures;
    out->n_swaps = r->n_swaps;
    out->state = r->state;
    out->all_counts = r->all_counts;
    snprintf(out->reason, sizeof out->reason, "%s", r->reason);
}

struct swap_report swap_fixture_report(struct swap_fixture *f)
{
    struct swap_report report = {0};
    service_models_each(f->service, keep_report, &report);
    return report;
}
