#include "cli/method_list.h"

#include "base/buffer.h"
#include "base/error.h"
#include "base/spelling.h"
#include "data/id_index.h"

#include <string.h>

const char *const signal_names[] = {
    [SIGNALS_BOTH] = "both", [SIGNALS_FREQUENCY] = "frequency", [SIGNALS_EMBEDDING] = "embedding", NULL};

static const char AUTO[] = "auto";

/* The index of a name of n bytes; -1: there is none like it. */
static int find(const char *const *names, const char *text, size_t n)
{
    for (int i = 0; names[i]; i++)
        if (strlen(names[i]) == n && memcmp(names[i], text, n) == 0)
            return i;
    return -1;
}

static enum collide_status refuse_name(const char *name, struct collide_error *err)
{
    struct spelling meant = spelling_of(name);
    struct buffer all = {0};
    for (size_t i = 0; learn_method_names[i]; i++) {
        spelling_offer(&meant, learn_method_names[i]);
        buffer_printf(&all, "%s, ", learn_method_names[i]);
    }
    buffer_printf(&all, "%s", AUTO);
    buffer_append(&all, "", 1);
    enum collide_status status =
        all.failed ? error_no_memory(err, "the methods' names")
                   : error_set(err, COLLIDE_INVALID, "there is no method \"%s\"%s%s%s; there are %s", name,
                               meant.closest ? ", did you mean " : "", meant.closest ? meant.closest : "",
                               meant.closest ? "?" : "", all.bytes);
    buffer_free(&all);
    return status;
}

/* What stands behind a colon. */
static enum collide_status parse_setting(struct method_choice *c, const char *setting,
                                         struct collide_error *err)
{
    struct method_settings *s = &c->plan.settings;
    uint64_t n_lookups;
    const int signals = find(signal_names, setting, strlen(setting));
    if (!c->is_auto && id_parse_u64(setting, strlen(setting), &n_lookups) && n_lookups > 0 &&
        n_lookups <= MODEL_MAX_LOOKUPS) {
        s->n_lookups = (uint32_t)n_lookups;
        return COLLIDE_OK;
    }
    if (!c->is_auto && c->plan.method == LEARN_LHF && signals >= 0) {
        s->signals = (enum mapping_signals)signals;
        return COLLIDE_OK;
    }
    return error_set(
        err, COLLIDE_INVALID,
        "%s: behind the colon stands the number of lookups, 1 to %d, as in rq:8, or what lhf looks "
        "at, lhf:both, lhf:frequency or lhf:embedding",
        c->text, MODEL_MAX_LOOKUPS);
}

static enum collide_status parse_one(const char *text, size_t n, struct method_choice *out,
                                     struct collide_error *err)
{
    if (n == 0 || n >= sizeof out->text)
        return error_set(err, COLLIDE_INVALID, "a method of %zu characters; give names such as lhf,rq:8", n);
    *out = (struct method_choice){0};
    memcpy(out->text, text, n);
    char name[METHOD_TEXT_BYTES];
    memcpy(name, out->text, sizeof name);
    char *colon = strchr(name, ':');
    if (colon)
        *colon = '\0';
    const int method = find(learn_method_names, name, strlen(name));
    out->is_auto = strcmp(name, AUTO) == 0;
    if (method < 0 && !out->is_auto)
        return refuse_name(name, err);
    out->plan.method = method < 0 ? LEARN_LHF : (enum learn_method)method;
    return colon ? parse_setting(out, colon + 1, err) : COLLIDE_OK;
}

enum collide_status method_list_parse(const char *text, struct method_list *out, struct collide_error *err)
{
    *out = (struct method_list){0};
    for (;;) {
        const size_t n = strcspn(text, ",");
        if (out->n == METHOD_LIST_MAX)
            return error_set(err, COLLIDE_INVALID, "more than %d methods", METHOD_LIST_MAX);
        struct method_choice *choice = &out->items[out->n];
        enum collide_status status = parse_one(text, n, choice, err);
        for (size_t i = 0; i < out->n && status == COLLIDE_OK; i++)
            if (strcmp(out->items[i].text, choice->text) == 0)
                status = error_set(err, COLLIDE_INVALID, "%s is listed twice", choice->text);
        if (status != COLLIDE_OK)
            return status;
        out->n++;
        if (!text[n])
            return COLLIDE_OK;
        text += n + 1;
    }
}
