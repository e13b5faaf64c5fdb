/* Telling a driver which of a board's memory channels (DDR or HBM banks) a buffer belongs to, so that the
 * tables of one lookup are read side by side. OpenCL has no word for it; vendors have extensions. */
#ifndef DEVICE_BANK_HINT_H
#define DEVICE_BANK_HINT_H

#include "device/platform.h"

/* What to hand clCreateBuffer. Lives as long as the call. */
struct bank_hint {
    cl_mem_flags flags; /* to be added */
    struct {
        unsigned flags;
        void *host;
        void *parameter;
    } extension; /* cl_mem_ext_ptr_t of Xilinx' runtime (UG1393): goes where the host pointer would */
};

enum bank_hint_kind { BANK_HINT_NONE, BANK_HINT_XILINX };

/* How this device's driver is told; BANK_HINT_NONE: not at all. */
enum bank_hint_kind bank_hint_kind_of(const struct device_info *device);

/* Fills a hint for a channel, around the host pointer that clCreateBuffer would get. Returns what it gets
 * instead. */
void *bank_hint_fill(enum bank_hint_kind kind, unsigned channel, void *host, struct bank_hint *out);

#endif
