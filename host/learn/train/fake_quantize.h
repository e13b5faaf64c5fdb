/* Rows as quantisation would leave them, for training that is aware of it. */
#ifndef LEARN_FAKE_QUANTIZE_H
#define LEARN_FAKE_QUANTIZE_H

#include <stdint.h>

/* out[d] = the nearest to row[d] of 2^bits levels, evenly spaced over nine tenths of the row's range, or
 * seven with fewer than 3 bits, and then fitted by least squares to what is nearest to them: what
 * store/quantize.h does, in one round and with one clipping. bits: 1 .. 8. row, out: (width). */
void fake_quantize(uint32_t bits, const float *row, uint32_t width, float *out);

#endif
