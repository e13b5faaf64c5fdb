#include "base/buffer.h"
#include "base/rng.h"
#include "data/synth.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct synth_options usual = {
    .n_users = 3000,
    .n_items = 2000,
    .n_interactions = 60000,
    .n_clusters = 20,
    .zipf_exponent = 0.8,
    .taste = 0.8,
    .seed = 1,
};

static enum collide_status keep(void *context, const char *text, size_t n, struct collide_error *err)
{
    (void)err;
    buffer_append(context, text, n);
    return COLLIDE_OK;
}

static struct buffer synth_text(const struct synth_options *options)
{
    struct buffer b = {0};
    struct collide_error err;
    assert_int_equal(synth_write(options, keep, &b, &err), COLLIDE_OK);
    assert_false(b.failed);
    return b;
}

struct pairs {
    uint32_t (*at)[2]; /* (n) user and item */
    size_t n;
};

/* Every line must be exactly "user item\n". */
static struct pairs synth_pairs(const struct synth_options *options)
{
    struct buffer b = synth_text(options);
    struct pairs p = {.at = malloc(options->n_interactions * sizeof *p.at)};
    buffer_append(&b, "", 1);
    for (char *at = b.bytes; *at; p.n++) {
        assert_true(p.n < options->n_interactions);
        char *end;
        p.at[p.n][0] = (uint32_t)strtoul(at, &end, 10);
        assert_int_equal(*end, ' ');
        p.at[p.n][1] = (uint32_t)strtoul(end + 1, &end, 10);
        assert_int_equal(*end, '\n');
        assert_true(p.at[p.n][0] < options->n_users && p.at[p.n][1] < options->n_items);
        at = end + 1;
    }
    assert_int_equal(p.n, options->n_interactions);
    buffer_free(&b);
    return p;
}

static uint32_t *count_column(const struct pairs *p, int column, uint32_t n)
{
    uint32_t *counts = calloc(n, sizeof *counts);
    for (size_t i = 0; i < p->n; i++)
        counts[p->at[i][column]]++;
    return counts;
}

static void assert_distinct(const struct pairs *p, const struct synth_options *o)
{
    uint8_t *seen = calloc((size_t)o->n_users * o->n_items, 1);
    for (size_t i = 0; i < p->n; i++) {
        uint8_t *cell = &seen[(size_t)p->at[i][0] * o->n_items + p->at[i][1]];
        assert_int_equal(*cell, 0);
        *cell = 1;
    }
    free(seen);
}

static void the_same_options_give_the_same_bytes(void **state)
{
    (void)state;
    struct buffer a = synth_text(&usual);
    struct buffer b = synth_text(&usual);
    assert_int_equal(a.n_bytes, b.n_bytes);
    assert_memory_equal(a.bytes, b.bytes, a.n_bytes);
    buffer_free(&b);
    struct synth_options other = usual;
    other.seed = 2;
    b = synth_text(&other);
    assert_true(a.n_bytes != b.n_bytes || memcmp(a.bytes, b.bytes, a.n_bytes) != 0);
    buffer_free(&a);
    buffer_free(&b);
}

static void pairs_are_distinct_and_as_many_as_asked(void **state)
{
    (void)state;
    const struct synth_options many[] = {
        usual,
        /* as dense as allowed, with tastes and head used up at once */
        {.n_users = 40,
         .n_items = 100,
         .n_interactions = 1000,
         .n_clusters = 50,
         .zipf_exponent = 4,
         .taste = 1},
        {.n_users = 2, .n_items = 2, .n_interactions = 1, .n_clusters = 2},
        {.n_users = 1, .n_items = 4, .n_interactions = 1, .n_clusters = 1, .taste = 1},
        {.n_users = 400, .n_items = 1, .n_interactions = 100, .n_clusters = 1, .zipf_exponent = 1},
        {.n_users = 1, .n_items = 4000, .n_interactions = 1000, .n_clusters = 4000, .taste = 1},
        {.n_users = 3000, .n_items = 50, .n_interactions = 37500, .n_clusters = 3, .zipf_exponent = 1},
    };
    for (size_t i = 0; i < sizeof many / sizeof many[0]; i++) {
        struct pairs p = synth_pairs(&many[i]);
        assert_distinct(&p, &many[i]);
        free(p.at);
    }
}

