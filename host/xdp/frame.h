/* Ethernet frames that carry a UDP datagram: read, turned round to bring the answer, or made from nothing.
 * Ethernet II, up to one VLAN tag (802.1Q), IPv4 with or without options, IPv6 without extension headers. */
#ifndef XDP_FRAME_H
#define XDP_FRAME_H

#include <stddef.h>
#include <stdint.h>

enum {
    FRAME_MAC_BYTES = 6,
    FRAME_UDP_IPV4_BYTES = 20 + 8, /* of headers behind Ethernet's */
    FRAME_UDP_IPV6_BYTES = 40 + 8,
    FRAME_MAX_HEADER_BYTES = 14 + 4 + FRAME_UDP_IPV6_BYTES, /* of a frame made here */
};

/* Why a frame is dropped, or that it is not. */
enum frame_refusal {
    FRAME_ACCEPTED,
    FRAME_NOT_UDP,          /* nor ours to read: other protocols, extension headers, two tags */
    FRAME_FRAGMENT,         /* a part of an IPv4 datagram */
    FRAME_BAD_LENGTH,       /* lengths that contradict each other or the frame's */
    FRAME_BAD_IP_CHECKSUM,  /* IPv4's */
    FRAME_BAD_UDP_CHECKSUM, /* or none, with IPv6 */
    FRAME_UNANSWERABLE,     /* to or from a group, or from port or address 0 */
    N_FRAME_REFUSALS
};

struct frame {
    uint8_t *bytes; /* Ethernet's header */
    uint8_t *ip, *udp, *payload;
    uint32_t n_bytes, n_payload;
};

/* Finds the datagram in any n_bytes; *out borrows them and is not written if the frame is refused. What lies
 * behind the datagram, such as padding, is ignored. A UDP checksum that its sender has left to a device to
 * finish, which a virtual one never does, is accepted. */
enum frame_refusal frame_read(uint8_t *bytes, size_t n_bytes, struct frame *out);

/* Turns a frame from frame_read into an answer of the n_payload bytes that are now at its payload, to where
 * it came from, with the VLAN tag that it had. IPv4 options are taken out, so that its bytes may begin later.
 */
void frame_turn(struct frame *f, uint32_t n_payload);

/* Ethernet addresses, Internet addresses and ports, in the order of the wire. */
struct frame_route {
    uint8_t source_mac[FRAME_MAC_BYTES], destination_mac[FRAME_MAC_BYTES];
    uint8_t source[16], destination[16]; /* of IPv4 the first four */
    uint16_t source_port, destination_port;
    uint16_t ip_version; /* 4 or 6 */
};

/* Writes the headers of a frame into memory for at least FRAME_MAX_HEADER_BYTES and what is to be its
 * payload: at out->payload, for frame_finish. */
void frame_begin(const struct frame_route *route, uint8_t *memory, struct frame *out);

/* Completes the headers for the n_payload bytes that are now at the payload: lengths and checksums. */
void frame_finish(struct frame *f, uint32_t n_payload);

#endif
