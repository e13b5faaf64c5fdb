#include "capture.h"

#include "base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { N_ARGS_MAX = 24, OUTPUT_BYTES_MAX = 64 << 10 };

/* Where stdout or stderr went before, and the file that it goes to meanwhile. */
struct capture {
    FILE *file;
    FILE *stream;
    int saved_fd;
};

static struct capture capture_begin(FILE *stream)
{
    struct capture c = {.file = tmpfile(), .stream = stream, .saved_fd = dup(fileno(stream))};
    assert_non_null(c.file);
    fflush(stream);
    dup2(fileno(c.file), fileno(stream));
    return c;
}

/* Returns owned. */
static char *capture_end(struct capture *c)
{
    fflush(c->stream);
    dup2(c->saved_fd, fileno(c->stream));
    close(c->saved_fd);
    char *text = calloc(1, OUTPUT_BYTES_MAX);
    assert_non_null(text);
    rewind(c->file);
    size_t n = fread(text, 1, OUTPUT_BYTES_MAX - 1, c->file);
    text[n] = '\0';
    fclose(c->file);
    return text;
}

int capture_command(int (*command)(int argc, char **argv), const char *options, char **output)
{
    char words[512];
    char *argv[N_ARGS_MAX], *rest = NULL;
    int argc = 0;
    snprintf(words, sizeof words, "%s", options);
    for (char *word = strtok_r(words, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
        argv[argc++] = word;
    log_set_level(LOG_INFO); /* as the program does */
    struct capture out = capture_begin(stdout), errors = capture_begin(stderr);
    int exit_status = command(argc, argv);
    char *error_text = capture_end(&errors);
    *output = capture_end(&out);
    if (!**output) {
        free(*output);
        *output = error_text;
    } else {
        free(error_text);
    }
    return exit_status;
}
