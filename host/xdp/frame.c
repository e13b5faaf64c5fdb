#include "xdp/frame.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>

/* Frames are packed and lie at any address: fields are read and written through these. */
static uint16_t get16(const uint8_t *at)
{
    uint16_t value;
    memcpy(&value, at, sizeof value);
    return ntohs(value);
}

static void put16(uint8_t *at, uint32_t value)
{
    uint16_t wire = htons((uint16_t)value);
    memcpy(at, &wire, sizeof wire);
}

enum {
    TYPE_AT = offsetof(struct ethhdr, h_proto),
    TAG_BYTES = 4,
    IPV4_TOS_AT = offsetof(struct iphdr, tos),
    IPV4_LENGTH_AT = offsetof(struct iphdr, tot_len),
    IPV4_ID_AT = offsetof(struct iphdr, id),
    IPV4_FRAGMENT_AT = offsetof(struct iphdr, frag_off),
    IPV4_TTL_AT = offsetof(struct iphdr, ttl),
    IPV4_PROTOCOL_AT = offsetof(struct iphdr, protocol),
    IPV4_CHECKSUM_AT = offsetof(struct iphdr, check),
    IPV4_ADDRESSES_AT = offsetof(struct iphdr, saddr),
    IPV4_BYTES = sizeof(struct iphdr),
    IPV6_LENGTH_AT = offsetof(struct ipv6hdr, payload_len),
    IPV6_NEXT_AT = offsetof(struct ipv6hdr, nexthdr),
    IPV6_HOPS_AT = offsetof(struct ipv6hdr, hop_limit),
    IPV6_ADDRESSES_AT = offsetof(struct ipv6hdr, saddr),
    IPV6_BYTES = sizeof(struct ipv6hdr),
    UDP_TO_AT = offsetof(struct udphdr, dest),
    UDP_LENGTH_AT = offsetof(struct udphdr, len),
    UDP_CHECKSUM_AT = offsetof(struct udphdr, check),
    UDP_BYTES = sizeof(struct udphdr),
    FRAGMENT_OFFSET = 0x1fff,
    MORE_FRAGMENTS = 0x2000,
    DONT_FRAGMENT = 0x4000,
    HOPS = 64,
    ECN_BITS = 3, /* of the traffic class: the network's word on this datagram, not the answer's */
};

/* The one's complement sum of RFC 1071, of words in memory's order, which its carries round make the same on
 * every machine; 32 bits at a time, whose carries 64 bits keep. */
static uint64_t sum_bytes(uint64_t sum, const uint8_t *at, size_t n)
{
    const size_t n_words = n / 4;
    uint16_t two, last = 0;
    for (size_t i = 0; i < n_words; i++) {
        uint32_t word;
        memcpy(&word, at + 4 * i, sizeof word);
        sum += word;
    }
    at += 4 * n_words;
    if (n & 2) {
        memcpy(&two, at, sizeof two);
        sum += two;
    }
    if (n & 1) {
        memcpy(&last, at + (n & 2), 1);
        sum += last;
    }
    return sum;
}

/* In memory's order. */
static uint16_t sum_fold(uint64_t sum)
{
    sum = (sum >> 32) + (sum & 0xffffffff);
    sum = (sum >> 16) + (sum & 0xffff);
    sum = (sum >> 16) + (sum & 0xffff);
    return (uint16_t)((sum >> 16) + (sum & 0xffff));
}

static bool is_ipv4(const struct frame *f)
{
    return f->ip[0] >> 4 == 4;
}

/* The addresses, protocol and length that UDP's checksum covers besides the datagram. */
static uint64_t sum_pseudo_header(const struct frame *f, uint32_t n_udp)
{
    uint64_t sum = (uint64_t)htons(IPPROTO_UDP) + htons((uint16_t)n_udp);
    return is_ipv4(f) ? sum_bytes(sum, f->ip + IPV4_ADDRESSES_AT, 8)
                      : sum_bytes(sum, f->ip + IPV6_ADDRESSES_AT, 32);
}

static bool is_group_address(const uint8_t *address, size_t n_bytes)
{
    return n_bytes == 4 ? address[0] >= 224 : address[0] == 0xff;
}

