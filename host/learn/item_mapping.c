#include "learn/item_mapping.h"

#include "base/error.h"

#include <stdlib.h>
#include <string.h>

static const struct mapping_method methods[LEARN_N_METHODS] = {
    [LEARN_LHF] = {"lhf", TEACHER_NEEDED, map_lhf},
    [LEARN_MODULO] = {"modulo", TEACHER_NONE, map_modulo},
    [LEARN_FREQUENCY] = {"frequency", TEACHER_NONE, map_frequency},
    [LEARN_FULL] = {"full", TEACHER_NONE, map_full},
};

const struct mapping_method *mapping_method(enum learn_method method)
{
    return &methods[method];
}

const char *learn_method_name(enum learn_method method)
{
    return methods[method].name;
}

enum collide_status mapping_create(enum learn_method method, const struct mapping_problem *problem,
                                   struct mapping *out, struct collide_error *err)
{
    const struct mapping_method *chosen = mapping_method(method);
    struct mapping m = {.n_rows = problem->n_rows};
    bool has_rows = chosen->teacher == TEACHER_NEEDED;
    m.row_of_item = malloc(problem->corpus->n_items * sizeof *m.row_of_item);
    m.rows = has_rows ? malloc((size_t)problem->n_rows * problem->dim * sizeof *m.rows) : NULL;
    enum collide_status status = COLLIDE_OK;
    if (!m.row_of_item || (has_rows && !m.rows))
        status = error_no_memory(err, "the mapping");
    if (status == COLLIDE_OK)
        status = chosen->fill(problem, &m, err);
    if (status == COLLIDE_OK)
        *out = m;
    else
        mapping_free(&m);
    return status;
}

void mapping_free(struct mapping *m)
{
    free(m->row_of_item);
    free(m->rows);
    *m = (struct mapping){0};
}
