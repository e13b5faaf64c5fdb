/* The scoring kernels, each with what its test and its benchmark need: how to make a batch for it, which
 * kernels to run, how much that looks up, and what is right. */
#ifndef BENCH_KERNEL_DESCRIPTOR_H
#define BENCH_KERNEL_DESCRIPTOR_H

#include "kernel_case.h"
#include "score/device_lane.h"

struct kernel_descriptor {
    const char *name;
    enum scoring_kernel steps[2];
    size_t n_steps;
    size_t (*n_lookups)(const struct kernel_shape *shape); /* ids that a launch looks up */
    struct fill_capacity (*capacity)(const struct kernel_case *c, const struct kernels *k);
    void (*fill)(struct kernel_case *c, const struct kernels *k, struct fill *f); /* a batch with new ids */

    /* See kernel_check.h. */
    enum collide_status (*check)(const struct kernel_case *c, const struct fill *f, const float *scores,
                                 size_t query, struct collide_error *err);
};

/* k of every top-k query. */
enum { KERNEL_TOPK_K = 20 };

extern const struct kernel_descriptor kernel_bag, kernel_score, kernel_topk;
extern const struct kernel_descriptor *const kernel_descriptors[];
extern const size_t n_kernel_descriptors;

/* A case on a device, ready to be run with one descriptor. */
struct kernel_run {
    const struct kernel_descriptor *descriptor;
    struct kernel_case *problem;
    struct kernels *kernels;
    struct device_lane lane;
    struct fill fill; /* of the last batch */
};

/* Borrows all of it until kernel_run_destroy; the lane is its own. */
enum collide_status kernel_run_create(const struct kernel_descriptor *descriptor, struct kernel_case *problem,
                                      struct kernels *kernels, struct kernel_run *out,
                                      struct collide_error *err);
void kernel_run_destroy(struct kernel_run *r);

/* Makes a new batch, which no cache has seen. */
void kernel_run_fill(struct kernel_run *r);

/* Runs the batch; *ns is the time from submit to result. */
enum collide_status kernel_run_batch(struct kernel_run *r, double *ns, struct collide_error *err);

/* Compares n of the last batch's queries with the reference. */
enum collide_status kernel_run_check(struct kernel_run *r, size_t n, struct collide_error *err);

#endif
