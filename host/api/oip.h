/* The Open Inference Protocol v2 with its binary tensor data: pure translation, no I/O. docs/HTTP.md tells
 * what its tensors mean here.
 *
 *   score   inputs user [B, 1], items [B, n]            -> scores [B, n]
 *           or history [B, h] and features.NAME [B, f], alone or beside the user
 *           history_lengths [B] where rows of histories are not full; weights [B, h]
 *   top-k   the same without items, the parameter k     -> items [B, k], scores [B, k], counts [B]
 *           with exclude [B, x], and the parameter exclude_seen
 *
 * Where there is one row, shapes may leave out the B. */
#ifndef API_OIP_H
#define API_OIP_H

#include "api/json_reader.h"
#include "api/request.h"
#include "base/buffer.h"

struct model;

struct oip_body {
    const char *bytes;
    size_t n_bytes;
    size_t n_json_bytes; /* Inference-Header-Content-Length; SIZE_MAX without one: all is JSON */
};

enum oip_output { OIP_SCORES, OIP_ITEMS, OIP_COUNTS, OIP_N_OUTPUTS };

/* How a request wants its answer. */
struct oip_form {
    struct json_text id; /* bytes NULL: none was given */
    bool has_rows;       /* scores and items have two dimensions */
    size_t n_rows, n_columns;
    unsigned n_outputs;
    struct oip_wanted_output {
        enum oip_output output;
        bool is_binary;
    } outputs[OIP_N_OUTPUTS];
};

/* Reads a request as its body comes. It lies in the request's arena, until the request's next parse. */
struct oip_reader;

/* n_json_bytes: Inference-Header-Content-Length; SIZE_MAX without one. Borrows limits, out and form. NULL:
 * out of memory. */
struct oip_reader *oip_begin(size_t n_json_bytes, const struct request_limits *limits, struct request *out,
                             struct oip_form *form);

/* Reads on. COLLIDE_OK: all is well so far, and with the last text the request is whole: of the kind that the
 * body asks for, with one part of a query a row. COLLIDE_INVALID says what is wrong; then the request has no
 * parts, and the reader is gone. Ids borrow from the request and from the last text, as does form. */
enum collide_status oip_read(struct oip_reader *r, const struct request_text *text, size_t *n_read,
                             struct collide_error *err);

/* Both, of a body that is all there. */
enum collide_status oip_parse(const struct oip_body *body, const struct request_limits *limits,
                              struct request *out, struct oip_form *form, struct collide_error *err);

/* A model's name and what it knows. All borrowed. */
struct oip_model {
    const char *name;
    const uint64_t *versions; /* (n_versions) */
    size_t n_versions;
    const struct model *model;
};

/* What a request's answer is printed from. */
struct oip_answer {
    const struct oip_model *model;
    uint64_t version; /* that answered */
    const struct request *request;
    const struct oip_form *form;
    const struct response *response;
};

/* Appends the answer. How many of its bytes are JSON, where tensors follow; else 0. */
size_t oip_print(const struct oip_answer *answer, struct buffer *out);

void oip_print_error(const char *message, struct buffer *out);

/* GET /v2, /v2/models/{}, its /config and, of one that is, its /ready. */
void oip_print_server(struct buffer *out);
void oip_print_model(const struct oip_model *model, struct buffer *out);
void oip_print_config(const struct oip_model *model, struct buffer *out);
void oip_print_ready(const struct oip_model *model, struct buffer *out);

#endif
