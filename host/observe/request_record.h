/* What is kept of a request that is logged or was slow. */
#ifndef OBSERVE_REQUEST_RECORD_H
#define OBSERVE_REQUEST_RECORD_H

#include "base/buffer.h"
#include "observe/request_times.h"

#include <netinet/in.h>

enum transport_kind { TRANSPORT_HTTP, TRANSPORT_UDP, TRANSPORT_XDP, TRANSPORT_SHM, N_TRANSPORT_KINDS };

const char *transport_kind_name(enum transport_kind kind);

/* Copied as words. Texts end with a 0, are cut where they are longer, and are as the client sent them. */
struct request_record {
    uint64_t begin_ns; /* of clock_now_ns */
    uint64_t total_ns;
    uint64_t n_bytes_in, n_bytes_out;
    uint32_t stage_ns[N_STAGES]; /* 4 s at the most */
    uint32_t n_requests;         /* that shared it */
    uint16_t transport;          /* enum transport_kind */
    uint16_t status;             /* of HTTP; 0: of a datagram */
    union {
        sa_family_t family; /* AF_INET, AF_INET6; any other: a local client */
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } remote;
    char method[8], path[160], model[128], id[64];
    char client[40]; /* the name of the key that it came with */
};

void request_record_set_times(struct request_record *r, const struct request_times *times);

/* Copies a text into one of the record's; NULL: an empty one. A path is kept without its query, which may
 * hold what is nobody's business. */
void request_record_set_text(char *text, size_t capacity, const char *value);
void request_record_set_path(struct request_record *r, const char *path);

/* One JSON object, no line break behind it. wall_offset_ns: what makes the time of day, in ns since 1970, of
 * clock_now_ns. */
void request_record_print(const struct request_record *r, int64_t wall_offset_ns, struct buffer *out);

/* The offset as it is now. */
int64_t request_record_wall_offset_ns(void);

#endif
