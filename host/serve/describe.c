#include "serve/describe.h"

#include "api/json_v1.h"
#include "model/cost.h"
#include "model/mapping.h"
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

/* What the model takes, and what it does without. */
static void print_bytes(struct buffer *out, const struct model *m)
{
    const uint64_t n_stored = m->histories.offsets ? m->histories.offsets[m->user.n_ids + 1] : 0;
    buffer_printf(out,
                  "\"bytes\":{\"uncompressed\":%" PRIu64 ",\"rows\":%" PRIu64 ",\"mapping\":%" PRIu64
                  ",\"serving\":%" PRIu64 "},",
                  bytes_of_full_table(m), bytes_of_rows(m), bytes_of_mapping(m), bytes_of_model(m, n_stored));
}

static void print_collisions(struct buffer *out, const struct collisions *c)
{
    unsigned n = COLLISIONS_N_SIZES;
    buffer_printf(out,
                  ",\"collisions\":{\"mean\":%.6g,\"max\":%" PRIu64
                  ",\"rows_used\":%u,\"rows_private\":%u,\"rows_by_ids\":[",
                  c->mean, c->most, c->n_used, c->n_private);
    while (n > 0 && c->by_size[n - 1] == 0)
        n--;
    for (unsigned i = 0; i < n; i++)
        buffer_printf(out, "%s%u", i ? "," : "", c->by_size[i]);
    buffer_append_text(out, "]}");
}

/* Collisions: ids by row, of rows with any; rows_by_ids: rows with 0 ids, 1, 2 to 3, 4 to 7 ... */
static void print_spaces(struct buffer *out, const struct model *m, const struct collisions *collisions)
{
    buffer_append_text(out, "\"spaces\":[");
    for (size_t s = 0; s < model_n_spaces(m); s++) {
        const char *name = model_space_name(m, s);
        buffer_append_text(out, s ? ",{\"name\":" : "{\"name\":");
        json_print_string(out, name, strlen(name));
        buffer_printf(out, ",\"ids\":%u", model_space(m, s)->n_ids);
        if (model_space_is_embedded(m, s))
            print_collisions(out, &collisions[s]);
        buffer_append_text(out, "}");
    }
    buffer_append_text(out, "],");
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
    print_spaces(out, model->model, v->collisions);
    print_count(out, "file_bytes", m.file_bytes);
    print_bytes(out, model->model);
    print_text(out, "device", s.device);
    print_text(out, "platform", s.platform);
    print_count(out, "devices", s.n_devices);
    print_text(out, "engine", s.engine);
    print_text(out, "kernels", s.kernels);
    print_text(out, "form", s.form);
    buffer_printf(out, "\"tables\":{\"bytes\":%" PRIu64 ",\"in_place_bytes\":%" PRIu64 "},", s.table_bytes,
                  s.in_place_bytes);
    print_count(out, "user_vector_bytes", s.user_vector_bytes);
    print_count(out, "model_version", v->number);
    print_text(out, "version", collide_version());
    print_provenance(out, model->model);
}
