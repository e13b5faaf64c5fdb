/* openapi.json, put here by the build. */
#ifndef HTTP_OPENAPI_H
#define HTTP_OPENAPI_H

#include <stddef.h>

extern const char openapi_json[];
extern const size_t openapi_json_bytes;

#endif
