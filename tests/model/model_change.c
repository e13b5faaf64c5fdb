#include "model_change.h"

#include <stdlib.h>

void draft_begin(const struct folder *folder, struct fixture_kind kind, struct draft *d)
{
    struct fixture f;
    fixture_model(kind, &f);
    write_model(&f.model, folder->file);
    size_t n_bytes;
    unsigned char *bytes = read_bytes(folder->file, &n_bytes);
    draft_read(bytes, n_bytes, d);
    draft_arrange(d);
    draft_drop_checksums(d);
    free(bytes);
}

void draft_end(const struct folder *folder, struct draft *d)
{
    draft_save(d, folder->file);
    draft_free(d);
}

uint32_t *u32(struct draft *d, const char *name)
{
    return (uint32_t *)(void *)draft_tensor(d, name)->bytes;
}

uint64_t *u64(struct draft *d, const char *name)
{
    return (uint64_t *)(void *)draft_tensor(d, name)->bytes;
}

float *f32(struct draft *d, const char *name)
{
    return (float *)(void *)draft_tensor(d, name)->bytes;
}

uint16_t *f16(struct draft *d, const char *name)
{
    return (uint16_t *)(void *)draft_tensor(d, name)->bytes;
}
