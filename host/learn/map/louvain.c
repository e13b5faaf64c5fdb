#include "learn/map/louvain.h"

#include "base/error.h"
#include "learn/map/label_tally.h"
#include "learn/map/visit_order.h"

#include <stdlib.h>
#include <string.h>

/* Of gains, in edges. */
#define ROUNDING 1e-9

/* A graph whose nodes are groups of those of the level below; edges within a node are left out, since moving
 * it does not change them. */
struct level {
    uint32_t n_nodes;
    uint64_t *offsets;       /* (n_nodes + 1) */
    uint32_t *neighbours;    /* (offsets[n_nodes]) */
    float *weights;          /* (offsets[n_nodes]) edges of the first level; NULL: all 1 */
    struct volumes *volumes; /* (n_nodes) */
};

struct louvain {
    double resolution_per_edge;
    struct rng rng;
    struct level level;
    bool owns_edges;         /* of the level: those of the first are the graph's */
    uint32_t *communities;   /* (n_nodes) of the level's nodes */
    struct volumes *volumes; /* (n_nodes) by community */
    uint32_t *sizes;         /* (n_nodes) by community: its nodes */
    uint32_t *empty;         /* (n_nodes) a stack of communities without nodes */
    uint32_t n_empty;
    uint32_t *groups;              /* (n_nodes) nodes of the level that become one of the next */
    struct volumes *group_volumes; /* (n_nodes) by group */
    double *group_cuts;            /* (n_nodes) by group: edges to the rest of its community */
    uint32_t n_groups;
    uint32_t *queue;       /* (n_nodes) a ring of nodes to visit */
    bool *marks;           /* (n_nodes) nodes that are queued; or groups of several nodes */
    uint32_t *numbers;     /* (n_nodes) by label: its number, once compacted */
    uint32_t *members;     /* (n_nodes) nodes by group */
    uint32_t *member_ends; /* (n_nodes + 1) by group */
    struct label_tally tally;
};

static void level_free(struct louvain *l)
{
    if (l->owns_edges) {
        free(l->level.offsets);
        free(l->level.neighbours);
        free(l->level.weights);
    }
    free(l->level.volumes);
    l->level = (struct level){0};
}

static void louvain_free(struct louvain *l)
{
    level_free(l);
    free(l->communities);
    free(l->volumes);
    free(l->sizes);
    free(l->empty);
    free(l->groups);
    free(l->group_volumes);
    free(l->group_cuts);
    free(l->queue);
    free(l->marks);
    free(l->numbers);
    free(l->members);
    free(l->member_ends);
    label_tally_free(&l->tally);
}

static bool louvain_alloc(struct louvain *l, uint32_t n_nodes)
{
    const size_t n = n_nodes + 1ull;
    l->level.volumes = calloc(n, sizeof *l->level.volumes);
    l->communities = malloc(n * sizeof *l->communities);
    l->volumes = malloc(n * sizeof *l->volumes);
    l->sizes = malloc(n * sizeof *l->sizes);
    l->empty = malloc(n * sizeof *l->empty);
    l->groups = malloc(n * sizeof *l->groups);
    l->group_volumes = malloc(n * sizeof *l->group_volumes);
    l->group_cuts = malloc(n * sizeof *l->group_cuts);
    l->queue = malloc(n * sizeof *l->queue);
    l->marks = malloc(n * sizeof *l->marks);
    l->numbers = malloc(n * sizeof *l->numbers);
    l->members = malloc(n * sizeof *l->members);
    l->member_ends = malloc(n * sizeof *l->member_ends);
    bool has_tally = label_tally_create(&l->tally, n_nodes);
    return l->level.volumes && l->communities && l->volumes && l->sizes && l->empty && l->groups &&
           l->group_volumes && l->group_cuts && l->queue && l->marks && l->numbers && l->members &&
           l->member_ends && has_tally;
}

