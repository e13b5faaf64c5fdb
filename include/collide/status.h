/* Status codes and error details, shared by the whole public API.
 *
 * Functions return an enum collide_status; COLLIDE_OK is 0. They write their outputs only on success,
 * except where they say otherwise. On failure the caller's struct collide_error (which may be NULL) says what
 * went wrong, where, and what to do about it. The library never exits, aborts or prints. */
#ifndef COLLIDE_STATUS_H
#define COLLIDE_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

#if defined(COLLIDE_BUILDING)
#define COLLIDE_API __attribute__((visibility("default")))
#else
#define COLLIDE_API
#endif

enum collide_status {
    COLLIDE_OK = 0,
    COLLIDE_INVALID,     /* an argument, a request or a line of input is wrong */
    COLLIDE_NOT_FOUND,   /* a file, device, user or tensor does not exist */
    COLLIDE_IO,          /* the operating system refused to read, write or listen */
    COLLIDE_CORRUPT,     /* a file is not what it claims to be */
    COLLIDE_UNSUPPORTED, /* valid, but this build or device cannot do it */
    COLLIDE_NO_MEMORY,   /* host or device memory ran out */
    COLLIDE_DEVICE,      /* an OpenCL call failed */
    COLLIDE_BUSY,        /* a limit is reached, or the service is shutting down: try again later */
};

struct collide_error {
    enum collide_status status;
    char text[512]; /* one sentence or two, no newline; always terminated */
};

/* A short lower-case name such as "not_found"; never NULL. The string is static. */
COLLIDE_API const char *collide_status_name(enum collide_status status);

/* The library's version, such as "0.1.0". The string is static. */
COLLIDE_API const char *collide_version(void);

#ifdef __cplusplus
}
#endif
#endif
