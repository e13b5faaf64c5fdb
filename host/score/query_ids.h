/* A query's ids, one at a time, in whichever form they came. */
#ifndef SCORE_QUERY_IDS_H
#define SCORE_QUERY_IDS_H

#include "collide/scorer.h"

#include <string.h>

/* Number i of a list; see struct collide_query. */
static inline uint64_t query_number(const void *numbers, unsigned number_bytes, size_t i)
{
    uint64_t number = 0;
    memcpy(&number, (const char *)numbers + i * number_bytes, number_bytes == 8 ? 8 : 4);
    return number;
}

static inline struct collide_id query_history(const struct collide_query *q, size_t i)
{
    return q->history_numbers ? collide_id_number(query_number(q->history_numbers, q->number_bytes, i))
                              : q->history[i];
}

static inline struct collide_id query_item(const struct collide_query *q, size_t i)
{
    return q->item_numbers ? collide_id_number(query_number(q->item_numbers, q->number_bytes, i))
                           : q->items[i];
}

#endif
