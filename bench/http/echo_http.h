/* An echo over HTTP that is libmicrohttpd and nothing else: what it costs before anything is computed. */
#ifndef BENCH_ECHO_HTTP_H
#define BENCH_ECHO_HTTP_H

#include "echo.h"

/* echo_run's, of ECHO_HTTP_SPIN and ECHO_HTTP_BLOCK: answers every request with its body. */
enum collide_status echo_http_run(const struct echo_options *options, const atomic_bool *stop,
                                  struct collide_error *err);

#endif
