/* A line of JSON a request. Workers leave records, each in a ring of its own, and a thread makes lines of
 * them and writes whole ones: no worker waits for a disk. What finds its ring full is dropped and counted. */
#ifndef OBSERVE_ACCESS_LOG_H
#define OBSERVE_ACCESS_LOG_H

#include "collide/status.h"
#include "observe/request_record.h"

struct access_log;

/* Appends to the file at path, which is made where there is none; "-": standard error. Returns owned. */
enum collide_status access_log_create(const char *path, unsigned n_workers, struct access_log **out,
                                      struct collide_error *err);

/* Writes what is left. Nobody puts any more. NULL is fine. */
void access_log_destroy(struct access_log *log);

/* Each worker is used by one thread at a time. */
void access_log_put(struct access_log *log, unsigned worker, const struct request_record *r);

/* Opens the path anew, after somebody has moved the file away; keeps the old file where that fails. */
enum collide_status access_log_reopen(struct access_log *log, struct collide_error *err);

/* Of lines: not written, for want of room in a ring or on the disk. */
uint64_t access_log_n_dropped(const struct access_log *log);

#endif
