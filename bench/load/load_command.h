/* A subcommand that sends a load: all of it but what carries the load. */
#ifndef BENCH_LOAD_COMMAND_H
#define BENCH_LOAD_COMMAND_H

#include "load_options.h"
#include "report.h"

enum load_action { LOAD_MEASURE, LOAD_SWEEP };

enum { LOAD_OWN_OPTIONS_MAX = 16 };

/* What is measured: opened, with requests written out. */
struct subject {
    const char *target; /* a URL */
    struct subject_side {
        const char *name; /* the baseline's; NULL: there is none */
        struct transport transport;
        struct load_messages messages;
    } sides[N_SIDES];
};

/* A make of load. self is handed to its functions. */
struct load_kind {
    const char *name;      /* the command's, such as "udp" */
    const char *arguments; /* such as "HOST:PORT" */
    size_t n_arguments;
    const char *summary; /* for --help */
    struct load_lanes lanes;
    double timeout_s; /* when nobody says */
    void *self;

    /* Writes its own options to table, LOAD_OWN_OPTIONS_MAX at most, and returns how many. */
    size_t (*fill_table)(void *self, struct load_options *o, struct arg *table);

    /* Connects and makes the requests. COLLIDE_IO: the server is not there. Fills out as far as it comes. */
    enum collide_status (*open)(void *self, struct load_options *o, char **arguments, struct subject *out,
                                struct collide_error *err);
    struct report_redone (*redone)(const void *self);

    /* Also after a failed open, or none. */
    void (*close)(void *self);
};

/* Parses the arguments, measures and reports. Returns the exit status. */
int load_command(const struct load_kind *kind, enum load_action action, int argc, char **argv);

#endif