static void first_level(struct louvain *l, const struct bipartite *graph)
{
    struct level *level = &l->level;
    level->n_nodes = graph->nodes.n_rows;
    level->offsets = graph->nodes.offsets;
    level->neighbours = graph->nodes.values;
    for (uint32_t x = 0; x < level->n_nodes; x++) {
        double degree = (double)bipartite_degree(graph, x);
        if (bipartite_side(graph, x) == SIDE_IDS)
            level->volumes[x].ids = degree;
        else
            level->volumes[x].partners = degree;
    }
}

static void add_volumes(struct volumes *to, struct volumes v, double sign)
{
    to->ids += sign * v.ids;
    to->partners += sign * v.partners;
}

static void tally_neighbours(struct louvain *l, uint32_t node, const uint32_t *labels)
{
    const struct level *level = &l->level;
    for (uint64_t k = level->offsets[node]; k < level->offsets[node + 1]; k++)
        label_tally_add(&l->tally, labels[level->neighbours[k]],
                        level->weights ? (double)level->weights[k] : 1.0);
}

static double gain(const struct louvain *l, uint32_t node, uint32_t community)
{
    return modularity_gain(l->tally.sums[community], l->level.volumes[node], l->volumes[community],
                           l->resolution_per_edge);
}

/* The community that gains most, for a node that has left its own: that one, unless another is better by more
 * than rounding; an empty one if it gains by none. Nodes without neighbours stay. */
static uint32_t best_community(struct louvain *l, uint32_t node)
{
    label_tally_clear(&l->tally);
    tally_neighbours(l, node, l->communities);
    uint32_t best = l->communities[node];
    double most = gain(l, node, best) + ROUNDING;
    for (uint32_t k = 0; k < l->tally.n_touched; k++) {
        double g = gain(l, node, l->tally.touched[k]);
        if (g > most) {
            most = g;
            best = l->tally.touched[k];
        }
    }
    bool has_gained = most > ROUNDING || l->tally.n_touched == 0;
    return has_gained ? best : l->empty[l->n_empty - 1];
}

static void leave(struct louvain *l, uint32_t node)
{
    uint32_t community = l->communities[node];
    add_volumes(&l->volumes[community], l->level.volumes[node], -1.0);
    if (--l->sizes[community] == 0)
        l->empty[l->n_empty++] = community;
}

/* Of the empty communities, only the last one that became so is ever entered. */
static void enter(struct louvain *l, uint32_t node, uint32_t community)
{
    l->communities[node] = community;
    add_volumes(&l->volumes[community], l->level.volumes[node], 1.0);
    if (l->sizes[community]++ == 0)
        l->n_empty--;
}

static void sum_communities(struct louvain *l)
{
    const uint32_t n_nodes = l->level.n_nodes;
    memset(l->volumes, 0, n_nodes * sizeof *l->volumes);
    memset(l->sizes, 0, n_nodes * sizeof *l->sizes);
    for (uint32_t x = 0; x < n_nodes; x++) {
        add_volumes(&l->volumes[l->communities[x]], l->level.volumes[x], 1.0);
        l->sizes[l->communities[x]]++;
    }
    l->n_empty = 0;
    for (uint32_t c = 0; c < n_nodes; c++)
        if (l->sizes[c] == 0)
            l->empty[l->n_empty++] = c;
}

/* Moves nodes until none gains by it. After the first round only neighbours of moved nodes are looked at
 * again, as Leiden does. */
static void move_nodes(struct louvain *l)
{
    enum { MAX_VISITS_A_NODE = 50 }; /* against rounding that goes in circles */
    const struct level *level = &l->level;
    const uint64_t max_visits = (uint64_t)MAX_VISITS_A_NODE * level->n_nodes;
    uint64_t n_queued = level->n_nodes;
    sum_communities(l);
    visit_order(l->queue, level->n_nodes, &l->rng);
    memset(l->marks, true, level->n_nodes);
    for (uint64_t visit = 0; visit < n_queued && visit < max_visits; visit++) {
        uint32_t node = l->queue[visit % level->n_nodes], from = l->communities[node];
        l->marks[node] = false;
        leave(l, node);
        uint32_t to = best_community(l, node);
        enter(l, node, to);
        if (to == from)
            continue;
        for (uint64_t k = level->offsets[node]; k < level->offsets[node + 1]; k++) {
            uint32_t y = level->neighbours[k];
            if (l->marks[y] || l->communities[y] == to)
                continue;
            l->marks[y] = true;
            l->queue[n_queued++ % level->n_nodes] = y;
        }
    }
}

