#include "serve/describe.h"

#include "api/json_v1.h"
#include "score/model_handle.h"

#include <string.h>

static void print_text(struct buffer *out, const char *name, const char *value)
{
    json_print_string(out, name, strlen(name));
    buffer_append(out, ":", 1);
    json_print_string(out, value, strlen(value));
    buffer_append(out, ",", 1);
}

static void print_count(struct buffer *out, const char *name, uint64_t value)
{
    buffer_printf(out, "\"%s\":%llu,", name, (unsigned long long)value);
}

static void print_provenance(struct buffer *out, const struct model *m)
{
    buffer_append_text(out, "\"provenance\":{");
    for (size_t i = 0; i < m->n_provenance; i++) {
        json_print_string(out, m->provenance[i].name, strlen(m->provenance[i].name));
        buffer_append(out, ":", 1);
        json_print_string(out, m->provenance[i].value, strlen(m->provenance[i].value));
        if (i + 1 < m->n_provenance)
            buffer_append(out, ",", 1);
    }
    buffer_append_text(out, "}}\n");
}

void describe_model(const char *name, const struct collide_model *model, const struct collide_scorer *scorer,
                    struct buffer *out)
{
    struct collide_model_info m;
    struct collide_scorer_info s;
    collide_model_info(model, &m);
    collide_scorer_info(scorer, &s);
    buffer_append(out, "{", 1);
    print_text(out, "name", name);
    print_count(out, "users", m.n_users);
    print_text(out, "user_ids", key_kind_name(model->model->user.keys.kind));
    print_count(out, "items", m.n_items);
    print_text(out, "item_ids", key_kind_name(model->model->item.keys.kind));
    print_count(out, "rows", m.n_rows);
    print_count(out, "dim", m.dim);
    print_text(out, "precision", m.precision);
    print_text(out, "pooling", m.pooling);
    print_count(out, "file_bytes", m.file_bytes);
    print_text(out, "device", s.device);
    print_text(out, "platform", s.platform);
    print_text(out, "engine", s.engine);
    print_text(out, "tables", s.tables_in_place ? "in place" : "copied");
    print_text(out, "kernels", s.kernels_from_cache ? "cached" : "built");
    print_text(out, "version", collide_version());
    print_provenance(out, model->model);
}
