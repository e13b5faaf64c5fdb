#include "cli/security_args.h"

#include "base/error.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const char GROUP[] = "Security";

/* Nanoseconds of it fit 64 bits with room to spare. */
static const double MAX_REFILL_S = 1e9;

static const char *const switches[] = {"off", "on", NULL};

struct security_flags security_flags_defaults(void)
{
    return (struct security_flags){.admin_listen = NULL};
}

void security_args_fill_table(struct security_flags *flags, struct arg table[N_SECURITY_ARGS])
{
    const struct arg args[N_SECURITY_ARGS] = {
        {.name = "admin-listen",
         .type = ARG_TEXT,
         .target = &flags->admin_listen,
         .value_name = "ADDRESS",
         .default_text = "as --listen, if only this machine reaches that",
         .group = GROUP,
         .help =
             "a listener of its own, written as --listen's, for what changes the server or tells more than "
             "clients need: loading models, metrics, traces"},
        {.name = "api-keys",
         .type = ARG_TEXT,
         .target = &flags->api_keys,
         .value_name = "FILE",
         .default_text = "none",
         .group = GROUP,
         .help = "requests over HTTP must carry a key of this file, lines NAME:KEY or NAME:KEY:admin "
                 "(docs/SECURITY.md); SIGHUP reads it again"},
        {.name = "rate",
         .type = ARG_TEXT,
         .target = &flags->rate,
         .value_name = "N[/s|/m|/h]",
         .default_text = "no limit",
         .group = GROUP,
         .help = "HTTP requests of a client (a key's name, else an address) beyond this rate are refused "
                 "with 429"},
        {.name = "burst",
         .type = ARG_U64,
         .target = &flags->burst,
         .min = 1,
         .max = 1000000000,
         .default_text = "what --rate allows in a second",
         .group = GROUP,
         .help = "requests that a client which has paused may make at once"},
        {.name = "tls-cert",
         .type = ARG_TEXT,
         .target = &flags->tls_cert,
         .value_name = "FILE",
         .default_text = "none: HTTP without TLS",
         .group = GROUP,
         .help = "the certificate of HTTPS with its chain, as PEM; SIGHUP reads it again"},
        {.name = "tls-key",
         .type = ARG_TEXT,
         .target = &flags->tls_key,
         .value_name = "FILE",
         .default_text = "",
         .group = GROUP,
         .help = "the private key of --tls-cert, as PEM"},
        {.name = "user",
         .type = ARG_TEXT,
         .target = &flags->user,
         .value_name = "NAME[:GROUP]",
         .default_text = "stay who starts it",
         .group = GROUP,
         .help = "a server started as root becomes this user once all is open, before it reads a model"},
        {.name = "seccomp",
         .type = ARG_CHOICE,
         .target = &flags->seccomp,
         .choices = switches,
         .group = GROUP,
         .help = "with on, once models are loaded: no programs, no processes, no new sockets. Later models "
                 "must find their kernels built, by `collide kernels` or an earlier start"},
    };
    memcpy(table, args, sizeof args);
}

/* "100", "100/s", "6000/m", "0.5/s". */
static bool parse_rate(const char *text, double *per_second)
{
    static const struct {
        const char *name;
        double seconds;
    } units[] = {{"", 1}, {"/s", 1}, {"/m", 60}, {"/h", 3600}};
    size_t n = strcspn(text, "/");
    char number[32];
    if (n == 0 || n >= sizeof number)
        return false;
    memcpy(number, text, n);
    number[n] = '\0';
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(text + n, units[i].name) == 0) {
            char *end;
            *per_second = strtod(number, &end) / units[i].seconds;
            return *end == '\0' && *per_second > 1e-6 && *per_second <= 1e9;
        }
    return false;
}

enum collide_status security_flags_check(struct security_flags *flags, struct collide_error *err)
{
    double per_second = 0;
    if (!flags->tls_cert != !flags->tls_key)
        return error_set(err, COLLIDE_INVALID, "--tls-cert and --tls-key go together");
    if (flags->burst && !flags->rate)
        return error_set(err, COLLIDE_INVALID, "--burst goes with --rate");
    if (!flags->rate)
        return COLLIDE_OK;
    if (!parse_rate(flags->rate, &per_second))
        return error_set(err, COLLIDE_INVALID, "--rate %.32s is no rate; write 100/s, 6000/m or 100000/h",
                         flags->rate);
    if ((double)flags->burst / per_second > MAX_REFILL_S)
        return error_set(err, COLLIDE_INVALID,
                         "--burst %llu takes over thirty years to refill at --rate %.32s; give less",
                         (unsigned long long)flags->burst, flags->rate);
    flags->limit = (struct rate_limit_options){.per_second = per_second,
                                               .burst = flags->burst     ? (double)flags->burst
                                                        : per_second < 1 ? 1
                                                                         : per_second};
    return COLLIDE_OK;
}
