/* Swaps under load: every answer is one version's or the other's. */
#include "serve/burst.h"
#include "swap_fixture.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { N_SWAPS = 200, N_DATAGRAMS = 8, FRAME_BYTES = 2048 };

/* A worker's thread, which asks until it is told to stop. */
struct asker {
    struct swap_fixture *fixture;
    unsigned worker;
    uint8_t *frames; /* (N_DATAGRAMS * FRAME_BYTES), the service's */
    atomic_bool is_to_stop;
    atomic_ulong n_of[N_TWINS], n_wrong, n_failed;
    pthread_t thread;
};

static void *ask_by_json(void *context)
{
    struct asker *a = context;
    while (!atomic_load(&a->is_to_stop)) {
        unsigned twin;
        if (swap_fixture_ask(a->fixture, a->worker, NULL, NULL, &twin) != COLLIDE_OK)
            atomic_fetch_add(&a->n_failed, 1);
        else
            atomic_fetch_add(twin < N_TWINS ? &a->n_of[twin] : &a->n_wrong, 1);
    }
    return NULL;
}

static void write_burst(const struct asker *a, struct datagram *burst)
{
    const struct swap_fixture *f = a->fixture;
    const struct wire_request_fields fields = {.kind = WIRE_SCORE,
                                               .flags = WIRE_HAS_USER,
                                               .user = f->user,
                                               .items = f->items,
                                               .n_items = SWAP_ITEMS};
    for (size_t i = 0; i < N_DATAGRAMS; i++) {
        struct wire_writer w;
        burst[i] = (struct datagram){.bytes = a->frames + i * FRAME_BYTES, .capacity = WIRE_MAX_BYTES};
        wire_begin(&w, burst[i].bytes, burst[i].capacity, WIRE_REQUESTS);
        wire_put_request(&w, &fields);
        wire_put_request(&w, &fields);
        burst[i].n_bytes = (uint32_t)wire_finish(&w, NULL);
    }
}

/* Whose scores these are; N_TWINS: nobody's. */
static unsigned twin_of(const struct swap_fixture *f, const struct wire_response *r)
{
    for (unsigned twin = 0; twin < N_TWINS; twin++) {
        size_t n = 0;
        while (n < SWAP_ITEMS && n < r->n_results && wire_score(r, n) == f->scores[twin][n])
            n++;
        if (n == SWAP_ITEMS)
            return twin;
    }
    return N_TWINS;
}

/* A burst is answered by one version. */
static void check_burst(struct asker *a, const struct datagram *burst)
{
    unsigned twins = 0;
    for (size_t i = 0; i < N_DATAGRAMS; i++) {
        struct wire_reader reader;
        struct wire_response r;
        enum wire_code code;
        unsigned n = 0;
        wire_open(burst[i].bytes, burst[i].n_reply_bytes, WIRE_RESPONSES, NULL, &reader);
        for (; wire_next_response(&reader, &r, &code); n++) {
            if (r.code != WIRE_OK)
                atomic_fetch_add(&a->n_failed, 1);
            twins |= 1u << twin_of(a->fixture, &r);
        }
        if (n != 2)
            atomic_fetch_add(&a->n_failed, 1);
    }
    unsigned twin = twins == 1 ? 0 : twins == 2 ? 1 : N_TWINS;
    atomic_fetch_add(twin < N_TWINS ? &a->n_of[twin] : &a->n_wrong, 1);
}

static void *ask_by_datagrams(void *context)
{
    struct asker *a = context;
    struct datagram burst[N_DATAGRAMS];
    while (!atomic_load(&a->is_to_stop)) {
        write_burst(a, burst);
        service_answer_burst(a->fixture->service, a->worker, burst, N_DATAGRAMS);
        check_burst(a, burst);
    }
    return NULL;
}

static bool has_seen_both(struct asker *a)
{
    return atomic_load(&a->n_of[0]) > 0 && atomic_load(&a->n_of[1]) > 0;
}

static void every_answer_is_one_version_s(void **state)
{
    static struct asker askers[SWAP_WORKERS];
    struct swap_fixture f;
    (void)state;
    swap_fixture_create(&(struct service_options){.n_workers = SWAP_WORKERS}, &f);
    uint8_t *frames = aligned_alloc(4096, N_DATAGRAMS * FRAME_BYTES);
    assert_non_null(frames);
    service_share_memory(f.service, 1, frames, N_DATAGRAMS * FRAME_BYTES);
    swap_fixture_place(&f, 0);
    swap_fixture_load(&f);
    for (unsigned i = 0; i < SWAP_WORKERS; i++) {
        askers[i].fixture = &f;
        askers[i].worker = i;
        askers[i].frames = frames;
        assert_int_equal(
            pthread_create(&askers[i].thread, NULL, i ? ask_by_datagrams : ask_by_json, &askers[i]), 0);
    }
    unsigned n = 1;
    for (; n <= N_SWAPS || !has_seen_both(&askers[0]) || !has_seen_both(&askers[1]); n++) {
        swap_fixture_place(&f, n % N_TWINS);
        swap_fixture_load(&f);
    }
    for (unsigned i = 0; i < SWAP_WORKERS; i++) {
        atomic_store(&askers[i].is_to_stop, true);
        pthread_join(askers[i].thread, NULL);
        assert_int_equal(askers[i].n_wrong, 0);
        assert_int_equal(askers[i].n_failed, 0);
        assert_int_equal(swap_fixture_served(&f, i), (n - 1) % N_TWINS);
    }
    assert_int_equal(swap_fixture_report(&f).version, n);
    assert_int_equal(swap_fixture_report(&f).n_swaps, n - 1);
    swap_fixture_destroy(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_answer_is_one_version_s)};
    return test_service_has_device() ? cmocka_run_group_tests(tests, NULL, NULL) : TEST_SKIPPED;
}
