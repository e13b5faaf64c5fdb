/* Models learned from one log, each measured on held-out interactions as it would be served: written to a
 * file, opened, and asked on the device. */
#ifndef CLI_EXPERIMENT_H
#define CLI_EXPERIMENT_H

#include "cli/device_args.h"
#include "cli/eval_run.h"
#include "cli/learn_args.h"
#include "data/interactions.h"

struct experiment_flags {
    struct learn_flags learn;
    struct device_flags device;
    struct arg_text_list masks;
    int layout;
    const char *log_path, *test_path, *val_path;
};

struct experiment_flags experiment_flags_default(void);

struct arg experiment_val_arg(struct experiment_flags *flags);

/* What all models share. */
struct experiment {
    const struct experiment_flags *flags;
    struct interactions log;
    struct csr val; /* if flags->val_path */
    struct eval_lists lists;
};

/* Borrows flags while it lives. Users' histories are the log's; the log is read twice. Returns owned. */
enum collide_status experiment_open(const struct experiment_flags *flags, struct experiment *out,
                                    struct collide_error *err);
void experiment_close(struct experiment *e);

/* The options of its models, but for the items' plan and a budget: without histories, users' rows as the
 * flags say. */
struct learn_options experiment_options(const struct experiment *e, uint64_t seed);

enum experiment_quality { RECALL_AT_10, NDCG_AT_10, RECALL_AT_50, N_QUALITIES };
extern const char *const quality_names[N_QUALITIES]; /* "recall@10"... */

struct trial {
    char method[24];
    uint32_t n_lookups;
    const char *precision, *scaling; /* static */
    uint64_t n_rows;                 /* of dim values */
    uint64_t n_bytes;                /* all that serving needs, see model/cost.h */
    double seconds;                  /* to learn it alone, teacher included */
    double qualities[N_QUALITIES];
};

/* Learns and measures one model. */
enum collide_status experiment_try(const struct experiment *e, struct learner *learner,
                                   const struct learn_options *options, struct trial *out,
                                   struct collide_error *err);

#endif
