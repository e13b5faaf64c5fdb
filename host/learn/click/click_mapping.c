#include "learn/click/click_mapping.h"

#include "base/error.h"
#include "base/rng.h"
#include "learn/click/click_partners.h"
#include "learn/train/vector.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Of rows that start at random, a value's deviation. */
static const double START_DEVIATION = 0.02;

/* Spaces' mappings have the streams of random numbers before this one. */
enum { START_STREAM = 1000 };

/* The spaces' mappings before they are put together. */
struct parts {
    const struct click_mapping_problem *problem;
    struct id_mapping mappings[CLICK_MAX_IDS];
    float scales[CLICK_MAX_IDS]; /* what a space's vectors were multiplied by */
    uint32_t n_lookups;          /* the most of any */
};

struct sizes {
    uint64_t n_small_ids, n_large_ids, n_large; /* ids of small spaces and of others; the others */
};

static struct sizes sizes_of(const struct click_data *data)
{
    struct sizes sizes = {0};
    for (size_t s = 0; s < data->n_spaces; s++) {
        const uint32_t n_ids = data->spaces[s].n_seen;
        const bool is_small = n_ids <= CLICK_SMALL_SPACE;
        sizes.n_small_ids += is_small ? n_ids : 0;
        sizes.n_large_ids += is_small ? 0 : n_ids;
        sizes.n_large += !is_small;
    }
    return sizes;
}

uint32_t click_rows_default(const struct click_data *data)
{
    const struct sizes sizes = sizes_of(data);
    const uint64_t n_shared = sizes.n_large_ids / 8 + 1;
    return (uint32_t)(sizes.n_small_ids + (n_shared > sizes.n_large ? n_shared : sizes.n_large));
}

enum collide_status click_rows_share(const struct click_data *data, uint32_t n_rows, uint32_t *shares,
                                     struct collide_error *err)
{
    const struct sizes sizes = sizes_of(data);
    const uint64_t n_small = sizes.n_small_ids, n_large = sizes.n_large, n_large_ids = sizes.n_large_ids;
    if (n_rows < n_small + n_large)
        return error_set(err, COLLIDE_INVALID,
                         "%" PRIu32 " rows are too few for %zu columns of ids; give %" PRIu64 " at least",
                         n_rows, data->n_spaces, n_small + n_large);
    uint64_t n_left = n_rows - n_small < n_large_ids ? n_rows - n_small : n_large_ids;
    uint64_t n_dealt_ids = 0, n_dealt = 0;
    for (size_t s = 0; s < data->n_spaces; s++) {
        uint32_t n_ids = data->spaces[s].n_seen;
        shares[s] = n_ids;
        if (n_ids <= CLICK_SMALL_SPACE)
            continue;
        /* One row each, and of the others up to here their share. */
        n_dealt_ids += n_ids - 1;
        uint64_t up_to_here =
            n_large_ids > n_large ? (n_left - n_large) * n_dealt_ids / (n_large_ids - n_large) : 0;
        shares[s] = 1 + (uint32_t)(up_to_here - n_dealt);
        n_dealt = up_to_here;
    }
    return COLLIDE_OK;
}

/* The space's vectors, of length 1 on the average, as methods expect; their lengths tell ids apart, too. */
static float *scaled_vectors(const struct click_mapping_problem *p, const struct click_space *space,
                             float *scale)
{
    const size_t n = (size_t)space->n_seen * p->vector_dim;
    const float *from = p->vectors + (size_t)space->first_entry * p->vector_dim;
    float *vectors = malloc((n + 1) * sizeof *vectors);
    double squares = 0.0;
    for (size_t i = 0; i < n; i++)
        squares += (double)from[i] * (double)from[i];
    *scale = squares > 0.0 ? (float)sqrt(space->n_seen / squares) : 1.0f;
    for (size_t i = 0; i < n && vectors; i++)
        vectors[i] = *scale * from[i];
    return vectors;
}

static enum collide_status check_method(const struct click_mapping_problem *p, const struct id_mapping *m,
                                        struct collide_error *err)
{
    if (m->combine == COMBINE_SUM && m->n_parts == 1 && !m->lookup_weights)
        return COLLIDE_OK;
    return error_set(err, COLLIDE_UNSUPPORTED,
                     "clicks are not learned by %s: choose a method that sums whole rows, such as lhf, "
                     "frequency, modulo, hash or double",
                     learn_method_name(p->method));
}

static enum collide_status map_folded(struct parts *parts, size_t s, uint32_t n_rows,
                                      struct collide_error *err)
{
    const struct click_mapping_problem *p = parts->problem;
    const struct click_space *space = &p->data->spaces[s];
    struct csr partners = {0};
    float *vectors = p->vectors ? scaled_vectors(p, space, &parts->scales[s]) : NULL;
    struct rng rng = rng_seeded(p->seed, s);
    enum collide_status status = COLLIDE_OK;
    if (p->vectors && !vectors)
        status = error_no_memory(err, "the learned vectors");
    if (status == COLLIDE_OK && mapping_method(p->method)->partners == PARTNERS_NEEDED)
        status = click_partners_find(p->data, s, &partners, err);
    const struct mapping_problem problem = {.n_ids = space->n_seen,
                                            .n_space_ids = space->index.n_ids,
                                            .dense_ids = space->dense_ids,
                                            .counts = p->data->counts + space->first_entry,
                                            .partners = &partners,
                                            .n_partners = p->data->spaces[click_partner_space(s)].n_seen,
                                            .side = s == 0 ? MAPPING_ITEMS : MAPPING_USERS,
                                            .n_rows = n_rows,
                                            .dim = vectors ? p->vector_dim : p->dim,
                                            .vectors = vectors,
                                            .settings = p->settings,
                                            .seed = rng_u64(&rng),
                                            .team = p->team};
    if (status == COLLIDE_OK)
        status = id_mapping_create(p->method, &problem, &parts->mappings[s], err);
    free(vectors);
    csr_free(&partners);
    return status == COLLIDE_OK ? check_method(p, &parts->mappings[s], err) : status;
}

