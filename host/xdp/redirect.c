#include "xdp/redirect.h"

#include "base/error.h"
#include "base/log.h"
#include "xdp/interface.h"
#include "xdp/permission.h"
#include "xdp/redirect_object.h"
#include "xdp/redirect_settings.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct redirect {
    struct bpf_object *object;
    const struct redirect_variables *variables; /* mapped */
    struct interface interface;
    enum redirect_mode mode;
    int sockets_fd; /* the object's */
    int link_fd;
};

static int forward_to_log(enum libbpf_print_level level, const char *format, va_list arguments)
{
    char line[512];
    if (level == LIBBPF_DEBUG || !log_shows(LOG_DEBUG))
        return 0;
    vsnprintf(line, sizeof line, format, arguments);
    line[strcspn(line, "\n")] = '\0';
    log_debug("%s", line);
    return 0;
}

static enum collide_status load(struct redirect *r, const struct redirect_options *options,
                                struct collide_error *err)
{
    const struct redirect_settings settings = {
        .port = options->port,
        .stamps_arrival = (options->flags & REDIRECT_STAMPS_ARRIVAL) != 0,
    };
    libbpf_set_print(forward_to_log);
    r->object = bpf_object__open_mem(redirect_object, redirect_object_bytes, NULL);
    if (!r->object)
        return error_set_errno(err, COLLIDE_CORRUPT, errno, "the embedded XDP program cannot be read");
    struct bpf_map *variables = bpf_object__find_map_by_name(r->object, ".bss");
    struct bpf_map *sockets = bpf_object__find_map_by_name(r->object, "sockets");
    int failed = bpf_map__set_initial_value(bpf_object__find_map_by_name(r->object, ".rodata"), &settings,
                                            sizeof settings);
    if (failed == 0)
        failed = bpf_map__set_max_entries(sockets, r->interface.n_queues);
    if (failed == 0)
        failed = bpf_object__load(r->object);
    if (failed)
        return permission_error(err, -failed, "load the XDP program", options->interface);
    r->sockets_fd = bpf_map__fd(sockets);
    r->variables = mmap(NULL, sizeof *r->variables, PROT_READ, MAP_SHARED, bpf_map__fd(variables), 0);
    return r->variables == MAP_FAILED
               ? permission_error(err, errno, "map the XDP program's variables", options->interface)
               : COLLIDE_OK;
}

/* 0, or errno. A link goes with the last descriptor of it, so with the process. */
static int attach_as(struct redirect *r, enum redirect_mode mode)
{
    LIBBPF_OPTS(bpf_link_create_opts, options,
                .flags = mode == REDIRECT_NATIVE ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE);
    const struct bpf_program *program = bpf_object__find_program_by_name(r->object, "redirect_port");
    int fd = bpf_link_create(bpf_program__fd(program), (int)r->interface.index, BPF_XDP, &options);
    if (fd < 0)
        return -fd;
    r->link_fd = fd;
    r->mode = mode;
    return 0;
}

static enum collide_status attach(struct redirect *r, const struct redirect_options *options,
                                  struct collide_error *err)
{
    bool tries_generic = options->mode == REDIRECT_BEST;
    int failed = attach_as(r, options->mode == REDIRECT_GENERIC ? REDIRECT_GENERIC : REDIRECT_NATIVE);
    if (failed && tries_generic && failed != EBUSY && failed != EEXIST && failed != EPERM) {
        log_info("%s has no native XDP (%s): falling back to generic", options->interface, strerror(failed));
        failed = attach_as(r, REDIRECT_GENERIC);
    }
    if (failed == EBUSY || failed == EEXIST)
        return error_set(
            err, COLLIDE_BUSY,
            "another XDP program is attached to %s: see `ip link show dev %s`, and detach it, such as by "
            "`ip link set dev %s xdp off`, or stop the process that holds it",
            options->interface, options->interface, options->interface);
    if (failed)
        return permission_error(err, failed, "attach the XDP program", options->interface);
    return COLLIDE_OK;
}

enum collide_status redirect_create(const struct redirect_options *options, struct redirect **out,
                                    struct collide_error *err)
{
    struct redirect *r = calloc(1, sizeof *r);
    if (!r)
        return error_no_memory(err, "an XDP program");
    r->link_fd = -1;
    r->variables = MAP_FAILED;
    enum collide_status status = interface_find(options->interface, &r->interface, err);
    if (status == COLLIDE_OK)
        status = load(r, options, err);
    if (status == COLLIDE_OK)
        status = attach(r, options, err);
    if (status != COLLIDE_OK) {
        redirect_destroy(r);
        return status;
    }
    *out = r;
    return COLLIDE_OK;
}

void redirect_destroy(struct redirect *r)
{
    if (!r)
        return;
    if (r->link_fd >= 0)
        close(r->link_fd);
    if (r->variables != MAP_FAILED)
        munmap((void *)r->variables, sizeof *r->variables);
    bpf_object__close(r->object);
    free(r);
}

enum redirect_mode redirect_mode(const struct redirect *r)
{
    return r->mode;
}

unsigned redirect_n_queues(const struct redirect *r)
{
    return r->interface.n_queues;
}

enum collide_status redirect_to_socket(struct redirect *r, unsigned queue, int socket_fd,
                                       struct collide_error *err)
{
    if (bpf_map_update_elem(r->sockets_fd, &queue, &socket_fd, BPF_ANY) == 0)
        return COLLIDE_OK;
    return error_set_errno(err, COLLIDE_IO, errno, "cannot give queue %u to its AF_XDP socket", queue);
}

uint64_t redirect_n_fragments(const struct redirect *r)
{
    return __atomic_load_n(&r->variables->n_fragments, __ATOMIC_RELAXED);
}
