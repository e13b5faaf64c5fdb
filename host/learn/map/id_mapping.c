#include "learn/map/id_mapping.h"

#include "base/error.h"
#include "learn/train/vector.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const struct mapping_method methods[LEARN_N_METHODS] = {
    [LEARN_LHF] =
        {.name = "lhf", .teacher = TEACHER_NEEDED, .lookups = LOOKUPS_FIXED, .n_lookups = 1, .fill = map_lhf},
    [LEARN_MODULO] = {.name = "modulo",
                      .kind = MAPPING_MODULO,
                      .lookups = LOOKUPS_FIXED,
                      .n_lookups = 1,
                      .fill = map_modulo},
    [LEARN_FREQUENCY] = {.name = "frequency",
                         .lookups = LOOKUPS_FIXED,
                         .n_lookups = 1,
                         .fill = map_frequency},
    [LEARN_FULL] = {.name = "full", .lookups = LOOKUPS_FIXED, .n_lookups = 1, .fill = map_full},
    [LEARN_RQ] =
        {.name = "rq", .teacher = TEACHER_NEEDED, .sharing = ROWS_IN_BOOKS, .n_lookups = 4, .fill = map_rq},
    [LEARN_PQ] = {.name = "pq",
                  .teacher = TEACHER_NEEDED,
                  .sharing = ROWS_IN_BOOKS,
                  .n_lookups = 8,
                  .part_lookups = 1,
                  .fill = map_pq},
    [LEARN_HASH] =
        {.name = "hash", .kind = MAPPING_HASHED, .lookups = LOOKUPS_FIXED, .n_lookups = 1, .fill = map_hash},
    [LEARN_DOUBLE] = {.name = "double",
                      .kind = MAPPING_HASHED,
                      .lookups = LOOKUPS_FIXED,
                      .n_lookups = 2,
                      .fill = map_hash},
    [LEARN_HYBRID] = {.name = "hybrid", .lookups = LOOKUPS_FIXED, .n_lookups = 2, .fill = map_hybrid},
    [LEARN_BLOOM] = {.name = "bloom", .kind = MAPPING_HASHED, .n_lookups = 4, .fill = map_hash},
    [LEARN_QR] =
        {.name = "qr", .kind = MAPPING_QUOTIENT, .lookups = LOOKUPS_FIXED, .n_lookups = 2, .fill = map_qr},
    [LEARN_QR_MULTIPLY] = {.name = "qr-mul",
                           .kind = MAPPING_QUOTIENT,
                           .lookups = LOOKUPS_FIXED,
                           .combine = COMBINE_MULTIPLY,
                           .n_lookups = 2,
                           .fill = map_qr},
    [LEARN_QR_CONCAT] = {.name = "qr-concat",
                         .kind = MAPPING_QUOTIENT,
                         .lookups = LOOKUPS_FIXED,
                         .n_lookups = 2,
                         .part_lookups = 1,
                         .fill = map_qr},
    [LEARN_LSH] = {.name = "lsh",
                   .partners = PARTNERS_NEEDED,
                   .lookups = LOOKUPS_FIXED,
                   .n_lookups = 1,
                   .fill = map_lsh},
    [LEARN_HASHEMB] = {.name = "hashemb",
                       .kind = MAPPING_HASHED,
                       .weights = WEIGHTS_TRAINED,
                       .n_lookups = 2,
                       .fill = map_hashemb},
    [LEARN_ROBE] = {.name = "robe", .n_lookups = 4, .shape = shape_robe, .fill = map_robe},
    [LEARN_CE] = {.name = "ce", .n_lookups = 4, .part_lookups = 1, .fill = map_ce},
    [LEARN_CCE] =
        {.name = "cce", .teacher = TEACHER_NEEDED, .n_lookups = 8, .part_lookups = 2, .fill = map_cce},
    [LEARN_GRAPHHASH] = {.name = "graphhash",
                         .partners = PARTNERS_NEEDED,
                         .lookups = LOOKUPS_FIXED,
                         .n_lookups = 1,
                         .fill = map_graphhash},
    [LEARN_LEIDEN] = {.name = "leiden",
                      .partners = PARTNERS_NEEDED,
                      .lookups = LOOKUPS_FIXED,
                      .n_lookups = 1,
                      .fill = map_leiden},
    [LEARN_BACO] =
        {.name = "baco", .partners = PARTNERS_NEEDED, .n_lookups = 1, .shape = shape_baco, .fill = map_baco},
};

