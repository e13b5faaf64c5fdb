/* The page at /, in one file with nothing else to fetch, put here by the build. */
#ifndef OBSERVE_PAGE_H
#define OBSERVE_PAGE_H

#include <stddef.h>

extern const char page_html[];
extern const size_t page_html_bytes;

#endif
