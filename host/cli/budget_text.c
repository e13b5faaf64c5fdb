#include "cli/budget_text.h"

#include "base/error.h"

#include <stdlib.h>
#include <string.h>

uint64_t full_table_bytes(const struct interactions *log, uint32_t dim)
{
    return ((uint64_t)log->users.n_ids + log->items.n_ids) * dim * sizeof(float);
}

enum collide_status budget_parse(const char *text, const struct interactions *log, uint32_t dim,
                                 uint64_t *out, struct collide_error *err)
{
    const double full = (double)full_table_bytes(log, dim);
    const struct {
        const char *suffix;
        double unit;
    } units[] = {{"", 1.0}, {"k", 1e3}, {"kB", 1e3}, {"M", 1e6}, {"MB", 1e6}, {"%", full / 100.0}};
    char *end;
    double value = strtod(text, &end);
    for (size_t i = 0; end != text && i < sizeof units / sizeof units[0]; i++)
        if (strcmp(end, units[i].suffix) == 0 && value * units[i].unit >= 1.0 &&
            value * units[i].unit < 1e18) {
            *out = (uint64_t)(value * units[i].unit);
            return COLLIDE_OK;
        }
    return error_set(err, COLLIDE_INVALID,
                     "a budget of %s is no size: give bytes, such as 180k or 2.5MB, or percent, such as 1%%",
                     text);
}
