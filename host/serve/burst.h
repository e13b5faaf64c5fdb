/* Datagrams in, answers in their place: what every datagram transport does with what it has received. */
#ifndef SERVE_BURST_H
#define SERVE_BURST_H

#include "serve/service.h"

enum { BURST_MAX = 64 };

/* A received datagram. Its answer is written over it. */
struct datagram {
    uint8_t *bytes;         /* (capacity), at a multiple of 4 */
    uint32_t n_bytes;       /* received */
    uint32_t capacity;      /* for the answer: at least WIRE_MAX_BYTES */
    uint32_t n_reply_bytes; /* out; 0: no answer, drop it */
    uint64_t arrived_ns;    /* of clock_now_ns; 0: now */
};

/* Answers n <= BURST_MAX datagrams; score requests for a model share launches, top-k has one each. Each
 * worker is used by one thread at a time. Bytes that others may write to meanwhile (shared memory) do no
 * harm. */
void service_answer_burst(struct service *s, unsigned worker, struct datagram *burst, size_t n);

/* Behind it, once the answers have been handed over to be sent: observes how long that took, which is so no
 * part of it. */
void service_burst_sent(struct service *s, unsigned worker, const struct datagram *burst, size_t n);

/* Memory that this worker's datagrams will lie in: where the device can, it reads ids from there. Before
 * any model is loaded; once a worker. At a multiple of 4096 bytes; owned by the service from here on, for
 * free(). */
void service_share_memory(struct service *s, unsigned worker, void *memory, size_t n_bytes);

/* What became of datagrams and their requests, of all workers. */
struct burst_counts {
    uint64_t n_datagrams, n_bursts;
    uint64_t n_not_ours, n_other_version,
        n_bad_tag;           /* dropped; without a key, other versions are answered so */
    uint64_t n_requests[16]; /* by enum wire_code of the answer */
};

void service_burst_counts(const struct service *s, struct burst_counts *out);

/* Adds those of one worker. */
void service_worker_burst_counts(const struct service *s, unsigned worker, struct burst_counts *sum);

#endif
