/* Scores a few items for a user with the installed library.
 *
 *     cc example.c $(pkg-config --cflags --libs collide) -o example && ./example MODEL USER ITEM... */
#include <collide/scorer.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ITEMS = 100 };

static struct collide_id id_of(const char *text)
{
    return collide_id_text(text, strlen(text));
}

static enum collide_status score(const char *path, const struct collide_query *query, float *scores,
                                 struct collide_error *err)
{
    struct collide_model *model = NULL;
    struct collide_scorer *scorer = NULL;
    struct collide_lane *lane = NULL; /* a thread would keep one for all its requests */
    enum collide_status status = collide_model_open(path, &model, err);
    if (status == COLLIDE_OK)
        status = collide_scorer_create(model, NULL, &scorer, err);
    if (status == COLLIDE_OK)
        status = collide_lane_create(scorer, &lane, err);
    if (status == COLLIDE_OK)
        status = collide_score(lane, query, 1, scores, NULL, err);
    collide_lane_destroy(lane);
    collide_scorer_destroy(scorer);
    collide_model_close(model);
    return status;
}

int main(int argc, char **argv)
{
    if (argc < 4 || argc - 3 > MAX_ITEMS) {
        fprintf(stderr, "usage: example MODEL USER ITEM...\n");
        return 2;
    }
    struct collide_id user = id_of(argv[2]), items[MAX_ITEMS];
    float scores[MAX_ITEMS];
    struct collide_query query = {.user = &user, .items = items, .n_items = (size_t)argc - 3};
    for (int i = 3; i < argc; i++)
        items[i - 3] = id_of(argv[i]);
    struct collide_error err = {0};
    if (score(argv[1], &query, scores, &err) != COLLIDE_OK) {
        fprintf(stderr, "example: %s\n", err.text);
        return 1;
    }
    for (size_t i = 0; i < query.n_items; i++)
        printf("%s %.9g\n", argv[3 + i], (double)scores[i]);
    return 0;
}
