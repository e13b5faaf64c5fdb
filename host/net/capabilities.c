#include "net/capabilities.h"

#include "base/error.h"
#include "xdp/permission.h"

#include <errno.h>
#include <stdio.h>
#include <sys/capability.h>

/* Interfaces and XDP programs, AF_XDP sockets, loading BPF, and memory beyond the limit of what may be
 * locked. The last one is needed only where the limit is low: what shares the memory says so. */
static const cap_value_t needed[] = {CAP_NET_ADMIN, CAP_NET_RAW, CAP_BPF, CAP_IPC_LOCK};
static const char *const names[] = {"cap_net_admin", "cap_net_raw", "cap_bpf", "cap_ipc_lock"};
enum { N_REQUIRED = 3, N_NEEDED = sizeof needed / sizeof needed[0] };

enum collide_status capabilities_require(struct collide_error *err)
{
    char missing[96] = "";
    size_t n = 0;
    cap_t own = cap_get_proc();
    if (!own)
        return error_set_errno(err, COLLIDE_IO, errno, "cannot read this process's capabilities");
    for (size_t i = 0; i < N_REQUIRED; i++) {
        cap_flag_value_t has = CAP_CLEAR;
        cap_get_flag(own, needed[i], CAP_EFFECTIVE, &has);
        if (has != CAP_SET)
            n += (size_t)snprintf(missing + n, sizeof missing - n, "%s%s", n ? ", " : "", names[i]);
    }
    cap_free(own);
    if (n == 0)
        return COLLIDE_OK;
    return error_set(err, COLLIDE_UNSUPPORTED,
                     "AF_XDP needs capabilities that are missing, %s: " PERMISSION_REMEDY, missing);
}

enum collide_status capabilities_drop(struct collide_error *err)
{
    cap_t own = cap_get_proc();
    enum collide_status status = COLLIDE_OK;
    for (size_t i = 0; i < N_NEEDED; i++)
        cap_drop_bound(needed[i]); /* takes cap_setpcap, which few have */
    if (!own || cap_set_flag(own, CAP_EFFECTIVE, N_NEEDED, needed, CAP_CLEAR) != 0 ||
        cap_set_flag(own, CAP_PERMITTED, N_NEEDED, needed, CAP_CLEAR) != 0 ||
        cap_set_flag(own, CAP_INHERITABLE, N_NEEDED, needed, CAP_CLEAR) != 0 || cap_set_proc(own) != 0)
        status = error_set_errno(err, COLLIDE_IO, errno, "cannot drop the capabilities that AF_XDP took");
    if (own)
        cap_free(own);
    return status;
}
