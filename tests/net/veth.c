#include "net/veth.h"

#include <fcntl.h>
#include <netdb.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static int run(const char *command)
{
    int status = system(command);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void veth_require(void)
{
    char name[32], command[160];
    snprintf(name, sizeof name, "collide-%d-try", (int)getpid());
    snprintf(command, sizeof command, "ip netns add %s && ip netns exec %s true && ip netns del %s", name,
             name, name);
    if (run(command) == 0)
        return;
    fprintf(stderr, "skipped: network namespaces take root's privileges and iproute2\n");
    exit(VETH_SKIPPED);
}

static void must_run(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void must_run(const char *format, ...)
{
    char command[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(command, sizeof command, format, arguments);
    va_end(arguments);
    if (run(command) != 0)
        fail_msg("failed: %s", command);
}

static void set_up(const char *name, const char *ipv4, const char *ipv6)
{
    must_run("ip -n %s link set lo up && ip -n %s link set " VETH_INTERFACE " up", name, name);
    must_run("ip -n %s address add %s/24 dev " VETH_INTERFACE, name, ipv4);
    must_run("ip -n %s address add %s/64 dev " VETH_INTERFACE " nodad", name, ipv6);
}

void veth_create(struct veth *v, unsigned n_queues)
{
    static const char *const sides[N_VETH_SIDES] = {"near", "far"};
    for (int i = 0; i < N_VETH_SIDES; i++) {
        snprintf(v->names[i], sizeof v->names[i], "collide-%d-%s", (int)getpid(), sides[i]);
        must_run("ip netns add %s", v->names[i]);
    }
    must_run("ip -n %s link add " VETH_INTERFACE
             " numtxqueues %u numrxqueues %u type veth peer name " VETH_INTERFACE
             " netns %s numtxqueues %u numrxqueues %u",
             v->names[VETH_NEAR], n_queues, n_queues, v->names[VETH_FAR], n_queues, n_queues);
    set_up(v->names[VETH_NEAR], VETH_NEAR_IPV4, VETH_NEAR_IPV6);
    set_up(v->names[VETH_FAR], VETH_FAR_IPV4, VETH_FAR_IPV6);
}

void veth_destroy(const struct veth *v)
{
    for (int i = 0; i < N_VETH_SIDES; i++)
        must_run("ip netns del %s", v->names[i]);
}

int veth_run(const struct veth *v, enum veth_side side, const char *format, ...)
{
    char command[512];
    int n = snprintf(command, sizeof command, "ip netns exec %s ", v->names[side]);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(command + n, sizeof command - (size_t)n, format, arguments);
    va_end(arguments);
    return run(command);
}

void veth_enter(const struct veth *v, enum veth_side side)
{
    char path[64];
    snprintf(path, sizeof path, "/run/netns/%s", v->names[side]);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || setns(fd, CLONE_NEWNET) != 0)
        abort(); /* in a child, which must not go on with the tests */
    close(fd);
}

int veth_visit(const struct veth *v, enum veth_side side)
{
    int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    assert_true(home >= 0);
    veth_enter(v, side);
    return home;
}

void veth_leave(int home)
{
    assert_int_equal(setns(home, CLONE_NEWNET), 0);
    close(home);
}

int veth_connect(const struct veth *v, enum veth_side side, const char *host, unsigned port)
{
    char digits[16];
    const struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
    const struct timeval second = {.tv_sec = 1};
    struct addrinfo *to = NULL;
    snprintf(digits, sizeof digits, "%u", port);
    assert_int_equal(getaddrinfo(host, digits, &hints, &to), 0);
    int home = veth_visit(v, side);
    int fd = socket(to->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    veth_leave(home);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, to->ai_addr, to->ai_addrlen), 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second), 0);
    freeaddrinfo(to);
    return fd;
}
