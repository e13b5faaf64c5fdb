#include "score/shards.h"

#include "base/error.h"

enum collide_status shards_check(const struct model *m, unsigned n_shards, struct collide_error *err)
{
    if (n_shards < 2)
        return error_set(err, COLLIDE_INVALID,
                         "rows are spread over several devices; name them, as in 0,1, or do without shards");
    if (m->mapping.combine == COMBINE_MULTIPLY || m->pooling == POOLING_MAX)
        return error_set(err, COLLIDE_UNSUPPORTED,
                         "rows that are multiplied, or whose largest values count, cannot be spread over "
                         "devices; replicate the tables");
    if (m->rows.n < n_shards)
        return error_set(err, COLLIDE_UNSUPPORTED, "%u rows do not make %u shards", m->rows.n, n_shards);
    return COLLIDE_OK;
}

struct row_range shard_rows(const struct model *m, unsigned shard, unsigned n_shards)
{
    return (struct row_range){.begin = (uint32_t)((uint64_t)m->rows.n * shard / n_shards),
                              .end = (uint32_t)((uint64_t)m->rows.n * (shard + 1) / n_shards)};
}
