#include "learn/store/classes.h"

#include "base/error.h"
#include "model/id_values.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { AXIS_BIAS, AXIS_WEIGHT, N_AXES };
enum { MAX_GROUPS = (1 << MODEL_MAX_CLASS_BITS) - 1, MAX_PASSES = 200 };

/* An id that is to be put into a class. */
struct point {
    double at[N_AXES]; /* its bias, the log of its weight */
    double importance;
    uint32_t id;
    uint32_t group; /* the class is one more */
};

/* What the points of a group add up to, times their importance. */
struct group {
    uint32_t n;
    double importance;
    double sums[N_AXES], squares[N_AXES];
    double centre[N_AXES];
};

struct fit {
    double shares[N_AXES]; /* of an axis in squared distances */
    struct point *points;
    uint32_t n_points;
    struct group groups[MAX_GROUPS];
    uint32_t n_groups;
};

static enum collide_status check(const struct class_problem *p, struct collide_error *err)
{
    if (p->sharing.bits < 1 || p->sharing.bits > MODEL_MAX_CLASS_BITS)
        return error_set(err, COLLIDE_INVALID, "classes of %" PRIu32 " bits asked for; give 1 to %d",
                         p->sharing.bits, MODEL_MAX_CLASS_BITS);
    if (!isfinite(p->sharing.weight_share) || p->sharing.weight_share < 0.0)
        return error_set(err, COLLIDE_INVALID,
                         "weights cannot have a share of %g beside biases; give 0 or more",
                         p->sharing.weight_share);
    for (uint32_t id = 0; id < p->n_ids; id++)
        if (!isfinite(p->weights[id]) || p->weights[id] < 0.0f || !isfinite(p->bias[id]) ||
            !isfinite(p->importance[id]) || p->importance[id] < 0.0f)
            return error_set(err, COLLIDE_INVALID,
                             "id %" PRIu32 " has weight %g, bias %g and importance %g; all must be finite, "
                             "the first and the last not below 0",
                             id, (double)p->weights[id], (double)p->bias[id], (double)p->importance[id]);
    return COLLIDE_OK;
}

/* The ids that have a weight. Where none of them is important all are alike. */
static void list_points(const struct class_problem *p, struct fit *f)
{
    double total = 0.0;
    for (uint32_t id = 0; id < p->n_ids; id++)
        if (p->weights[id] > 0.0f) {
            total += (double)p->importance[id];
            f->points[f->n_points++] =
                (struct point){.at = {(double)p->bias[id], log((double)p->weights[id])},
                               .importance = (double)p->importance[id],
                               .id = id};
        }
    for (uint32_t i = 0; i < f->n_points && total == 0.0; i++)
        f->points[i].importance = 1.0;
}

static void group_add(struct group *g, const struct point *p)
{
    g->n++;
    g->importance += p->importance;
    for (int a = 0; a < N_AXES; a++) {
        g->sums[a] += p->importance * p->at[a];
        g->squares[a] += p->importance * p->at[a] * p->at[a];
    }
}

/* To the mean of its points; one without importance stays where it was. */
static void group_centre(struct group *g)
{
    for (int a = 0; a < N_AXES && g->importance > 0.0; a++)
        g->centre[a] = g->sums[a] / g->importance;
}

/* ---- The start. */

/* The sum of squared distances from the centre along an axis. */
static double spread(const struct fit *f, const struct group *g, int axis)
{
    double squares = g->squares[axis] - g->sums[axis] * g->centre[axis];
    return squares > 0.0 ? f->shares[axis] * squares : 0.0;
}

static uint32_t widest_group(const struct fit *f)
{
    uint32_t widest = 0;
    double most = -1.0;
    for (uint32_t g = 0; g < f->n_groups; g++) {
        double both = spread(f, &f->groups[g], AXIS_BIAS) + spread(f, &f->groups[g], AXIS_WEIGHT);
        if (both > most) {
            most = both;
            widest = g;
        }
    }
    return widest;
}

/* The points beyond a group's centre make a group of their own; false: they are none, or all. */
static bool split(struct fit *f, uint32_t g)
{
    const struct group *whole = &f->groups[g];
    const int axis = spread(f, whole, AXIS_WEIGHT) > spread(f, whole, AXIS_BIAS) ? AXIS_WEIGHT : AXIS_BIAS;
    const double centre = whole->centre[axis];
    struct group low = {.n = 0}, high = {.n = 0};
    for (uint32_t i = 0; i < f->n_points; i++)
        if (f->points[i].group == g)
            group_add(f->points[i].at[axis] > centre ? &high : &low, &f->points[i]);
    if (!(low.importance > 0.0 && high.importance > 0.0))
        return false;
    for (uint32_t i = 0; i < f->n_points; i++)
        if (f->points[i].group == g && f->points[i].at[axis] > centre)
            f->points[i].group = f->n_groups;
    group_centre(&low);
    group_centre(&high);
    f->groups[g] = low;
    f->groups[f->n_groups++] = high;
    return true;
}

