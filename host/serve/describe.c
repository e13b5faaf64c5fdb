#include "serve/describe.h"

#include "api/json_v1.h"
#include "score/model_handle.h"

#include <inttypes.h>
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
    buffer_printf(out, "\"%s\":%" PRIu64 ",", name, value);
}

static void print_features(struct buffer *out, const struct model *m)
{
    buffer_append_text(out, "\"features\":{");
    for (size_t i = 0; i < m->n_features; i++) {
        const struct feature *f = &m->features[i];
        buffer_append_text(out, i ? "," : "");
        json_print_string(out, f->name, strlen(f->name));
        buffer_printf(out, ":{\"count\":%u,\"ids\":\"%s\"}", f->space.n_ids,
                      key_kind_name(f->space.keys.kind));
    }
    buffer_append_text(out, "},");
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

void describe_model(const struct model_version *v, struct buffer *out)
{
    const struct collide_model *model = v->model;
    struct collide_model_info m;
    struct collide_scorer_info s;
    collide_model_info(model, &m);
    collide_scorer_info(v->scorer, &s);
    buffer_append(out, "{", 1);
    print_text(out, "name", v->name);
    print_count(out, "users", m.n_users);
    print_text(out, "user_ids", key_kind_name(model->model->user.keys.kind));
    print_count(out, "items", m.n_items);
    print_text(out, "item_ids", key_kind_name(model->model->item.keys.kind));
    print_count(out, "rows", m.n_rows);
    print_count(out, "dim", m.dim);
    print_text(out, "precision", m.precision);
    print_text(out, "scaling", m.scaling);
    print_count(out, "lookups", m.n_lookups);
    print_text(out, "mapping", m.mapping);
    print_text(out, "pooling", m.pooling);
    print_features(out, model->model);
    print_count(out, "file_bytes", m.file_bytes);
    print_text(out, "device", s.device);
    print_text(out, "platform", s.platform);
    print_count(out, "devices", s.n_devices);
    print_text(out, "engine", s.engine);
    print_text(out, "kernels", s.kernels);
    print_text(out, "form", s.form);
    buffer_printf(out, "\"tables\":{\"bytes\":%" PRIu64 ",\"in_place_bytes\":%" PRIu64 "},", s.table_bytes,
                  s.in_place_bytes);
    print_count(out, "model_version", v->number);
    print_text(out, "version", collide_version());
    print_provenance(out, model->model);
}
