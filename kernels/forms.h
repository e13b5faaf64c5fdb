/* How the work is spread over work-items: KERNEL begins a kernel of the form's, FOR_EACH_QUERY and
 * FOR_EACH_PART are its body. One local size a kernel, since PoCL compiles a kernel again for each. */
#ifndef KERNELS_FORMS_H
#define KERNELS_FORMS_H

#include "group_query.h"
#include "topk.h"

#define SINGLE_KERNEL __kernel __attribute__((reqd_work_group_size(1, 1, 1))) void

#if defined(FORM_GROUP)
#ifndef GROUP_MEMORY
#define GROUP_MEMORY(name) __local group_memory name
#endif
#define KERNEL __kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void
#define FOR_EACH_PART(op, t, a)                                                                              \
    GROUP_MEMORY(memory);                                                                                    \
    op##_by_group(t, a, get_group_id(0), &memory)
#define FOR_EACH_QUERY FOR_EACH_PART
#else
#define KERNEL                  SINGLE_KERNEL
#define FOR_EACH_PART(op, t, a) op(t, a, get_group_id(0))
#if defined(FORM_PIPELINE)
#define FOR_EACH_QUERY(op, t, a)                                                                             \
    size_t i = 0;                                                                                            \
    do                                                                                                       \
        op(t, a, i);                                                                                         \
    while (!((a)->queries[i++].flags & QUERY_LAST))
#else
#define FOR_EACH_QUERY FOR_EACH_PART
#endif
#endif

#endif
