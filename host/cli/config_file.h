/* Options from a configuration file. It is an INI file: a line `max-items = 500` has the effect of
 * --max-items=500, options that may be repeated have a line each, and the command line wins. Headings are the
 * command's name or the groups of its help. */
#ifndef CLI_CONFIG_FILE_H
#define CLI_CONFIG_FILE_H

#include "base/args.h"

enum { CONFIG_BYTES_MAX = 32 << 10 };

/* What the options borrow. */
struct config_values {
    char bytes[CONFIG_BYTES_MAX];
    size_t n_bytes;
};

struct config_source {
    const char *name; /* for messages */
    const char *text; /* (n_bytes) */
    size_t n_bytes;
};

/* Sets options of a command, such as "serve". COLLIDE_INVALID says which line is wrong; some options may have
 * been set. */
enum collide_status config_parse(const struct config_source *source, const char *command, struct args *args,
                                 struct config_values *values, struct collide_error *err);

/* The same of a file. */
enum collide_status config_read(const char *path, const char *command, struct args *args,
                                struct config_values *values, struct collide_error *err);

#endif
