/* Progressive sharpening as a law: planted series whose rise is known, and networks where sharpness
 * rises, cannot, or hardly does. Kendall's tau against enumeration and its own moments. */
#include "law_suite.h"

#include "bench/store/store.h"
#include "report/statistics/statistics.h"

extern const struct ub_law ub_law_progressive_sharpening;

/* ---- Kendall's tau ---- */

/* Exchanges of neighbors that sort x: the number of pairs that fall, of different values. */
static int inversions(double *x, int n)
{
    int exchanges = 0;
    for (int pass = 0; pass < n; pass++)
        for (int i = 0; i + 1 < n; i++)
            if (x[i] > x[i + 1]) {
                const double swapped = x[i];
                x[i] = x[i + 1];
                x[i + 1] = swapped;
                exchanges++;
            }
    return exchanges;
}

/* Over all 120 orders of five values: each against bubble sort, their mean 0 and their variance
 * 2 (2n + 5)/(9 n (n - 1)) (Kendall 1938). */
static void tau_counts_pairs(void **state)
{
    (void)state;
    enum { N = 5 };
    double sum = 0, squares = 0;
    int orders = 0;
    double worst = 0;
    for (int code = 0; code < 3125; code++) {
        double x[N];
        bool permutation = true;
        for (int i = 0, rest = code; i < N; i++, rest /= N)
            x[i] = rest % N;
        for (int i = 0; i < N; i++)
            for (int j = 0; j < i; j++)
                permutation = permutation && x[i] != x[j];
        if (!permutation)
            continue;
        const double tau = ub_kendall(x, NULL, N);
        worst = fmax(worst, fabs(tau - (1 - 2 * inversions(x, N) / 10.0)));
        sum += tau;
        squares += tau * tau;
        orders++;
    }
    assert_int_equal(orders, 120);
    assert_oracle("law progressive-sharpening", "Kendall's tau by bubble sort, all orders of five",
                  worst, 1e-15);
    assert_near(sum / orders, 0, 1e-14);
    assert_near(squares / orders, 2 * (2 * N + 5) / (9.0 * N * (N - 1)), 1e-14);
}

static void ties_are_neither(void **state)
{
    (void)state;
    const double x[] = {1, 1.01, 0.99, 2}, bound[] = {0.011, 0.011, 0.011, 0.011};
    assert_near(ub_kendall(x, bound, 4), 3 / 6.0, 1e-15);
    assert_near(ub_kendall(x, NULL, 4), (4 - 2) / 6.0, 1e-15);
    const double same[] = {1, 1, 1};
    assert_near(ub_kendall(same, NULL, 3), 0, 0);
    assert_true(isnan(ub_kendall(x, NULL, 1)));
}

/* ---- planted ---- */

/* Threshold 10, rho(0) = 0.05: the transient ends at step 100, until when sharpness falls. Then it
 * rises to the edge at step 1000, where it swings below and above. With `turns`, every third
 * measurement on the way up lies as far below the second but last as that below its successor. */
static void plant(const char *path, double start, bool turns)
{
    struct ub_error err = {0};
    char *measures[] = {(char *)"loss", (char *)"sharpening"};
    const struct ub_run_spec spec = {.dataset = (char *)"digits",
                                     .model = (char *)"mlp:widths=8",
                                     .loss = (char *)"mse",
                                     .init = (char *)"pytorch:gain=1",
                                     .optimizer = (char *)"gd:lr=0.1,schedule=constant,warmup=0",
                                     .steps = 2000,
                                     .n_measures = 2,
                                     .measures = measures};
    struct ub_run_writer *w = ub_run_writer_new(path, &spec, &err);
    if (!w)
        fail_msg("%s", err.text);
    for (int t = 0; t <= 2000; t += 10) {
        const double up = 0.03 + 0.9 * (t - 100) / 900.0;
        double rho = t < 100 ? 0.05 - 0.0001 * t : t <= 1000 ? up : 0.95 - 0.3 * (t % 30 == 0);
        if (turns && t > 100 && t < 1000 && t % 30 == 0)
            rho -= 0.015;
        ub_run_writer_add(w, t, "sharpening", 0, rho / 0.05, 1e-5);
        ub_run_writer_add(w, t, "loss", 0, exp(-0.001 * t), (double)NAN);
    }
    ub_run_writer_fact(w, "threshold", 10);
    ub_run_writer_fact(w, "initial-sharpness", 10 * start);
    if (!ub_run_writer_commit(w, UB_RUN_OK, NULL, NULL, 0, &err))
        fail_msg("%s", err.text);
}

static struct law_suite planted(double start, bool turns)
{
    struct ub_error err = {0};
    struct law_suite s = {.folder = support_folder()};
    if (!ub_store_lock(s.folder, false, &err))
        fail_msg("%s", err.text);
    plant(s.folder, start, turns);
    s.store = ub_store_open(s.folder, &err);
    if (!s.store)
        fail_msg("%s", err.text);
    s.frame = ub_frame_new(s.store, &err);
    if (!s.frame)
        fail_msg("%s", err.text);
    return s;
}

