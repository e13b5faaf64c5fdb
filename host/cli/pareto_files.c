#include "cli/pareto_files.h"

#include "base/error.h"
#include "base/file.h"
#include "plot/plot.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

enum { PATH_BYTES = 4096 };

enum { CSV, SVG, N_ENDINGS };
static const char *const ENDINGS[N_ENDINGS] = {[CSV] = "csv", [SVG] = "svg"};

static enum collide_status make_path(const char *name, const char *ending, char path[PATH_BYTES],
                                     struct collide_error *err)
{
    const int n = snprintf(path, PATH_BYTES, "%s.%s", name, ending);
    if (n < 0 || n >= PATH_BYTES)
        return error_set(err, COLLIDE_INVALID, "a file's name of %d characters", n);
    return COLLIDE_OK;
}

static enum collide_status begin(const char *name, const char *ending, struct file_replace *out,
                                 struct collide_error *err)
{
    char path[PATH_BYTES];
    enum collide_status status = make_path(name, ending, path, err);
    return status == COLLIDE_OK ? file_replace_begin(path, out, err) : status;
}

/* false: out of memory. */
typedef bool (*print_pareto)(FILE *out, const struct pareto *p);

static enum collide_status write_printed(const struct pareto *p, print_pareto print, const char *name,
                                         const char *ending, struct collide_error *err)
{
    struct file_replace file;
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    if (!out)
        return error_no_memory(err, "the printed figures");
    const bool is_printed = print(out, p);
    enum collide_status status = fclose(out) == 0 && is_printed ? begin(name, ending, &file, err)
                                                                : error_no_memory(err, "the printed figures");
    if (status == COLLIDE_OK) {
        status = file_write_all(file.fd, text, n, file.path, err);
        if (status == COLLIDE_OK)
            status = file_replace_commit(&file, err);
        else
            file_replace_abandon(&file);
    }
    free(text);
    return status;
}

enum collide_status pareto_check_writable(const char *name, struct collide_error *err)
{
    enum collide_status status = COLLIDE_OK;
    for (size_t i = 0; i < N_ENDINGS && status == COLLIDE_OK; i++) {
        struct file_replace file;
        status = begin(name, ENDINGS[i], &file, err);
        if (status == COLLIDE_OK)
            file_replace_abandon(&file);
    }
    return status;
}

enum collide_status pareto_check_apart(const char *name, const char *input, struct collide_error *err)
{
    enum collide_status status = COLLIDE_OK;
    for (size_t i = 0; i < N_ENDINGS && status == COLLIDE_OK; i++) {
        char path[PATH_BYTES];
        status = make_path(name, ENDINGS[i], path, err);
        if (status == COLLIDE_OK)
            status = file_check_apart(path, input, err);
    }
    return status;
}

/* ---- */

static bool print_csv(FILE *out, const struct pareto *p)
{
    fprintf(out, "budget,bytes,percent_of_full,method,lookups,rows,precision,scaling");
    for (size_t q = 0; q < N_QUALITIES; q++)
        fprintf(out, ",%s", quality_names[q]);
    fprintf(out, ",seconds,on_front\n");
    for (size_t i = 0; i < p->n; i++) {
        const struct trial *t = &p->points[i].best;
        fprintf(out, "%" PRIu64 ",%" PRIu64 ",%.4f,%s,%" PRIu32 ",%" PRIu64 ",%s,%s",
                p->points[i].budget_bytes, t->n_bytes, 100.0 * (double)t->n_bytes / (double)p->full_bytes,
                t->method, t->n_lookups, t->n_rows, t->precision, t->scaling);
        for (size_t q = 0; q < N_QUALITIES; q++)
            fprintf(out, ",%.6f", t->qualities[q]);
        fprintf(out, ",%.3f,%d\n", t->seconds, p->points[i].is_on_front);
    }
    return true;
}

enum collide_status pareto_write_csv(const struct pareto *p, const char *name, struct collide_error *err)
{
    return write_printed(p, print_csv, name, ENDINGS[CSV], err);
}

static int by_x(const void *a, const void *b)
{
    const struct plot_point *p = a, *q = b;
    return (p->x > q->x) - (p->x < q->x);
}

static bool print_svg(FILE *out, const struct pareto *p)
{
    struct plot_point *points = calloc(p->n * N_QUALITIES, sizeof *points);
    if (!points)
        return false;
    struct plot_series series[N_QUALITIES];
    struct plot plot = {.description =
                            "Quality on held-out interactions against the bytes that serving needs",
                        .x = {"bytes of all that serving needs", SCALE_LOG, UNIT_BYTES, INFINITY, 0},
                        .y = {"quality", SCALE_LINEAR, UNIT_PERCENT, 0, 0},
                        .series = series,
                        .n_series = N_QUALITIES};
    for (unsigned q = 0; q < N_QUALITIES; q++) {
        struct plot_point *at = points + q * p->n;
        for (size_t i = 0; i < p->n; i++) {
            const struct trial *t = &p->points[i].best;
            at[i] = (struct plot_point){(double)t->n_bytes, 100 * t->qualities[q]};
            plot.x.low = fmin(plot.x.low, at[i].x);
            plot.x.high = fmax(plot.x.high, at[i].x);
            plot.y.high = fmax(plot.y.high, at[i].y);
        }
        qsort(at, p->n, sizeof *at, by_x);
        series[q] = (struct plot_series){quality_names[q], q, PLOT_SOLID, at, p->n};
    }
    axis_round(&plot.x);
    axis_round(&plot.y);
    plot_print_file(out, &plot);
    free(points);
    return true;
}

enum collide_status pareto_write_svg(const struct pareto *p, const char *name, struct collide_error *err)
{
    return write_printed(p, print_svg, name, ENDINGS[SVG], err);
}
