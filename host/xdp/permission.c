#include "xdp/permission.h"

#include "base/error.h"

#include <errno.h>

enum collide_status permission_error(struct collide_error *err, int saved_errno, const char *what,
                                     const char *interface)
{
    if (saved_errno == EPERM || saved_errno == EACCES)
        return error_set(err, COLLIDE_UNSUPPORTED, "not permitted to %s on %s: " PERMISSION_REMEDY, what,
                         interface);
    return error_set_errno(err, COLLIDE_IO, saved_errno, "cannot %s on %s", what, interface);
}
