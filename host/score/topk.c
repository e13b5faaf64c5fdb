#include "score/topk.h"

#include <stdlib.h>

static void swap(struct scored_id *a, struct scored_id *b)
{
    struct scored_id t = *a;
    *a = *b;
    *b = t;
}

static void sift_down(struct topk *t, size_t i)
{
    for (;;) {
        size_t worst = i;
        for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < t->n; child++)
            if (topk_is_better(t->entries[worst], t->entries[child]))
                worst = child;
        if (worst == i)
            return;
        swap(&t->entries[i], &t->entries[worst]);
        i = worst;
    }
}

void topk_keep(struct topk *t, struct scored_id entry)
{
    if (t->n == t->capacity) {
        t->entries[0] = entry;
        sift_down(t, 0);
        return;
    }
    size_t i = t->n++;
    t->entries[i] = entry;
    for (; i > 0 && topk_is_better(t->entries[(i - 1) / 2], t->entries[i]); i = (i - 1) / 2)
        swap(&t->entries[(i - 1) / 2], &t->entries[i]);
}

static int best_first(const void *a, const void *b)
{
    const struct scored_id *x = a, *y = b;
    return topk_is_better(*x, *y) ? -1 : topk_is_better(*y, *x);
}

void topk_sort(struct topk *t)
{
    qsort(t->entries, t->n, sizeof *t->entries, best_first);
}
