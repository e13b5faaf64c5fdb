#include "data/synth.h"

#include "base/error.h"
#include "base/number.h"
#include "base/rng.h"
#include "data/alias_table.h"
#include "data/id_index.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

enum {
    MAX_TASTES = 4,
    LEAST_ACTIVITY = 2,
    DRAWS_BY_TASTE = 16,      /* before a user's clusters count as used up */
    DRAWS_BY_POPULARITY = 16, /* after them, before chance picks */
    CHUNK_BYTES = 1 << 16,
    LINE_BYTES = 2 * NUMBER_MAX_CHARS + 2,
};

/* Streams of the random generator: the catalogue stays the same when the number of users changes. */
enum { STREAM_CATALOGUE, STREAM_ACTIVITY, STREAM_PICKS };

struct synth {
    const struct synth_options *options;
    struct alias_slot *by_popularity; /* (n_items) */
    uint32_t *members;                /* (n_items) items; cluster c has members[begin(c) .. begin(c + 1)) */
    struct alias_slot *by_cluster;    /* (n_items) cluster c's stand at its members' place */
    struct alias_slot *by_mass;       /* (n_clusters) clusters by the popularity of all their items */
    uint32_t *last_user;              /* (n_items) who picked the item last */
    uint32_t *activity;               /* (n_users) interactions of each */
    char *chunk;                      /* (CHUNK_BYTES) lines not written yet */
    size_t n_chunk;
};

struct tastes {
    unsigned n;
    uint32_t clusters[MAX_TASTES];
    double up_to[MAX_TASTES]; /* running sums of the weights */
};

static enum collide_status check_options(const struct synth_options *o, struct collide_error *err)
{
    if (o->n_users == 0 || o->n_users == ID_NONE || o->n_items == 0 || o->n_items == ID_NONE)
        return error_set(err, COLLIDE_INVALID, "%u users and %u items asked for; give 1 to %u of each",
                         o->n_users, o->n_items, ID_NONE - 1);
    uint64_t most = (uint64_t)o->n_users * o->n_items / 4;
    if (o->n_interactions == 0 || o->n_interactions > most)
        return error_set(err, COLLIDE_INVALID,
                         "%" PRIu64 " interactions asked for; %u users and %u items allow 1 to %" PRIu64
                         ", a quarter of all pairs",
                         o->n_interactions, o->n_users, o->n_items, most);
    if (o->n_clusters == 0 || o->n_clusters > o->n_items)
        return error_set(err, COLLIDE_INVALID, "%u clusters asked for; give 1 to %u, the number of items",
                         o->n_clusters, o->n_items);
    if (!(o->zipf_exponent >= 0 && o->zipf_exponent <= 4))
        return error_set(err, COLLIDE_INVALID, "a Zipf exponent of %g; give 0 to 4", o->zipf_exponent);
    if (!(o->taste >= 0 && o->taste <= 1))
        return error_set(err, COLLIDE_INVALID, "a taste of %g; give 0 to 1", o->taste);
    return COLLIDE_OK;
}

static void synth_free(struct synth *s)
{
    free(s->by_popularity);
    free(s->members);
    free(s->by_cluster);
    free(s->by_mass);
    free(s->last_user);
    free(s->activity);
    free(s->chunk);
}

static enum collide_status synth_allocate(struct synth *s, struct collide_error *err)
{
    size_t n_items = s->options->n_items;
    s->by_popularity = malloc(n_items * sizeof *s->by_popularity);
    s->members = malloc(n_items * sizeof *s->members);
    s->by_cluster = malloc(n_items * sizeof *s->by_cluster);
    s->by_mass = malloc(s->options->n_clusters * sizeof *s->by_mass);
    s->last_user = malloc(n_items * sizeof *s->last_user);
    s->activity = malloc(s->options->n_users * sizeof *s->activity);
    s->chunk = malloc(CHUNK_BYTES);
    if (s->by_popularity && s->members && s->by_cluster && s->by_mass && s->last_user && s->activity &&
        s->chunk)
        return COLLIDE_OK;
    return error_no_memory(err, "a made-up log's users and items");
}

static void shuffled_numbers(uint32_t *out, uint32_t n, struct rng *rng)
{
    for (uint32_t i = 0; i < n; i++) {
        uint32_t j = (uint32_t)rng_below(rng, i + 1);
        out[i] = out[j];
        out[j] = i;
    }
}

static uint32_t cluster_begin(const struct synth_options *o, uint32_t cluster)
{
    return (uint32_t)((uint64_t)o->n_items * cluster / o->n_clusters);
}

/* Items get ranks, and clusters their members, by two independent shuffles: hence popularity tells nothing of
 * the cluster, nor the item's number of either. */
static enum collide_status build_catalogue(struct synth *s, struct collide_error *err)
{
    const struct synth_options *o = s->options;
    struct rng rng = rng_seeded(o->seed, STREAM_CATALOGUE);
    double *popularity = malloc(o->n_items * sizeof *popularity);
    double *weights = malloc(o->n_items * sizeof *weights);
    double *mass = calloc(o->n_clusters, sizeof *mass);
    uint32_t *pending = s->last_user; /* not in use yet */
    enum collide_status status = COLLIDE_OK;
    if (!popularity || !weights || !mass) {
        status = error_no_memory(err, "a made-up log's items");
        goto out;
    }
    uint32_t *rank = s->members; /* until the members stand there */
    shuffled_numbers(rank, o->n_items, &rng);
    for (uint32_t i = 0; i < o->n_items; i++)
        weights[i] = popularity[i] = pow((double)rank[i] + 1, -o->zipf_exponent);
    alias_fill(s->by_popularity, weights, o->n_items, pending);
    shuffled_numbers(s->members, o->n_items, &rng);
    for (uint32_t c = 0; c < o->n_clusters; c++) {
        uint32_t begin = cluster_begin(o, c);
        uint32_t n = cluster_begin(o, c + 1) - begin;
        for (uint32_t i = 0; i < n; i++)
            mass[c] += weights[i] = popularity[s->members[begin + i]];
        alias_fill(s->by_cluster + begin, weights, n, pending);
    }
    alias_fill(s->by_mass, mass, o->n_clusters, pending);
    for (uint32_t i = 0; i < o->n_items; i++)
        s->last_user[i] = ID_NONE;
out:
    free(mass);
    free(weights);
    free(popularity);
    return status;
}

