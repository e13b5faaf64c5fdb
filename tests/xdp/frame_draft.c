#include "xdp/frame_draft.h"

#include <stdbool.h>
#include <string.h>

struct out {
    uint8_t *bytes;
    size_t n;
};

static void put(struct out *o, const void *bytes, size_t n)
{
    if (n)
        memcpy(o->bytes + o->n, bytes, n);
    o->n += n;
}

static void put_be(struct out *o, uint32_t value, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        o->bytes[o->n++] = (uint8_t)(value >> (8 * (n - 1 - i)));
}

/* The one's complement sum of 16-bit words, an odd byte padded with a 0 behind. */
static uint32_t slow_sum(uint32_t sum, const uint8_t *at, size_t n)
{
    for (size_t i = 0; i < n; i += 2) {
        sum += (uint32_t)at[i] << 8 | (i + 1 < n ? at[i + 1] : 0);
        if (sum > 0xffff)
            sum = sum - 0x10000 + 1;
    }
    return sum;
}

static uint32_t slow_pseudo_sum(unsigned ip_version, const uint8_t *source, const uint8_t *destination,
                                size_t n_udp)
{
    const uint8_t rest[4] = {0, 17, (uint8_t)(n_udp >> 8), (uint8_t)n_udp};
    size_t n = ip_version == 4 ? 4 : 16;
    return slow_sum(slow_sum(slow_sum(0, source, n), destination, n), rest, sizeof rest);
}

static void put_ipv4(struct out *o, const struct frame_draft *d, size_t n_udp)
{
    uint8_t *header = o->bytes + o->n;
    size_t n_header = 20 + d->n_option_bytes;
    put_be(o, 0x40 | (uint32_t)(n_header / 4), 1);
    put_be(o, d->traffic_class, 1);
    put_be(o, (uint32_t)(n_header + n_udp), 2);
    put_be(o, 0x1234, 2);
    put_be(o, d->fragment, 2);
    put_be(o, 63 << 8 | 17, 2);
    put_be(o, 0, 2);
    put(o, d->source, 4);
    put(o, d->destination, 4);
    for (size_t i = 0; i < d->n_option_bytes; i++)
        put_be(o, 1, 1); /* no operation */
    uint32_t checksum = ~slow_sum(0, header, n_header);
    header[10] = (uint8_t)(checksum >> 8);
    header[11] = (uint8_t)checksum;
}

static void put_ipv6(struct out *o, const struct frame_draft *d, size_t n_udp)
{
    put_be(o, 6u << 28 | (uint32_t)d->traffic_class << 20 | 0xabcde, 4);
    put_be(o, (uint32_t)n_udp, 2);
    put_be(o, 17 << 8 | 63, 2);
    put(o, d->source, 16);
    put(o, d->destination, 16);
}

static void put_udp(struct out *o, const struct frame_draft *d, size_t n_udp)
{
    uint8_t *header = o->bytes + o->n;
    put_be(o, d->source_port, 2);
    put_be(o, d->destination_port, 2);
    put_be(o, (uint32_t)n_udp, 2);
    put_be(o, 0, 2);
    put(o, d->payload, d->n_payload);
    uint32_t sum = slow_pseudo_sum(d->ip_version, d->source, d->destination, n_udp);
    uint32_t right = 0xffff & ~slow_sum(sum, header, n_udp);
    right = right ? right : 0xffff;
    const uint32_t checksums[] = {right, right ^ 0x0100, 0, sum};
    header[6] = (uint8_t)(checksums[d->udp_checksum] >> 8);
    header[7] = (uint8_t)checksums[d->udp_checksum];
}

size_t frame_draft_write(const struct frame_draft *d, uint8_t *out)
{
    struct out o = {.bytes = out};
    size_t n_udp = 8 + d->n_payload;
    put(&o, d->destination_mac, 6);
    put(&o, d->source_mac, 6);
    if (d->tag)
        put_be(&o, 0x8100u << 16 | d->tag, 4);
    put_be(&o, d->ip_version == 4 ? 0x0800 : 0x86dd, 2);
    if (d->ip_version == 4)
        put_ipv4(&o, d, n_udp);
    else
        put_ipv6(&o, d, n_udp);
    put_udp(&o, d, n_udp);
    memset(out + o.n, 0x55, d->n_padding);
    return o.n + d->n_padding;
}

static uint32_t be(const uint8_t *at, unsigned n)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < n; i++)
        value = value << 8 | at[i];
    return value;
}

static const char *find_wrong_ipv4(const struct frame_draft *d, const uint8_t *ip, size_t n_udp)
{
    if (ip[0] != 0x45)
        return "IPv4's version and header length";
    if (ip[1] != (d->traffic_class & 0xfc))
        return "the traffic class";
    if (be(ip + 2, 2) != 20 + n_udp)
        return "IPv4's length";
    if (be(ip + 6, 2) != 0x4000 || ip[8] != 64 || ip[9] != 17)
        return "IPv4's flags, hops or protocol";
    if (slow_sum(0, ip, 20) != 0xffff)
        return "IPv4's checksum";
    return memcmp(ip + 12, d->destination, 4) || memcmp(ip + 16, d->source, 4) ? "IPv4's addresses" : NULL;
}

static const char *find_wrong_ipv6(const struct frame_draft *d, const uint8_t *ip, size_t n_udp)
{
    if (be(ip, 4) != (6u << 28 | (uint32_t)(d->traffic_class & 0xfc) << 20))
        return "IPv6's version, class or label";
    if (be(ip + 4, 2) != n_udp || ip[6] != 17 || ip[7] != 64)
        return "IPv6's length, protocol or hops";
    return memcmp(ip + 8, d->destination, 16) || memcmp(ip + 24, d->source, 16) ? "IPv6's addresses" : NULL;
}

static const char *find_wrong_udp(const struct frame_draft *d, const uint8_t *udp, size_t n_udp)
{
    if (be(udp, 2) != d->destination_port || be(udp + 2, 2) != d->source_port)
        return "the ports";
    if (be(udp + 4, 2) != n_udp)
        return "UDP's length";
    uint32_t pseudo = slow_pseudo_sum(d->ip_version, d->source, d->destination, n_udp);
    return be(udp + 6, 2) == 0 || slow_sum(pseudo, udp, n_udp) != 0xffff ? "UDP's checksum" : NULL;
}

const char *frame_draft_find_wrong(const struct frame_draft *d, const uint8_t *answer, size_t n_answer,
                                   const uint8_t *payload, size_t n_payload)
{
    size_t n_link = d->tag ? 18 : 14, n_ip = d->ip_version == 4 ? 20 : 40, n_udp = 8 + n_payload;
    const uint8_t *ip = answer + n_link;
    if (n_answer != n_link + n_ip + n_udp)
        return "the frame's length";
    if (memcmp(answer, d->source_mac, 6) || memcmp(answer + 6, d->destination_mac, 6))
        return "the Ethernet addresses";
    if (d->tag && be(answer + 12, 4) != (0x8100u << 16 | d->tag))
        return "the tag";
    if (be(ip - 2, 2) != (d->ip_version == 4 ? 0x0800 : 0x86dd))
        return "the type";
    const char *wrong = d->ip_version == 4 ? find_wrong_ipv4(d, ip, n_udp) : find_wrong_ipv6(d, ip, n_udp);
    if (!wrong)
        wrong = find_wrong_udp(d, ip + n_ip, n_udp);
    if (!wrong && n_payload && memcmp(ip + n_ip + 8, payload, n_payload) != 0)
        wrong = "the payload";
    return wrong;
}
