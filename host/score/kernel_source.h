/* The text of kernels/collide.cl, put here by the build. */
#ifndef SCORE_KERNEL_SOURCE_H
#define SCORE_KERNEL_SOURCE_H

#include <stddef.h>

extern const char kernel_source[];
extern const size_t kernel_source_bytes;

#endif