/* Neither the transient nor what happens at the edge counts. Of measurements 10 to 97, up to where
 * rho is 0.9, one in three is 0.015 below its line, a measurement and a half: it falls below the
 * one before, no other pair is turned. */
static void windows_leave_out_the_start_and_the_edge(void **state)
{
    (void)state;
    struct law_suite s = planted(0.05, false);
    struct ub_datum d = law_suite_datum(&s, &ub_law_progressive_sharpening, "optimizer", "gd");
    assert_int_equal(law_suite_applies(&s, &ub_law_progressive_sharpening), 1);
    assert_near(d.value, 1, 1e-15);
    law_suite_free(&s);
    s = planted(0.05, true);
    d = law_suite_datum(&s, &ub_law_progressive_sharpening, "optimizer", "gd");
    int n = 0, turned = 0;
    for (int t = 100; 0.03 + 0.9 * (t - 100) / 900.0 - (t % 30 == 0) * 0.015 < 0.9; t += 10) {
        turned += t % 30 == 0 && t > 100;
        n++;
    }
    assert_oracle("law progressive-sharpening", "a planted rise with pairs turned",
                  d.value - (1 - 2 * turned / (0.5 * n * (n - 1))), 1e-12);
    law_suite_free(&s);
}

/* There is no way to go for runs that start nearer to their edge. */
static void runs_near_their_edge_say_nothing(void **state)
{
    (void)state;
    struct law_suite s = planted(0.2, false);
    const struct ub_datum d =
        law_suite_datum(&s, &ub_law_progressive_sharpening, "optimizer", "gd");
    assert_non_null(d.why);
    law_suite_free(&s);
}

/* Past the edge sharpness is not followed: the last measurement is the first at nine tenths. */
static void sharpening_is_followed_to_the_edge(void **state)
{
    static const char suite[] =
        "name: followed\n"
        "defaults: {steps: 600, loss: mse, dataset: {digits: {size: 60, scale: center}}}\n"
        "runs:\n"
        "  - model: {mlp: {widths: 32x32, activation: tanh}}\n"
        "    optimizer: {gd: {lr: {relative: 0.5}}}\n"
        "    measure: {sharpness: {every: 10}, sharpening: {every: 10}}\n";
    (void)state;
    struct law_suite s = law_suite_run(suite);
    struct ub_series all = ub_frame_series(s.frame, 0, "sharpness", 0);
    struct ub_series way = ub_frame_series(s.frame, 0, "sharpening", 0);
    const double threshold = ub_run_fact(&s.store->runs[0], "threshold");
    size_t arrived = 0;
    while (arrived < all.count && all.value[arrived] < 0.9 * threshold)
        arrived++;
    print_message("%zu of %zu measurements\n", way.count, all.count);
    assert_true(arrived > 5 && arrived + 1 < all.count);
    assert_int_equal(way.count, arrived + 1);
    double worst = 0;
    for (size_t i = 0; i < way.count; i++)
        worst = fmax(worst, fabs(all.value[i] / all.value[0] / way.value[i] - 1));
    assert_oracle("observable sharpening", "the series of sharpness over its start", worst, 1e-12);
    ub_series_clear(&way);
    ub_series_clear(&all);
    law_suite_free(&s);
}

/* ---- networks ---- */

static void deep_networks_sharpen_and_linear_ones_do_not(void **state)
{
    static const char suite[] =
        "name: sharpening\n"
        "defaults: {seed: 0..1, steps: 1000, loss: mse, dataset: {digits: {size: 100, scale: "
        "center}}, measure: {loss: {every: 20}, sharpening: {every: 20}}}\n"
        "runs:\n"
        "  - model: [{mlp: {widths: 32x32, activation: tanh}}, linear,\n"
        "            {two-layer: {width: 64, activation: tanh, centered: true, output-scale: "
        "1000}}]\n"
        "    optimizer: {gd: {lr: {relative: 0.1}}}\n";
    (void)state;
    struct law_suite s = law_suite_run(suite);
    const struct ub_law *law = &ub_law_progressive_sharpening;
    struct ub_datum d = law_suite_datum(&s, law, "model", "mlp");
    assert_null(d.why);
    assert_true(ub_datum_meets(&law->is, &d));
    d = law_suite_datum(&s, law, "model", "linear"); /* a Hessian that is constant */
    assert_near(d.value, 0, 1e-15);
    d = law_suite_datum(&s, law, "model", "two-layer"); /* and one up to 1/1000 */
    assert_null(d.why);
    assert_false(ub_datum_meets(&law->is, &d));
    law_suite_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tau_counts_pairs),
        cmocka_unit_test(ties_are_neither),
        cmocka_unit_test(windows_leave_out_the_start_and_the_edge),
        cmocka_unit_test(runs_near_their_edge_say_nothing),
        cmocka_unit_test(sharpening_is_followed_to_the_edge),
        cmocka_unit_test(deep_networks_sharpen_and_linear_ones_do_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
