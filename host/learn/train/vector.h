/* Loops over float vectors, built for several instruction sets and chosen at load time. Sums are taken in the
 * order that the chosen instruction set likes, so results are reproducible on one kind of machine. */
#ifndef LEARN_VECTOR_H
#define LEARN_VECTOR_H

#include <stddef.h>
#include <stdint.h>

float vector_dot(const float *x, const float *y, size_t n);

/* y += a x */
void vector_add_scaled(float a, const float *x, float *y, size_t n);

/* x *= a */
void vector_scale(float a, float *x, size_t n);

/* y = a */
void vector_fill(float a, float *y, size_t n);

/* y *= x, element by element */
void vector_multiply(const float *x, float *y, size_t n);

/* x /= |x|; gives |x| as it was. A zero vector stays zero. */
float vector_normalise(float *x, size_t n);

/* out[i] = exp(x[i] - shift), with a relative error below 2^-22; arguments below -87 count as -87, so that
 * nothing is denormal, and above 88 as 88. In place is fine. */
void vector_exp(const float *x, float shift, float *out, size_t n);

/* logits[i] = probability of i under softmax(scale * logits + bias), times mass; gives log sum exp of them.
 */
float vector_softmax(float *logits, const float *bias, float scale, float mass, size_t n);

/* out[i] = scale * x[index[i]] + bias[i] */
void vector_gather(const float *x, const uint32_t *index, float scale, const float *bias, float *out,
                   size_t n);

/* The index of the largest x[i] - offset[i], the first of equals; *best is raised to its value and the index
 * given only if that is above *best, else n. */
size_t vector_argmax_above(const float *x, const float *offset, size_t n, float *best);

/* The smallest and the largest of n >= 1 values. */
void vector_range(const float *x, size_t n, float *low, float *high);

/* Evenly spaced levels: offset + scale * q for q = 0, 1, 2... */
struct vector_levels {
    float scale;
    float offset;
};

/* q[i] = the nearest of levels 0 .. last to x[i]; of scale 0, level 0. */
void vector_round(const float *x, float last, struct vector_levels levels, float *q, size_t n);

/* The levels that are closest to x in the sense of least squares, for its q as they are. */
struct vector_levels vector_fit_levels(const float *x, const float *q, size_t n);

/* q[i] = its level. */
void vector_unround(struct vector_levels levels, float *q, size_t n);

/* One step of Adam (Kingma and Ba 2015) for n parameters that have all been stepped n_steps - 1 times before.
 */
struct adam_step {
    float rate;
    uint32_t n_steps; /* this one included */
};
void vector_adam(const struct adam_step *step, const float *gradient, float *x, float *m, float *v, size_t n);

#endif
