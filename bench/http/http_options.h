/* What `collide-bench http` can be told. */
#ifndef BENCH_HTTP_OPTIONS_H
#define BENCH_HTTP_OPTIONS_H

#include "base/args.h"

enum { HTTP_N_OPTIONS = 19 };

struct http_options {
    const char *url;
    int mode; /* enum load_mode */
    double rate;
    int arrivals; /* enum arrivals_kind */
    uint64_t connections;
    double duration_s;
    double warmup_s;
    double timeout_s;
    uint64_t candidates;
    uint64_t users;
    uint64_t items;
    uint64_t batch;
    uint64_t topk;
    const char *request_file;
    const char *path;
    uint64_t seed;
    uint64_t repeats;
    bool baseline;
    bool json;
    int poll; /* enum http_wait */
};

struct http_options http_options_defaults(void);

/* The table borrows o. */
void http_options_fill_table(struct http_options *o, struct arg table[HTTP_N_OPTIONS]);

/* Refuses options that do not go together. */
enum collide_status http_options_check(const struct http_options *o, struct collide_error *err);

/* One line for people: the load and what it asks. */
void http_options_describe(const struct http_options *o, char *out, size_t capacity);

#endif
