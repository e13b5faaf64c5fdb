#include "cli/serve_signals.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <ucontext.h>
#include <unistd.h>

static sigset_t served_signals(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    return signals;
}

/* On a thread that does not block them: it does from now on, and the main one, whose id is the process's, has
 * what came from without. */
static void pass_on(int signal_number, siginfo_t *info, void *context)
{
    ucontext_t *interrupted = context;
    int saved_errno = errno;
    sigaddset(&interrupted->uc_sigmask, SIGTERM);
    sigaddset(&interrupted->uc_sigmask, SIGINT);
    sigaddset(&interrupted->uc_sigmask, SIGHUP);
    if (info->si_code != SI_TKILL)
        tgkill(getpid(), getpid(), signal_number);
    errno = saved_errno;
}

/* Libraries have threads since before main (OpenBLAS does). They are told at once, not only when a signal
 * comes: by then others may have put their handlers in place (LLVM does), after which the second signal ends
 * the process. */
static void tell_threads(void)
{
    DIR *threads = opendir("/proc/self/task");
    for (const struct dirent *e = threads ? readdir(threads) : NULL; e; e = readdir(threads)) {
        int id = atoi(e->d_name);
        if (id > 0 && id != getpid())
            tgkill(getpid(), id, SIGHUP);
    }
    if (threads)
        closedir(threads);
}

sigset_t serve_signals_block(void)
{
    const sigset_t signals = served_signals();
    const struct sigaction action = {
        .sa_sigaction = pass_on, .sa_mask = signals, .sa_flags = SA_SIGINFO | SA_RESTART};
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    tell_threads();
    return signals;
}
