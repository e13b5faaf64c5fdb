#include "base/roff.h"

#include "collide/status.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

void roff_text(FILE *out, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bool starts_line = i == 0 || text[i - 1] == '\n';
        if (starts_line && (text[i] == '.' || text[i] == '\''))
            fputs("\\&", out);
        if (text[i] == '\\')
            fputs("\\e", out);
        else if (text[i] == '-')
            fputs("\\-", out);
        else
            fputc(text[i], out);
    }
}

void roff_page(FILE *out, const char *name, const char *summary)
{
    char page[128];
    size_t n = (size_t)snprintf(page, sizeof page, "%s", name);
    for (size_t i = 0; i < n; i++)
        page[i] = page[i] == ' ' ? '-' : page[i];
    fputs(".TH \"", out);
    for (size_t i = 0; i < n; i++)
        fputc(toupper((unsigned char)page[i]), out);
    fprintf(out, "\" 1 \"\" \"collide %s\" \"User Commands\"\n.SH NAME\n", collide_version());
    roff_text(out, page, n);
    fputs(" \\- ", out);
    roff_text(out, summary, strlen(summary));
    fputc('\n', out);
}
