/* How kernels are built for a device, beside what the model makes of them: their form, and how far ahead they
 * ask for memory. Defaults by kind of device; `collide-bench tune` measures better ones and keeps them with
 * the built kernels. */
#ifndef SCORE_TUNING_H
#define SCORE_TUNING_H

#include "device/platform.h"
#include "model/model.h"

enum kernel_form {
    FORM_ITEM,     /* a query is a work-item: CPUs */
    FORM_GROUP,    /* a query is a work-group: GPUs */
    FORM_PIPELINE, /* one work-item does all: FPGAs */
    N_FORMS
};

struct tuning {
    enum kernel_form form;
    unsigned group_size; /* FORM_GROUP: work-items of a work-group */
    unsigned prefetch;   /* 1: ask ahead */
    unsigned row_ahead;  /* by how many ids, for a row */
    unsigned remap_ahead;
};

const char *kernel_form_name(enum kernel_form form);

struct tuning tuning_default(const struct device_info *device);

/* The choice stored for this device and models shaped like this one, else the default. cache_dir as in
 * program_build. */
struct tuning tuning_load(const char *cache_dir, const struct device_info *device, const struct model *model);

enum collide_status tuning_store(const char *cache_dir, const struct device_info *device,
                                 const struct model *model, const struct tuning *tuning,
                                 struct collide_error *err);

#endif
