#include "cli/learn_embeddings.h"

#include "base/log.h"
#include "cli/budget_text.h"
#include "cli/learn_args.h"
#include "model/cost.h"
#include "model/write.h"

#include <inttypes.h>

static const char *const POOLINGS[] = {
    [POOLING_SUM] = "sum", [POOLING_MEAN] = "mean", [POOLING_NORMALISED] = "normalised", NULL};

struct embedding_flags embedding_flags_default(void)
{
    return (struct embedding_flags){.pooling = POOLING_MEAN};
}

static struct arg file_arg(const char *name, const char **target, const char *help)
{
    return (struct arg){.name = name,
                        .type = ARG_TEXT,
                        .target = target,
                        .value_name = "FILE",
                        .group = EMBEDDINGS_GROUP,
                        .help = help};
}

struct arg from_embeddings_arg(struct embedding_flags *flags)
{
    return file_arg(
        "from-embeddings", &flags->files.items,
        "the items' table, (items, dim) floats: it is compressed as --method, --rows, "
        "--precision, --mapping and --budget (for the method given) say. Row i is that of item i");
}

struct arg user_embeddings_arg(struct embedding_flags *flags)
{
    return file_arg("user-embeddings", &flags->files.users,
                    "the users' table, as wide; compressed as the --user-... options say");
}

struct arg frequencies_arg(struct embedding_flags *flags)
{
    return file_arg("frequencies", &flags->files.frequencies,
                    "how often each item occurs, a list of numbers: the frequent ones get the closer rows");
}

struct arg bias_arg(struct embedding_flags *flags)
{
    return file_arg("bias", &flags->files.bias, "what is added to each item's score, a list of floats");
}

struct arg pooling_arg(struct embedding_flags *flags)
{
    return (struct arg){.name = "pooling",
                        .type = ARG_CHOICE,
                        .target = &flags->pooling,
                        .choices = POOLINGS,
                        .group = EMBEDDINGS_GROUP,
                        .help = "what a query makes of its user and history before the product with an item"};
}

/* ---- */

static enum collide_status fit_budget(const struct embedding_tables *t, const char *budget,
                                      struct embedding_options *o, struct collide_error *err)
{
    const struct interactions sizes = {.items = {.n_ids = t->n_items}, .users = {.n_ids = t->n_users}};
    uint64_t n_bytes;
    enum collide_status status = budget_parse(budget, &sizes, t->dim, &n_bytes, err);
    return status == COLLIDE_OK ? embedding_fit_rows(t, n_bytes, o, err) : status;
}

static void print_space(const char *name, const struct embedding_errors *e, uint32_t dim)
{
    const double error = embedding_errors_rms(e), length = embedding_errors_rms_length(e);
    printf("%s: %" PRIu64 " embeddings of %" PRIu32 " values are off by %.3g (RMS), %.3g at the most, of a "
           "length of %.3g (RMS): %.2f %%\n",
           name, e->n, dim, error, embedding_errors_largest(e), length,
           length > 0.0 ? 100.0 * error / length : 0.0);
}

static void print_report(const struct embedding_tables *t, const struct model *m,
                         const struct embedding_report *r)
{
    const uint64_t n_bytes = bytes_of_model(m, 0);
    const double n_full = (double)(r->items.n + r->users.n) * m->dim * sizeof(float);
    print_space("items", &r->items, m->dim);
    if (t->users)
        print_space("users", &r->users, m->dim);
    printf("%" PRIu32 " rows; with all that serving needs %" PRIu64 " bytes, %.2f %% of f32 tables\n",
           m->rows.n, n_bytes, 100.0 * (double)n_bytes / n_full);
}

static enum collide_status learn(const struct embedding_tables *t, const struct embedding_options *o,
                                 const char *output, struct collide_error *err)
{
    struct learned *learned = NULL;
    struct embedding_report report;
    enum collide_status status = embedding_learn(t, o, &learned, &report, err);
    if (status == COLLIDE_OK)
        status = model_write(learned_model(learned), output, err);
    if (status == COLLIDE_OK) {
        print_report(t, learned_model(learned), &report);
        log_info("wrote %s", output);
    }
    learned_destroy(learned);
    return status;
}

enum collide_status learn_embeddings(const struct embedding_flags *flags,
                                     const struct embedding_options *options, const char *budget,
                                     const char *output, struct collide_error *err)
{
    struct embedding_tables tables = {0};
    struct embedding_options o = *options;
    enum collide_status status = embedding_tables_read(&flags->files, &tables, err);
    o.pooling = (enum pooling)flags->pooling;
    o.items.n_rows = learn_rows(options->items.n_rows, tables.n_items);
    o.users.n_rows = learn_rows(options->users.n_rows, tables.n_users);
    if (status == COLLIDE_OK && budget)
        status = fit_budget(&tables, budget, &o, err);
    if (status == COLLIDE_OK)
        status = learn(&tables, &o, output, err);
    embedding_tables_free(&tables);
    return status;
}