static enum collide_status map_space(struct parts *parts, size_t s, uint32_t n_rows,
                                     struct collide_error *err)
{
    const struct click_space *space = &parts->problem->data->spaces[s];
    const struct mapping_problem full = {
        .n_ids = space->n_seen, .n_rows = space->n_seen, .dim = parts->problem->dim};
    enum collide_status status = n_rows == space->n_seen
                                     ? id_mapping_create(LEARN_FULL, &full, &parts->mappings[s], err)
                                     : map_folded(parts, s, n_rows, err);
    if (status == COLLIDE_OK && parts->mappings[s].n_lookups > parts->n_lookups)
        parts->n_lookups = parts->mappings[s].n_lookups;
    return status;
}

/* An id with fewer lookups than the mapping has as many rows of its own in place of each. */
static uint32_t stretch_of(const struct id_mapping *whole, const struct id_mapping *part)
{
    return whole->n_lookups / part->n_lookups;
}

static void start_rows(const struct parts *parts, const struct id_mapping *whole, size_t s,
                       uint32_t first_row, struct rng *rng)
{
    const struct click_mapping_problem *p = parts->problem;
    const struct id_mapping *part = &parts->mappings[s];
    const struct click_space *space = &p->data->spaces[s];
    const uint32_t stretch = stretch_of(whole, part);
    const bool has_vectors = p->vectors && part->n_rows == space->n_seen;
    for (uint32_t r = 0; r < part->n_rows * stretch; r++) {
        float *row = whole->rows + ((size_t)first_row + r) * p->dim;
        for (uint32_t d = 0; d < p->dim; d++)
            row[d] = (float)(START_DEVIATION * rng_normal(rng));
        row[0] = s == 0 ? 1.0f / (float)whole->n_lookups : 0.0f;
        if (part->rows)
            for (uint32_t d = 0; d < p->vector_dim; d++)
                row[d] = part->rows[(size_t)r * p->vector_dim + d] / parts->scales[s];
        else if (has_vectors)
            for (uint32_t d = 0; d < p->vector_dim; d++)
                row[d] = p->vectors[((size_t)space->first_entry + r / stretch) * p->vector_dim + d] /
                         (float)stretch;
    }
}

static void place_part(const struct parts *parts, struct id_mapping *whole, size_t s, struct rng *rng)
{
    const struct id_mapping *part = &parts->mappings[s];
    const uint32_t stretch = stretch_of(whole, part), first_row = whole->n_rows;
    uint32_t *rows_of =
        whole->rows_of + (size_t)parts->problem->data->spaces[s].first_entry * whole->n_lookups;
    for (size_t i = 0; i < part->n_ids; i++)
        for (uint32_t l = 0; l < whole->n_lookups; l++)
            rows_of[i * whole->n_lookups + l] =
                first_row + part->rows_of[i * part->n_lookups + l / stretch] * stretch + l % stretch;
    start_rows(parts, whole, s, first_row, rng);
    whole->n_rows += part->n_rows * stretch;
}

static enum collide_status put_together(const struct parts *parts, struct id_mapping *out,
                                        struct collide_error *err)
{
    const struct click_mapping_problem *p = parts->problem;
    struct rng rng = rng_seeded(p->seed, START_STREAM);
    struct id_mapping whole = {.n_ids = p->data->n_entries,
                               .n_lookups = parts->n_lookups,
                               .n_parts = 1,
                               .combine = COMBINE_SUM,
                               .width = p->dim,
                               .kind = MAPPING_STORED};
    uint64_t n_rows = 0;
    for (size_t s = 0; s < p->data->n_spaces; s++)
        n_rows += (uint64_t)parts->mappings[s].n_rows * stretch_of(&whole, &parts->mappings[s]);
    if (n_rows > UINT32_MAX - 2)
        return error_set(err, COLLIDE_UNSUPPORTED, "more than 2^32 rows");
    whole.rows_of = malloc((size_t)whole.n_ids * whole.n_lookups * sizeof *whole.rows_of);
    whole.rows = malloc(n_rows * p->dim * sizeof *whole.rows);
    if (!whole.rows_of || !whole.rows) {
        id_mapping_free(&whole);
        return error_no_memory(err, "the mapping");
    }
    for (size_t s = 0; s < p->data->n_spaces; s++)
        place_part(parts, &whole, s, &rng);
    *out = whole;
    return COLLIDE_OK;
}

enum collide_status click_mapping_create(const struct click_mapping_problem *problem, struct id_mapping *out,
                                         struct collide_error *err)
{
    const size_t n_spaces = problem->data->n_spaces;
    struct parts parts = {.problem = problem, .n_lookups = 1};
    uint32_t shares[CLICK_MAX_IDS];
    uint32_t n_rows = problem->method == LEARN_FULL ? problem->data->n_entries : problem->n_rows;
    enum collide_status status = click_rows_share(problem->data, n_rows, shares, err);
    for (size_t s = 0; s < n_spaces && status == COLLIDE_OK; s++)
        status = map_space(&parts, s, shares[s], err);
    if (status == COLLIDE_OK)
        status = put_together(&parts, out, err);
    for (size_t s = 0; s < n_spaces; s++)
        id_mapping_free(&parts.mappings[s]);
    return status;
}
