#include "learn/train/adam_table.h"

#include "learn/train/vector.h"

#include <stdlib.h>

bool adam_table_create(struct adam_table *a, size_t n, size_t width)
{
    *a = (struct adam_table){.n = n, .width = width};
    a->x = calloc(n * width, sizeof *a->x);
    a->m = calloc(n * width, sizeof *a->m);
    a->v = calloc(n * width, sizeof *a->v);
    a->n_steps = calloc(n, sizeof *a->n_steps);
    if (a->x && a->m && a->v && a->n_steps)
        return true;
    adam_table_free(a);
    return false;
}

void adam_table_free(struct adam_table *a)
{
    free(a->x);
    free(a->m);
    free(a->v);
    free(a->n_steps);
    *a = (struct adam_table){0};
}

void adam_table_state(struct adam_table *a, enum state_extent extent, const char *owner,
                      struct training_state *out)
{
    const size_t n_bytes = a->n * a->width * sizeof *a->x;
    if (n_bytes == 0)
        return;
    training_state_add(out, owner, "x", a->x, n_bytes);
    if (extent == STATE_PARAMETERS)
        return;
    training_state_add(out, owner, "m", a->m, n_bytes);
    training_state_add(out, owner, "v", a->v, n_bytes);
    training_state_add(out, owner, "steps", a->n_steps, a->n * sizeof *a->n_steps);
}

void adam_table_step(struct adam_table *a, uint32_t row, float rate, const float *gradient)
{
    size_t from = row * a->width;
    struct adam_step step = {.rate = rate, .n_steps = ++a->n_steps[row]};
    vector_adam(&step, gradient, a->x + from, a->m + from, a->v + from, a->width);
}
