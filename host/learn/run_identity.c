#include "learn/run_identity.h"

#include <inttypes.h>
#include <xxhash.h>

static void put_number(struct buffer *out, const char *name, uint64_t value)
{
    buffer_printf(out, "%s %" PRIu64 "\n", name, value);
}

static void put_real(struct buffer *out, const char *name, double value)
{
    buffer_printf(out, "%s %.9g\n", name, value);
}

static void put_text(struct buffer *out, const char *name, const char *value)
{
    buffer_printf(out, "%s %s\n", name, value);
}

static void put_sum(struct buffer *out, const char *name, uint64_t sum)
{
    buffer_printf(out, "%s %016" PRIx64 "\n", name, sum);
}

static uint64_t sum_lists(const struct csr *c, uint64_t seed)
{
    const uint64_t offsets = XXH3_64bits_withSeed(c->offsets, (c->n_rows + 1ull) * sizeof *c->offsets, seed);
    return XXH3_64bits_withSeed(c->values, c->offsets[c->n_rows] * sizeof *c->values, offsets);
}

static uint64_t sum_ids(const struct id_index *ids, uint64_t seed)
{
    if (ids->kind == ID_U64)
        return XXH3_64bits_withSeed(ids->keys, ids->n_ids * sizeof *ids->keys, seed);
    if (ids->kind == ID_STRING)
        return XXH3_64bits_withSeed(ids->key_bytes, ids->key_offsets[ids->n_ids], seed);
    return seed;
}

static void put_log(struct buffer *out, const struct interactions *log)
{
    put_number(out, "users of the log:", log->users.n_ids);
    put_number(out, "items of the log:", log->items.n_ids);
    put_number(out, "interactions of the log:", log->histories.offsets[log->histories.n_rows]);
    put_sum(out,
            "sum of the log:", sum_ids(&log->users, sum_ids(&log->items, sum_lists(&log->histories, 0))));
}

static void put_plan(struct buffer *out, const char *space, const struct space_plan *p)
{
    buffer_printf(out, "%s: method %s, rows %" PRIu32 ", lookups %" PRIu32 ", signals %d, private %.9g\n",
                  space, learn_method_name(p->method), p->n_rows, p->settings.n_lookups,
                  (int)p->settings.signals, (double)p->settings.private_share);
}

static void put_training(struct buffer *out, const struct training *t)
{
    put_number(out, "users as backbone", t->backbone);
    put_real(out, "temperature", (double)t->temperature);
    put_real(out, "row rate", (double)t->row_rate);
    put_real(out, "bias rate", (double)t->bias_rate);
    put_real(out, "input share", (double)t->input_share);
    put_number(out, "users a batch", t->batch_users);
    put_number(out, "negatives", t->n_negatives);
    put_number(out, "teacher-epochs", t->teacher_epochs);
    put_number(out, "epochs", t->mapped_epochs);
    put_number(out, "user-epochs", t->user_epochs);
}

void run_identity(const struct interactions *log, const struct learn_options *o, unsigned n_threads,
                  struct buffer *out)
{
    put_log(out, log);
    put_sum(out, "sum of val:", o->val ? sum_lists(o->val, 0) : 0);
    put_real(out, "hold-out", o->hold_out);
    put_number(out, "patience", o->patience);
    put_number(out, "seed", o->seed);
    put_number(out, "threads", n_threads);
    put_number(out, "dim", o->dim);
    put_plan(out, "items", &o->items);
    put_plan(out, "users", &o->users);
    put_text(out, "precision", row_form_name(o->form));
    put_number(out, "bits of scalars", o->scalar_bits);
    put_text(out, "mapping", mapping_entries_names[o->mapping]);
    put_number(out, "budget", o->budget_bytes);
    put_text(out, "histories", o->histories == HISTORIES_MODEL ? "model" : "none");
    put_training(out, &o->training);
    buffer_append(out, "", 1);
}