/* Numbers the labels of the level's nodes 0, 1, 2... by their first nodes. Returns how many there are. */
static uint32_t compact(struct louvain *l, uint32_t *labels)
{
    uint32_t n = 0;
    memset(l->numbers, 0xff, l->level.n_nodes * sizeof *l->numbers);
    for (uint32_t x = 0; x < l->level.n_nodes; x++) {
        uint32_t *number = &l->numbers[labels[x]];
        if (*number == UINT32_MAX)
            *number = n++;
        labels[x] = *number;
    }
    return n;
}

/* Whether the group has at least the edges to the rest of its community that chance would give it. */
static bool is_well_connected(const struct louvain *l, uint32_t group, uint32_t community)
{
    struct volumes rest = l->volumes[community];
    add_volumes(&rest, l->group_volumes[group], -1.0);
    return modularity_gain(l->group_cuts[group], l->group_volumes[group], rest, l->resolution_per_edge) >=
           -ROUNDING;
}

/* The well-connected group of its community that the node gains most by joining; itself if by none. */
static uint32_t best_group(struct louvain *l, uint32_t node)
{
    uint32_t best = node;
    double most = ROUNDING;
    label_tally_clear(&l->tally);
    tally_neighbours(l, node, l->groups);
    for (uint32_t k = 0; k < l->tally.n_touched; k++) {
        uint32_t group = l->tally.touched[k]; /* named after one of its nodes */
        double g = modularity_gain(l->tally.sums[group], l->level.volumes[node], l->group_volumes[group],
                                   l->resolution_per_edge);
        if (g > most && l->communities[group] == l->communities[node] &&
            is_well_connected(l, group, l->communities[node])) {
            most = g;
            best = group;
        }
    }
    return best;
}

static void start_groups(struct louvain *l)
{
    sum_communities(l);
    for (uint32_t x = 0; x < l->level.n_nodes; x++) {
        label_tally_clear(&l->tally);
        tally_neighbours(l, x, l->communities);
        l->groups[x] = x;
        l->group_volumes[x] = l->level.volumes[x];
        l->group_cuts[x] = l->tally.sums[l->communities[x]];
        l->marks[x] = false;
    }
}

/* Leiden's refinement, greedy: nodes alone but well connected join a group inside their community. */
static void refine(struct louvain *l)
{
    start_groups(l);
    visit_order(l->queue, l->level.n_nodes, &l->rng);
    for (uint32_t k = 0; k < l->level.n_nodes; k++) {
        uint32_t node = l->queue[k];
        if (l->marks[node] || !is_well_connected(l, node, l->communities[node]))
            continue;
        uint32_t to = best_group(l, node);
        if (to == node)
            continue;
        l->groups[node] = to;
        l->marks[node] = l->marks[to] = true;
        l->group_cuts[to] += l->group_cuts[node] - 2.0 * l->tally.sums[to];
        add_volumes(&l->group_volumes[to], l->level.volumes[node], 1.0);
    }
}

/* Afterwards group c's nodes are members[member_ends[c - 1] .. member_ends[c]). */
static void sort_members(struct louvain *l)
{
    uint32_t begin = 0;
    memset(l->member_ends, 0, l->n_groups * sizeof *l->member_ends);
    for (uint32_t x = 0; x < l->level.n_nodes; x++)
        l->member_ends[l->groups[x]]++;
    for (uint32_t c = 0; c < l->n_groups; c++) {
        uint32_t size = l->member_ends[c];
        l->member_ends[c] = begin;
        begin += size;
    }
    for (uint32_t x = 0; x < l->level.n_nodes; x++)
        l->members[l->member_ends[l->groups[x]]++] = x;
}