static void users_come_in_order_each_with_at_least_two(void **state)
{
    (void)state;
    struct pairs p = synth_pairs(&usual);
    for (size_t i = 1; i < p.n; i++)
        assert_true(p.at[i - 1][0] <= p.at[i][0]);
    uint32_t *counts = count_column(&p, 0, usual.n_users);
    uint32_t most = 0;
    for (uint32_t u = 0; u < usual.n_users; u++) {
        assert_true(counts[u] >= 2);
        most = counts[u] > most ? counts[u] : most;
    }
    /* activity is skewed: the median of exp(normal) is 1, and the largest of 3000 beyond e^2.5 */
    assert_true(most > 5 * usual.n_interactions / usual.n_users);
    free(counts);
    free(p.at);
}

static void too_few_interactions_for_two_each_are_spread_evenly(void **state)
{
    (void)state;
    struct synth_options o = usual;
    o.n_interactions = 4500;
    struct pairs p = synth_pairs(&o);
    uint32_t *counts = count_column(&p, 0, o.n_users);
    for (uint32_t u = 0; u < o.n_users; u++)
        assert_true(counts[u] >= 1);
    free(counts);
    free(p.at);
}

static int descending(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x < y) - (x > y);
}

/* By Zipf's law ranks 20-39 are 10^0.8 = 6.3 times as popular as ranks 200-399. Counting noise is 2% and 1%
 * (about 3,500 and 7,700 of them); that pairs are distinct takes 3% off the head, which a pick hits with p =
 * 0.005, as users with log-normal activity of mean 4 have e * 4 others on average. Together, at three
 * deviations: 10%. */
static void popularity_follows_zipf(void **state)
{
    (void)state;
    struct synth_options o = usual;
    o.n_users = 12000;
    o.n_interactions = 48000;
    o.taste = 0;
    struct pairs p = synth_pairs(&o);
    uint32_t *counts = count_column(&p, 1, usual.n_items);
    qsort(counts, usual.n_items, sizeof *counts, descending);
    double head = 0, middle = 0;
    for (int r = 20; r < 40; r++)
        head += counts[r] / 20.0;
    for (int r = 200; r < 400; r++)
        middle += counts[r] / 200.0;
    assert_true(fabs(head / middle / pow(10, 0.8) - 1) < 0.10);
    free(counts);
    free(p.at);
}

/* Item numbers say nothing of popularity: Spearman-like correlation of number and count, whose standard
 * deviation under independence is 1/sqrt(n_items) = 0.022. Five of them. */
static void item_numbers_say_nothing_of_popularity(void **state)
{
    (void)state;
    struct pairs p = synth_pairs(&usual);
    uint32_t *counts = count_column(&p, 1, usual.n_items);
    double n = usual.n_items, mean = (double)usual.n_interactions / n;
    double product = 0, number_square = 0, count_square = 0;
    for (uint32_t i = 0; i < usual.n_items; i++) {
        double a = i - (n - 1) / 2, b = counts[i] - mean;
        product += a * b;
        number_square += a * a;
        count_square += b * b;
    }
    assert_true(fabs(product / sqrt(number_square * count_square)) < 5 / sqrt(n));
    free(counts);
    free(p.at);
}

/* How far items stick together beyond their popularity: over pairs of the 100 most popular items, the
 * variance of (observed co-occurrences / those expected of independent items). */
enum { N_TOP = 100 };

static void mark_top(const struct pairs *p, const struct synth_options *o, uint32_t top_counts[N_TOP],
                     int *place)
{
    uint32_t *counts = count_column(p, 1, o->n_items);
    for (uint32_t i = 0; i < o->n_items; i++)
        place[i] = -1;
    for (int t = 0; t < N_TOP; t++) {
        uint32_t best = 0;
        for (uint32_t i = 0; i < o->n_items; i++)
            if (counts[i] > counts[best])
                best = i;
        place[best] = t;
        top_counts[t] = counts[best];
        counts[best] = 0;
    }
    free(counts);
}

