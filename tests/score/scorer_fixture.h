/* A model behind the public API, on one device with one engine. */
#ifndef TESTS_SCORER_FIXTURE_H
#define TESTS_SCORER_FIXTURE_H

#include "collide/scorer.h"
#include "support/devices.h"

struct scorer_fixture {
    struct collide_scorer *scorer;
    struct collide_lane *lane;
};

/* Fails the test if it cannot. The setup's memory must be as found. */
void scorer_fixture_open(const struct collide_model *model, const struct device_setup *setup,
                         struct scorer_fixture *out);
void scorer_fixture_close(struct scorer_fixture *f);

/* Scores, or fails the test with the error's text. */
void scorer_fixture_score(struct collide_lane *lane, const struct collide_query *queries, size_t n,
                          float *scores, struct collide_counts *counts);

/* The setups that the public API can reach. out: (DEVICES_MAX_SETUPS). Returns how many. */
size_t scorer_fixture_setups(struct device_setup *out);

#endif