/* Whether the answer would come from, or go to, more or fewer than one. */
static bool is_group_or_none(const struct frame *f)
{
    static const uint8_t none[16];
    size_t n_bytes = is_ipv4(f) ? 4 : 16;
    const uint8_t *from = f->ip + (is_ipv4(f) ? IPV4_ADDRESSES_AT : IPV6_ADDRESSES_AT);
    bool is_group = (f->bytes[0] | f->bytes[FRAME_MAC_BYTES]) & 1 || is_group_address(from, n_bytes) ||
                    is_group_address(from + n_bytes, n_bytes);
    bool is_none = is_ipv4(f) ? from[0] == 0 : !memcmp(from, none, sizeof none);
    return is_group || is_none || get16(f->udp) == 0;
}

/* A sender that leaves the checksum to its device puts the pseudo header's sum in its place. Devices that
 * only hand frames over in memory do not finish it, as the kernel's own sockets know without it. A broken
 * datagram passes for such a one once in 65,536; tags tell those too. */
static bool udp_checksum_is_wrong(const struct frame *f, uint32_t n_udp)
{
    uint16_t found;
    memcpy(&found, f->udp + UDP_CHECKSUM_AT, sizeof found);
    if (found == 0)
        return !is_ipv4(f);
    uint64_t pseudo = sum_pseudo_header(f, n_udp);
    return sum_fold(sum_bytes(pseudo, f->udp, n_udp)) != 0xffff && found != sum_fold(pseudo);
}

static enum frame_refusal read_udp(struct frame *f, size_t n_left)
{
    if (n_left < UDP_BYTES)
        return FRAME_BAD_LENGTH;
    uint32_t n_udp = get16(f->udp + UDP_LENGTH_AT);
    if (n_udp < UDP_BYTES || n_udp > n_left)
        return FRAME_BAD_LENGTH;
    if (is_group_or_none(f))
        return FRAME_UNANSWERABLE;
    if (udp_checksum_is_wrong(f, n_udp))
        return FRAME_BAD_UDP_CHECKSUM;
    f->payload = f->udp + UDP_BYTES;
    f->n_payload = n_udp - UDP_BYTES;
    return FRAME_ACCEPTED;
}

static enum frame_refusal read_ipv4(struct frame *f, size_t n_left)
{
    if (n_left < IPV4_BYTES || !is_ipv4(f))
        return FRAME_BAD_LENGTH;
    size_t n_header = (f->ip[0] & 15u) * 4u, n_ip = get16(f->ip + IPV4_LENGTH_AT);
    if (n_header < IPV4_BYTES || n_ip < n_header || n_ip > n_left)
        return FRAME_BAD_LENGTH;
    if (sum_fold(sum_bytes(0, f->ip, n_header)) != 0xffff)
        return FRAME_BAD_IP_CHECKSUM;
    if (f->ip[IPV4_PROTOCOL_AT] != IPPROTO_UDP)
        return FRAME_NOT_UDP;
    if (get16(f->ip + IPV4_FRAGMENT_AT) & (FRAGMENT_OFFSET | MORE_FRAGMENTS))
        return FRAME_FRAGMENT;
    f->udp = f->ip + n_header;
    return read_udp(f, n_ip - n_header);
}

static enum frame_refusal read_ipv6(struct frame *f, size_t n_left)
{
    if (n_left < IPV6_BYTES || f->ip[0] >> 4 != 6)
        return FRAME_BAD_LENGTH;
    size_t n_payload = get16(f->ip + IPV6_LENGTH_AT);
    if (n_payload > n_left - IPV6_BYTES)
        return FRAME_BAD_LENGTH;
    if (f->ip[IPV6_NEXT_AT] != IPPROTO_UDP)
        return FRAME_NOT_UDP;
    f->udp = f->ip + IPV6_BYTES;
    return read_udp(f, n_payload);
}

enum frame_refusal frame_read(uint8_t *bytes, size_t n_bytes, struct frame *out)
{
    struct frame f = {.bytes = bytes, .ip = bytes + ETH_HLEN, .n_bytes = (uint32_t)n_bytes};
    if (n_bytes < ETH_HLEN + TAG_BYTES)
        return FRAME_BAD_LENGTH;
    uint16_t type = get16(bytes + TYPE_AT);
    if (type == ETH_P_8021Q) {
        f.ip += TAG_BYTES;
        type = get16(bytes + TYPE_AT + TAG_BYTES);
    }
    size_t n_left = (size_t)(bytes + n_bytes - f.ip);
    enum frame_refusal refusal = FRAME_NOT_UDP;
    if (type == ETH_P_IP)
        refusal = read_ipv4(&f, n_left);
    else if (type == ETH_P_IPV6)
        refusal = read_ipv6(&f, n_left);
    if (refusal == FRAME_ACCEPTED)
        *out = f;
    return refusal;
}

