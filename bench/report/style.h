/* The page's style sheet. */
#ifndef BENCH_STYLE_H
#define BENCH_STYLE_H

#include "plot/style.h"

static const char page_style[] = ":root{color-scheme:light dark;--card:#f6f7f9;--bad:#b3261e;" PLOT_VARIABLES(
    PLOT_LIGHT) "}\n"
                "@media(prefers-color-scheme:dark){:root{--card:#191d21;--bad:#ff8a80;" PLOT_VARIABLES(
                    PLOT_DARK) "}}\n"
                               "*{box-sizing:border-box}\n"
                               "body{margin:0;background:var(--ground);color:var(--ink);font:16px/"
                               "1.5 " PLOT_FONT "}\n"
                               "main{max-width:860px;margin:0 auto;padding:40px 24px 64px}\n"
                               "h1{font-size:28px;line-height:1.2;font-weight:650;letter-spacing:-.015em;"
                               "margin:0 0 6px;"
                               "text-wrap:balance}\n"
                               "h2{font-size:19px;font-weight:650;letter-spacing:-.005em;margin:48px 0 2px}\n"
                               "p{margin:0 0 "
                               "14px;max-width:68ch}p.soft,.soft{color:var(--soft)}p.note{font-size:14px;"
                               "color:var(--soft)}\n"
                               "svg{display:block;width:100%;height:auto;margin:10px 0 "
                               "0;overflow:visible;font-family:inherit}\n"
                               "svg.narrow{display:none}\n" PLOT_SHAPES PLOT_COLOURS(
                                   PLOT_BY_VARIABLES) ".scroll{overflow-x:auto;margin:12px 0 0}\n"
                                                      "table{border-collapse:collapse;width:100%;font-size:"
                                                      "14px;font-variant-numeric:tabular-nums}\n"
                                                      "th,td{padding:6px 0 6px "
                                                      "12px;text-align:right;white-space:nowrap;border-"
                                                      "bottom:1px solid var(--line);"
                                                      "vertical-align:top}\n"
                                                      "th{font-weight:500;color:var(--soft);font-size:13px;"
                                                      "border-bottom-color:var(--soft)}\n"
                                                      "th:first-child,td:first-child{text-align:left;padding:"
                                                      "6px 12px 6px 0;position:sticky;left:0;"
                                                      "background:var(--ground)}td "
                                                      "small{display:block;color:var(--soft);"
                                                      "font-size:12px}.bad{color:var(--bad);font-weight:600}"
                                                      "tr.sub td{color:var(--soft)}\n"
                                                      "details{border-bottom:1px solid "
                                                      "var(--line);padding:8px 0}summary{cursor:pointer}"
                                                      "code{font:13px/1.6 "
                                                      "ui-monospace,SFMono-Regular,Menlo,\"DejaVu Sans "
                                                      "Mono\",monospace;"
                                                      "overflow-wrap:anywhere}\n"
                                                      "@media(max-width:640px){main{padding:24px 16px "
                                                      "48px}h1{font-size:23px}h2{margin-top:36px}"
                                                      "svg.wide{display:none}svg.narrow{display:block}}\n"
                                                      "@media "
                                                      "print{svg.narrow{display:none}main{max-width:none}}\n";

#endif
