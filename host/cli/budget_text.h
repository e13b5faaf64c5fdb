/* Budgets as people write them. */
#ifndef CLI_BUDGET_TEXT_H
#define CLI_BUDGET_TEXT_H

#include "data/interactions.h"

/* What f32 rows for all users and items take. */
uint64_t full_table_bytes(const struct interactions *log, uint32_t dim);

/* Bytes, with k, kB, M or MB behind them for powers of 1000, or percent of full_table_bytes. COLLIDE_INVALID
 * says what can be given. */
enum collide_status budget_parse(const char *text, const struct interactions *log, uint32_t dim,
                                 uint64_t *out, struct collide_error *err);

#endif
