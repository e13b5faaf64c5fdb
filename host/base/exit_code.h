/* How programs end. */
#ifndef BASE_EXIT_CODE_H
#define BASE_EXIT_CODE_H

enum exit_code {
    EXIT_DONE,
    EXIT_FAILED,
    EXIT_USAGE,       /* the command line, or a configuration file, is wrong */
    EXIT_UNREACHABLE, /* no connection to the server */
    N_EXIT_CODES
};

/* What each says, for help. */
extern const char *const exit_code_meanings[N_EXIT_CODES];

#endif