const char *const learn_method_names[LEARN_N_METHODS + 1] = {
    [LEARN_LHF] = "lhf",
    [LEARN_MODULO] = "modulo",
    [LEARN_FREQUENCY] = "frequency",
    [LEARN_FULL] = "full",
    [LEARN_RQ] = "rq",
    [LEARN_PQ] = "pq",
    [LEARN_HASH] = "hash",
    [LEARN_DOUBLE] = "double",
    [LEARN_HYBRID] = "hybrid",
    [LEARN_BLOOM] = "bloom",
    [LEARN_QR] = "qr",
    [LEARN_QR_MULTIPLY] = "qr-mul",
    [LEARN_QR_CONCAT] = "qr-concat",
    [LEARN_LSH] = "lsh",
    [LEARN_HASHEMB] = "hashemb",
    [LEARN_ROBE] = "robe",
    [LEARN_CE] = "ce",
    [LEARN_CCE] = "cce",
    [LEARN_GRAPHHASH] = "graphhash",
    [LEARN_LEIDEN] = "leiden",
    [LEARN_BACO] = "baco",
};

const struct mapping_method *mapping_method(enum learn_method method)
{
    return &methods[method];
}

const char *learn_method_name(enum learn_method method)
{
    return learn_method_names[method];
}

static enum collide_status count_lookups(const struct mapping_method *method,
                                         const struct mapping_problem *problem, struct id_mapping *m,
                                         struct collide_error *err)
{
    const uint32_t asked = problem->settings.n_lookups;
    m->n_lookups = asked ? asked : method->n_lookups;
    if (method->lookups == LOOKUPS_FIXED && m->n_lookups != method->n_lookups)
        return error_set(err, COLLIDE_INVALID,
                         "%s reads %" PRIu32 " rows an id, not %" PRIu32 ": leave the number of lookups out",
                         method->name, method->n_lookups, asked);
    if (m->n_lookups > MODEL_MAX_LOOKUPS || (method->part_lookups && m->n_lookups % method->part_lookups))
        return error_set(err, COLLIDE_INVALID,
                         "%" PRIu32 " lookups for %s; give a multiple of %" PRIu32 " up to %d", m->n_lookups,
                         method->name, method->part_lookups ? method->part_lookups : 1, MODEL_MAX_LOOKUPS);
    m->n_parts = method->part_lookups ? m->n_lookups / method->part_lookups : 1;
    return COLLIDE_OK;
}

/* The budget is one of values: cut into n_parts, rows are so many times as many. */
static enum collide_status spend_budget(const struct mapping_method *method,
                                        const struct mapping_problem *problem, struct id_mapping *m,
                                        struct collide_error *err)
{
    if (problem->dim % m->n_parts)
        return error_set(err, COLLIDE_INVALID,
                         "%s cuts a vector into %" PRIu32 " equal parts, which dim %" PRIu32
                         " does not allow: give a dim that is a multiple, or other lookups",
                         method->name, m->n_parts, problem->dim);
    if (problem->n_rows >= UINT32_MAX / m->n_parts)
        return error_set(err, COLLIDE_INVALID,
                         "%" PRIu32 " rows of %" PRIu32
                         " parts each are more than can be numbered: give fewer",
                         problem->n_rows, m->n_parts);
    m->n_rows = problem->n_rows * m->n_parts;
    m->width = problem->dim / m->n_parts;
    return COLLIDE_OK;
}

