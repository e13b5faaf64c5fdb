#include "base/exit_code.h"

const char *const exit_code_meanings[N_EXIT_CODES] = {
    [EXIT_DONE] = "all well",
    [EXIT_FAILED] = "something failed",
    [EXIT_USAGE] = "wrong usage",
    [EXIT_UNREACHABLE] = "the server cannot be reached",
};
