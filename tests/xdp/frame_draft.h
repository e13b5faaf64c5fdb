/* Frames with UDP datagrams, written field by field, and their checksums by RFC 1071's letter: what frames
 * are checked against. */
#ifndef TESTS_XDP_FRAME_DRAFT_H
#define TESTS_XDP_FRAME_DRAFT_H

#include <stddef.h>
#include <stdint.h>

enum draft_checksum { DRAFT_RIGHT, DRAFT_WRONG, DRAFT_NONE, DRAFT_UNFINISHED };

struct frame_draft {
    unsigned ip_version;   /* 4 or 6 */
    unsigned tag;          /* 802.1Q; 0: none */
    size_t n_option_bytes; /* of IPv4, a multiple of 4 */
    size_t n_padding;      /* behind the datagram */
    uint16_t fragment;     /* IPv4's flags and offset */
    uint8_t traffic_class;
    enum draft_checksum udp_checksum;
    uint8_t source_mac[6], destination_mac[6];
    uint8_t source[16], destination[16];
    uint16_t source_port, destination_port; /* in the host's order */
    const uint8_t *payload;
    size_t n_payload;
};

/* Into out, of 2048 bytes; how many. */
size_t frame_draft_write(const struct frame_draft *d, uint8_t *out);

/* Whether a frame of no options is one that the draft's receiver could have sent back with this payload:
 * every field is looked at. Says what is wrong, or NULL. */
const char *frame_draft_find_wrong(const struct frame_draft *d, const uint8_t *answer, size_t n_answer,
                                   const uint8_t *payload, size_t n_payload);

#endif
