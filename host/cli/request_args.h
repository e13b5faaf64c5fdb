/* The flags of a request from the shell. */
#ifndef CLI_REQUEST_ARGS_H
#define CLI_REQUEST_ARGS_H

#include "base/args.h"
#include "base/buffer.h"

#define REQUEST_GROUP "Request (none of these: one JSON request a line from standard input)"

struct request_flags {
    struct arg_text_list features;
    const char *user, *history, *weights, *items, *exclude;
    uint64_t k;
    bool exclude_seen;
};

/* Whether there is a request among the flags. */
bool request_flags_are_given(const struct request_flags *flags);

/* The request in the JSON of /v1. */
void request_flags_print(const struct request_flags *flags, struct buffer *out);

struct arg request_user_arg(struct request_flags *flags);         /* --user */
struct arg request_history_arg(struct request_flags *flags);      /* --history */
struct arg request_weights_arg(struct request_flags *flags);      /* --weights */
struct arg request_feature_arg(struct request_flags *flags);      /* --feature */
struct arg request_items_arg(struct request_flags *flags);        /* --items */
struct arg request_k_arg(struct request_flags *flags);            /* --k */
struct arg request_exclude_arg(struct request_flags *flags);      /* --exclude */
struct arg request_exclude_seen_arg(struct request_flags *flags); /* --exclude-seen */

/* For the tables of commands that score, and that find the best. */
#define QUERY_ARGS(flags)                                                                                    \
    request_user_arg(flags), request_history_arg(flags), request_weights_arg(flags),                         \
        request_feature_arg(flags)
#define SCORE_REQUEST_ARGS(flags) QUERY_ARGS(flags), request_items_arg(flags)
#define TOPK_REQUEST_ARGS(flags)                                                                             \
    QUERY_ARGS(flags), request_k_arg(flags), request_exclude_arg(flags), request_exclude_seen_arg(flags)

#endif
