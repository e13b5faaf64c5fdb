/* A model behind the public API, on one device with one engine. */
#ifndef TESTS_SCORER_FIXTURE_H
#define TESTS_SCORER_FIXTURE_H

#include "collide/scorer.h"
#include "score/lane.h"
#include "support/devices.h"

struct scorer_fixture {
    struct collide_scorer *scorer;
    struct collide_lane *lane;
};

enum { FIXTURE_MAX_SETUPS = DEVICES_MAX_SETUPS + DEVICES_MAX_SPECIAL };

/* The setups that the public API can reach. out: (FIXTURE_MAX_SETUPS). Returns how
 * many. */
size_t scorer_fixture_setups(struct device_setup *out);

/* All of these fail the test if they cannot. The setup's memory must be as found. */
void scorer_fixture_open(const struct collide_model *model, const struct device_setup *setup,
                         struct scorer_fixture *out);

/* The options' cache_dir is the tests' own. */
void scorer_fixture_open_with(const struct collide_model *model, struct collide_scorer_options options,
                              struct scorer_fixture *out);

/* Below the public API: any setup and any options; engine and cache_dir are not the options'. */
void scorer_fixture_build(const struct collide_model *model, const struct device_setup *setup,
                          struct kernels_options options, struct scorer_fixture *out);

/* Fails the test if anything made on a device still lives. */
void scorer_fixture_close(struct scorer_fixture *f);

/* Scores, or fails the test with the error's text. */
void scorer_fixture_score(struct collide_lane *lane, const struct collide_query *queries, size_t n,
                          float *scores, struct collide_counts *counts);

#endif
