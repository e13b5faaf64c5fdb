/* The signals that serve lives by: SIGTERM and SIGINT to stop, SIGHUP to reload. */
#ifndef CLI_SERVE_SIGNALS_H
#define CLI_SERVE_SIGNALS_H

#include <signal.h>

/* Called on the main thread before serve starts others. From then on they wait for it, whichever thread the
 * kernel gives them to: for its sigtimedwait over the set, which is returned. One that nobody waits for any
 * more does nothing. */
sigset_t serve_signals_block(void);

#endif
