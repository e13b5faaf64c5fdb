#include "neighbour.h"

#include "base/error.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { N_TRIES = 100, PAUSE_NS = 10000000, MAC_BYTES = 6 };

struct question {
    struct nlmsghdr header;
    struct ndmsg neighbour;
    struct rtattr destination;
    uint8_t address[16];
};

static struct question question_about(unsigned interface_index, const struct sockaddr *of)
{
    bool ipv4 = of->sa_family == AF_INET;
    size_t n_address = ipv4 ? 4 : 16;
    struct question q = {
        .header = {.nlmsg_type = RTM_GETNEIGH, .nlmsg_flags = NLM_F_REQUEST},
        .neighbour = {.ndm_family = (uint8_t)of->sa_family, .ndm_ifindex = (int)interface_index},
        .destination = {.rta_type = NDA_DST, .rta_len = (unsigned short)RTA_LENGTH(n_address)},
    };
    const void *address = ipv4 ? (const void *)&((const struct sockaddr_in *)of)->sin_addr
                               : (const void *)&((const struct sockaddr_in6 *)of)->sin6_addr;
    memcpy(q.address, address, n_address);
    q.header.nlmsg_len = (uint32_t)(NLMSG_LENGTH(sizeof q.neighbour) + RTA_LENGTH(n_address));
    return q;
}

static bool read_mac(const struct nlmsghdr *header, size_t n, uint8_t mac[MAC_BYTES])
{
    const struct ndmsg *neighbour = NLMSG_DATA(header);
    if (!NLMSG_OK(header, n) || header->nlmsg_type != RTM_NEWNEIGH ||
        header->nlmsg_len < NLMSG_LENGTH(sizeof *neighbour) ||
        neighbour->ndm_state & (NUD_INCOMPLETE | NUD_FAILED | NUD_NONE))
        return false;
    size_t n_left = header->nlmsg_len - NLMSG_LENGTH(sizeof *neighbour);
    for (const struct rtattr *a = (const void *)((const char *)neighbour + NLMSG_ALIGN(sizeof *neighbour));
         RTA_OK(a, n_left); a = RTA_NEXT(a, n_left))
        if (a->rta_type == NDA_LLADDR && RTA_PAYLOAD(a) == MAC_BYTES) {
            memcpy(mac, RTA_DATA(a), MAC_BYTES);
            return true;
        }
    return false;
}

static bool ask(int fd, const struct question *q, uint8_t mac[MAC_BYTES])
{
    _Alignas(struct nlmsghdr) uint8_t answer[1024];
    if (send(fd, q, q->header.nlmsg_len, 0) < 0)
        return false;
    ssize_t n = recv(fd, answer, sizeof answer, 0);
    return n > 0 && read_mac((const struct nlmsghdr *)answer, (size_t)n, mac);
}

enum collide_status neighbour_find(unsigned interface_index, const struct sockaddr *of,
                                   uint8_t mac[MAC_BYTES], struct collide_error *err)
{
    const struct question q = question_about(interface_index, of);
    bool is_found = false;
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0)
        return error_set_errno(err, COLLIDE_IO, errno, "cannot ask the kernel for its neighbours");
    for (int i = 0; i < N_TRIES && !is_found; i++) {
        if (i > 0)
            nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
        is_found = ask(fd, &q, mac);
    }
    close(fd);
    if (is_found)
        return COLLIDE_OK;
    return error_set(
        err, COLLIDE_NOT_FOUND,
        "the server's address does not answer on this interface: AF_XDP clients reach only its direct "
        "neighbours, see `ip neigh`");
}