/* The edges of group c to others, appended to next. */
static void append_edges(struct louvain *l, uint32_t c, struct level *next)
{
    uint64_t end = next->offsets[c];
    label_tally_clear(&l->tally);
    for (uint32_t k = c ? l->member_ends[c - 1] : 0; k < l->member_ends[c]; k++) {
        uint32_t x = l->members[k];
        tally_neighbours(l, x, l->groups);
        add_volumes(&next->volumes[c], l->level.volumes[x], 1.0);
    }
    for (uint32_t k = 0; k < l->tally.n_touched; k++) {
        uint32_t other = l->tally.touched[k];
        if (other == c)
            continue;
        next->neighbours[end] = other;
        next->weights[end++] = (float)l->tally.sums[other];
    }
    next->offsets[c + 1] = end;
}

/* Groups become the nodes of the next level, each in the community of its nodes. */
static bool aggregate(struct louvain *l)
{
    const uint64_t max_edges = l->level.offsets[l->level.n_nodes];
    struct level next = {.n_nodes = l->n_groups,
                         .offsets = calloc(l->n_groups + 1ull, sizeof *next.offsets),
                         .neighbours = malloc((max_edges + 1) * sizeof *next.neighbours),
                         .weights = malloc((max_edges + 1) * sizeof *next.weights),
                         .volumes = calloc(l->n_groups + 1ull, sizeof *next.volumes)};
    bool has_memory = next.offsets && next.neighbours && next.weights && next.volumes;
    if (has_memory) {
        sort_members(l);
        for (uint32_t c = 0; c < next.n_nodes; c++) {
            append_edges(l, c, &next);
            l->numbers[c] = l->communities[l->members[l->member_ends[c] - 1]];
        }
        memcpy(l->communities, l->numbers, next.n_nodes * sizeof *l->communities);
    }
    level_free(l);
    l->level = next;
    l->owns_edges = true;
    return has_memory;
}

/* One level. Returns whether there is another above it. */
static bool climb(struct louvain *l, enum refinement refinement, uint32_t *n_communities)
{
    move_nodes(l);
    *n_communities = compact(l, l->communities);
    if (refinement == REFINEMENT_LEIDEN)
        refine(l);
    else
        memcpy(l->groups, l->communities, l->level.n_nodes * sizeof *l->groups);
    l->n_groups = compact(l, l->groups);
    return l->n_groups < l->level.n_nodes;
}

enum collide_status louvain_fit(const struct louvain_problem *problem, uint32_t *labels, uint32_t *n_labels,
                                struct collide_error *err)
{
    const struct bipartite *graph = problem->graph;
    const uint32_t n_nodes = graph->nodes.n_rows;
    const uint64_t n_edges = bipartite_n_edges(graph);
    struct louvain l = {.resolution_per_edge = problem->resolution / (double)(n_edges + !n_edges),
                        .rng = rng_seeded(problem->seed, 0)};
    bool has_memory = louvain_alloc(&l, n_nodes);
    if (has_memory) {
        first_level(&l, graph);
        bipartite_label_alone(graph, l.communities);
        for (uint32_t x = 0; x < n_nodes; x++)
            labels[x] = x;
    }
    for (bool has_next = true; has_memory && has_next;) {
        has_next = climb(&l, problem->refinement, n_labels);
        for (uint32_t x = 0; x < n_nodes; x++)
            labels[x] = has_next ? l.groups[labels[x]] : l.communities[labels[x]];
        if (has_next)
            has_memory = aggregate(&l);
    }
    louvain_free(&l);
    return has_memory ? COLLIDE_OK : error_no_memory(err, "the communities of users and items");
}
