#include "base/progress.h"

#include "base/clock.h"
#include "base/log.h"

#include <stdio.h>
#include <unistd.h>

static const uint64_t terminal_interval_ns = 100u * 1000 * 1000;
static const uint64_t log_interval_ns = 10u * 1000 * 1000 * 1000ull;

static double percent_done(const struct progress *p)
{
    return p->total ? 100.0 * (double)p->done / (double)p->total : 100.0;
}

/* Of what is left, in a unit that gives two digits or so. */
static int format_left(char *out, size_t capacity, double seconds)
{
    const double minutes = seconds / 60.0;
    if (seconds < 100.0)
        return snprintf(out, capacity, "%.0f s left", seconds);
    if (minutes < 100.0)
        return snprintf(out, capacity, "%.0f min left", minutes);
    return snprintf(out, capacity, "%.1f h left", minutes / 60.0);
}

static int format_rate(char *out, size_t capacity, double rate, const char *unit)
{
    const bool is_large = rate >= 10000.0;
    return snprintf(out, capacity, ", %.*f%s%s%s/s, ", rate < 10.0 ? 2 : 0, is_large ? rate / 1000.0 : rate,
                    is_large ? "k" : "", unit[0] ? " " : "", unit);
}

static void show(struct progress *p, uint64_t now_ns)
{
    double seconds = (double)(now_ns - p->start_ns) * 1e-9;
    double rate = seconds > 0.0 && p->done > p->first ? (double)(p->done - p->first) / seconds : 0.0;
    char line[256];
    int n = snprintf(line, sizeof line, "%s%.80s: %.0f%%", p->on_terminal ? "\r\033[K" : "", p->label,
                     percent_done(p));
    if (rate > 0.0 && p->done < p->total) {
        n += format_rate(line + n, sizeof line - (size_t)n, rate, p->unit);
        n += format_left(line + n, sizeof line - (size_t)n, (double)(p->total - p->done) / rate);
    }
    if (p->note[0])
        n += snprintf(line + n, sizeof line - (size_t)n, ", %s", p->note);
    p->shown_ns = now_ns;
    if (!p->on_terminal) {
        log_info("%s", line);
        return;
    }
    /* A line that cannot be shown has nowhere to be reported. */
    ssize_t written = write(STDERR_FILENO, line, (size_t)n);
    (void)written;
}

void progress_begin(struct progress *p, const char *label, uint64_t total)
{
    uint64_t now_ns = clock_now_ns();
    *p =
        (struct progress){.label = label, .unit = "", .total = total, .start_ns = now_ns, .shown_ns = now_ns};
    p->on_terminal = isatty(STDERR_FILENO) == 1;
    if (!p->on_terminal)
        log_info("%s: started", label);
}

void progress_update(struct progress *p, uint64_t done, const char *note)
{
    p->done = done < p->total ? done : p->total;
    if (note)
        snprintf(p->note, sizeof p->note, "%s", note);
    uint64_t now_ns = clock_now_ns();
    uint64_t interval_ns = p->on_terminal ? terminal_interval_ns : log_interval_ns;
    if (now_ns - p->shown_ns >= interval_ns && log_shows(LOG_INFO))
        show(p, now_ns);
}

void progress_end(struct progress *p)
{
    const char *separator = p->note[0] ? ", " : "";
    if (p->on_terminal && log_shows(LOG_INFO)) {
        ssize_t written = write(STDERR_FILENO, "\r\033[K", 4);
        (void)written;
    }
    log_info("%s: done in %.1f s%s%s", p->label, clock_seconds_since(p->start_ns), separator, p->note);
}