/* Shares n_interactions out: the least for all, the rest by log-normal weights, rounded so that the running
 * sum stays exact. What is beyond a user's most goes to those that follow, and at last to any with room. */
static void share_activity(struct synth *s)
{
    const struct synth_options *o = s->options;
    uint64_t most = o->n_items / 2 + o->n_items % 2;
    uint64_t least = o->n_interactions / o->n_users;
    least = least < LEAST_ACTIVITY ? least : LEAST_ACTIVITY;
    uint64_t rest = o->n_interactions - least * o->n_users;
    double total = 0;
    struct rng rng = rng_seeded(o->seed, STREAM_ACTIVITY);
    for (uint32_t u = 0; u < o->n_users; u++)
        total += exp(rng_normal(&rng));
    rng = rng_seeded(o->seed, STREAM_ACTIVITY);
    double up_to = 0;
    uint64_t n_shared = 0;
    for (uint32_t u = 0; u < o->n_users; u++) {
        up_to += exp(rng_normal(&rng));
        uint64_t share = (uint64_t)(up_to / total * (double)rest) - n_shared;
        share = share < most - least ? share : most - least;
        s->activity[u] = (uint32_t)(least + share);
        n_shared += share;
    }
    for (uint32_t u = 0; u < o->n_users && n_shared < rest; u++) {
        uint64_t room = most - s->activity[u];
        uint64_t share = room < rest - n_shared ? room : rest - n_shared;
        s->activity[u] += (uint32_t)share;
        n_shared += share;
    }
}

/* Exponential weights, normalised, are uniform on the simplex. */
static struct tastes draw_tastes(const struct synth *s, struct rng *rng)
{
    struct tastes t = {.n = 1 + (unsigned)rng_below(rng, MAX_TASTES)};
    double sum = 0;
    for (unsigned i = 0; i < t.n; i++) {
        t.clusters[i] = alias_draw(s->by_mass, s->options->n_clusters, rng);
        sum += -log(1.0 - rng_double(rng));
        t.up_to[i] = sum;
    }
    return t;
}

static uint32_t draw_by_taste(const struct synth *s, const struct tastes *t, struct rng *rng)
{
    double at = rng_double(rng) * t->up_to[t->n - 1];
    unsigned i = 0;
    while (i + 1 < t->n && at >= t->up_to[i])
        i++;
    uint32_t begin = cluster_begin(s->options, t->clusters[i]);
    uint32_t n = cluster_begin(s->options, t->clusters[i] + 1) - begin;
    return s->members[begin + alias_draw(s->by_cluster + begin, n, rng)];
}

/* An item that the user does not have. */
static uint32_t pick_item(struct synth *s, uint32_t user, const struct tastes *t, struct rng *rng)
{
    uint32_t item;
    unsigned n_draws = 0;
    do {
        if (n_draws >= DRAWS_BY_TASTE + DRAWS_BY_POPULARITY)
            item = (uint32_t)rng_below(rng, s->options->n_items);
        else if (n_draws < DRAWS_BY_TASTE && rng_double(rng) < s->options->taste)
            item = draw_by_taste(s, t, rng);
        else
            item = alias_draw(s->by_popularity, s->options->n_items, rng);
        n_draws++;
    } while (s->last_user[item] == user);
    s->last_user[item] = user;
    return item;
}

static void append_line(struct synth *s, uint32_t user, uint32_t item)
{
    char *at = s->chunk + s->n_chunk;
    at += number_print_u64(at, user);
    *at++ = ' ';
    at += number_print_u64(at, item);
    *at++ = '\n';
    s->n_chunk = (size_t)(at - s->chunk);
}

typedef enum collide_status (*text_writer)(void *context, const char *text, size_t n,
                                           struct collide_error *err);

static enum collide_status write_lines(struct synth *s, text_writer write, void *context,
                                       struct collide_error *err)
{
    struct rng rng = rng_seeded(s->options->seed, STREAM_PICKS);
    for (uint32_t user = 0; user < s->options->n_users; user++) {
        struct tastes tastes = draw_tastes(s, &rng);
        for (uint32_t i = 0; i < s->activity[user]; i++) {
            append_line(s, user, pick_item(s, user, &tastes, &rng));
            if (s->n_chunk + LINE_BYTES <= CHUNK_BYTES)
                continue;
            enum collide_status status = write(context, s->chunk, s->n_chunk, err);
            if (status != COLLIDE_OK)
                return status;
            s->n_chunk = 0;
        }
    }
    return s->n_chunk ? write(context, s->chunk, s->n_chunk, err) : COLLIDE_OK;
}

enum collide_status synth_write(const struct synth_options *options, text_writer write, void *context,
                                struct collide_error *err)
{
    struct synth s = {.options = options};
    enum collide_status status = check_options(options, err);
    if (status == COLLIDE_OK)
        status = synth_allocate(&s, err);
    if (status == COLLIDE_OK)
        status = build_catalogue(&s, err);
    if (status == COLLIDE_OK) {
        share_activity(&s);
        status = write_lines(&s, write, context, err);
    }
    synth_free(&s);
    return status;
}
