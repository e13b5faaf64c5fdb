/* A share in something that several own, for those that need not know what it is. */
#ifndef BASE_SHARED_H
#define BASE_SHARED_H

/* Calls from any thread. All NULL: nothing is owned. */
struct shared {
    void *object;
    void (*retain)(void *object);
    void (*release)(void *object); /* the last one frees it */
};

static inline void shared_retain(const struct shared *s)
{
    if (s->retain)
        s->retain(s->object);
}

static inline void shared_release(const struct shared *s)
{
    if (s->release)
        s->release(s->object);
}

#endif
