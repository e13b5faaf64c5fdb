/* Asks a server for the scores of a few items with the installed client library.
 *
 *     cc example_client.c $(pkg-config --cflags --libs collide-client) -o example_client
 *     ./example_client udp://localhost:7000 USER ITEM... */
#include <collide/client.h>

#include <stdio.h>
#include <stdlib.h>

enum { MAX_ITEMS = 100 };

static enum collide_status ask(const char *url, const struct collide_request *request,
                               struct collide_error *err)
{
    struct collide_client_options options = {.url = url, .n_retries = 2};
    struct collide_client *client = NULL; /* a thread would keep one for all its requests */
    struct collide_answer answer;
    enum collide_status status = collide_client_create(&options, &client, err);
    size_t i;
    if (status == COLLIDE_OK)
        status = collide_client_ask(client, request, &answer, err);
    if (status == COLLIDE_OK) {
        printf("%s\n", collide_answer_name(answer.code));
        for (i = 0; i < answer.n_results; i++)
            printf("%llu %.9g\n", (unsigned long long)request->items[i], (double)answer.scores[i]);
    }
    collide_client_destroy(client);
    return status;
}

int main(int argc, char **argv)
{
    uint64_t items[MAX_ITEMS];
    struct collide_error err = {0};
    struct collide_request request = {.flags = COLLIDE_REQUEST_HAS_USER, .items = items};
    int i;
    if (argc < 4 || argc - 3 > MAX_ITEMS) {
        fprintf(stderr, "usage: example_client URL USER ITEM...\n");
        return 2;
    }
    request.user = strtoull(argv[2], NULL, 10);
    request.n_items = (size_t)argc - 3;
    for (i = 3; i < argc; i++)
        items[i - 3] = strtoull(argv[i], NULL, 10);
    if (ask(argv[1], &request, &err) != COLLIDE_OK) {
        fprintf(stderr, "example_client: %s\n", err.text);
        return 1;
    }
    return 0;
}
