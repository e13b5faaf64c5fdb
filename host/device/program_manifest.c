#include "device/program_manifest.h"

#include "base/error.h"

#include <stdio.h>
#include <string.h>
#include <xxhash.h>

/* Values end with their line, whatever a driver puts into its name. */
static void append_line(struct buffer *out, const char *name, const char *value)
{
    buffer_printf(out, "%s: ", name);
    size_t n = strlen(value);
    char *to = buffer_reserve(out, n + 1);
    if (!to)
        return;
    for (size_t i = 0; i < n; i++)
        to[i] = value[i] == '\n' ? ' ' : value[i];
    to[n] = '\n';
    out->n_bytes += n + 1;
}

void manifest_append(struct buffer *out, const struct device_info *d, const struct program_source *source)
{
    XXH128_canonical_t sum;
    char digits[2 * sizeof sum.digest + 1];
    XXH128_canonicalFromHash(&sum, XXH3_128bits(source->text, source->n_bytes));
    for (size_t i = 0; i < sizeof sum.digest; i++)
        snprintf(digits + 2 * i, 3, "%02x", sum.digest[i]);
    append_line(out, "platform", d->platform);
    append_line(out, "device", d->name);
    append_line(out, "version", d->version);
    append_line(out, "driver", d->driver);
    append_line(out, "source", digits);
    append_line(out, "options", source->options);
}

/* Takes what stands before the next separator off the rest. */
static struct text take_until(struct text *rest, char separator)
{
    const char *end = rest->n_bytes ? memchr(rest->bytes, separator, rest->n_bytes) : NULL;
    struct text taken = {rest->bytes, end ? (size_t)(end - rest->bytes) : rest->n_bytes};
    size_t n = taken.n_bytes + (end ? 1 : 0);
    rest->bytes += n;
    rest->n_bytes -= n;
    return taken;
}

static bool text_equals(struct text a, struct text b)
{
    return a.n_bytes == b.n_bytes && (a.n_bytes == 0 || memcmp(a.bytes, b.bytes, a.n_bytes) == 0);
}

struct text manifest_value(struct text manifest, const char *name)
{
    const struct text wanted = {name, strlen(name)};
    while (manifest.n_bytes) {
        struct text value = take_until(&manifest, '\n');
        struct text key = take_until(&value, ':');
        if (text_equals(key, wanted) && value.n_bytes)
            return (struct text){value.bytes + 1, value.n_bytes - 1};
    }
    return (struct text){"", 0};
}

static struct text option_name(struct text option)
{
    return take_until(&option, '=');
}

/* The first of some options that others lack, or no bytes. */
static struct text option_beyond(struct text options, struct text others)
{
    while (options.n_bytes) {
        struct text option = take_until(&options, ' '), rest = others;
        bool found = option.n_bytes == 0;
        while (rest.n_bytes && !found)
            found = text_equals(take_until(&rest, ' '), option);
        if (!found)
            return option;
    }
    return (struct text){"", 0};
}

/* The option that sets what another sets, or no bytes. */
static struct text option_like(struct text options, struct text option)
{
    while (options.n_bytes) {
        struct text other = take_until(&options, ' ');
        if (text_equals(option_name(other), option_name(option)))
            return other;
    }
    return (struct text){"", 0};
}

#define ANEW     "; build it anew with `collide kernels build`"
#define SHOWN(t) (int)((t).n_bytes < 100 ? (t).n_bytes : 100), (t).bytes

static enum collide_status options_differ(const char *path, struct text had, struct text wanted,
                                          struct collide_error *err)
{
    struct text lacking = option_beyond(wanted, had), extra = option_beyond(had, wanted);
    struct text like = option_like(had, lacking);
    if (lacking.n_bytes && like.n_bytes)
        return error_set(err, COLLIDE_INVALID, "%.128s was built with %.*s, %.*s is needed" ANEW, path,
                         SHOWN(like), SHOWN(lacking));
    if (lacking.n_bytes)
        return error_set(err, COLLIDE_INVALID, "%.128s was built without %.*s, which is needed" ANEW, path,
                         SHOWN(lacking));
    if (extra.n_bytes)
        return error_set(err, COLLIDE_INVALID, "%.128s was built with %.*s, which is not wanted" ANEW, path,
                         SHOWN(extra));
    return error_set(err, COLLIDE_INVALID, "%.128s was built with its options in another order" ANEW, path);
}

enum collide_status manifest_check(const char *path, struct text manifest, struct text wanted,
                                   struct collide_error *err)
{
    static const char *const names[] = {"platform", "device", "version", "driver"};
    if (text_equals(manifest, wanted))
        return COLLIDE_OK;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct text had = manifest_value(manifest, names[i]), here = manifest_value(wanted, names[i]);
        if (!text_equals(had, here))
            return error_set(err, COLLIDE_INVALID,
                             "%.128s was built for the %s \"%.*s\", here it is \"%.*s\"" ANEW, path, names[i],
                             SHOWN(had), SHOWN(here));
    }
    if (!text_equals(manifest_value(manifest, "source"), manifest_value(wanted, "source")))
        return error_set(err, COLLIDE_INVALID,
                         "%.128s was built from other kernels than this version of collide has" ANEW, path);
    return options_differ(path, manifest_value(manifest, "options"), manifest_value(wanted, "options"), err);
}
