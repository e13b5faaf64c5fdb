/* How far apart two spellings are, for "did you mean". */
#ifndef BASE_SPELLING_H
#define BASE_SPELLING_H

#include <stddef.h>

/* The least number of insertions, deletions, substitutions and swaps of neighbours that turn one into the
 * other (optimal string alignment). Texts are compared up to their first 63 bytes. */
size_t spelling_distance(const char *a, const char *b);

/* The largest distance at which a reader would still take `typed` for a slip: a third of its letters, at
 * least one. */
size_t spelling_slack(const char *typed);

/* The known name that somebody may have meant: offer all of them, then look at closest. */
struct spelling {
    const char *typed;   /* borrowed */
    const char *closest; /* NULL: none is within the slack */
    size_t limit;
};

struct spelling spelling_of(const char *typed);
void spelling_offer(struct spelling *s, const char *name);

#endif
