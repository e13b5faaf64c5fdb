/* Two models alike but for their values, at one path after the other; and what each of them answers. */
#ifndef TESTS_SWAP_FIXTURE_H
#define TESTS_SWAP_FIXTURE_H

#include "support/test_service.h"

enum { N_TWINS = 2, SWAP_WORKERS = 2, SWAP_ITEMS = 20 };

struct swap_fixture {
    struct scratch folder;
    struct service *service;
    char path[2 * SCRATCH_PATH_BYTES];           /* where the service looks */
    char twins[N_TWINS][2 * SCRATCH_PATH_BYTES]; /* the files that are put there */
    char body[64 + 8 * SWAP_ITEMS];              /* a request for scores */
    char replies[N_TWINS][1 << 12];              /* its answers */
    uint64_t user, items[SWAP_ITEMS];            /* what it asks */
    float scores[N_TWINS][SWAP_ITEMS];           /* the library's */
};

/* The service has no model yet. */
void swap_fixture_create(const struct service_options *options, struct swap_fixture *out);
void swap_fixture_destroy(struct swap_fixture *f);

/* Puts a twin where the service looks, by renaming. */
void swap_fixture_place(const struct swap_fixture *f, unsigned twin);

/* Loads the model "m"; fails the test if that fails. */
void swap_fixture_load(struct swap_fixture *f);

/* The status of asking a worker for the scores; whose answer it is in *twin, N_TWINS: nobody's. */
enum collide_status swap_fixture_ask(struct swap_fixture *f, unsigned worker, const char *name,
                                     const char *version, unsigned *twin);

/* The one that answers as "m" does; fails the test if nobody does. */
unsigned swap_fixture_served(struct swap_fixture *f, unsigned worker);

/* What is reported of "m", with the texts copied; that of the version served, or of the model. */
struct swap_report {
    uint64_t version, resident_bytes, n_loads, n_failures, n_swaps;
    enum model_state state;
    char reason[512];
    struct model_counts all_counts;
    unsigned n_versions;
};

struct swap_report swap_fixture_report(struct swap_fixture *f);

#endif
