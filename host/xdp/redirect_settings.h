/* What redirect.c and redirect.bpf.c tell each other. */
#ifndef XDP_REDIRECT_SETTINGS_H
#define XDP_REDIRECT_SETTINGS_H

#include <linux/types.h>

struct redirect_settings {
    __u16 port; /* UDP, in the host's order */
    __u16 stamps_arrival;
};

struct redirect_variables {
    __u64 n_fragments;
};

#endif
