#include "base/help_form.h"

#include <string.h>

static const char *const arguments[] = {[HELP_TEXT] = "--help",
                                        [HELP_MAN] = "--help=man",
                                        [HELP_WORDS] = "--help=words",
                                        [HELP_PAGES] = "--help=pages"};

bool help_form_of(const char *argument, enum help_form *out)
{
    if (strcmp(argument, "-h") == 0)
        argument = arguments[HELP_TEXT];
    for (size_t i = 0; i < sizeof arguments / sizeof arguments[0]; i++) {
        if (strcmp(argument, arguments[i]) == 0) {
            *out = (enum help_form)i;
            return true;
        }
    }
    return false;
}

const char *help_form_argument(enum help_form form)
{
    return arguments[form];
}

size_t help_n_command(const char *synopsis)
{
    size_t n = 0;
    for (size_t at = 0; synopsis[at] >= 'a' && synopsis[at] <= 'z'; at = n + 1) {
        size_t n_word = strspn(synopsis + at, "abcdefghijklmnopqrstuvwxyz-");
        if (synopsis[at + n_word] != ' ' && synopsis[at + n_word] != '\0')
            break;
        n = at + n_word;
        if (!synopsis[n])
            break;
    }
    return n;
}
