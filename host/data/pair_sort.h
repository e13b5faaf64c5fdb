/* Sorting as many pairs as a log has lines, where they are. */
#ifndef DATA_PAIR_SORT_H
#define DATA_PAIR_SORT_H

#include "data/csr.h"

/* By row, then by value; pairs: (n), each within the shape. In linear time and in place: American flag sort
 * (McIlroy, Bostic and McIlroy 1993) by eight bits at a time, the highest first. Each pass goes through its
 * part of the pairs from 256 places on, each of them in order, and a part is sorted wholly before the next,
 * so that pairs that are more than memory are read and written a few times over and never at random. */
void pair_sort(struct csr_pair *pairs, uint64_t n, struct csr_shape shape);

#endif
