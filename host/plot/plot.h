/* A plot of lines as SVG: inline, where colours and fonts are the page's, whose rules plot/style.h has, or as
 * a file of its own. */
#ifndef PLOT_PLOT_H
#define PLOT_PLOT_H

#include "plot/ticks.h"

#include <stdio.h>

enum plot_line { PLOT_SOLID, PLOT_DASHED };

enum { PLOT_N_COLOURS = 8, PLOT_SERIES_MAX = 64 };

struct plot_point {
    double x, y;
};

struct plot_series {
    const char *label; /* beside the line's end; NULL: none */
    unsigned colour;   /* below PLOT_N_COLOURS */
    enum plot_line line;
    const struct plot_point *points; /* (n), by rising x */
    size_t n;
};

struct plot {
    const char *description; /* for those who do not see it */
    struct axis x, y;
    const struct plot_series *series; /* (n_series), PLOT_SERIES_MAX at most */
    size_t n_series;
};

/* Two sizes of the same plot: the page's CSS shows the one that suits. */
enum plot_size { PLOT_WIDE, PLOT_NARROW };

void plot_print(FILE *out, const struct plot *p, enum plot_size size);

/* A whole SVG file, PLOT_WIDE, that needs nothing else, light or dark as its reader wants it. */
void plot_print_file(FILE *out, const struct plot *p);

/* Text with the characters that HTML gives a meaning replaced. */
void html_print(FILE *out, const char *text);

struct bar {
    const char *label;
    const char *text; /* the value, for people */
    double value;
    unsigned colour;
};

/* Bars from 0, one below the other. */
void bars_print(FILE *out, const char *description, const struct bar *bars, size_t n, enum plot_size size);

#endif
