#include "device/program_cache.h"

#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <xxhash.h>

static void make_folder(const char *path)
{
    if (mkdir(path, 0777) != 0 && errno != EEXIST)
        log_warning("cannot create %s: %s", path, strerror(errno));
}

bool program_cache_folder(const char *cache_dir, char *out, size_t capacity)
{
    const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    int n = -1;
    if (cache_dir)
        n = cache_dir[0] ? snprintf(out, capacity, "%s", cache_dir) : -1;
    else if (xdg && xdg[0])
        n = snprintf(out, capacity, "%s/collide", xdg);
    else if (home && home[0])
        n = snprintf(out, capacity, "%s/.cache/collide", home);
    if (n < 0 || (size_t)n >= capacity)
        return false;
    for (char *slash = strchr(out + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        make_folder(out);
        *slash = '/';
    }
    make_folder(out);
    return true;
}

bool program_cache_path(const char *cache_dir, struct text manifest, char *out, size_t capacity)
{
    char folder[4096];
    if (!program_cache_folder(cache_dir, folder, sizeof folder))
        return false;
    XXH128_hash_t name = XXH3_128bits(manifest.bytes, manifest.n_bytes);
    int n = snprintf(out, capacity, "%s/%016llx%016llx.bin", folder, (unsigned long long)name.high64,
                     (unsigned long long)name.low64);
    return n > 0 && (size_t)n < capacity;
}
