/* SipHash-2-4, 64 bits (Aumasson & Bernstein 2012). */
#ifndef WIRE_SIPHASH_H
#define WIRE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t siphash(const uint64_t key[2], const void *bytes, size_t n_bytes);

/* The same, of bytes that come in parts: begin, any number of words, end. */
struct siphash {
    uint64_t v[4];
    size_t n_bytes; /* so far */
};

void siphash_begin(struct siphash *s, const uint64_t key[2]);
void siphash_words(struct siphash *s, const uint8_t *bytes, size_t n_words); /* of 8 bytes */
uint64_t siphash_end(struct siphash *s, const uint8_t *bytes, size_t n_bytes);

#endif
