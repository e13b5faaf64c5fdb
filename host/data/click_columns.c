#include "data/click_columns.h"

#include "base/error.h"
#include "data/id_index.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char USER[] = "user";

size_t column_choice_number(const struct column_choice *choice)
{
    uint64_t number = 0;
    return id_parse_u64(choice->text, choice->n_bytes, &number) && number <= SIZE_MAX ? (size_t)number : 0;
}

static enum collide_status parse_label(const char *text, struct click_columns *out, struct collide_error *err)
{
    const char *sign = strstr(text, ">=");
    out->label = (struct column_choice){text, sign ? (size_t)(sign - text) : strlen(text)};
    if (out->label.n_bytes == 0)
        return error_set(err, COLLIDE_INVALID, "the label \"%s\" names no column", text);
    if (!sign)
        return COLLIDE_OK;
    char *end;
    out->has_threshold = true;
    out->threshold = strtod(sign + 2, &end);
    if (end == sign + 2 || *end || !isfinite(out->threshold))
        return error_set(err, COLLIDE_INVALID,
                         "the label \"%s\" has no number behind >=; give one such as rating>=4", text);
    return COLLIDE_OK;
}

static bool is_user(const char *name)
{
    return !strcasecmp(name, USER) || !strcasecmp(name, "user_id") || !strcasecmp(name, "userid");
}

static void name_by_column(struct click_feature *f)
{
    size_t number = column_choice_number(&f->column), n = 0;
    if (number) {
        snprintf(f->name, sizeof f->name, "c%zu", number);
        return;
    }
    for (; n < f->column.n_bytes && n < CLICK_NAME_MAX_CHARS; n++)
        f->name[n] = isalnum((unsigned char)f->column.text[n]) ? f->column.text[n] : '_';
    f->name[n] = '\0';
    if (is_user(f->name))
        memcpy(f->name, USER, sizeof USER);
}

static enum collide_status name_as_given(const char *text, size_t n, struct click_feature *f,
                                         struct collide_error *err)
{
    bool is_name = n > 0 && n <= CLICK_NAME_MAX_CHARS;
    for (size_t i = 0; i < n && is_name; i++) {
        is_name = isalnum((unsigned char)text[i]) || text[i] == '_';
        f->name[i] = text[i];
    }
    f->name[is_name ? n : 0] = '\0';
    if (!is_name)
        return error_set(err, COLLIDE_INVALID,
                         "\"%.*s\" is no name for a feature: give 1 to %d letters, digits and underscores",
                         (int)(n < 64 ? n : 64), text, CLICK_NAME_MAX_CHARS);
    return COLLIDE_OK;
}

static enum collide_status parse_feature(const char *text, size_t n, struct click_feature *f,
                                         struct collide_error *err)
{
    static const char suffix[] = ":log2";
    const size_t n_suffix = sizeof suffix - 1;
    *f = (struct click_feature){.is_log2 = false};
    const char *equals = memchr(text, '=', n);
    size_t n_name = equals ? (size_t)(equals - text) : 0, skipped = equals ? n_name + 1 : 0;
    f->column = (struct column_choice){text + skipped, n - skipped};
    if (f->column.n_bytes > n_suffix &&
        !memcmp(f->column.text + f->column.n_bytes - n_suffix, suffix, n_suffix)) {
        f->column.n_bytes -= n_suffix;
        f->is_log2 = true;
    }
    if (f->column.n_bytes == 0)
        return error_set(err, COLLIDE_INVALID,
                         "a feature without a column; give names or numbers of columns "
                         "with single commas between");
    if (equals)
        return name_as_given(text, n_name, f, err);
    name_by_column(f);
    return COLLIDE_OK;
}

static enum collide_status check_name(const struct click_columns *c, const struct click_feature *f,
                                      struct collide_error *err)
{
    if (!strcmp(f->name, "item"))
        return error_set(err, COLLIDE_INVALID, "a feature cannot be called item; rename it: NAME=COLUMN");
    for (size_t i = 0; i < c->n_features; i++)
        if (!strcmp(c->features[i].name, f->name))
            return error_set(err, COLLIDE_INVALID,
                             "two features are called %s; name one of them anew: NAME=COLUMN", f->name);
    return COLLIDE_OK;
}

static enum collide_status add_feature(struct click_columns *c, const struct click_feature *f,
                                       struct collide_error *err)
{
    enum collide_status status = check_name(c, f, err);
    if (status != COLLIDE_OK)
        return status;
    bool has_user = c->n_features > 0 && !strcmp(c->features[0].name, USER);
    if (!has_user && strcmp(f->name, USER) && c->n_features == CLICK_MAX_FEATURES - 1)
        return error_set(err, COLLIDE_INVALID, "more than %d features besides the user",
                         CLICK_MAX_FEATURES - 1);
    if (c->n_features == CLICK_MAX_FEATURES)
        return error_set(err, COLLIDE_INVALID, "more than %d features", CLICK_MAX_FEATURES);
    size_t at = strcmp(f->name, USER) ? c->n_features : 0;
    memmove(c->features + at + 1, c->features + at, (c->n_features - at) * sizeof *c->features);
    c->features[at] = *f;
    c->n_features++;
    return COLLIDE_OK;
}

enum collide_status click_columns_parse(const struct click_choices *choices, struct click_columns *out,
                                        struct collide_error *err)
{
    struct click_columns c = {.item = {choices->item, strlen(choices->item)}};
    if (c.item.n_bytes == 0)
        return error_set(err, COLLIDE_INVALID, "the item's column has no name");
    enum collide_status status = parse_label(choices->label, &c, err);
    for (const char *at = choices->features; status == COLLIDE_OK && at;) {
        struct click_feature f;
        size_t n = strcspn(at, ",");
        status = parse_feature(at, n, &f, err);
        if (status == COLLIDE_OK)
            status = add_feature(&c, &f, err);
        at = at[n] ? at + n + 1 : NULL;
    }
    if (status == COLLIDE_OK)
        *out = c;
    return status;
}