static void swap(uint8_t *at, size_t n)
{
    uint8_t first[16];
    memcpy(first, at, n);
    memcpy(at, at + n, n);
    memcpy(at + n, first, n);
}

/* The headers move up to the datagram, over the options. */
static void take_options_out(struct frame *f)
{
    size_t n_options = (f->ip[0] & 15u) * 4u - IPV4_BYTES;
    if (n_options == 0)
        return;
    memmove(f->bytes + n_options, f->bytes, (size_t)(f->ip - f->bytes) + IPV4_BYTES);
    f->bytes += n_options;
    f->ip += n_options;
    f->ip[0] = 4 << 4 | IPV4_BYTES / 4;
}

void frame_turn(struct frame *f, uint32_t n_payload)
{
    if (is_ipv4(f)) {
        take_options_out(f);
        swap(f->ip + IPV4_ADDRESSES_AT, 4);
        f->ip[IPV4_TOS_AT] &= (uint8_t)~ECN_BITS;
    } else {
        swap(f->ip + IPV6_ADDRESSES_AT, 16);
        put16(f->ip, get16(f->ip) & ~(ECN_BITS << 4 | 15u)); /* nor its flow's label */
        put16(f->ip + 2, 0);
    }
    swap(f->bytes, FRAME_MAC_BYTES);
    swap(f->udp, 2);
    frame_finish(f, n_payload);
}

void frame_begin(const struct frame_route *route, uint8_t *memory, struct frame *out)
{
    struct frame f = {.bytes = memory, .ip = memory + ETH_HLEN};
    bool ipv4 = route->ip_version == 4;
    size_t n_address = ipv4 ? 4 : 16;
    f.udp = f.ip + (ipv4 ? IPV4_BYTES : IPV6_BYTES);
    f.payload = f.udp + UDP_BYTES;
    memcpy(memory, route->destination_mac, FRAME_MAC_BYTES);
    memcpy(memory + FRAME_MAC_BYTES, route->source_mac, FRAME_MAC_BYTES);
    put16(memory + TYPE_AT, ipv4 ? ETH_P_IP : ETH_P_IPV6);
    uint8_t *addresses = f.ip + (ipv4 ? IPV4_ADDRESSES_AT : IPV6_ADDRESSES_AT);
    memset(f.ip, 0, (size_t)(addresses - f.ip));
    f.ip[0] = ipv4 ? 4 << 4 | IPV4_BYTES / 4 : 6 << 4;
    f.ip[ipv4 ? IPV4_PROTOCOL_AT : IPV6_NEXT_AT] = IPPROTO_UDP;
    memcpy(addresses, route->source, n_address);
    memcpy(addresses + n_address, route->destination, n_address);
    memcpy(f.udp, &route->source_port, 2);
    memcpy(f.udp + UDP_TO_AT, &route->destination_port, 2);
    *out = f;
}

/* Never to be fragmented, so that its id may be 0 (RFC 6864). */
static void finish_ipv4(uint8_t *ip, uint32_t n_udp)
{
    put16(ip + IPV4_LENGTH_AT, IPV4_BYTES + n_udp);
    put16(ip + IPV4_ID_AT, 0);
    put16(ip + IPV4_FRAGMENT_AT, DONT_FRAGMENT);
    ip[IPV4_TTL_AT] = HOPS;
    put16(ip + IPV4_CHECKSUM_AT, 0);
    uint16_t checksum = (uint16_t)~sum_fold(sum_bytes(0, ip, IPV4_BYTES));
    memcpy(ip + IPV4_CHECKSUM_AT, &checksum, sizeof checksum);
}

void frame_finish(struct frame *f, uint32_t n_payload)
{
    uint32_t n_udp = UDP_BYTES + n_payload;
    if (is_ipv4(f)) {
        finish_ipv4(f->ip, n_udp);
    } else {
        put16(f->ip + IPV6_LENGTH_AT, n_udp);
        f->ip[IPV6_HOPS_AT] = HOPS;
    }
    put16(f->udp + UDP_LENGTH_AT, n_udp);
    put16(f->udp + UDP_CHECKSUM_AT, 0);
    uint16_t checksum = (uint16_t)~sum_fold(sum_bytes(sum_pseudo_header(f, n_udp), f->udp, n_udp));
    if (checksum == 0)
        checksum = 0xffff; /* 0 would say that there is none */
    memcpy(f->udp + UDP_CHECKSUM_AT, &checksum, sizeof checksum);
    f->n_payload = n_payload;
    f->n_bytes = (uint32_t)(f->udp - f->bytes) + n_udp;
}
