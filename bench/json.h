/* What the reports share of JSON. */
#ifndef BENCH_JSON_H
#define BENCH_JSON_H

#include "collide/status.h"

#include <cjson/cJSON.h>
#include <stdio.h>

/* Prints the document and a newline, and deletes it. Failures of cJSON's AddTo functions may be ignored
 * before: what is missing for want of memory is found here, since printing the whole needs more. */
enum collide_status json_print(FILE *out, cJSON *document, struct collide_error *err);

#endif
