/* The subcommands of collide-bench. Each takes the arguments after its own name and returns the exit status.
 */
#ifndef BENCH_COMMANDS_H
#define BENCH_COMMANDS_H

#include "base/exit_code.h"

int bench_echo(int argc, char **argv);
int bench_http(int argc, char **argv);
int bench_kernel(int argc, char **argv);
int bench_launch(int argc, char **argv);
int bench_numbers(int argc, char **argv);
int bench_report(int argc, char **argv);
int bench_shm(int argc, char **argv);
int bench_start(int argc, char **argv);
int bench_sweep(int argc, char **argv);
int bench_topk(int argc, char **argv);
int bench_tune(int argc, char **argv);
int bench_udp(int argc, char **argv);
int bench_xdp(int argc, char **argv);

#endif
