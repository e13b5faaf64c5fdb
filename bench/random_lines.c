/* The machine's limit for a lookup: one 64-byte line at a random place, asked for ahead of its use, nothing
 * computed. */
#include "kernel_case.h"

enum { AHEAD = 32 };

uint64_t kernel_random_lines(const struct kernel_case *c)
{
    const char *lines = c->model.item.rows;
    uint64_t n_lines = (uint64_t)c->shape.n_rows * model_row_bytes(&c->model) / KERNEL_LINE_BYTES;
    size_t n = (size_t)c->shape.n_bags * c->shape.bag;
    uint64_t sum = 0;
    for (size_t i = 0; i < n && n_lines; i++) {
        if (i + AHEAD < n)
            __builtin_prefetch(lines + c->ids[i + AHEAD] % n_lines * KERNEL_LINE_BYTES);
        sum += (unsigned char)lines[c->ids[i] % n_lines * KERNEL_LINE_BYTES];
    }
    return sum;
}
