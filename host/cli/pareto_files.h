/* Quality against bytes as files. */
#ifndef CLI_PARETO_FILES_H
#define CLI_PARETO_FILES_H

#include "cli/experiment.h"

struct pareto_point {
    uint64_t budget_bytes;
    struct trial best;
    bool is_on_front; /* nothing that takes no more bytes has a better recall@10 */
};

struct pareto {
    const struct pareto_point *points; /* (n), by rising budget */
    size_t n;
    uint64_t full_bytes; /* of f32 rows for all users and items */
};

/* name.csv, a line a budget, and name.svg, a plot. */
enum collide_status pareto_write_csv(const struct pareto *p, const char *name, struct collide_error *err);
enum collide_status pareto_write_svg(const struct pareto *p, const char *name, struct collide_error *err);

/* Better known before anything is learned. */
enum collide_status pareto_check_writable(const char *name, struct collide_error *err);

/* As file_check_apart, of both files. */
enum collide_status pareto_check_apart(const char *name, const char *input, struct collide_error *err);

#endif