static enum collide_status make_books(const struct mapping_method *method, struct id_mapping *m,
                                      struct collide_error *err)
{
    if (m->n_rows < m->n_lookups)
        return error_set(err, COLLIDE_INVALID,
                         "%" PRIu32 " rows are too few for the %" PRIu32
                         " codebooks of %s: give more rows, or "
                         "fewer lookups",
                         m->n_rows, m->n_lookups, method->name);
    m->n_book_rows = m->n_rows / m->n_lookups;
    m->n_rows = m->n_book_rows * m->n_lookups;
    return COLLIDE_OK;
}

enum collide_status id_mapping_shape(enum learn_method chosen, const struct mapping_problem *problem,
                                     struct id_mapping *m, struct collide_error *err)
{
    const struct mapping_method *method = mapping_method(chosen);
    *m = (struct id_mapping){.n_ids = problem->n_ids, .combine = method->combine, .kind = method->kind};
    enum collide_status status = count_lookups(method, problem, m, err);
    if (status == COLLIDE_OK && method->shape)
        status = method->shape(problem, m, err);
    if (status == COLLIDE_OK)
        status = spend_budget(method, problem, m, err);
    if (status == COLLIDE_OK && method->sharing == ROWS_IN_BOOKS)
        status = make_books(method, m, err);
    return status;
}

static enum collide_status allocate(const struct mapping_method *method, struct id_mapping *m,
                                    struct collide_error *err)
{
    const size_t n_entries = (size_t)m->n_ids * m->n_lookups;
    const bool has_rows = method->teacher == TEACHER_NEEDED, has_weights = method->weights == WEIGHTS_TRAINED;
    m->rows_of = malloc(n_entries * sizeof *m->rows_of);
    m->rows = has_rows ? malloc((size_t)m->n_rows * m->width * sizeof *m->rows) : NULL;
    m->lookup_weights = has_weights ? malloc(n_entries * sizeof *m->lookup_weights) : NULL;
    if (!m->rows_of || (has_rows && !m->rows) || (has_weights && !m->lookup_weights))
        return error_no_memory(err, "the mapping");
    return COLLIDE_OK;
}

enum collide_status id_mapping_create(enum learn_method method, const struct mapping_problem *problem,
                                      struct id_mapping *out, struct collide_error *err)
{
    const struct mapping_method *chosen = mapping_method(method);
    struct id_mapping m;
    enum collide_status status = id_mapping_shape(method, problem, &m, err);
    if (status == COLLIDE_OK)
        status = allocate(chosen, &m, err);
    if (status == COLLIDE_OK)
        status = chosen->fill(problem, &m, err);
    if (status == COLLIDE_OK)
        *out = m;
    else
        id_mapping_free(&m);
    return status;
}

void id_mapping_free(struct id_mapping *m)
{
    free(m->rows_of);
    free(m->lookup_weights);
    free(m->rows);
    *m = (struct id_mapping){0};
}

void id_mapping_embed(const struct id_mapping *m, const float *rows, const float *lookup_weights, uint32_t id,
                      float *out)
{
    const uint32_t part_lookups = m->n_lookups / m->n_parts;
    for (uint32_t l = 0; l < m->n_lookups; l++) {
        const size_t e = (size_t)id * m->n_lookups + l;
        const float *row = rows + (size_t)m->rows_of[e] * m->width;
        float *part = out + (size_t)(l / part_lookups) * m->width;
        if (l % part_lookups == 0)
            vector_fill(m->combine == COMBINE_MULTIPLY ? 1.0f : 0.0f, part, m->width);
        if (m->combine == COMBINE_MULTIPLY)
            vector_multiply(row, part, m->width);
        else
            vector_add_scaled(lookup_weights ? lookup_weights[e] : 1.0f, row, part, m->width);
    }
}
