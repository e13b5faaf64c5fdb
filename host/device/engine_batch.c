#include "device/engine_make.h"

static enum collide_status list_addresses(const struct engine_spec *spec, struct engine_batch *batch,
                                          struct collide_error *err)
{
    size_t n_banks = 0;
    for (size_t t = 0; t < spec->n_tables; t++)
        n_banks += table_n_banks(spec->tables[t]);
    size_t n_bytes = (n_banks + spec->n_regions) * sizeof(cl_ulong);
    enum collide_status status = region_create(spec->device, n_bytes, &batch->addresses, err);
    if (status != COLLIDE_OK)
        return status;
    cl_ulong *next = batch->addresses.host;
    for (size_t t = 0; t < spec->n_tables; t++)
        for (unsigned b = 0; b < table_n_banks(spec->tables[t]); b++)
            *next++ = (uintptr_t)table_address(spec->tables[t], b);
    for (size_t r = 0; r < spec->n_regions; r++)
        *next++ = (uintptr_t)batch->regions[r].host;
    return COLLIDE_OK;
}

enum collide_status engine_batch_create(const struct engine_spec *spec, const size_t *region_bytes,
                                        struct engine_batch *batch, struct collide_error *err)
{
    enum collide_status status = COLLIDE_OK;
    for (size_t i = 0; i < spec->n_regions && status == COLLIDE_OK; i++)
        status = region_create(spec->device, region_bytes[i], &batch->regions[i], err);
    return spec->gathered && status == COLLIDE_OK ? list_addresses(spec, batch, err) : status;
}

void engine_batch_destroy(struct device *device, struct engine_batch *batch)
{
    for (size_t i = 0; i < ENGINE_MAX_REGIONS; i++)
        region_destroy(device, &batch->regions[i]);
    region_destroy(device, &batch->addresses);
}
