#include "learn/map/kmeans_cells.h"

#include "base/error.h"
#include "learn/train/vector.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Of cells that a point looks into, and of passes that place the cells. */
enum { N_PROBES = 8, N_PLACING_PASSES = 3 };

struct work {
    float scores[NEAREST_SCORES];
    float best[NEAREST_POINTS * N_PROBES];
    uint32_t which[NEAREST_POINTS];
    float points[]; /* (NEAREST_POINTS, dim) */
};

struct kmeans_cells {
    struct kmeans_problem problem;
    struct parallel *team;
    uint32_t n_cells;
    uint32_t n_probes;
    struct kmeans *placing; /* of the cells' centres */
    uint32_t *placed;       /* (n_points): each point's cell while they are placed */
    float *centres;         /* (n_cells, dim) */
    float *half_norms;      /* (n_cells) of the centres */
    uint32_t *probes;       /* (n_probes, n_points): the cells of each point, nearest first */
    uint32_t *orders;       /* (n_probes, n_points): the points by their first cell, by their second... */
    uint32_t *ends;         /* (n_cells + 1) work space of sorting */

    /* During kmeans_cells_assign: the centroids sorted by their cells. */
    const struct centroids *centroids;
    uint32_t *assignment;
    float *scores;
    uint32_t *homes;          /* (n_clusters): the cell of each centroid */
    uint32_t *members;        /* (n_clusters): centroids by cell */
    uint32_t *begins;         /* (n_cells + 1): where each cell's members begin */
    float *member_rows;       /* (n_clusters, dim) */
    float *member_half_norms; /* (n_clusters) */
    const uint32_t *order;    /* (n_points): of the probe at hand */
    const uint32_t *probe;    /* (n_points): likewise */

    unsigned char *work; /* (n_threads, work_bytes) */
    size_t work_bytes;
    uint64_t n_distances;
};

static struct work *work_of(const struct kmeans_cells *c, unsigned thread)
{
    return (struct work *)(void *)(c->work + thread * c->work_bytes);
}

static struct centroids centres(const struct kmeans_cells *c)
{
    return (struct centroids){c->centres, c->half_norms, c->n_cells, c->problem.dim};
}

/* order = 0 .. n - 1 by cell, increasing inside each; afterwards cell g's are those before ends[g]. */
static void sort_by_cell(const uint32_t *cells, uint32_t n, uint32_t n_cells, uint32_t *ends, uint32_t *order)
{
    memset(ends, 0, (n_cells + 1ull) * sizeof *ends);
    for (uint32_t i = 0; i < n; i++)
        ends[cells[i] + 1]++;
    for (uint32_t g = 0; g < n_cells; g++)
        ends[g + 1] += ends[g];
    for (uint32_t i = 0; i < n; i++)
        order[ends[cells[i]]++] = i;
}

static void rank_cells(void *context, unsigned thread, size_t begin, size_t end)
{
    struct kmeans_cells *c = context;
    struct work *w = work_of(c, thread);
    const struct centroids list = centres(c);
    for (size_t first = begin; first < end; first += NEAREST_POINTS) {
        struct kept kept = {c->n_probes, c->problem.n_points, c->probes + first};
        uint32_t n = (uint32_t)(end - first < NEAREST_POINTS ? end - first : NEAREST_POINTS);
        nearest_several(&list, c->problem.points + first * c->problem.dim, n, w->scores, w->best, &kept);
    }
}

void kmeans_cells_place(struct kmeans_cells *c)
{
    const size_t n_points = c->problem.n_points;
    kmeans_draw(c->placing, c->problem.seed, c->centres);
    memset(c->placed, 0, n_points * sizeof *c->placed);
    for (int i = 0; i < N_PLACING_PASSES; i++)
        kmeans_pass(c->placing, c->placed, c->centres);
    nearest_half_norms(c->centres, c->problem.dim, 0, c->n_cells, c->half_norms);
    parallel_for(c->team, n_points, rank_cells, c);
    for (size_t p = 0; p < c->n_probes; p++)
        sort_by_cell(c->probes + p * n_points, (uint32_t)n_points, c->n_cells, c->ends,
                     c->orders + p * n_points);
    c->n_distances += (N_PLACING_PASSES + 1ull) * n_points * c->n_cells;
}

