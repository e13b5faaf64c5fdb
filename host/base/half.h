/* IEEE 754 binary16. */
#ifndef BASE_HALF_H
#define BASE_HALF_H

#include <stdint.h>

/* Rounded to nearest, ties to even. */
uint16_t half_from_float(float x);
float half_to_float(uint16_t half);

#endif
