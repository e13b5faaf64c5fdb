#include "learn/train/fake_quantize.h"

#include "learn/train/vector.h"

void fake_quantize(uint32_t bits, const float *row, uint32_t width, float *out)
{
    const float clipping = bits < 3 ? 0.7f : 0.9f, n_steps = (float)((1u << bits) - 1);
    struct vector_levels levels;
    float low, high;
    vector_range(row, width, &low, &high);
    levels.scale = clipping * (high - low) / n_steps;
    levels.offset = 0.5f * (low + high - levels.scale * n_steps);
    vector_round(row, n_steps, levels, out, width);
    levels = vector_fit_levels(row, out, width);
    vector_round(row, n_steps, levels, out, width);
    vector_unround(levels, out, width);
}
