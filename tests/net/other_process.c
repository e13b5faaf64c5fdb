#include "net/other_process.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

void other_start(struct other *o, void (*act)(const char *name), const char *name)
{
    int go[2], done[2];
    char byte;
    assert_int_equal(pipe(go), 0);
    assert_int_equal(pipe(done), 0);
    o->pid = fork();
    assert_true(o->pid >= 0);
    if (o->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (read(go[0], &byte, 1) == 1)
            act(name);
        if (write(done[1], &byte, 1) == 1)
            for (;;)
                pause();
        _exit(1);
    }
    close(go[0]);
    close(done[1]);
    o->go = go[1];
    o->done = done[0];
}

void other_go(const struct other *o)
{
    assert_int_equal(write(o->go, "", 1), 1);
}

void other_wait(const struct other *o)
{
    char byte;
    assert_int_equal(read(o->done, &byte, 1), 1);
}

void other_kill(const struct other *o)
{
    int status;
    kill(o->pid, SIGKILL);
    assert_int_equal(waitpid(o->pid, &status, 0), o->pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    close(o->go);
    close(o->done);
}
