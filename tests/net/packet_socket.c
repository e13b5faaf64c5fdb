#include "net/packet_socket.h"

#include "xdp/interface.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cmocka.h>

void packet_read_mac(const struct veth *v, enum veth_side side, uint8_t mac[6])
{
    struct interface found;
    int home = veth_visit(v, side);
    assert_int_equal(interface_find(VETH_INTERFACE, &found, NULL), COLLIDE_OK);
    veth_leave(home);
    memcpy(mac, found.mac, sizeof found.mac);
}

int packet_open(const struct veth *v, enum veth_side side)
{
    const struct timeval second = {.tv_sec = 1};
    const int on = 1;
    int home = veth_visit(v, side);
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));
    const struct sockaddr_ll at = {.sll_family = AF_PACKET,
                                   .sll_protocol = htons(ETH_P_ALL),
                                   .sll_ifindex = (int)if_nametoindex(VETH_INTERFACE)};
    veth_leave(home);
    assert_int_equal(bind(fd, (const struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof on), 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second), 0);
    return fd;
}

/* The kernel takes tags out, and tells them beside the frame. */
static size_t put_tag_back(struct msghdr *message, uint8_t *bytes, size_t n)
{
    struct tpacket_auxdata aux;
    assert_non_null(CMSG_FIRSTHDR(message));
    memcpy(&aux, CMSG_DATA(CMSG_FIRSTHDR(message)), sizeof aux);
    if (!(aux.tp_status & TP_STATUS_VLAN_VALID))
        return n;
    const uint16_t tag[2] = {htons(ETH_P_8021Q), htons(aux.tp_vlan_tci)};
    memmove(bytes + 12 + sizeof tag, bytes + 12, n - 12);
    memcpy(bytes + 12, tag, sizeof tag);
    return n + sizeof tag;
}

/* Of a frame without a tag. */
static bool is_udp(const uint8_t *bytes, size_t n)
{
    return n >= 14 + 20 + 8 && ((bytes[12] == 0x08 && bytes[13] == 0 && bytes[14 + 9] == IPPROTO_UDP) ||
                                (bytes[12] == 0x86 && bytes[13] == 0xdd && bytes[14 + 6] == IPPROTO_UDP));
}

size_t packet_receive(int fd, const uint8_t mac[6], uint8_t *bytes, size_t room)
{
    for (;;) {
        _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
        struct iovec part = {bytes, room - 4};
        struct msghdr message = {
            .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
        ssize_t n = recvmsg(fd, &message, 0);
        if (n < 0)
            fail_msg("no frame came");
        if (is_udp(bytes, (size_t)n) && memcmp(bytes, mac, 6) == 0)
            return put_tag_back(&message, bytes, (size_t)n);
    }
}
