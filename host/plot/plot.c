#include "plot/plot.h"

#include "plot/style.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

static const double LABEL_GAP = 15; /* between the baselines of labels, so that they do not overlap */
static const double TICK_CHARACTER = 7, LABEL_CHARACTER = 8; /* width of one, about */

struct frame {
    double width, height, left, right, top, bottom; /* the last four: margins */
    unsigned n_x_ticks, n_y_ticks;
    const char *class;
};

static struct frame frame_of(enum plot_size size)
{
    static const struct frame frames[] = {
        [PLOT_WIDE] = {760, 400, 64, 120, 28, 52, 9, 8, "wide"},
        [PLOT_NARROW] = {360, 330, 50, 76, 28, 48, 5, 7, "narrow"},
    };
    return frames[size];
}

void html_print(FILE *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '<')
            fputs("&lt;", out);
        else if (*text == '>')
            fputs("&gt;", out);
        else if (*text == '&')
            fputs("&amp;", out);
        else if (*text == '"')
            fputs("&quot;", out);
        else
            fputc(*text, out);
    }
}

static double x_of(const struct frame *f, const struct axis *a, double value)
{
    return f->left + axis_place(a, value) * (f->width - f->left - f->right);
}

static double y_of(const struct frame *f, const struct axis *a, double value)
{
    return f->height - f->bottom - axis_place(a, value) * (f->height - f->top - f->bottom);
}

static void begin_svg(FILE *out, const char *class, double width, double height, const char *description)
{
    fprintf(out, "<svg class=\"%s\" viewBox=\"0 0 %g %g\" role=\"img\" aria-label=\"", class, width, height);
    html_print(out, description);
    fprintf(out, "\">\n");
}

static void print_x_axis(FILE *out, const struct frame *f, const struct axis *a)
{
    double ticks[TICKS_MAX], base = f->height - f->bottom;
    size_t n = axis_ticks(a, f->n_x_ticks, ticks);
    double free_from = 0;
    char text[32];
    for (size_t i = 0; i < n; i++) {
        double x = x_of(f, a, ticks[i]);
        tick_text(a->unit, ticks[i], text, sizeof text);
        double half = (double)strlen(text) * TICK_CHARACTER / 2;
        if (x - half < free_from)
            continue;
        free_from = x + half + TICK_CHARACTER;
        fprintf(out, "<line class=\"grid\" x1=\"%.1f\" y1=\"%g\" x2=\"%.1f\" y2=\"%g\"/>", x, f->top, x,
                base);
        fprintf(out, "<text class=\"tick\" x=\"%.1f\" y=\"%g\" text-anchor=\"middle\">%s</text>\n", x,
                base + 18, text);
    }
    fprintf(out, "<text class=\"title\" x=\"%.1f\" y=\"%g\" text-anchor=\"middle\">",
            (f->left + f->width - f->right) / 2, f->height - 10);
    html_print(out, a->title);
    fprintf(out, "</text>\n");
}

static void print_y_axis(FILE *out, const struct frame *f, const struct axis *a)
{
    double ticks[TICKS_MAX];
    size_t n = axis_ticks(a, f->n_y_ticks, ticks);
    char text[32];
    for (size_t i = 0; i < n; i++) {
        double y = y_of(f, a, ticks[i]);
        tick_text(a->unit, ticks[i], text, sizeof text);
        fprintf(out, "<line class=\"grid\" x1=\"%g\" y1=\"%.1f\" x2=\"%g\" y2=\"%.1f\"/>", f->left, y,
                f->width - f->right, y);
        fprintf(out, "<text class=\"tick\" x=\"%g\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n", f->left - 7,
                y + 4, text);
    }
    fprintf(out, "<text class=\"title\" x=\"4\" y=\"14\">");
    html_print(out, a->title);
    fprintf(out, "</text>\n");
}

static void print_line(FILE *out, const struct frame *f, const struct plot *p, const struct plot_series *s)
{
    fprintf(out, "<polyline class=\"series s%u%s\" points=\"", s->colour % PLOT_N_COLOURS,
            s->line == PLOT_DASHED ? " dashed" : "");
    for (size_t i = 0; i < s->n; i++)
        fprintf(out, "%.1f,%.1f ", x_of(f, &p->x, s->points[i].x), y_of(f, &p->y, s->points[i].y));
    fprintf(out, "\"/>\n");
    /* Few points are measurements of their own; many are a curve. */
    for (size_t i = 0; i < s->n && s->n <= 24; i++)
        fprintf(out, "<circle class=\"s%u\" cx=\"%.1f\" cy=\"%.1f\" r=\"2.6\"/>", s->colour % PLOT_N_COLOURS,
                x_of(f, &p->x, s->points[i].x), y_of(f, &p->y, s->points[i].y));
}

struct label {
    const struct plot_series *series;
    double x, y, width; /* of its left end */
};

