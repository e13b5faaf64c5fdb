/* From a click log to a model ready to be written, after "Learning to Collide" (Ghaemmaghami et al. 2022):
 *
 *   - teacher: a row for every id, of few dimensions, trained on the log (methods that learn their mapping);
 *   - mapping: ids to rows, space by space, by what the method makes of those vectors and of frequencies;
 *   - training of the rows, through the mapping.
 *
 * Held-out examples choose how long each training lasts, and how much it is regularised. */
#ifndef LEARN_CLICK_LEARN_H
#define LEARN_CLICK_LEARN_H

#include "learn/click/click_metrics.h"
#include "learn/click/click_store.h"
#include "learn/click/click_trainer.h"

struct click_options {
    struct click_choices choices;
    const char *log_path;
    const char *val_path; /* held-out examples; NULL: the log's last tenth */
    enum learn_method method;
    struct method_settings settings;
    uint32_t n_rows; /* 0: click_rows_default. LEARN_FULL ignores it */
    uint32_t dim;
    uint32_t teacher_dim; /* 0: 8, or dim if that is less */
    enum row_form form;
    uint32_t teacher_epochs, mapped_epochs; /* at most */
    double l2;                              /* negative: chosen on the held-out examples */
    uint64_t seed;
    unsigned n_threads; /* 0: one for every CPU */
};

/* lhf, 16 dimensions, i8 rows. */
struct click_options click_options_default(void);

struct click_learned;

/* The same log, options and kind of machine give the same model on any number of threads, up to the rounding
 * of k-means' products. Borrows what options point to until click_learned_destroy. Returns owned.
 * COLLIDE_INVALID: columns that are not there, lines that are wrong, too few rows, nothing to learn from. */
enum collide_status click_learn(const struct click_options *options, struct click_learned **out,
                                struct collide_error *err);
void click_learned_destroy(struct click_learned *l);

/* Borrowed from l, until click_learned_destroy. */
const struct model *click_learned_model(const struct click_learned *l);

/* On the held-out examples, before rows are quantised. */
struct click_quality click_learned_quality(const struct click_learned *l);

#endif
