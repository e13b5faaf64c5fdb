/* Methods as people list them: "lhf,rq:8,lhf:frequency,auto". */
#ifndef CLI_METHOD_LIST_H
#define CLI_METHOD_LIST_H

#include "learn/learn.h"

enum { METHOD_LIST_MAX = 32, METHOD_TEXT_BYTES = 32 };

struct method_choice {
    char text[METHOD_TEXT_BYTES]; /* as it was written */
    bool is_auto;                 /* "auto": what `collide learn --budget` chooses; the plan says nothing */
    struct space_plan plan;       /* rows are left 0 */
};

struct method_list {
    struct method_choice items[METHOD_LIST_MAX];
    size_t n;
};

/* What mappings look at, by enum mapping_signals, and NULL. */
extern const char *const signal_names[];

/* Names with commas between, each with its lookups or (lhf) its signals behind a colon where they are not to
 * be the method's own. COLLIDE_INVALID says which one is wrong, or that one is there twice. */
enum collide_status method_list_parse(const char *text, struct method_list *out, struct collide_error *err);

#endif
