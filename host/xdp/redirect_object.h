/* redirect.bpf.c as an ELF object for the BPF target, put here by the build. */
#ifndef XDP_REDIRECT_OBJECT_H
#define XDP_REDIRECT_OBJECT_H

#include <stddef.h>

extern const char redirect_object[];
extern const size_t redirect_object_bytes;

#endif
