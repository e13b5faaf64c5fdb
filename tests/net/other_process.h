/* A second process, for what only the death of one shows. */
#ifndef TESTS_OTHER_PROCESS_H
#define TESTS_OTHER_PROCESS_H

#include <sys/types.h>

/* Made while this process has no threads; does `act` once told to, and then waits to be killed. */
struct other {
    pid_t pid;
    int go, done;
};

/* Fails the test if there can be none. Where act fails it is to _exit. */
void other_start(struct other *o, void (*act)(const char *name), const char *name);
void other_go(const struct other *o);

/* Until act has returned. */
void other_wait(const struct other *o);

/* With SIGKILL; fails the test if it had ended before. */
void other_kill(const struct other *o);

#endif
