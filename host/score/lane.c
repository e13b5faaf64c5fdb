#include "score/lane.h"

#include "base/error.h"

#include <stdlib.h>
#include <string.h>

/* Where a device runs work-items side by side, long candidate lists are cut so that there are several. */
enum { ITEMS_PER_WORK_ITEM = 512 };

/* Calls that share one launch, at most. */
enum { MAX_SEGMENTS = 64, MAX_SLOTS = 4 };

/* What a slot in flight will bring to one job. */
struct segment {
    struct score_job *job;
    size_t first_query, n_queries; /* in the slot */
    size_t first_score, n_scores;
    float *scores;
};

struct pending {
    struct fill fill;
    struct segment segments[MAX_SEGMENTS];
    size_t n;
};

/* Where the next query to fill in is. */
struct feed {
    struct score_job *const *jobs;
    size_t n_jobs, job;
    struct fill_position at;
    size_t n_scored; /* of the job's scores, how many are under way */
};

void counts_add(struct collide_counts *to, const struct collide_counts *from)
{
    to->n_lookups += from->n_lookups;
    to->n_unknown += from->n_unknown;
}

enum collide_status collide_lane_create(struct collide_scorer *scorer, struct collide_lane **out,
                                        struct collide_error *err)
{
    struct collide_lane *lane = calloc(1, sizeof *lane);
    if (!lane)
        return error_no_memory(err, "a lane");
    lane->scorer = scorer;
    unsigned first = scorer->is_sharded ? 0 : atomic_fetch_add(&scorer->n_lanes, 1) % scorer->n_devices;
    unsigned n = scorer->is_sharded ? scorer->n_devices : 1;
    enum collide_status status = COLLIDE_OK;
    for (; lane->n_devices < n && status == COLLIDE_OK; lane->n_devices++)
        status =
            device_lane_create(scorer->model, scorer->user_vectors, scorer->kernels[first + lane->n_devices],
                               &lane->devices[lane->n_devices], err);
    if (status != COLLIDE_OK) {
        collide_lane_destroy(lane);
        return status;
    }
    *out = lane;
    return COLLIDE_OK;
}

void collide_lane_destroy(struct collide_lane *lane)
{
    if (!lane)
        return;
    for (unsigned i = 0; i < lane->n_devices; i++)
        device_lane_destroy(&lane->devices[i]);
    free(lane->entries);
    free(lane);
}

enum collide_status lane_reserve_histories(struct collide_lane *lane, const struct collide_query *queries,
                                           size_t n, struct collide_error *err)
{
    struct fill_capacity wanted = {0};
    for (size_t i = 0; i < n; i++) {
        size_t n_history = fill_n_history(lane->scorer->model, &queries[i]);
        wanted.n_history = n_history > wanted.n_history ? n_history : wanted.n_history;
    }
    enum collide_status status = COLLIDE_OK;
    for (unsigned i = 0; i < lane->n_devices && status == COLLIDE_OK; i++)
        status = device_lane_reserve(&lane->devices[i], wanted, err);
    return status;
}

enum collide_status lane_share_memory(struct collide_lane *lane, void *memory, size_t n_bytes,
                                      struct collide_error *err)
{
    enum collide_status status = COLLIDE_OK;
    for (unsigned i = 0; i < lane->n_devices && status == COLLIDE_OK; i++)
        status = device_lane_share(&lane->devices[i], memory, n_bytes, err);
    return status;
}

/* Adds what fits of the jobs from *feed on to a slot that is free. */
static void fill_slot(const struct device_lane *lane, size_t max_items, struct feed *feed, struct pending *p)
{
    for (p->n = 0; feed->job < feed->n_jobs && p->n < MAX_SEGMENTS;) {
        struct score_job *job = feed->jobs[feed->job];
        struct fill_capacity before = p->fill.used;
        p->fill.counts = (struct collide_counts){0};
        fill_queries(&p->fill, job->queries, job->n_queries, &lane->capacity, max_items, &feed->at);
        counts_add(&job->counts, &p->fill.counts);
        struct segment s = {.job = job,
                            .first_query = before.n_queries,
                            .n_queries = p->fill.used.n_queries - before.n_queries,
                            .first_score = before.n_items,
                            .n_scores = p->fill.used.n_items - before.n_items,
                            .scores = job->scores + feed->n_scored};
        feed->n_scored += s.n_scores;
        p->segments[p->n++] = s;
        if (feed->at.query < job->n_queries)
            return; /* the slot is full */
        feed->job++;
        feed->at = (struct fill_position){0};
        feed->n_scored = 0;
    }
}

/* Waits for a slot and takes its scores out. */
static enum collide_status collect(struct device_lane *lane, unsigned slot, struct pending *p,
                                   struct collide_error *err)
{
    enum collide_status status = device_lane_wait(lane, slot, err);
    const float *scores = device_lane_scores(lane, slot);
    for (size_t i = 0; i < p->n && status == COLLIDE_OK; i++) {
        struct segment *s = &p->segments[i];
        if (s->n_scores > 0)
            memcpy(s->scores, scores + s->first_score, s->n_scores * sizeof(float));
        s->job->counts.n_unknown +=
            fill_count_unknown(&p->fill, s->first_query, s->first_query + s->n_queries);
    }
    p->n = 0;
    return status;
}

/* Goes round the slots: collect what a slot did, fill it anew, submit it. */
enum collide_status lane_score(struct collide_lane *lane, struct score_job *const *jobs, size_t n_jobs,
                               struct collide_error *err)
{
    static const enum scoring_kernel kernel = KERNEL_SCORE;
    struct device_lane *device = &lane->devices[0];
    struct pending pending[MAX_SLOTS];
    unsigned n_slots = device->n_slots < MAX_SLOTS ? device->n_slots : MAX_SLOTS;
    bool cut = kernels_run_side_by_side(device->kernels);
    size_t max_items = cut ? ITEMS_PER_WORK_ITEM : device->capacity.n_items;
    struct feed feed = {.jobs = jobs, .n_jobs = n_jobs};
    enum collide_status status = COLLIDE_OK;
    for (unsigned slot = 0; slot < n_slots; slot++)
        pending[slot].n = 0;
    for (unsigned slot = 0; feed.job < n_jobs && status == COLLIDE_OK; slot = (slot + 1) % n_slots) {
        status = collect(device, slot, &pending[slot], err);
        if (status != COLLIDE_OK)
            break;
        pending[slot].fill = device_lane_fill(device, slot);
        fill_slot(device, max_items, &feed, &pending[slot]);
        status = device_lane_submit(device, slot, &kernel, 1, &pending[slot].fill, err);
    }
    for (unsigned slot = 0; slot < n_slots; slot++) {
        if (status != COLLIDE_OK)
            pending[slot].n = 0;
        enum collide_status last = collect(device, slot, &pending[slot], status == COLLIDE_OK ? err : NULL);
        status = status == COLLIDE_OK ? last : status;
    }
    return status;
}
