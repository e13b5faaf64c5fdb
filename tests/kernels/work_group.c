#include "work_group.h"

#include <stdio.h>
#include <stdlib.h>
#include <ucontext.h>

enum { MAX_LOCAL = 64, STACK_BYTES = 128 << 10 };

struct fiber {
    ucontext_t context;
    void *stack;
    size_t n_barriers;
    int done;
};

/* The group that runs now. */
static struct {
    struct fiber fibers[MAX_LOCAL];
    ucontext_t scheduler;
    void (*body)(const void *argument);
    const void *argument;
} group;

size_t shim_group_id, shim_local_id;

static void fiber_main(void)
{
    group.body(group.argument);
    group.fibers[shim_local_id].done = 1;
}

void work_group_barrier(void)
{
    struct fiber *self = &group.fibers[shim_local_id];
    self->n_barriers++;
    swapcontext(&self->context, &group.scheduler);
}

static void fiber_start(struct fiber *f)
{
    getcontext(&f->context);
    f->context.uc_stack.ss_sp = f->stack;
    f->context.uc_stack.ss_size = STACK_BYTES;
    f->context.uc_link = &group.scheduler;
    f->n_barriers = 0;
    f->done = 0;
    makecontext(&f->context, fiber_main, 0);
}

/* To the next barrier. Returns how many work-items are done. */
static size_t round_run(size_t n_local, int falling)
{
    size_t n_done = 0;
    for (size_t i = 0; i < n_local; i++) {
        shim_local_id = falling ? n_local - 1 - i : i;
        swapcontext(&group.scheduler, &group.fibers[shim_local_id].context);
        n_done += (size_t)group.fibers[shim_local_id].done;
    }
    return n_done;
}

static void group_run(size_t n_local)
{
    size_t n_done = 0;
    for (size_t i = 0; i < n_local; i++)
        fiber_start(&group.fibers[i]);
    for (int falling = 0; n_done == 0; falling = !falling)
        n_done = round_run(n_local, falling);
    if (n_done != n_local) {
        fprintf(stderr, "%zu of %zu work-items wait at a barrier for ever\n", n_local - n_done, n_local);
        abort();
    }
}

void work_groups_run(void (*body)(const void *argument), const void *argument, size_t n_groups,
                     size_t n_local)
{
    group.body = body;
    group.argument = argument;
    shim_local_id = 0;
    for (size_t i = 0; n_local > 1 && i < n_local; i++)
        group.fibers[i].stack = malloc(STACK_BYTES);
    for (shim_group_id = 0; shim_group_id < n_groups; shim_group_id++)
        if (n_local == 1)
            body(argument);
        else
            group_run(n_local);
    for (size_t i = 0; n_local > 1 && i < n_local; i++)
        free(group.fibers[i].stack);
}
