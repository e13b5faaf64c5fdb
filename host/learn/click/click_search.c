#include "learn/click/click_search.h"

#include "base/error.h"

#include <stdlib.h>

/* The best of a thread's share. */
struct found {
    bool has_model;
    struct click_model model;
    struct click_fit fit;
    struct collide_error err;
};

struct searching {
    const struct click_search *search;
    struct found *found; /* (n_threads) */
};

static void keep_better(struct found *f, struct click_model *model, const struct click_fit *fit)
{
    if (f->has_model && fit->val_loss >= f->fit.val_loss) {
        click_model_free(model);
        return;
    }
    click_model_free(&f->model);
    *f = (struct found){.has_model = true, .model = *model, .fit = *fit};
    *model = (struct click_model){0};
}

static void try_share(void *context, unsigned thread, size_t begin, size_t end)
{
    const struct searching *s = context;
    struct found *f = &s->found[thread];
    struct click_training training = s->search->training;
    for (size_t i = begin; i < end; i++) {
        struct click_model model;
        struct click_fit fit;
        training.l2 = s->search->l2[i];
        if (click_train(s->search->problem, &training, s->search->label, &model, &fit, &f->err) != COLLIDE_OK)
            return;
        keep_better(f, &model, &fit);
    }
}

enum collide_status click_train_best(const struct click_search *search, struct parallel *team,
                                     struct click_model *model, struct click_fit *fit,
                                     struct collide_error *err)
{
    const unsigned n_threads = parallel_n_threads(team);
    struct found best = {.has_model = false};
    struct searching s = {.search = search, .found = calloc(n_threads, sizeof *s.found)};
    if (!s.found)
        return error_no_memory(err, "training on clicks");
    enum collide_status status = COLLIDE_OK;
    parallel_for(team, search->n_l2, try_share, &s);
    for (unsigned i = 0; i < n_threads; i++) {
        struct found *f = &s.found[i];
        if (status == COLLIDE_OK && f->err.status != COLLIDE_OK)
            status = error_set(err, f->err.status, "%s", f->err.text);
        if (f->has_model)
            keep_better(&best, &f->model, &f->fit);
    }
    free(s.found);
    if (status != COLLIDE_OK) {
        click_model_free(&best.model);
        return status;
    }
    *model = best.model;
    *fit = best.fit;
    return COLLIDE_OK;
}
