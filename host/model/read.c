#include "model/read.h"

#include "base/error.h"
#include "model/layout.h"
#include "model/read_parts.h"
#include "model/validate.h"

#include <stdlib.h>

static enum collide_status read_provenance(struct model_file *f, struct collide_error *err)
{
    size_t n = safetensors_n_metadata(f->tensors);
    f->provenance = calloc(n ? n : 1, sizeof *f->provenance);
    if (!f->provenance)
        return error_no_memory(err, "the model's metadata");
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        struct metadata_entry e = safetensors_metadata_entry(f->tensors, i);
        if (!metadata_is_reserved(e.name))
            f->provenance[kept++] = (struct provenance_entry){.name = e.name, .value = e.value};
    }
    f->model.provenance = f->provenance;
    f->model.n_provenance = kept;
    return COLLIDE_OK;
}

static enum collide_status read_model(struct model_file *f, enum model_check check, struct collide_error *err)
{
    struct model *m = &f->model;
    enum collide_status status = read_header(f, err);
    if (status == COLLIDE_OK)
        status = read_rows(f->tensors, m, err);
    if (status == COLLIDE_OK)
        status = validate_features(m, err);
    if (status == COLLIDE_OK)
        status = read_spaces(f, err);
    if (status == COLLIDE_OK)
        status = validate_sizes(m, err);
    if (status == COLLIDE_OK)
        status = read_provenance(f, err);
    if (status == COLLIDE_OK && check == MODEL_CHECK_CONTENTS)
        status = validate_checksums(f->tensors, err);
    if (status == COLLIDE_OK && check == MODEL_CHECK_CONTENTS)
        status = validate_finite(m, err);
    if (status == COLLIDE_OK && check == MODEL_CHECK_CONTENTS)
        status = validate_missing_lookups(m, err);
    return status;
}

enum collide_status model_file_open(const char *path, enum model_check check, struct model_file **out,
                                    struct collide_error *err)
{
    struct model_file *f = calloc(1, sizeof *f);
    if (!f)
        return error_no_memory(err, "a model");
    atomic_init(&f->n_owners, 1);
    enum collide_status status = safetensors_open(path, &f->tensors, err);
    struct collide_error detail = {0};
    if (status == COLLIDE_OK && (status = read_model(f, check, &detail)) != COLLIDE_OK)
        error_set(err, status, "%s: %s", path, detail.text);
    if (status != COLLIDE_OK) {
        model_file_close(f);
        return status;
    }
    *out = f;
    return COLLIDE_OK;
}

void model_file_retain(struct model_file *f)
{
    atomic_fetch_add(&f->n_owners, 1);
}

void model_file_close(struct model_file *f)
{
    if (!f || atomic_fetch_sub(&f->n_owners, 1) > 1)
        return;
    free(f->provenance);
    free(f->features);
    free(f->feature_names);
    safetensors_close(f->tensors);
    free(f);
}

const struct model *model_file_model(const struct model_file *f)
{
    return &f->model;
}

const struct safetensors *model_file_tensors(const struct model_file *f)
{
    return f->tensors;
}
