/* Logs for the tests of the learn floor. */
#ifndef TESTS_LEARN_FIXTURE_H
#define TESTS_LEARN_FIXTURE_H

#include "base/parallel.h"
#include "data/interactions.h"
#include "data/synth.h"
#include "learn/learn.h"
#include "learn/train/corpus.h"

/* Reads a log from its text; the caller frees it with interactions_free. */
void fixture_log(const char *text, struct interactions *out);

/* A made-up log of which every eighth interaction is held out: train has the others, held_out those whose
 * user and item occur in train, by its dense ids. The caller frees both. */
void fixture_synth(const struct synth_options *options, struct interactions *train, struct csr *held_out);

/* A corpus straight from adjacency: users lists of 0-based items, each ended by -1, the whole by -2. Users of
 * two items or more take part. */
void fixture_corpus(const int *lists, struct corpus *out);

/* Fails the test if it cannot. The caller destroys it. */
struct learned *fixture_learn(const struct interactions *log, const struct learn_options *options);

struct parallel *fixture_team(unsigned n_threads);

#endif
