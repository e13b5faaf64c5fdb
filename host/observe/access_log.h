/* A line of JSON a request. Workers leave records, each in a ring of its own, and a thread makes lines of
 * them and writes whole ones: nobody but it waits for a disk, or for the reader of a pipe. What finds its
 * ring full, or a pipe that has been full for a second, is dropped and counted. */
#ifndef OBSERVE_ACCESS_LOG_H
#define OBSERVE_ACCESS_LOG_H

#include "collide/status.h"
#include "observe/request_record.h"

struct access_log;

/* Appends to the file or pipe at path, which is made a file where there is none; "-": standard error. A pipe
 * needs a reader already. SIGPIPE is to be ignored. Returns owned. */
enum collide_status access_log_create(const char *path, unsigned n_workers, struct access_log **out,
                                      struct collide_error *err);

/* Writes what is left, and drops what a pipe has not taken within a second. Nobody puts any more. NULL is
 * fine. */
void access_log_destroy(struct access_log *log);

/* Each worker is used by one thread at a time. */
void access_log_put(struct access_log *log, unsigned worker, const struct request_record *r);

/* Has the path opened anew before the next line is written, after somebody has moved the file away. Where
 * that fails, the old file is kept and the log says so. */
void access_log_reopen(struct access_log *log);

/* Of lines: not written, for want of room in a ring, in a pipe or on the disk. */
uint64_t access_log_n_dropped(const struct access_log *log);

#endif
