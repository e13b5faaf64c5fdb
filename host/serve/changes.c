#include "serve/changes.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"

#include <inttypes.h>

enum collide_status change_load(struct service *s, const char *name, const char *path,
                                struct collide_error *err)
{
    struct collide_error own = {0};
    uint64_t version, begin_ns = clock_now_ns();
    enum collide_status status = service_models_load(s, name, path, &version, &own);
    if (status == COLLIDE_OK) {
        log_info("model %s: version %" PRIu64 " is served, loaded in %.3f s", name, version,
                 clock_seconds_since(begin_ns));
        return status;
    }
    if (service_state(s) != SERVICE_DRAINING)
        log_error("model %s: cannot be loaded, what was served before stays: %s", name, own.text);
    return error_set(err, status, "%s", own.text);
}

enum collide_status change_unload(struct service *s, const char *name, uint64_t version,
                                  struct collide_error *err)
{
    enum collide_status status = service_models_unload(s, name, version, err);
    if (status == COLLIDE_OK && version)
        log_info("model %s: version %" PRIu64 " is unloaded", name, version);
    else if (status == COLLIDE_OK)
        log_info("model %s: unloaded", name);
    return status;
}

enum collide_status change_reload(struct service *s, struct collide_error *err)
{
    enum collide_status first = COLLIDE_OK;
    for (size_t i = 0, n = service_models_count(s); i < n; i++)
        if (service_models_is_stale(s, i)) {
            char name[MODEL_NAME_CHARS];
            bool is_first = first == COLLIDE_OK;
            service_models_name(s, i, name);
            enum collide_status status = change_load(s, name, NULL, is_first ? err : NULL);
            first = is_first ? status : first;
        }
    return first;
}
