/* A datagram's tag: SipHash-2-4 of all its bytes, the tag's own taken as zero. */
#ifndef WIRE_TAG_H
#define WIRE_TAG_H

#include "wire/layout.h"
#include "wire/siphash.h"
#include "wire/wire.h"

static inline uint64_t wire_tag(const struct wire_key *key, const uint8_t header[WIRE_HEADER_BYTES],
                                const uint8_t *messages, size_t n_message_bytes)
{
    static const uint8_t no_tag[8];
    struct siphash s;
    siphash_begin(&s, key->words);
    siphash_words(&s, header, HEADER_TAG / 8);
    siphash_words(&s, no_tag, 1);
    return siphash_end(&s, messages, n_message_bytes);
}

#endif
