/* `collide score` and `collide topk`: one request from flags, or NDJSON from stdin, answered by the service
 * itself. */
#include "base/error.h"
#include "cli/ask.h"
#include "cli/command.h"
#include "cli/device_args.h"
#include "serve/models.h"

struct flags {
    struct device_flags device;
    struct request_flags request;
};

static enum collide_status ask_service(void *self, enum request_kind kind, const char *text, size_t n,
                                       struct buffer *reply, struct collide_error *err)
{
    const struct service_request request = {.kind = kind, .body = text, .n_bytes = n};
    enum collide_status status = service_answer(self, 0, &request, reply);
    return status == COLLIDE_OK ? status : error_set(err, status, "not every request could be answered");
}

static enum collide_status run(const struct flags *f, enum request_kind kind, const char *model_path,
                               struct collide_error *err)
{
    struct service *service = NULL;
    const struct service_options options = {
        .scorer = device_flags_options(&f->device),
        .limits = {.max_parts = 1000000, .max_items = 10000000, .max_history = 10000000},
        .n_workers = 1};
    enum collide_status status = service_create(&options, &service, err);
    if (status == COLLIDE_OK)
        status = service_models_load(service, NULL, model_path, NULL, err);
    const struct asker asker = {ask_service, service};
    if (status == COLLIDE_OK)
        status = ask_requests(&asker, kind, &f->request, ASK_JSON, err);
    service_destroy(service);
    return status;
}

int command_score(int argc, char **argv)
{
    struct flags flags = {.device = {.shard = false}};
    const struct arg table[] = {
        SCORE_REQUEST_ARGS(&flags.request),
        DEVICE_ARGS(&flags.device),
    };
    struct usage usage = {
        "collide score MODEL [--user ID] [--history ID,...] --items ID,... | < requests.ndjson",
        "Scores items for a user, a history or both.", table, sizeof table / sizeof table[0],
        .positionals = {1, 1, "MODEL"}};
    int exit_code;
    if (!command_parse(&usage, argc, argv, &exit_code))
        return exit_code;
    struct collide_error err = {0};
    return run(&flags, REQUEST_SCORE, usage.positionals.values[0], &err) == COLLIDE_OK ? EXIT_DONE
                                                                                       : command_fail(&err);
}

int command_topk(int argc, char **argv)
{
    struct flags flags = {.device = {.shard = false}};
    const struct arg table[] = {
        TOPK_REQUEST_ARGS(&flags.request),
        DEVICE_ARGS(&flags.device),
    };
    struct usage usage = {"collide topk MODEL [--user ID] [--history ID,...] [-k N] | < requests.ndjson",
                          "Finds the best items for a user, a history or both.", table,
                          sizeof table / sizeof table[0], .positionals = {1, 1, "MODEL"}};
    int exit_code;
    if (!command_parse(&usage, argc, argv, &exit_code))
        return exit_code;
    struct collide_error err = {0};
    return run(&flags, REQUEST_TOPK, usage.positionals.values[0], &err) == COLLIDE_OK ? EXIT_DONE
                                                                                      : command_fail(&err);
}
