#include "plot/ticks.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>

/* 1, 2 or 5 times a power of ten, not below x. */
static double round_up(double x)
{
    double power = pow(10, floor(log10(x) + 1e-9));
    for (int i = 0; i < 3; i++) {
        static const double steps[] = {1, 2, 5};
        if (steps[i] * power >= x * (1 - 1e-9))
            return steps[i] * power;
    }
    return 10 * power;
}

static double round_down(double x)
{
    double power = pow(10, floor(log10(x) + 1e-9));
    return x >= 5 * power * (1 - 1e-9) ? 5 * power : x >= 2 * power * (1 - 1e-9) ? 2 * power : power;
}

void axis_round(struct axis *a)
{
    if (a->scale == SCALE_LINEAR) {
        double step = round_up(a->high > 0 ? a->high / 5 : 1);
        a->low = 0;
        a->high = step * ceil((a->high > 0 ? a->high : 1) / step - 1e-9);
        return;
    }
    a->low = round_down(a->low);
    a->high = round_up(a->high);
    if (a->high <= a->low)
        a->high = a->low * 10;
}

double axis_place(const struct axis *a, double value)
{
    if (a->scale == SCALE_LINEAR)
        return (value - a->low) / (a->high - a->low);
    return log(value / a->low) / log(a->high / a->low);
}

static size_t add(double ticks[TICKS_MAX], size_t n, double value)
{
    if (n < TICKS_MAX)
        ticks[n++] = value;
    return n;
}

static bool is_inside(const struct axis *a, double value)
{
    return value >= a->low * (1 - 1e-9) && value <= a->high * (1 + 1e-9);
}

static size_t log_ticks(const struct axis *a, unsigned n_wanted, double ticks[TICKS_MAX])
{
    static const double steps[] = {1, 2, 5};
    double decades = log10(a->high / a->low);
    unsigned n_steps = decades * 3 <= n_wanted ? 3 : 1;
    double stride = pow(10, ceil(decades / n_wanted - 1e-9));
    double first = pow(10, floor(log10(a->low) + 1e-9));
    size_t n = 0;
    for (double power = first; power <= a->high * (1 + 1e-9); power *= n_steps == 3 ? 10 : stride)
        for (unsigned i = 0; i < n_steps; i++)
            if (is_inside(a, power * steps[i]))
                n = add(ticks, n, power * steps[i]);
    return n;
}

static size_t tail_ticks(const struct axis *a, double ticks[TICKS_MAX])
{
    size_t n = is_inside(a, 2) ? add(ticks, 0, 2) : 0;
    for (double power = 10; power <= a->high * (1 + 1e-9); power *= 10)
        n = add(ticks, n, power);
    return n;
}

size_t axis_ticks(const struct axis *a, unsigned n_wanted, double ticks[TICKS_MAX])
{
    if (a->scale == SCALE_LOG)
        return log_ticks(a, n_wanted, ticks);
    if (a->scale == SCALE_TAIL)
        return tail_ticks(a, ticks);
    double step = round_up((a->high - a->low) / n_wanted);
    size_t n = 0;
    for (int i = 0; a->low + step * i <= a->high * (1 + 1e-9) && n < TICKS_MAX; i++)
        n = add(ticks, n, a->low + step * i);
    return n;
}

void tick_text(enum unit unit, double value, char *out, size_t capacity)
{
    switch (unit) {
    case UNIT_US:
        if (value < 1)
            snprintf(out, capacity, "%.3g ns", value * 1e3);
        else if (value < 1e3)
            snprintf(out, capacity, "%.3g \xc2\xb5s", value);
        else if (value < 1e6)
            snprintf(out, capacity, "%.3g ms", value * 1e-3);
        else
            snprintf(out, capacity, "%.3g s", value * 1e-6);
        return;
    case UNIT_PER_S:
        if (value < 1e3)
            snprintf(out, capacity, "%.3g", value);
        else if (value < 999.5e3)
            snprintf(out, capacity, "%.3gk", value * 1e-3);
        else
            snprintf(out, capacity, "%.3gM", value * 1e-6);
        return;
    case UNIT_PERCENTILE:
        snprintf(out, capacity, "%.8g%%", 100 - 100 / value);
        return;
    case UNIT_BYTES:
        if (value < 1e3)
            snprintf(out, capacity, "%.3g B", value);
        else if (value < 1e6)
            snprintf(out, capacity, "%.3g kB", value * 1e-3);
        else if (value < 1e9)
            snprintf(out, capacity, "%.3g MB", value * 1e-6);
        else
            snprintf(out, capacity, "%.3g GB", value * 1e-9);
        return;
    case UNIT_PERCENT:
        snprintf(out, capacity, "%.3g%%", value);
        return;
    }
}
