/* The page's table of results, and what they were measured with. */
#ifndef BENCH_PAGE_TABLE_H
#define BENCH_PAGE_TABLE_H

#include "result.h"

#include <stdio.h>

void page_print_table(FILE *out, const struct results *r);

/* Where the servers' time went; nothing if no result tells. */
void page_print_stages(FILE *out, const struct results *r);
void page_print_details(FILE *out, const struct results *r);

#endif