static void find_homes(void *context, unsigned thread, size_t begin, size_t end)
{
    struct kmeans_cells *c = context;
    struct work *w = work_of(c, thread);
    const struct centroids list = centres(c);
    for (size_t first = begin; first < end; first += NEAREST_POINTS) {
        uint32_t n = (uint32_t)(end - first < NEAREST_POINTS ? end - first : NEAREST_POINTS);
        for (uint32_t i = 0; i < n; i++)
            w->best[i] = -INFINITY;
        nearest_among(&list, c->centroids->rows + first * c->problem.dim, n, w->scores, w->best,
                      c->homes + first);
    }
}

static void gather_members(void *context, unsigned thread, size_t begin, size_t end)
{
    (void)thread;
    struct kmeans_cells *c = context;
    const size_t dim = c->problem.dim;
    for (size_t k = begin; k < end; k++) {
        memcpy(c->member_rows + k * dim, c->centroids->rows + c->members[k] * dim, dim * sizeof(float));
        c->member_half_norms[k] = c->centroids->half_norms[c->members[k]];
    }
}

static void score_as_they_are(void *context, unsigned thread, size_t begin, size_t end)
{
    (void)thread;
    struct kmeans_cells *c = context;
    const size_t dim = c->problem.dim;
    for (size_t i = begin; i < end; i++) {
        const size_t at = c->assignment[i];
        c->scores[i] = vector_dot(c->problem.points + i * dim, c->centroids->rows + at * dim, dim) -
                       c->centroids->half_norms[at];
    }
}

/* Points order[0 .. n - 1], all of one cell in this probe. */
static void look_into(struct kmeans_cells *c, struct work *w, uint32_t cell, const uint32_t *order,
                      uint32_t n)
{
    const size_t dim = c->problem.dim;
    const uint32_t first = c->begins[cell];
    const struct centroids list = {c->member_rows + first * dim, c->member_half_norms + first,
                                   c->begins[cell + 1] - first, c->problem.dim};
    for (uint32_t i = 0; i < n; i++) {
        memcpy(w->points + i * dim, c->problem.points + order[i] * dim, dim * sizeof(float));
        w->best[i] = c->scores[order[i]];
        w->which[i] = UINT32_MAX;
    }
    nearest_among(&list, w->points, n, w->scores, w->best, w->which);
    for (uint32_t i = 0; i < n; i++) {
        if (w->which[i] == UINT32_MAX)
            continue;
        c->scores[order[i]] = w->best[i];
        c->assignment[order[i]] = c->members[first + w->which[i]];
    }
}

static void look_into_cells(void *context, unsigned thread, size_t begin, size_t end)
{
    struct kmeans_cells *c = context;
    for (size_t at = begin; at < end;) {
        const uint32_t cell = c->probe[c->order[at]];
        uint32_t n = 1;
        while (n < NEAREST_POINTS && at + n < end && c->probe[c->order[at + n]] == cell)
            n++;
        look_into(c, work_of(c, thread), cell, c->order + at, n);
        at += n;
    }
}

static void sort_centroids(struct kmeans_cells *c)
{
    const uint32_t n_clusters = c->problem.n_clusters;
    parallel_for(c->team, n_clusters, find_homes, c);
    sort_by_cell(c->homes, n_clusters, c->n_cells, c->ends, c->members);
    c->begins[0] = 0;
    memcpy(c->begins + 1, c->ends, c->n_cells * sizeof *c->begins);
    parallel_for(c->team, n_clusters, gather_members, c);
    c->n_distances += (uint64_t)n_clusters * c->n_cells;
}

