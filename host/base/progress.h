/* How far a long piece of work has come, for the operator: on a terminal one line rewritten in place,
 * elsewhere a plain log line at the start, at the end and every ten seconds. Silent below LOG_INFO. One
 * thread at a time; the struct is the caller's and nothing needs freeing. */
#ifndef BASE_PROGRESS_H
#define BASE_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    const char *label; /* borrowed until progress_end */
    const char *unit;  /* of work, such as "users", for the rate; may be set after progress_begin */
    uint64_t total;    /* units of work; 0 counts as all done */
    uint64_t done;
    uint64_t
        first; /* done before this piece of work began, by an earlier process; set after progress_begin */
    uint64_t start_ns;
    uint64_t shown_ns;
    bool on_terminal;
    char note[64];
};

void progress_begin(struct progress *p, const char *label, uint64_t total);

/* Cheap enough for every unit of work. The note, such as "loss 4.21", is copied and stays until the next one;
 * NULL keeps it. */
void progress_update(struct progress *p, uint64_t done, const char *note);

/* Says what was done and how long it took. */
void progress_end(struct progress *p);

#endif
