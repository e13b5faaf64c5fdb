#include "learn/map/id_mapping.h"

#include "base/error.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const struct mapping_method methods[LEARN_N_METHODS] = {
    [LEARN_LHF] = {"lhf", TEACHER_NEEDED, COMBINE_SUM, 1, map_lhf},
    [LEARN_MODULO] = {"modulo", TEACHER_NONE, COMBINE_SUM, 1, map_modulo},
    [LEARN_FREQUENCY] = {"frequency", TEACHER_NONE, COMBINE_SUM, 1, map_frequency},
    [LEARN_FULL] = {"full", TEACHER_NONE, COMBINE_SUM, 1, map_full},
};

const char *const learn_method_names[LEARN_N_METHODS + 1] = {
    [LEARN_LHF] = "lhf",
    [LEARN_MODULO] = "modulo",
    [LEARN_FREQUENCY] = "frequency",
    [LEARN_FULL] = "full",
};

const struct mapping_method *mapping_method(enum learn_method method)
{
    return &methods[method];
}

const char *learn_method_name(enum learn_method method)
{
    return learn_method_names[method];
}

static enum collide_status shape(const struct mapping_method *method, const struct mapping_problem *problem,
                                 struct id_mapping *m, struct collide_error *err)
{
    uint32_t n_lookups = problem->settings.n_lookups ? problem->settings.n_lookups : method->n_lookups;
    bool is_split = method->combine == COMBINE_CONCAT;
    *m = (struct id_mapping){.n_ids = problem->n_ids,
                             .n_rows = problem->n_rows,
                             .n_lookups = n_lookups,
                             .combine = method->combine,
                             .width = is_split ? problem->dim / n_lookups : problem->dim,
                             .kind = MAPPING_STORED};
    if (is_split && problem->dim % n_lookups)
        return error_set(err, COLLIDE_INVALID,
                         "%s cuts a vector into %" PRIu32 " equal parts, which dim %" PRIu32
                         " does not allow: give a dim that is a multiple, or other lookups",
                         method->name, n_lookups, problem->dim);
    return COLLIDE_OK;
}

enum collide_status id_mapping_create(enum learn_method method, const struct mapping_problem *problem,
                                      struct id_mapping *out, struct collide_error *err)
{
    const struct mapping_method *chosen = mapping_method(method);
    struct id_mapping m;
    enum collide_status status = shape(chosen, problem, &m, err);
    if (status != COLLIDE_OK)
        return status;
    bool has_rows = chosen->teacher == TEACHER_NEEDED;
    m.rows_of = malloc((size_t)m.n_ids * m.n_lookups * sizeof *m.rows_of);
    m.rows = has_rows ? malloc((size_t)m.n_rows * m.width * sizeof *m.rows) : NULL;
    if (!m.rows_of || (has_rows && !m.rows))
        status = error_no_memory(err, "the mapping");
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
    free(m->rows);
    *m = (struct id_mapping){0};
}
