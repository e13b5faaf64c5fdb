/* Any bytes as a configuration file, behind a command line. What the command line has given stays; a refusal
 * says why; and borrowed texts lie in what was given for them. */
#include "cli/config_file.h"
#include "fuzz_target.h"

#include <string.h>

static void require_within(const char *text, const struct config_values *values)
{
    FUZZ_REQUIRE(text >= values->bytes && text + strlen(text) < values->bytes + values->n_bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const char *const modes[] = {"closed", "open", NULL};
    static struct config_values values;
    bool quiet = false;
    const char *out = NULL;
    struct arg_text_list logs = {.n = 0};
    struct arg_u64_list cpus = {.n = 0};
    uint64_t rows = 1, given = 0;
    double rate = 0.5;
    int mode = 0;
    const struct arg table[] = {
        {.name = "quiet", .type = ARG_FLAG, .target = &quiet},
        {.name = "out", .type = ARG_TEXT, .target = &out},
        {.name = "log", .type = ARG_TEXT_LIST, .target = &logs, .group = "Files (any)"},
        {.name = "rows", .type = ARG_U64, .target = &rows, .min = 1, .max = 4096, .group = "Limits"},
        {.name = "cpus", .type = ARG_U64_LIST, .target = &cpus, .group = "Limits"},
        {.name = "rate", .type = ARG_DOUBLE, .target = &rate, .low = 0, .high = 1, .group = "Limits"},
        {.name = "mode", .type = ARG_CHOICE, .target = &mode, .choices = modes},
        {.name = "given", .type = ARG_U64, .target = &given},
    };
    struct args args = {.table = table, .n = sizeof table / sizeof table[0]};
    struct args_positionals none = {.max = 0};
    struct collide_error err = {.text = ""};
    char flag[] = "--given=7", *argv[] = {flag};
    FUZZ_REQUIRE(args_parse(&args, 1, argv, &none, &err) == ARGS_OK);

    const struct config_source source = {"fuzz", (const char *)data, n};
    if (config_parse(&source, "test", &args, &values, &err) != COLLIDE_OK)
        FUZZ_REQUIRE(err.text[0]);
    FUZZ_REQUIRE(given == 7);
    FUZZ_REQUIRE(rows >= 1 && rows <= 4096 && rate >= 0 && rate <= 1 && (mode == 0 || mode == 1));
    FUZZ_REQUIRE(logs.n <= ARG_LIST_MAX && cpus.n <= ARG_LIST_MAX && values.n_bytes <= n);
    if (out)
        require_within(out, &values);
    for (size_t i = 0; i < logs.n; i++)
        require_within(logs.items[i], &values);
    return 0;
}
