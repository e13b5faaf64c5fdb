/* The scoring kernels: remap, embedding-bag and dot product in one launch.
 *
 *   collide_score_v1   scores[j] = logit_scale * < bag(query), emb(items[j]) > + bias[items[j]]
 *   collide_bag_v1     scores[q, d] = bag(query q)[d]
 *   collide_rows_v1    row_scores[q, r] = logit_scale * < bag(query q), row(r) >: the first step of top-k
 *   collide_topk_v1    the k best items of each part: the second
 *   collide_ring_v1    any of them, for as long as it runs: work comes through a ring
 *   collide_call_v1    says where the function is that is any of them, for a host that can call it
 *
 * docs/KERNELS.md is their reference. All but the last two have one list of arguments: the model's tables,
 * then the batch, both as tables.h says. With RING or CALL there is its kernel alone: drivers take their time
 * for each. */
#include "call.h"
#include "forms.h"

#if !RING && !CALL
KERNEL collide_score_v1(TABLE_ARGUMENTS BATCH_ARGUMENTS)
{
    const tables t = TABLES;
    const batch a = BATCH;
    FOR_EACH_QUERY(score_query, &t, &a);
}

KERNEL collide_bag_v1(TABLE_ARGUMENTS BATCH_ARGUMENTS)
{
    const tables t = TABLES;
    const batch a = BATCH;
    FOR_EACH_QUERY(bag_query, &t, &a);
}

KERNEL collide_rows_v1(TABLE_ARGUMENTS BATCH_ARGUMENTS)
{
    const tables t = TABLES;
    const batch a = BATCH;
    FOR_EACH_PART(score_rows, &t, &a);
}

SINGLE_KERNEL collide_topk_v1(TABLE_ARGUMENTS BATCH_ARGUMENTS)
{
    const tables t = TABLES;
    const batch a = BATCH;
    select_query(&t, &a, get_group_id(0));
}
#endif

#if CALL || defined(RING_OFFERED)
/* The kernels by the host's numbers, see host/score/kernels.h. */
static void run_group(const tables *t, const batch *a, uint kernel_number, uint group)
{
    switch (kernel_number) {
    case 0:
        score_query(t, a, group);
        break;
    case 1:
        bag_query(t, a, group);
        break;
    case 2:
        score_rows(t, a, group);
        break;
    default:
        select_query(t, a, group);
    }
}
#endif

#if CALL
DECLARE_CALLED(run_groups);

CALLED run_groups(CALLED_ARGUMENTS)
{
    const tables t = TABLES;
    const batch a = BATCH;
    for (uint group = 0; group < n_groups; group++)
        run_group(&t, &a, kernel_number, group);
}

SINGLE_KERNEL collide_call_v1(__global ulong *out)
{
    CALL_INTO(out, run_groups);
}
#endif

#ifdef RING_OFFERED
/* Where a descriptor's regions are. */
static batch ring_batch(__global uchar *ring, __global const ring_descriptor *d)
{
#define DESCRIBED_REGION(i) ring_region(ring, d, i)
    batch a = {BATCH_AT(DESCRIBED_REGION)};
    /* They come from the producer's cache: all at once, not one after the other. */
    PREFETCH_LINE(a.queries);
    PREFETCH_LINE(a.history);
    PREFETCH_LINE(a.history_weights);
    PREFETCH_LINE(a.items);
    return a;
}

SINGLE_KERNEL collide_ring_v1(TABLE_ARGUMENTS, __global uchar *ring)
{
    tables t = TABLES;
    t.ring = ring;
    for (__global ring_descriptor *d = ring_take(ring); d; d = ring_take(ring)) {
        const batch a = ring_batch(ring, d);
        for (uint s = 0; s < RING_MAX_STEPS; s++)
            for (uint g = 0; g < d->n_groups[s]; g++) {
                run_group(&t, &a, d->kernels[s], g);
                ring_beat(ring);
            }
        ring_complete(ring, d);
    }
}
#endif
