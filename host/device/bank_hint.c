#include "device/bank_hint.h"

#include <string.h>

/* Of Xilinx' CL/cl_ext_xilinx.h, which need not be installed. */
static const cl_mem_flags CL_MEM_EXT_PTR_XILINX = 1u << 31;
static const unsigned XCL_MEM_TOPOLOGY = 1u << 31;

enum bank_hint_kind bank_hint_kind_of(const struct device_info *device)
{
    return strcmp(device->platform, "Xilinx") == 0 ? BANK_HINT_XILINX : BANK_HINT_NONE;
}

void *bank_hint_fill(enum bank_hint_kind kind, unsigned channel, void *host, struct bank_hint *out)
{
    *out = (struct bank_hint){.flags = 0};
    if (kind == BANK_HINT_NONE)
        return host;
    out->flags = CL_MEM_EXT_PTR_XILINX;
    out->extension.flags = channel | XCL_MEM_TOPOLOGY;
    out->extension.host = host;
    return &out->extension;
}
