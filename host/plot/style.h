/* What plots look like. The series' colours are those of Okabe and Ito (2008), which people with colour
 * blindness can tell apart, a little darker or lighter for contrast with the ground. */
#ifndef PLOT_STYLE_H
#define PLOT_STYLE_H

/* Ground, ink, softer ink, lines, and the series s0 to s7. */
#define PLOT_LIGHT                                                                                           \
    "#fff", "#1a1c1f", "#5d636b", "#e3e6ea", "#0072b2", "#c35a00", "#00805c", "#a8518a", "#2c86b8",          \
        "#8a6d00", "#444b54", "#7a4fb5"
#define PLOT_DARK                                                                                            \
    "#111417", "#e8eaed", "#9aa3ad", "#2a2f35", "#4fa9e2", "#f08a3c", "#2fc296", "#e08fc0", "#8fd0f5",       \
        "#e6c93a", "#b9c2cc", "#b79af0"

/* The same as the CSS variables that a page gives its elements, and the use of those. */
#define PLOT_VARIABLES_OF(GROUND, INK, SOFT, LINE, C0, C1, C2, C3, C4, C5, C6, C7)                           \
    "--ground:" GROUND ";--ink:" INK ";--soft:" SOFT ";--line:" LINE ";--c0:" C0 ";--c1:" C1 ";--c2:" C2     \
    ";--c3:" C3 ";--c4:" C4 ";--c5:" C5 ";--c6:" C6 ";--c7:" C7 ";"
#define PLOT_VARIABLES(colours) PLOT_VARIABLES_OF(colours)
#define PLOT_BY_VARIABLES                                                                                    \
    "var(--ground)", "var(--ink)", "var(--soft)", "var(--line)", "var(--c0)", "var(--c1)", "var(--c2)",      \
        "var(--c3)", "var(--c4)", "var(--c5)", "var(--c6)", "var(--c7)"

#define PLOT_SERIES_COLOUR(class, colour)                                                                    \
    "polyline." class "{stroke:" colour "}text." class ",circle." class ",rect." class "{fill:" colour "}"

/* CSS rules: colours, and everything else. */
#define PLOT_COLOURS_OF(GROUND, INK, SOFT, LINE, C0, C1, C2, C3, C4, C5, C6, C7)                             \
    ".ground{fill:" GROUND "}.grid{stroke:" LINE "}.tick,.title{fill:" SOFT "}.name,.value{fill:" INK        \
    "}.label{stroke:" GROUND "}" PLOT_SERIES_COLOUR("s0", C0) PLOT_SERIES_COLOUR("s1", C1)                   \
        PLOT_SERIES_COLOUR("s2", C2) PLOT_SERIES_COLOUR("s3", C3) PLOT_SERIES_COLOUR("s4", C4)               \
            PLOT_SERIES_COLOUR("s5", C5) PLOT_SERIES_COLOUR("s6", C6) PLOT_SERIES_COLOUR("s7", C7) "\n"
#define PLOT_COLOURS(colours) PLOT_COLOURS_OF(colours)
#define PLOT_SHAPES                                                                                          \
    ".grid{stroke-width:1}.tick{font-size:12px;font-variant-numeric:tabular-nums}.title{font-size:12.5px}"   \
    ".series{fill:none;stroke-width:2.2;stroke-linejoin:round;stroke-linecap:round}"                         \
    ".dashed{stroke-dasharray:5 4;stroke-width:1.6}"                                                         \
    ".label{font-size:13px;font-weight:600;paint-order:stroke;stroke-width:4px;stroke-linejoin:round}"       \
    ".name{font-size:13.5px}.value{font-size:13px;font-weight:600;font-variant-numeric:tabular-nums}\n"

#define PLOT_FONT "system-ui,-apple-system,\"Segoe UI\",\"Helvetica Neue\",\"Liberation Sans\",sans-serif"

#endif