static double variance_of_lift(const struct synth_options *o)
{
    struct pairs p = synth_pairs(o);
    static uint32_t together[N_TOP][N_TOP];
    uint32_t counts[N_TOP];
    int *place = malloc(o->n_items * sizeof *place);
    mark_top(&p, o, counts, place);
    memset(together, 0, sizeof together);
    for (size_t begin = 0, end; begin < p.n; begin = end) {
        for (end = begin; end < p.n && p.at[end][0] == p.at[begin][0]; end++)
            for (size_t i = begin; i < end; i++)
                if (place[p.at[i][1]] >= 0 && place[p.at[end][1]] >= 0)
                    together[place[p.at[i][1]]][place[p.at[end][1]]]++;
    }
    double sum = 0, square = 0, n = 0;
    for (int a = 0; a < N_TOP; a++)
        for (int b = 0; b < a; b++, n++) {
            double lift = (together[a][b] + together[b][a]) / ((double)counts[a] * counts[b] / o->n_users);
            sum += lift;
            square += lift * lift;
        }
    free(place);
    free(p.at);
    return square / n - (sum / n) * (sum / n);
}

/* Without tastes the lift varies by counting noise alone; with them most pairs of one cluster stick together.
 */
static void tastes_make_items_of_a_cluster_stick_together(void **state)
{
    (void)state;
    struct synth_options o = usual;
    o.n_users = 12000;
    o.n_interactions = 240000;
    double with_tastes = variance_of_lift(&o);
    o.taste = 0;
    double without = variance_of_lift(&o);
    assert_true(with_tastes > 10 * without);
}

static void assert_refused(struct synth_options o, const char *message)
{
    struct collide_error err;
    struct buffer b = {0};
    assert_int_equal(synth_write(&o, keep, &b, &err), COLLIDE_INVALID);
    assert_string_equal(err.text, message);
    assert_int_equal(b.n_bytes, 0);
}

static void bad_options_are_refused(void **state)
{
    (void)state;
    struct synth_options o = usual;
    o.n_users = 0;
    assert_refused(o, "0 users and 2000 items asked for; give 1 to 4294967294 of each");
    o = usual;
    o.n_items = UINT32_MAX;
    assert_refused(o, "3000 users and 4294967295 items asked for; give 1 to 4294967294 of each");
    o = usual;
    o.n_interactions = 1500001;
    assert_refused(
        o, "1500001 interactions asked for; 3000 users and 2000 items allow 1 to 1500000, a quarter of all "
           "pairs");
    o.n_interactions = 0;
    assert_refused(
        o, "0 interactions asked for; 3000 users and 2000 items allow 1 to 1500000, a quarter of all pairs");
    o = usual;
    o.n_clusters = 2001;
    assert_refused(o, "2001 clusters asked for; give 1 to 2000, the number of items");
    o = usual;
    o.zipf_exponent = NAN;
    assert_refused(o, "a Zipf exponent of nan; give 0 to 4");
    o = usual;
    o.taste = 1.5;
    assert_refused(o, "a taste of 1.5; give 0 to 1");
}

static enum collide_status refuse(void *context, const char *text, size_t n, struct collide_error *err)
{
    (void)context, (void)text, (void)n, (void)err;
    return COLLIDE_IO;
}

static void a_failing_writer_ends_it(void **state)
{
    (void)state;
    assert_int_equal(synth_write(&usual, refuse, NULL, NULL), COLLIDE_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_options_give_the_same_bytes),
        cmocka_unit_test(pairs_are_distinct_and_as_many_as_asked),
        cmocka_unit_test(users_come_in_order_each_with_at_least_two),
        cmocka_unit_test(too_few_interactions_for_two_each_are_spread_evenly),
        cmocka_unit_test(popularity_follows_zipf),
        cmocka_unit_test(item_numbers_say_nothing_of_popularity),
        cmocka_unit_test(tastes_make_items_of_a_cluster_stick_together),
        cmocka_unit_test(bad_options_are_refused),
        cmocka_unit_test(a_failing_writer_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
