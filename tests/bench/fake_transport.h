/* A transport in simulated time: each answer takes service_ns, but none is given during the stall. Time moves
 * only in poll. */
#ifndef TESTS_FAKE_TRANSPORT_H
#define TESTS_FAKE_TRANSPORT_H

#include "transport.h"

enum { FAKE_N_LANES = 4 };

struct fake {
    uint64_t now_ns;
    uint64_t service_ns;
    uint64_t per_request_ns; /* of the one server behind all lanes; 0: each lane has its own */
    uint64_t free_ns;        /* when that server is */
    uint64_t stall_begin_ns, stall_end_ns;
    uint64_t n_sent;
    uint64_t refuse_each;      /* every so many-th request is answered with 500; 0: none */
    enum outcome outcome;      /* of all requests */
    uint32_t stages[N_STAGES]; /* that all answers tell, if the first is not 0 */
    struct {
        uint64_t ready_ns; /* UINT64_MAX: idle */
        int code;
    } lanes[FAKE_N_LANES];
    struct completion done[FAKE_N_LANES];
};

struct fake fake_make(uint64_t service_ns);

/* The stall, in times since now. */
void fake_stall(struct fake *f, uint64_t begin_ns, uint64_t end_ns);
struct transport fake_transport(struct fake *f);

#endif
