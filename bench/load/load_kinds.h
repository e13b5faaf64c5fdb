/* The makes of load, each a whole command. */
#ifndef BENCH_LOAD_KINDS_H
#define BENCH_LOAD_KINDS_H

#include "load_command.h"

int load_http(enum load_action action, int argc, char **argv);
int load_udp(enum load_action action, int argc, char **argv);
int load_xdp(enum load_action action, int argc, char **argv);
int load_shm(enum load_action action, int argc, char **argv);

#endif
