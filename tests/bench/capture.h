/* Runs a subcommand of collide-bench and keeps what it prints. */
#ifndef TESTS_CAPTURE_H
#define TESTS_CAPTURE_H

/* Runs it with the words of `options`. *output, owned, is what it wrote to stdout or, had it nothing to write
 * there, to stderr. Returns the exit status. */
int capture_command(int (*command)(int argc, char **argv), const char *options, char **output);

#endif
