/* A function of a program's machine code that the host calls itself, past OpenCL's queue: where kernels
 * become the host's machine code, and a launch takes longer than what it launches. See
 * host/device/callable.h. */
#ifndef KERNELS_CALL_H
#define KERNELS_CALL_H

/* addresses: as GATHERED. numbers: lent memory, or 0. */
#define CALLED_ARGUMENTS                                                                                     \
    __global const ulong *addresses, __global const volatile uint *numbers, uint kernel_number, uint n_groups

/* Begins the function. It is not inlined, or there would be none; what it does asks nothing of work-items, as
 * there is none. */
#define CALLED __attribute__((noinline)) void

/* Writes where the function is to out[0]; out[1] is 0. OpenCL C takes the address of no function, but that of
 * a variable, and one may be declared that is called as the function is. PoCL leaves out of a kernel's
 * machine code what the kernel does not call. */
#define CALL_INTO(out, function)                                                                             \
    do {                                                                                                     \
        (out)[0] = (ulong)function##_code;                                                                   \
        if ((out)[1])                                                                                        \
            function(0, 0, 0, 0);                                                                            \
    } while (0)

/* Before the function. */
#define DECLARE_CALLED(function)                                                                             \
    CALLED function(CALLED_ARGUMENTS) __asm__("collide_" #function);                                         \
    extern __constant const uchar function##_code[] __asm__("collide_" #function)

#endif