static void start(struct fit *f, uint32_t max_groups)
{
    if (f->n_points == 0)
        return;
    f->n_groups = 1;
    for (uint32_t i = 0; i < f->n_points; i++)
        group_add(&f->groups[0], &f->points[i]);
    group_centre(&f->groups[0]);
    while (f->n_groups < max_groups && split(f, widest_group(f)))
        ;
}

/* ---- Lloyd's iteration. */

static uint32_t nearest(const struct fit *f, const struct point *p)
{
    uint32_t best = 0;
    double least = INFINITY;
    for (uint32_t g = 0; g < f->n_groups; g++) {
        double distance = 0.0;
        for (int a = 0; a < N_AXES; a++) {
            double side = p->at[a] - f->groups[g].centre[a];
            distance += f->shares[a] * side * side;
        }
        if (distance < least) {
            least = distance;
            best = g;
        }
    }
    return best;
}

/* Whether a point comes into another group. */
static bool assign(struct fit *f)
{
    bool changes = false;
    for (uint32_t i = 0; i < f->n_points; i++) {
        uint32_t g = nearest(f, &f->points[i]);
        changes |= g != f->points[i].group;
        f->points[i].group = g;
    }
    return changes;
}

static void iterate(struct fit *f)
{
    for (int pass = 0; pass < MAX_PASSES && assign(f); pass++) {
        for (uint32_t g = 0; g < f->n_groups; g++)
            f->groups[g] =
                (struct group){.centre = {f->groups[g].centre[AXIS_BIAS], f->groups[g].centre[AXIS_WEIGHT]}};
        for (uint32_t i = 0; i < f->n_points; i++)
            group_add(&f->groups[f->points[i].group], &f->points[i]);
        for (uint32_t g = 0; g < f->n_groups; g++)
            group_centre(&f->groups[g]);
    }
}

/* ---- The result. */

static float lowest_bias(const struct class_problem *p)
{
    float lowest = p->n_ids ? p->bias[0] : 0.0f;
    for (uint32_t id = 1; id < p->n_ids; id++)
        lowest = p->bias[id] < lowest ? p->bias[id] : lowest;
    return lowest;
}

/* codes: (n_ids + 1), all 0. */
static void write_tables(const struct class_problem *p, const struct fit *f, uint32_t *codes,
                         struct class_tables *out)
{
    out->weights[0] = 0.0f;
    out->bias[0] = lowest_bias(p);
    for (uint32_t c = 1; c < model_n_classes(p->sharing.bits); c++) {
        const struct group *g = &f->groups[c - 1];
        out->weights[c] = g->n ? (float)exp(g->centre[AXIS_WEIGHT]) : out->weights[0];
        out->bias[c] = g->n ? (float)g->centre[AXIS_BIAS] : out->bias[0];
    }
    for (uint32_t i = 0; i < f->n_points; i++)
        codes[f->points[i].id] = f->points[i].group + 1;
    mapping_pack(codes, p->n_ids + 1ull, p->sharing.bits, out->words);
}

enum collide_status classes_fit(const struct class_problem *p, struct class_tables *out,
                                struct collide_error *err)
{
    enum collide_status status = check(p, err);
    if (status != COLLIDE_OK)
        return status;
    const size_t n_classes = model_n_classes(p->sharing.bits), n_codes = p->n_ids + 1ull;
    struct class_tables tables = {.bits = p->sharing.bits,
                                  .words =
                                      malloc(mapping_n_words(n_codes, p->sharing.bits) * sizeof(uint32_t)),
                                  .weights = malloc(n_classes * sizeof(float)),
                                  .bias = malloc(n_classes * sizeof(float))};
    struct fit fit = {.shares = {1.0, p->sharing.weight_share},
                      .points = malloc(n_codes * sizeof *fit.points)};
    uint32_t *codes = calloc(n_codes, sizeof *codes);
    if (!tables.words || !tables.weights || !tables.bias || !fit.points || !codes) {
        class_tables_free(&tables);
        status = error_no_memory(err, "the classes of ids");
        goto out;
    }
    list_points(p, &fit);
    start(&fit, (uint32_t)n_classes - 1);
    iterate(&fit);
    write_tables(p, &fit, codes, &tables);
    *out = tables;
out:
    free(codes);
    free(fit.points);
    return status;
}

void class_tables_free(struct class_tables *tables)
{
    free(tables->words);
    free(tables->weights);
    free(tables->bias);
    *tables = (struct class_tables){0};
}
