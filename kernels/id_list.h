/* The ids that a query brings, in whichever form they come. */
#ifndef KERNELS_ID_LIST_H
#define KERNELS_ID_LIST_H

#include "mapping.h"

/* Positions [begin, end) of one of the batch's lists: ids that are there as they are or by their keys, or, up
 * to numbers_end, as numbers elsewhere. */
typedef struct {
    __global uint *ids;
    __global const ulong *keys; /* KEYED */
    uint begin, end;
#if NUMBERS
    __global const volatile uint *numbers; /* the first one */
    uint numbers_end, number_words;
#endif
} id_list;

#if NUMBERS
static void set_numbers(id_list *l, const batch *a, const device_query *q, uint at, uint n)
{
    l->numbers = a->numbers + at;
    l->numbers_end = l->begin + n;
    l->number_words = q->flags & QUERY_LONG_NUMBERS ? 2 : 1;
}
#define SET_NUMBERS(l, a, q, at, n) set_numbers(l, a, q, at, n)
#define HAS_NUMBERS(l)              ((l)->numbers_end > (l)->begin)
#else
#define SET_NUMBERS(l, a, q, at, n)
#define HAS_NUMBERS(l) false
#endif

static id_list history_of(const batch *a, const device_query *q)
{
    id_list l = {a->history, a->history_keys, q->history_begin, q->history_end};
    SET_NUMBERS(&l, a, q, q->history_numbers, q->n_history_numbers);
    return l;
}

static id_list items_of(const batch *a, const device_query *q)
{
    id_list l = {a->items, a->item_keys, q->items_begin, q->items_end};
    SET_NUMBERS(&l, a, q, q->item_numbers, q->n_item_numbers);
    return l;
}

#if NUMBERS
/* The number of position j < numbers_end; the next time it may be another. */
static ulong number_at(const id_list *l, uint j)
{
    __global const volatile uint *words = l->numbers + (ulong)(j - l->begin) * l->number_words;
    ulong number = words[0];
    if (l->number_words == 2)
        number |= (ulong)words[1] << 32;
    return number;
}

static uint id_of_number(const tables *t, ulong number)
{
#if KEYED
    return find_item(t, number);
#else
    return number < t->params.n_items ? (uint)number : t->params.n_items;
#endif
}
#endif

/* The id at position j. What is found by its key or number takes its place, for the host to count. */
static uint listed_id(const tables *t, const id_list *l, uint j)
{
#if NUMBERS
    if (j < l->numbers_end)
        return l->ids[j] = id_of_number(t, number_at(l, j));
#endif
#if KEYED
    if (l->ids[j] == ID_BY_KEY)
        l->ids[j] = find_item(t, l->keys[j]);
#endif
    return l->ids[j];
}

#if KEYED
static ulong key_at(const id_list *l, uint j)
{
#if NUMBERS
    if (j < l->numbers_end)
        return number_at(l, j);
#endif
    return l->keys[j];
}

static void prefetch_slot(const tables *t, ulong key)
{
    PREFETCH_LINE(ENTRY(KEY_SLOTS, t->key_slots, first_slot(t, key), 1));
}

static void prefetch_key(const tables *t, ulong key)
{
#if PREFETCH
    uint id = AT(KEY_SLOTS, t->key_slots, first_slot(t, key));
    if (id < t->params.n_items)
        PREFETCH_LINE(ENTRY(KEYS, t->keys, id, 1));
#endif
}
#endif

/* All ids of a list become ids of items, in their places. */
static void find_ids(const tables *t, const id_list *l)
{
#if KEYED
    for (uint j = l->begin; j < l->end; j++) {
        BEAT(t, j);
        if (j + REMAP_AHEAD < l->end)
            prefetch_slot(t, key_at(l, j + REMAP_AHEAD));
        if (j + ROW_AHEAD < l->end)
            prefetch_key(t, key_at(l, j + ROW_AHEAD));
        listed_id(t, l, j);
    }
#elif NUMBERS
    for (uint j = l->begin; j < l->numbers_end; j++)
        listed_id(t, l, j);
#endif
}

#endif
