#include "xdp/interface.h"

#include "base/error.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static unsigned n_receive_queues(int fd, struct ifreq *request)
{
    struct ethtool_channels channels = {.cmd = ETHTOOL_GCHANNELS};
    request->ifr_data = (char *)&channels;
    if (ioctl(fd, SIOCETHTOOL, request) != 0)
        return 1;
    unsigned n = channels.rx_count + channels.combined_count;
    return n ? n : 1;
}

enum collide_status interface_find(const char *name, struct interface *out, struct collide_error *err)
{
    struct ifreq request = {0};
    struct interface found = {.index = if_nametoindex(name)};
    if (found.index == 0 || strlen(name) >= sizeof request.ifr_name)
        return error_set(err, COLLIDE_NOT_FOUND, "there is no network interface \"%.64s\"; see `ip link`",
                         name);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return error_set_errno(err, COLLIDE_IO, errno, "cannot ask about interface %s", name);
    enum collide_status status = COLLIDE_OK;
    strcpy(request.ifr_name, name);
    if (ioctl(fd, SIOCGIFMTU, &request) != 0)
        status = error_set_errno(err, COLLIDE_IO, errno, "cannot read the MTU of %s", name);
    found.mtu = (unsigned)request.ifr_mtu;
    if (status == COLLIDE_OK && ioctl(fd, SIOCGIFHWADDR, &request) != 0)
        status = error_set_errno(err, COLLIDE_IO, errno, "cannot read the MAC address of %s", name);
    memcpy(found.mac, request.ifr_hwaddr.sa_data, sizeof found.mac);
    found.n_queues = n_receive_queues(fd, &request);
    close(fd);
    if (status == COLLIDE_OK)
        *out = found;
    return status;
}

static bool has(const unsigned *queues, unsigned n, unsigned long queue)
{
    for (unsigned i = 0; i < n; i++)
        if (queues[i] == queue)
            return true;
    return false;
}

enum collide_status interface_parse(char *text, unsigned *queues, unsigned max_queues, unsigned *n_queues,
                                    struct collide_error *err)
{
    char *at = strchr(text, ':');
    unsigned n = 0;
    queues[0] = 0;
    for (bool more = at != NULL; more; n++) {
        char *digits = at + 1;
        unsigned long queue = strtoul(digits, &at, 10);
        more = *at == ',';
        if (at == digits || *digits == '-' || queue > UINT16_MAX || (*at && !more) || has(queues, n, queue) ||
            n == max_queues)
            return error_set(
                err, COLLIDE_INVALID,
                "\"%.64s\" names no queues: write IFACE:QUEUE or IFACE:QUEUE,QUEUE, each once and at "
                "most %u, such as eth0:0,1",
                text, max_queues);
        queues[n] = (unsigned)queue;
    }
    *n_queues = n ? n : 1;
    text[strcspn(text, ":")] = '\0';
    return COLLIDE_OK;
}
