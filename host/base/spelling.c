#include "base/spelling.h"

#include "base/least.h"

#include <string.h>

enum { LONGEST = 63 };

size_t spelling_distance(const char *a, const char *b)
{
    size_t n_a = strnlen(a, LONGEST), n_b = strnlen(b, LONGEST);
    size_t d[LONGEST + 1][LONGEST + 1]; /* d[i][j]: between the first i of a and the first j of b */
    for (size_t i = 0; i <= n_a; i++)
        d[i][0] = i;
    for (size_t j = 0; j <= n_b; j++)
        d[0][j] = j;
    for (size_t i = 1; i <= n_a; i++) {
        for (size_t j = 1; j <= n_b; j++) {
            size_t substituted = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            d[i][j] = least(substituted, 1 + least(d[i - 1][j], d[i][j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                d[i][j] = least(d[i][j], 1 + d[i - 2][j - 2]);
        }
    }
    return d[n_a][n_b];
}

size_t spelling_slack(const char *typed)
{
    size_t slack = strnlen(typed, LONGEST) / 3;
    return slack ? slack : 1;
}

struct spelling spelling_of(const char *typed)
{
    return (struct spelling){.typed = typed, .limit = spelling_slack(typed) + 1};
}

void spelling_offer(struct spelling *s, const char *name)
{
    size_t distance = spelling_distance(s->typed, name);
    if (distance < s->limit) {
        s->closest = name;
        s->limit = distance;
    }
}
