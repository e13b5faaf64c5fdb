/* A server of shared memory with an echo service behind it. */
#ifndef TESTS_SHM_FIXTURE_H
#define TESTS_SHM_FIXTURE_H

#include "net/echo_client.h"
#include "net/echo_service.h"
#include "net/shm.h"

enum { N_THREADS = 2, MAX_CLIENTS = 32, PATIENCE = 6000 /* times 10 ms */ };

/* A name that no other process uses. Static. */
const char *shm_test_name(void);

/* Both fail the test if there can be none. */
struct shm_server *shm_test_serve(struct echo_service *e, const char *name, enum poll_policy poll);
struct channel *shm_test_reach(const char *name, enum channel_wait wait);

#endif
