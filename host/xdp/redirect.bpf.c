/* The XDP program: datagrams for one UDP port go to the AF_XDP socket of the queue that they came by, first
 * fragments of such are dropped, all else is the kernel's. Built for the BPF target, embedded by the build,
 * loaded by redirect.c. */
#include "redirect_settings.h"

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define FRAGMENT_OFFSET 0x1fff
#define MORE_FRAGMENTS  0x2000
#define GROUP_ADDRESS   1 /* of an Ethernet address's first byte: multicast and broadcast */
#define PROTOCOL_NONE   0
#define IHL_PLAIN       5 /* words of an IPv4 header without options */

/* Set before the program is loaded. */
const volatile struct redirect_settings settings;

/* Read while it runs. */
struct redirect_variables variables;

struct {
    __uint(type, BPF_MAP_TYPE_XSKMAP);
    __type(key, __u32);
    __type(value, __u32);
    __uint(max_entries, 1); /* set before it is loaded: the interface's queues */
} sockets SEC(".maps");

struct vlan_tag {
    __be16 control;
    __be16 protocol;
};

/* A frame, and where it is read. */
struct place {
    void *at, *end;
    __u32 offset; /* of at: without CAP_PERFMON, pointers are not subtracted */
};

static __always_inline void advance(struct place *p, __u32 n_bytes)
{
    p->at += n_bytes;
    p->offset += n_bytes;
}

static __always_inline __be16 skip_link(struct place *p)
{
    struct ethhdr *ethernet = p->at;
    struct vlan_tag *tag = (void *)(ethernet + 1);
    if ((void *)(ethernet + 1) > p->end || ethernet->h_dest[0] & GROUP_ADDRESS)
        return PROTOCOL_NONE;
    advance(p, sizeof *ethernet);
    if (ethernet->h_proto != bpf_htons(ETH_P_8021Q))
        return ethernet->h_proto;
    if ((void *)(tag + 1) > p->end)
        return PROTOCOL_NONE;
    advance(p, sizeof *tag);
    return tag->protocol;
}

static __always_inline int is_for_port(const struct place *p)
{
    const struct udphdr *udp = p->at;
    return (void *)(udp + 1) <= p->end && udp->dest == bpf_htons(settings.port);
}

/* The same where it lies behind options: without CAP_PERFMON, nothing variable is added to pointers. */
static __always_inline int is_for_port_at(struct xdp_md *context, __u32 offset)
{
    struct udphdr udp = {0};
    return bpf_xdp_load_bytes(context, offset, &udp, sizeof udp) == 0 && udp.dest == bpf_htons(settings.port);
}

static __always_inline int redirect(struct xdp_md *context)
{
    int action = (int)bpf_redirect_map(&sockets, context->rx_queue_index, XDP_PASS);
    if (!settings.stamps_arrival || action != XDP_REDIRECT ||
        bpf_xdp_adjust_meta(context, -(int)sizeof(__u64)) != 0)
        return action;
    __u64 *arrived_ns = (void *)(long)context->data_meta;
    if ((void *)(arrived_ns + 1) <= (void *)(long)context->data)
        *arrived_ns = bpf_ktime_get_ns();
    return action;
}

static __always_inline int take_ipv4(struct xdp_md *context, struct place *p)
{
    const struct iphdr *ip = p->at;
    if ((void *)(ip + 1) > p->end || ip->protocol != IPPROTO_UDP || ip->ihl < IHL_PLAIN ||
        ip->frag_off & bpf_htons(FRAGMENT_OFFSET))
        return XDP_PASS;
    int is_fragment = ip->frag_off & bpf_htons(MORE_FRAGMENTS), is_ours;
    if (ip->ihl == IHL_PLAIN) {
        advance(p, sizeof *ip);
        is_ours = is_for_port(p);
    } else {
        is_ours = is_for_port_at(context, p->offset + ip->ihl * 4);
    }
    if (!is_ours)
        return XDP_PASS;
    if (!is_fragment)
        return redirect(context);
    __sync_fetch_and_add(&variables.n_fragments, 1);
    return XDP_DROP;
}

static __always_inline int take_ipv6(struct xdp_md *context, struct place *p)
{
    const struct ipv6hdr *ip = p->at;
    if ((void *)(ip + 1) > p->end || ip->nexthdr != IPPROTO_UDP)
        return XDP_PASS;
    advance(p, sizeof *ip);
    return is_for_port(p) ? redirect(context) : XDP_PASS;
}

SEC("xdp")
int redirect_port(struct xdp_md *context)
{
    struct place place = {(void *)(long)context->data, (void *)(long)context->data_end, 0};
    __be16 protocol = skip_link(&place);
    if (protocol == bpf_htons(ETH_P_IP))
        return take_ipv4(context, &place);
    if (protocol == bpf_htons(ETH_P_IPV6))
        return take_ipv6(context, &place);
    return XDP_PASS;
}

char program_license[] SEC("license") = "Apache-2.0"; /* no helper that it calls asks for the GPL */
