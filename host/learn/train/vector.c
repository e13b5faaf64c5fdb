#include "learn/train/vector.h"

#include "base/clones.h"

#include <math.h>
#include <string.h>

CLONES float vector_dot(const float *x, const float *y, size_t n)
{
    float sum = 0.0f;
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < n; i++)
        sum += x[i] * y[i];
    return sum;
}

CLONES void vector_add_scaled(float a, const float *restrict x, float *restrict y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] += a * x[i];
}

CLONES void vector_scale(float a, float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] *= a;
}

void vector_fill(float a, float *y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = a;
}

CLONES void vector_multiply(const float *restrict x, float *restrict y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] *= x[i];
}

CLONES float vector_normalise(float *x, size_t n)
{
    float sum = 0.0f;
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < n; i++)
        sum += x[i] * x[i];
    float length = sqrtf(sum);
    float inverse = length > 0.0f ? 1.0f / length : 0.0f;
    for (size_t i = 0; i < n; i++)
        x[i] *= inverse;
    return length;
}

/* Cephes' expf: x = k ln 2 + r with |r| <= ln 2 / 2 and ln 2 in two parts, so that k times the first is
 * exact; a polynomial in r; k put into the exponent. Adding 1.5 * 2^23 rounds to an integer and leaves it in
 * the low bits. */
static inline float exp_bounded(float x)
{
    const float round = 12582912.0f;
    x = x < -87.0f ? -87.0f : x;
    x = x > 88.0f ? 88.0f : x;
    float shifted = x * 1.44269504f + round;
    float k = shifted - round;
    float r = x - k * 0.693359375f + k * 2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    uint32_t bits;
    float power;
    memcpy(&bits, &shifted, sizeof bits);
    bits = (bits << 23) + (127u << 23);
    memcpy(&power, &bits, sizeof power);
    return p * power;
}

CLONES void vector_exp(const float *x, float shift, float *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = exp_bounded(x[i] - shift);
}

CLONES float vector_softmax(float *restrict logits, const float *restrict bias, float scale, float mass,
                            size_t n)
{
    float largest = -INFINITY;
#pragma omp simd reduction(max : largest)
    for (size_t i = 0; i < n; i++) {
        logits[i] = scale * logits[i] + bias[i];
        largest = logits[i] > largest ? logits[i] : largest;
    }
    float sum = 0.0f;
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < n; i++) {
        logits[i] = exp_bounded(logits[i] - largest);
        sum += logits[i];
    }
    float share = mass / sum;
    for (size_t i = 0; i < n; i++)
        logits[i] *= share;
    return largest + logf(sum);
}

CLONES void vector_gather(const float *restrict x, const uint32_t *restrict index, float scale,
                          const float *restrict bias, float *restrict out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = scale * x[index[i]] + bias[i];
}

CLONES size_t vector_argmax_above(const float *restrict x, const float *restrict offset, size_t n,
                                  float *best)
{
    float largest = -INFINITY;
#pragma omp simd reduction(max : largest)
    for (size_t i = 0; i < n; i++) {
        float value = x[i] - offset[i];
        largest = value > largest ? value : largest;
    }
    if (!(largest > *best))
        return n;
    for (size_t i = 0; i < n; i++) {
        if (x[i] - offset[i] == largest) {
            *best = largest;
            return i;
        }
    }
    return n;
}

CLONES void vector_range(const float *x, size_t n, float *low, float *high)
{
    float least = x[0], largest = x[0];
#pragma omp simd reduction(min : least) reduction(max : largest)
    for (size_t i = 0; i < n; i++) {
        least = x[i] < least ? x[i] : least;
        largest = x[i] > largest ? x[i] : largest;
    }
    *low = least;
    *high = largest;
}

CLONES void vector_round(const float *restrict x, float last, struct vector_levels levels, float *restrict q,
                         size_t n)
{
    const float inverse = levels.scale > 0.0f ? 1.0f / levels.scale : 0.0f;
    for (size_t i = 0; i < n; i++) {
        float at = (x[i] - levels.offset) * inverse;
        at = at > 0.0f ? at : 0.0f;
        at = at < last ? at : last;
        q[i] = (float)(int)(at + 0.5f);
    }
}

CLONES struct vector_levels vector_fit_levels(const float *x, const float *q, size_t n)
{
    float sum_x = 0.0f, sum_q = 0.0f, sum_xq = 0.0f, sum_qq = 0.0f, count = (float)n;
#pragma omp simd reduction(+ : sum_x, sum_q, sum_xq, sum_qq)
    for (size_t i = 0; i < n; i++) {
        sum_x += x[i];
        sum_q += q[i];
        sum_xq += x[i] * q[i];
        sum_qq += q[i] * q[i];
    }
    float spread = count * sum_qq - sum_q * sum_q;
    float scale = spread > 0.0f ? (count * sum_xq - sum_x * sum_q) / spread : 0.0f;
    return (struct vector_levels){.scale = scale, .offset = (sum_x - scale * sum_q) / count};
}

CLONES void vector_unround(struct vector_levels levels, float *q, size_t n)
{
    for (size_t i = 0; i < n; i++)
        q[i] = levels.offset + levels.scale * q[i];
}

CLONES void vector_adam(const struct adam_step *step, const float *restrict gradient, float *restrict x,
                        float *restrict m, float *restrict v, size_t n)
{
    const float beta1 = 0.9f, beta2 = 0.999f, epsilon = 1e-8f;
    float t = (float)step->n_steps;
    float rate = step->rate / (1.0f - powf(beta1, t));
    float v_scale = 1.0f / (1.0f - powf(beta2, t));
    for (size_t i = 0; i < n; i++) {
        m[i] = beta1 * m[i] + (1.0f - beta1) * gradient[i];
        v[i] = beta2 * v[i] + (1.0f - beta2) * gradient[i] * gradient[i];
        x[i] -= rate * m[i] / (sqrtf(v[i] * v_scale) + epsilon);
    }
}
