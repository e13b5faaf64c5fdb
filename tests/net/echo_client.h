/* Asking an echo service over a client's channel. */
#ifndef TESTS_ECHO_CLIENT_H
#define TESTS_ECHO_CLIENT_H

#include "client/channel.h"

#include <stdbool.h>

enum { ECHO_WAIT_MS = 10000 };

/* Datagram i: its bytes, at least 8 and none an ECHO_SILENCE at the front, follow from i. Fails the test if
 * the channel does. */
void echo_send(struct channel *c, uint64_t i, size_t n_bytes);

/* Receives one answer; fails the test unless it is datagram i's, or nothing comes within ECHO_WAIT_MS. */
void echo_receive(struct channel *c, uint64_t i, size_t n_bytes);

/* Keeps `depth` datagrams of random lengths in flight until n have been answered in order. */
void echo_many(struct channel *c, uint64_t n, size_t depth);

/* Whether the channel tells within ECHO_WAIT_MS that its other end is gone. */
bool echo_sees_end(struct channel *c, struct collide_error *err);

#endif
