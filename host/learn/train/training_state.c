#include "learn/train/training_state.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

void training_state_add(struct training_state *s, const char *owner, const char *name, void *bytes,
                        size_t n_bytes)
{
    assert(s->n < STATE_MAX_PARTS);
    struct state_part *part = &s->parts[s->n++];
    *part = (struct state_part){.bytes = bytes, .n_bytes = n_bytes};
    int n = snprintf(part->name, sizeof part->name, "%s.%s", owner, name);
    assert(n > 0 && (size_t)n < sizeof part->name);
    (void)n;
}

size_t training_state_bytes(const struct training_state *s)
{
    size_t n_bytes = 0;
    for (size_t i = 0; i < s->n; i++)
        n_bytes += s->parts[i].n_bytes;
    return n_bytes;
}

void training_state_copy_out(const struct training_state *s, void *to)
{
    char *at = to;
    for (size_t i = 0; i < s->n; at += s->parts[i++].n_bytes)
        memcpy(at, s->parts[i].bytes, s->parts[i].n_bytes);
}

void training_state_copy_in(const struct training_state *s, const void *from)
{
    const char *at = from;
    for (size_t i = 0; i < s->n; at += s->parts[i++].n_bytes)
        memcpy(s->parts[i].bytes, at, s->parts[i].n_bytes);
}