void kmeans_cells_assign(struct kmeans_cells *c, const struct centroids *centroids, uint32_t *assignment,
                         float *scores)
{
    const size_t n_points = c->problem.n_points;
    c->centroids = centroids;
    c->assignment = assignment;
    c->scores = scores;
    sort_centroids(c);
    parallel_for(c->team, n_points, score_as_they_are, c);
    c->n_distances += n_points;
    for (size_t p = 0; p < c->n_probes; p++) {
        c->order = c->orders + p * n_points;
        c->probe = c->probes + p * n_points;
        parallel_for(c->team, n_points, look_into_cells, c);
        for (size_t i = 0; i < n_points; i++)
            c->n_distances += c->begins[c->probe[i] + 1] - c->begins[c->probe[i]];
    }
}

uint64_t kmeans_cells_n_distances(const struct kmeans_cells *c)
{
    return c->n_distances;
}

/* A point computes n_cells distances to find its cells, then n_probes * n_clusters / n_cells. */
static uint32_t choose_n_cells(const struct kmeans_problem *problem)
{
    uint32_t n = (uint32_t)lround(sqrt((double)N_PROBES * (double)problem->n_clusters));
    n = n < problem->n_clusters ? n : problem->n_clusters;
    return n > 0 ? n : 1;
}

static enum collide_status allocate(struct kmeans_cells *c, struct collide_error *err)
{
    const struct kmeans_problem *p = &c->problem;
    const size_t n_points = p->n_points, n_clusters = p->n_clusters, n_cells = c->n_cells;
    size_t line = 64, bytes = sizeof(struct work) + NEAREST_POINTS * p->dim * sizeof(float);
    c->work_bytes = (bytes + line - 1) / line * line;
    c->work = aligned_alloc(line, parallel_n_threads(c->team) * c->work_bytes);
    c->placed = malloc(n_points * sizeof *c->placed);
    c->centres = malloc(n_cells * p->dim * sizeof *c->centres);
    c->half_norms = malloc(n_cells * sizeof *c->half_norms);
    c->probes = malloc(c->n_probes * n_points * sizeof *c->probes);
    c->orders = malloc(c->n_probes * n_points * sizeof *c->orders);
    c->ends = malloc((n_cells + 1) * sizeof *c->ends);
    c->homes = calloc(n_clusters, sizeof *c->homes);
    c->members = malloc(n_clusters * sizeof *c->members);
    c->begins = malloc((n_cells + 1) * sizeof *c->begins);
    c->member_rows = malloc(n_clusters * p->dim * sizeof *c->member_rows);
    c->member_half_norms = malloc(n_clusters * sizeof *c->member_half_norms);
    if (!c->work || !c->placed || !c->centres || !c->half_norms || !c->probes || !c->orders || !c->ends ||
        !c->homes || !c->members || !c->begins || !c->member_rows || !c->member_half_norms)
        return error_no_memory(err, "the cells of k-means");
    return COLLIDE_OK;
}

enum collide_status kmeans_cells_create(const struct kmeans_problem *problem, struct parallel *team,
                                        struct kmeans_cells **out, struct collide_error *err)
{
    struct kmeans_cells *c = calloc(1, sizeof *c);
    if (!c)
        return error_no_memory(err, "the cells of k-means");
    *c = (struct kmeans_cells){.problem = *problem, .team = team, .n_cells = choose_n_cells(problem)};
    c->n_probes = c->n_cells < N_PROBES ? c->n_cells : N_PROBES;
    struct kmeans_problem coarse = *problem;
    coarse.n_clusters = c->n_cells;
    coarse.search = KMEANS_FLAT;
    enum collide_status status = allocate(c, err);
    if (status == COLLIDE_OK)
        status = kmeans_create(&coarse, team, &c->placing, err);
    if (status == COLLIDE_OK)
        *out = c;
    else
        kmeans_cells_destroy(c);
    return status;
}

void kmeans_cells_destroy(struct kmeans_cells *c)
{
    if (!c)
        return;
    kmeans_destroy(c->placing);
    free(c->work);
    free(c->placed);
    free(c->centres);
    free(c->half_norms);
    free(c->probes);
    free(c->orders);
    free(c->ends);
    free(c->homes);
    free(c->members);
    free(c->begins);
    free(c->member_rows);
    free(c->member_half_norms);
    free(c);
}
