/* Quotient and remainder (Shi et al. 2020): an id's rows are those of x mod m and of x div m, from two
 * tables, so that no two ids have both in common. m is as large as the budget allows. */
#include "base/error.h"
#include "learn/map/id_mapping.h"

#include <inttypes.h>

/* The largest m with m + ceil(n / m) <= n_rows; 0: there is none. From sqrt(n) on the sum rises with m. */
static uint32_t largest_modulus(uint64_t n, uint32_t n_rows)
{
    uint64_t m = n < n_rows ? n : n_rows - 1;
    while (m > 0 && m + (n + m - 1) / m > n_rows)
        m--;
    return (uint32_t)m;
}

enum collide_status map_qr(const struct mapping_problem *problem, struct id_mapping *mapping,
                           struct collide_error *err)
{
    const uint32_t n = problem->n_space_ids;
    const uint32_t m = largest_modulus(n, mapping->n_rows);
    if (m == 0)
        return error_set(err, COLLIDE_INVALID,
                         "%" PRIu32 " rows cannot tell %" PRIu32
                         " ids apart by quotient and remainder: give about twice the square root of their "
                         "number",
                         mapping->n_rows, n);
    mapping->n_rows = m + (uint32_t)(((uint64_t)n + m - 1) / m);
    mapping->divisor = m;
    for (size_t i = 0; i < problem->n_ids; i++) {
        mapping->rows_of[2 * i] = problem->dense_ids[i] % m;
        mapping->rows_of[2 * i + 1] = m + problem->dense_ids[i] / m;
    }
    return COLLIDE_OK;
}