static bool are_side_by_side(const struct label *a, const struct label *b)
{
    return a->x + a->width <= b->x || b->x + b->width <= a->x;
}

/* Moves labels (n, from the top down) apart: down from the top, and up again from the bottom. */
static void spread_labels(struct label *labels, size_t n, double bottom)
{
    for (size_t i = 1; i < n; i++)
        for (size_t j = 0; j < i; j++)
            if (!are_side_by_side(&labels[i], &labels[j]))
                labels[i].y = fmax(labels[i].y, labels[j].y + LABEL_GAP);
    for (size_t i = n; i-- > 0;) {
        labels[i].y = fmin(labels[i].y, bottom);
        for (size_t j = i + 1; j < n; j++)
            if (!are_side_by_side(&labels[i], &labels[j]))
                labels[i].y = fmin(labels[i].y, labels[j].y - LABEL_GAP);
    }
}

static void print_labels(FILE *out, const struct frame *f, const struct plot *p)
{
    struct label labels[PLOT_SERIES_MAX];
    size_t n = 0;
    for (size_t i = 0; i < p->n_series; i++) {
        const struct plot_series *s = &p->series[i];
        if (!s->label || s->n == 0)
            continue;
        const struct plot_point *end = &s->points[s->n - 1];
        struct label label = {s, x_of(f, &p->x, end->x) + 8, y_of(f, &p->y, end->y) + 4,
                              (double)strlen(s->label) * LABEL_CHARACTER};
        label.x = fmin(label.x, f->width - label.width);
        size_t at = n++;
        for (; at > 0 && labels[at - 1].y > label.y; at--)
            labels[at] = labels[at - 1];
        labels[at] = label;
    }
    spread_labels(labels, n, f->height - f->bottom);
    for (size_t i = 0; i < n; i++) {
        const struct plot_series *s = labels[i].series;
        fprintf(out, "<text class=\"label s%u\" x=\"%.1f\" y=\"%.1f\">", s->colour % PLOT_N_COLOURS,
                labels[i].x, labels[i].y);
        html_print(out, s->label);
        fprintf(out, "</text>\n");
    }
}

static void print_content(FILE *out, const struct frame *f, const struct plot *p)
{
    print_x_axis(out, f, &p->x);
    print_y_axis(out, f, &p->y);
    for (size_t i = 0; i < p->n_series; i++)
        print_line(out, f, p, &p->series[i]);
    print_labels(out, f, p);
    fprintf(out, "</svg>\n");
}

void plot_print(FILE *out, const struct plot *p, enum plot_size size)
{
    const struct frame f = frame_of(size);
    begin_svg(out, f.class, f.width, f.height, p->description);
    print_content(out, &f, p);
}

/* Colours stand in the rules themselves: not every reader of SVG knows CSS variables. */
static const char file_style[] = "text{font-family:" PLOT_FONT "}\n" PLOT_SHAPES PLOT_COLOURS(
    PLOT_LIGHT) "@media(prefers-color-scheme:dark){\n" PLOT_COLOURS(PLOT_DARK) "}\n";

void plot_print_file(FILE *out, const struct plot *p)
{
    const struct frame f = frame_of(PLOT_WIDE);
    fprintf(out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%g\" height=\"%g\" viewBox=\"0 0 %g %g\" "
            "role=\"img\">\n<title>",
            f.width, f.height, f.width, f.height);
    html_print(out, p->description);
    fprintf(out, "</title>\n<style>\n%s</style>\n<rect class=\"ground\" width=\"100%%\" height=\"100%%\"/>\n",
            file_style);
    print_content(out, &f, p);
}

void bars_print(FILE *out, const char *description, const struct bar *bars, size_t n, enum plot_size size)
{
    const struct frame f = frame_of(size);
    const double row = 30, height = row * (double)n + 6, name_width = size == PLOT_WIDE ? 150 : 112;
    double greatest = 0, room = f.width - name_width - 90;
    for (size_t i = 0; i < n; i++)
        greatest = fmax(greatest, bars[i].value);
    begin_svg(out, f.class, f.width, height, description);
    for (size_t i = 0; i < n; i++) {
        double y = row * (double)i + 4,
               width = greatest > 0 ? fmax(room * bars[i].value / greatest, 1.5) : 1.5;
        fprintf(out, "<text class=\"name\" x=\"%g\" y=\"%g\" text-anchor=\"end\">", name_width - 10, y + 16);
        html_print(out, bars[i].label);
        fprintf(out,
                "</text><rect class=\"bar s%u\" x=\"%g\" y=\"%g\" width=\"%.1f\" height=\"22\" rx=\"2\"/>",
                bars[i].colour % PLOT_N_COLOURS, name_width, y, width);
        fprintf(out, "<text class=\"value\" x=\"%.1f\" y=\"%g\">%s</text>\n", name_width + width + 8, y + 16,
                bars[i].text);
    }
    fprintf(out, "</svg>\n");
}
