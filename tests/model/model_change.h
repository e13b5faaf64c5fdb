/* Valid model files with one change. */
#ifndef TESTS_MODEL_CHANGE_H
#define TESTS_MODEL_CHANGE_H

#include "model_fixture.h"
#include "model_walk.h"
#include "safetensors_draft.h"

/* A valid file of this kind as a draft without checksums. */
void draft_begin(const struct folder *folder, struct fixture_kind kind, struct draft *d);

/* Saves the draft as the folder's file and frees it. */
void draft_end(const struct folder *folder, struct draft *d);

/* The entries of a tensor. */
uint32_t *u32(struct draft *d, const char *name);
uint64_t *u64(struct draft *d, const char *name);
float *f32(struct draft *d, const char *name);
uint16_t *f16(struct draft *d, const char *name);

/* A valid file with one change, made to `d`, is refused. */
#define REFUSED_AT(check, kind, status, text, change)                                                        \
    do {                                                                                                     \
        struct draft d;                                                                                      \
        draft_begin(folder, kind, &d);                                                                       \
        change;                                                                                              \
        draft_end(folder, &d);                                                                               \
        assert_refused(folder->file, check, status, text);                                                   \
    } while (0)
#define REFUSED(kind, status, text, change) REFUSED_AT(MODEL_CHECK_BOUNDS, kind, status, text, change)
#define CORRUPT(kind, text, change)         REFUSED(kind, COLLIDE_CORRUPT, text, change)

/* A valid file with one change is still a model, of which all holds that users rely on. */
#define ACCEPTED(kind, change)                                                                               \
    do {                                                                                                     \
        struct draft d;                                                                                      \
        draft_begin(folder, kind, &d);                                                                       \
        change;                                                                                              \
        draft_end(folder, &d);                                                                               \
        struct model_file *file = open_model(folder->file);                                                  \
        assert_null(model_walk(file));                                                                       \
        model_file_close(file);                                                                              \
    } while (0)

#endif
