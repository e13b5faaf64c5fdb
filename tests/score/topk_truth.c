#include "topk_truth.h"

#include "model/id_values.h"
#include "model/mapping.h"
#include "score/reference.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* An item of which the model holds what it holds of the unknown one is never an answer. */
static bool is_blank(const struct model *m, uint32_t id)
{
    const struct space *space = &m->item;
    uint32_t unknown = space->n_ids;
    bool same = (space->weights || space->classes.words) &&
                model_weight_of(space, id) == model_weight_of(space, unknown) &&
                model_bias_of(m, id) == model_bias_of(m, unknown);
    bool has_such_rows =
        m->mapping.kind == MAPPING_STORED || (m->mapping.kind == MAPPING_PACKED && !space->own_rows.n);
    for (unsigned l = 0; l < m->mapping.n_lookups; l++)
        same = same &&
               (!has_such_rows || model_row_of(m, space, id, l) == model_row_of(m, space, unknown, l)) &&
               model_lookup_weight(m, space, id, l) == model_lookup_weight(m, space, unknown, l);
    return same;
}

/* The items that the model stores for the query's user. */
static void exclude_stored(const struct collide_model *model, const struct collide_id *user,
                           struct topk_truth *out)
{
    const struct stored_histories *histories = &model->model->histories;
    uint32_t id = user ? id_index_find(&model->users, *user) : model->users.n_ids;
    for (uint32_t j = 0; histories->offsets && j < histories->offsets[id + 1] - histories->offsets[id]; j++)
        out->is_candidate[histories->items[histories->offsets[id] + j]] = false;
}

void topk_truth_find(const struct collide_model *model, const struct collide_topk_query *query,
                     struct topk_truth *out)
{
    const struct model *m = model->model;
    uint32_t n = m->item.n_ids;
    struct collide_query all = query->query;
    out->k = query->k;
    assert_true(n <= TOPK_TRUTH_MAX_ITEMS);
    for (uint32_t id = 0; id < n; id++) {
        out->keys[id] = id_index_key(&model->items, id);
        out->is_candidate[id] = !is_blank(m, id);
    }
    all.items = out->keys;
    all.n_items = n;
    assert_int_equal(reference_score(model, &all, out->scores, NULL), COLLIDE_OK);
    for (size_t i = 0; i < query->n_exclude; i++)
        out->is_candidate[id_index_find(&model->items, query->exclude[i])] = false;
    if (query->flags & COLLIDE_TOPK_EXCLUDE_SEEN) {
        for (size_t i = 0; i < all.n_history; i++)
            out->is_candidate[id_index_find(&model->items, all.history[i])] = false;
        exclude_stored(model, all.user, out);
    }
    out->n_candidates = 0;
    for (uint32_t id = 0; id < n; id++)
        out->n_candidates += out->is_candidate[id];
}

void topk_truth_check(struct topk_truth *truth, const struct collide_model *model,
                      const struct collide_hit *hits, size_t n, const char *where)
{
    assert_int_equal(n, truth->k < truth->n_candidates ? truth->k : truth->n_candidates);
    double worst = 0.0, worst_tolerance = 0.0;
    uint32_t last = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t id = id_index_find(&model->items, hits[i].item);
        if (id >= model->items.n_ids || !truth->is_candidate[id])
            fail_msg("%s: hit %zu is no candidate", where, i);
        truth->is_candidate[id] = false;
        const struct reference_score *s = &truth->scores[id];
        if (!(fabs((double)hits[i].score - s->value) <= s->tolerance))
            fail_msg("%s: hit %zu scores %.9g, not %.9g", where, i, (double)hits[i].score, s->value);
        if (i > 0 &&
            !(hits[i - 1].score > hits[i].score || (hits[i - 1].score == hits[i].score && last < id)))
            fail_msg("%s: hit %zu is out of order", where, i);
        last = id;
        worst = s->value;
        worst_tolerance = s->tolerance;
    }
    for (uint32_t id = 0; n > 0 && id < model->items.n_ids; id++)
        if (truth->is_candidate[id] &&
            truth->scores[id].value - truth->scores[id].tolerance > worst + worst_tolerance)
            fail_msg("%s: item %u is better than the last of %zu hits", where, id, n);
}
