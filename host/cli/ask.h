/* Requests from the shell, whoever answers them: this program, or a server. */
#ifndef CLI_ASK_H
#define CLI_ASK_H

#include "api/request.h"
#include "base/buffer.h"
#include "cli/request_args.h"

/* ask appends to reply the JSON of /v1 that answers n bytes of it; where the request is refused, its error,
 * if there is one to show. A failure is told in err, too; COLLIDE_NOT_FOUND: nobody can be reached. */
struct asker {
    enum collide_status (*ask)(void *self, enum request_kind kind, const char *text, size_t n,
                               struct buffer *reply, struct collide_error *err);
    void *self;
};

enum ask_output {
    ASK_JSON, /* answers as they come */
    ASK_TEXT, /* an item and its score a line, of the request among the flags */
};

/* Asks what the flags say, or else what each line of standard input does; answers go to standard output. A
 * wrong line gets its error as its answer, and the next one is read; the status tells. */
enum collide_status ask_requests(const struct asker *asker, enum request_kind kind,
                                 const struct request_flags *flags, enum ask_output output,
                                 struct collide_error *err);

#endif
