#include "cli/eval_print.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

static const char *const item_labels[EVAL_ITEM_CLASSES] = {"1", "2", "3", "4", "none"};
static const char *const user_labels[EVAL_USER_CLASSES] = {"0-5", "6-10", "11-20", "21-50", "51+"};

/* ---- Text. */

static void print_percent(double share)
{
    if (isnan(share))
        printf(" %9s", "-");
    else
        printf(" %9.3f", 100 * share);
}

static void print_cutoffs(const struct eval_figures *f)
{
    for (size_t k = 0; k < f->cutoffs->n; k++) {
        char recall[16], ndcg[16];
        snprintf(recall, sizeof recall, "R@%" PRIu64 " %%", f->cutoffs->items[k]);
        snprintf(ndcg, sizeof ndcg, "N@%" PRIu64 " %%", f->cutoffs->items[k]);
        printf(" %9s %9s", recall, ndcg);
    }
    printf("\n");
}

static void print_qualities(const struct eval_figures *f, const struct eval_class *c)
{
    for (size_t k = 0; k < f->cutoffs->n; k++) {
        print_percent(c->qualities[k].recall);
        print_percent(c->qualities[k].ndcg);
    }
    printf("\n");
}

static void print_range(const struct eval_class *c)
{
    char range[48] = "-";
    if (c->n_members)
        snprintf(range, sizeof range, "%" PRIu64 "-%" PRIu64, c->low, c->high);
    printf(" %13s", range);
}

static void print_items(const struct eval_figures *f)
{
    printf(
        "\nby quarter of the training interactions, the most frequent items first; recall: of the quarter's "
        "held-out interactions\n%7s %9s %13s %9s",
        "quarter", "items", "times each", "held out");
    print_cutoffs(f);
    for (size_t i = 0; i < f->by_items->n; i++) {
        const struct eval_class *c = &f->by_items->classes[i];
        printf("%7s %9" PRIu64, item_labels[i], c->n_members);
        print_range(c);
        printf(" %9" PRIu64, c->n_relevant);
        print_qualities(f, c);
    }
}

static void print_users(const struct eval_figures *f)
{
    printf("\nby length of the users' histories\n%7s %9s %9s", "items", "users", "held out");
    print_cutoffs(f);
    for (size_t i = 0; i < f->by_users->n; i++) {
        const struct eval_class *c = &f->by_users->classes[i];
        printf("%7s %9" PRIu64 " %9" PRIu64, user_labels[i], c->n_members, c->n_relevant);
        print_qualities(f, c);
    }
}

void eval_print_text(const struct eval_figures *f)
{
    printf("%" PRIu32 " users on %s, %s engine\n\n%6s %10s %10s\n", f->result->n_users, f->result->device,
           f->result->engine, "K", "Recall %", "NDCG %");
    for (size_t k = 0; k < f->cutoffs->n; k++) {
        struct ranking_quality q = eval_quality(f->result, f->lists, f->cutoffs->items[k]);
        printf("%6" PRIu64 " %10.3f %10.3f\n", f->cutoffs->items[k], 100 * q.recall, 100 * q.ndcg);
    }
    if (f->by_items)
        print_items(f);
    if (f->by_users)
        print_users(f);
}

/* ---- JSON. */

static void print_metric(uint64_t cutoff, const struct ranking_quality *q, const char *before)
{
    printf("%s{\"k\":%" PRIu64, before, cutoff);
    if (isnan(q->recall))
        printf(",\"recall\":null,\"ndcg\":null}");
    else
        printf(",\"recall\":%.6f,\"ndcg\":%.6f}", q->recall, q->ndcg);
}

static void print_class_metrics(const struct eval_figures *f, const struct eval_class *c)
{
    printf(",\"held_out\":%" PRIu64 ",\"metrics\":[", c->n_relevant);
    for (size_t k = 0; k < f->cutoffs->n; k++)
        print_metric(f->cutoffs->items[k], &c->qualities[k], k ? "," : "");
    printf("]}");
}

static void print_items_json(const struct eval_figures *f)
{
    printf(",\"by_items\":[");
    for (size_t i = 0; i < f->by_items->n; i++) {
        const struct eval_class *c = &f->by_items->classes[i];
        printf("%s{\"quarter\":\"%s\",\"items\":%" PRIu64 ",\"interactions\":%" PRIu64 ",\"least\":%" PRIu64
               ",\"most\":%" PRIu64,
               i ? "," : "", item_labels[i], c->n_members, c->n_interactions, c->low, c->high);
        print_class_metrics(f, c);
    }
    printf("]");
}

static void print_users_json(const struct eval_figures *f)
{
    printf(",\"by_users\":[");
    for (size_t i = 0; i < f->by_users->n; i++) {
        const struct eval_class *c = &f->by_users->classes[i];
        printf("%s{\"history\":\"%s\",\"users\":%" PRIu64, i ? "," : "", user_labels[i], c->n_members);
        print_class_metrics(f, c);
    }
    printf("]");
}

void eval_print_json(const struct eval_figures *f)
{
    printf("{\"users\":%" PRIu32 ",\"metrics\":[", f->result->n_users);
    for (size_t k = 0; k < f->cutoffs->n; k++) {
        const struct ranking_quality q = eval_quality(f->result, f->lists, f->cutoffs->items[k]);
        print_metric(f->cutoffs->items[k], &q, k ? "," : "");
    }
    printf("]");
    if (f->by_items)
        print_items_json(f);
    if (f->by_users)
        print_users_json(f);
    printf("}\n");
}
