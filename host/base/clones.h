/* CLONES before a function: compiled for several generations of x86-64, of which the running one is called.
 */
#ifndef BASE_CLONES_H
#define BASE_CLONES_H

#include <stdint.h> /* defines __GLIBC__ where it is */

/* Sanitizers instrument the resolvers that choose a clone, and those run before the sanitizers are ready. */
#if defined(__x86_64__) && defined(__GLIBC__) && !defined(__clang__) && __GNUC__ >= 12 &&                    \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CLONES
#endif

#endif
