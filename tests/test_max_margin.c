/* Largest margins against an enumeration of all supports; the norm that gradient flow tends to
 * against the flow itself, followed to t = e^40; times of flow along runs; and the law with its
 * controls. */
#include "law_suite.h"
#include "observing.h"

#include "bench/observables/hard_margin.h"

#include <lapacke.h>
#include <math.h>

extern const struct ub_law ub_law_max_margin;

enum { ROWS = 7, WIDE = 3 };

static void gram(int m, int d, const double *c, double *G)
{
    for (int i = 0; i < m * m; i++)
        G[i] = tiny_dot(d, c + i / m * d, c + i % m * d);
}

/* The least norm over the convex hulls of all subsets of up to WIDE + 1 rows whose point of least
 * norm in the affine hull has positive weights: the hull's own least norm is among them. Weights
 * solve G x = 1, and |z|^2 = 1/sum x. */
static double enumerated(const double *G)
{
    double least = INFINITY;
    for (int set = 1; set < 1 << ROWS; set++) {
        double g[ROWS * ROWS], x[ROWS], sum = 0;
        int place[ROWS], k = 0;
        for (int i = 0; i < ROWS; i++)
            if (set >> i & 1)
                place[k++] = i;
        if (k > WIDE)
            continue;
        for (int i = 0; i < k * k; i++)
            g[i] = G[place[i / k] * ROWS + place[i % k]];
        for (int i = 0; i < k; i++)
            x[i] = 1;
        bool inside = LAPACKE_dposv(LAPACK_ROW_MAJOR, 'U', k, 1, g, k, x, 1) == 0;
        for (int i = 0; i < k; i++) {
            inside = inside && x[i] > 0;
            sum += x[i];
        }
        if (inside)
            least = fmin(least, sqrt(1 / sum));
    }
    return least;
}

/* Rows about a direction, so that most draws are separable. */
static void draw_rows(struct ub_random *r, double shift, double c[ROWS * WIDE])
{
    for (int i = 0; i < ROWS * WIDE; i++)
        c[i] = ub_random_normal(r) + (i % WIDE == 0 ? shift : 0);
}

static bool separable(const double *c, const struct ub_hard_margin *h)
{
    double z[WIDE] = {0};
    for (int i = 0; i < ROWS * WIDE; i++)
        z[i % WIDE] += h->lambda[i / WIDE] * c[i];
    for (int i = 0; i < ROWS; i++) {
        const double margin = tiny_dot(WIDE, c + i * WIDE, z);
        if (margin < h->margin * h->margin - 1e-9 || !(margin > 0))
            return false;
        if (h->lambda[i] > 0)
            assert_near(margin, h->margin * h->margin, 1e-9);
    }
    return true;
}

static void margins_are_the_largest(void **state)
{
    (void)state;
    struct ub_random r = ub_random_stream(1, "test.margin");
    int found = 0, none = 0;
    double worst = 0;
    for (int draw = 0; draw < 200; draw++) {
        double c[ROWS * WIDE], G[ROWS * ROWS];
        struct ub_hard_margin h;
        draw_rows(&r, draw % 2 ? 1.5 : 0.3, c);
        gram(ROWS, WIDE, c, G);
        assert_true(ub_hard_margin_solve(ROWS, G, ROWS, &h));
        if (h.margin > 0) {
            assert_true(separable(c, &h));
            worst = fmax(worst, fabs(h.margin - enumerated(G)));
            found++;
        } else {
            assert_true(isnan(h.square));
            none++;
        }
        ub_hard_margin_clear(&h);
    }
    assert_oracle("observable margin", "an enumeration of all supports", worst, 1e-10);
    print_message("%d separable, %d not\n", found, none);
    assert_true(found > 50 && none > 50);
}

/* Of those that it says nothing separates: no direction of a fine grid does. */
static void none_is_missed(void **state)
{
    enum { ANGLES = 20000 };
    (void)state;
    struct ub_random r = ub_random_stream(2, "test.margin");
    for (int draw = 0; draw < 20; draw++) {
        double c[5 * 2], G[5 * 5], best = -INFINITY;
        struct ub_hard_margin h;
        for (int i = 0; i < 10; i++)
            c[i] = ub_random_normal(&r);
        gram(5, 2, c, G);
        assert_true(ub_hard_margin_solve(5, G, 5, &h));
        for (int k = 0; k < ANGLES; k++) {
            const double w[2] = {cos(2 * M_PI * k / ANGLES), sin(2 * M_PI * k / ANGLES)};
            double least = INFINITY;
            for (int i = 0; i < 5; i++)
                least = fmin(least, tiny_dot(2, c + 2 * i, w));
            best = fmax(best, least);
        }
        assert_near(h.margin, fmax(best, 0), 2e-3); /* a grid's step times the longest row */
        ub_hard_margin_clear(&h);
    }
}

/* dw/ds = t mean c_i/(1 + exp(c_i . w)), s = ln t, by classical Runge and Kutta. */
static void slope(const double *c, double s, const double *w, double *out)
{
    memset(out, 0, WIDE * sizeof *out);
    for (int i = 0; i < ROWS; i++) {
        const double m = tiny_dot(WIDE, c + i * WIDE, w);
        for (int k = 0; k < WIDE; k++)
            out[k] += c[i * WIDE + k] * exp(s) / (1 + exp(m)) / ROWS;
    }
}

static void flow(const double *c, double from, double to, double *w)
{
    const double h = 0.002;
    for (double s = from; s < to - h / 2; s += h) {
        double k[4][WIDE], at[WIDE];
        slope(c, s, w, k[0]);
        for (int stage = 1; stage < 4; stage++) {
            const double share = stage < 3 ? h / 2 : h;
            for (int j = 0; j < WIDE; j++)
                at[j] = w[j] + share * k[stage - 1][j];
            slope(c, s + share, at, k[stage]);
        }
        for (int j = 0; j < WIDE; j++)
            w[j] += h / 6 * (k[0][j] + 2 * k[1][j] + 2 * k[2][j] + k[3][j]);
    }
}

/* Whether the support is three rows, so that u is known whole in three dimensions, each of weight,
 * and the other rows' margins are a fifth larger: what they leave falls as t^-0.2, 3e-4 at e^40. */
static bool is_clear(const double *c, const struct ub_hard_margin *h)
{
    double z[WIDE] = {0};
    int support = 0;
    bool clear = h->margin > 0.1;
    for (int i = 0; i < ROWS * WIDE; i++)
        z[i % WIDE] += h->lambda[i / WIDE] * c[i];
    for (int i = 0; i < ROWS; i++) {
        const double margin = tiny_dot(WIDE, c + i * WIDE, z) / (h->margin * h->margin);
        support += h->lambda[i] > 0;
        clear = clear && (h->lambda[i] > 0 ? h->lambda[i] > 0.1 : margin > 1.2);
    }
    return clear && support == WIDE;
}

static void norms_are_those_of_the_flow(void **state)
{
    (void)state;
    struct ub_random r = ub_random_stream(3, "test.margin");
    int checked = 0;
    double worst = 0;
    for (int draw = 0; draw < 150; draw++) {
        double c[ROWS * WIDE], G[ROWS * ROWS], w[WIDE] = {0};
        struct ub_hard_margin h;
        draw_rows(&r, 2, c);
        gram(ROWS, WIDE, c, G);
        assert_true(ub_hard_margin_solve(ROWS, G, ROWS, &h));
        if (is_clear(c, &h)) {
            flow(c, -8, 25, w);
            const double early = sqrt(tiny_dot(WIDE, w, w));
            flow(c, 25, 40, w);
            const double late = sqrt(tiny_dot(WIDE, w, w));
            print_message("margin %.4f: at t = e^40 %.6f, predicted %.6f; slope %.5f, of 1/margin "
                          "%.5f\n",
                          h.margin, late, ub_hard_margin_norm(&h, exp(40)), (late - early) / 15,
                          1 / h.margin);
            worst = fmax(worst, fabs(late / ub_hard_margin_norm(&h, exp(40)) - 1));
            checked++;
        }
        ub_hard_margin_clear(&h);
    }
    assert_true(checked >= 3);
    assert_oracle("law max-margin", "the norm of gradient flow, integrated to t = e^40", worst,
                  1e-3);
}

/* ---- runs ---- */

static struct fixture classifier(const char *model, const char *optimizer)
{
    struct fixture f =
        fixture_of(tiny_dataset(UB_CLASSIFICATION, 4, 0, 6, 3), model, "ce", optimizer);
    memset(f.theta0, 0, (size_t)f.size * sizeof *f.theta0);
    return f;
}

static void times_are_those_of_steps(void **state)
{
    (void)state;
    struct fixture f = classifier("linear:bias=false", "gd:lr=0.3");
    TRAIN(&f, 50, "margin:at=0+1+50");
    assert_near(value_of(f.recorded, 0, "flow-time", 0), 0, 0);
    assert_near(value_of(f.recorded, 1, "flow-time", 0), 0.3, 1e-12);
    assert_near(value_of(f.recorded, 50, "flow-time", 0), 15, 1e-10);
    assert_near(value_of(f.recorded, 50, "parameter-norm", 0),
                sqrt(tiny_dot(f.size, f.theta, f.theta)), 1e-12);
    fixture_free(&f);
    f = classifier("linear:bias=false", "normalized-gd:lr=0.1");
    TRAIN(&f, 3, "margin:every=1");
    double time = 0;
    memcpy(f.theta, f.theta0, (size_t)f.size * sizeof *f.theta);
    for (int step = 0; step < 3; step++) {
        ub_problem_gradient(f.problem, f.theta, f.grad);
        time += 0.1 / sqrt(tiny_dot(f.size, f.grad, f.grad));
        ub_optimizer_step(f.optimizer, f.theta, f.grad);
        assert_near(value_of(f.recorded, step + 1, "flow-time", 0), time, 1e-12);
    }
    fixture_free(&f);
    f = classifier("linear:bias=false", "heavy-ball:lr=0.1"); /* not along the gradient */
    TRAIN(&f, 3, "margin:every=1");
    assert_non_null(find_row(f.recorded, 1, "flow-time", 0));
    assert_null(find_row(f.recorded, 3, "flow-time", 0));
    assert_non_null(find_row(f.recorded, 3, "normalized-margin", 0));
    fixture_free(&f);
}

/* Against logits: the margin is that of the outputs, whose scale is the parameters'. */
static void margins_are_those_of_outputs(void **state)
{
    (void)state;
    struct fixture f = classifier("linear:bias=true", "gd:lr=0.3");
    TRAIN(&f, 20, "margin:at=20");
    double z[4 * 3], least = INFINITY;
    ub_problem_outputs(f.problem, f.theta, z);
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < 3; k++)
            if (k != f.data->train.labels[i])
                least = fmin(least, z[3 * i + f.data->train.labels[i]] - z[3 * i + k]);
    const double got = value_of(f.recorded, 20, "normalized-margin", 0);
    assert_near(got, least / sqrt(tiny_dot(f.size, f.theta, f.theta)), 1e-12);
    assert_true(got < value_of(f.recorded, 20, "hard-margin", 0));
    fixture_free(&f);
    f = classifier("mlp:widths=5,activation=tanh", "gd:lr=0.1");
    TRAIN(&f, 1, "margin:every=1");
    assert_int_equal(f.recorded->n_rows, 0); /* not linear in its parameters */
    fixture_free(&f);
}

/* ---- the law ---- */

static const char suite[] =
    "name: m\n"
    "defaults: {precision: f64, model: 'linear:bias=false', init: 'lecun:gain=0', "
    "optimizer: 'gd:lr=relative(0.5)'}\n"
    "runs:\n"
    "  - {dataset: 'digits:classes=0x1,size=30', loss: ce, steps: 15000, data-seed: 0..1, "
    "measure: 'margin:log-spaced=40'}\n"
    "  - {dataset: 'digits:classes=0x1,size=31', loss: mse, steps: 15000, data-seed: 0..1, "
    "measure: 'margin:log-spaced=40'}\n"
    "  - {dataset: 'digits:classes=1x7,size=200,target=shuffled', loss: ce, steps: 500, "
    "measure: 'margin:log-spaced=20'}\n";

static void the_law_needs_separable_samples_and_cross_entropy(void **state)
{
    (void)state;
    struct law_suite s = law_suite_run(suite);
    const struct ub_law *law = &ub_law_max_margin;
    const struct ub_datum good = law_suite_datum(&s, law, "dataset.size", "30"),
                          square = law_suite_datum(&s, law, "dataset.size", "31"),
                          shuffled = law_suite_datum(&s, law, "dataset.size", "200");
    assert_true(ub_datum_meets(&law->is, &good));
    assert_false(ub_datum_meets(&law->is, &square));
    assert_false(ub_datum_meets(&law->is, &shuffled));
    assert_true(shuffled.against);
    assert_int_equal(law_suite_applies(&s, law), 3); /* not of squared loss by itself */
    law_suite_free(&s);
}

/* ---- margins that give way ---- */

/* A run whose margin goes up to 0.5 and, half way through the window, once down by `dip`. */
static void plant(const char *path, double dip)
{
    struct ub_error err = {0};
    char *measures[] = {(char *)"margin"};
    const struct ub_run_spec spec = {.dataset = (char *)"digits",
                                     .model = (char *)"linear",
                                     .loss = (char *)"ce",
                                     .init = (char *)"pytorch:gain=1",
                                     .optimizer = (char *)"gd:l2=0,lr=1",
                                     .steps = 10000,
                                     .n_measures = 1,
                                     .measures = measures};
    struct ub_run_writer *w = ub_run_writer_new(path, &spec, &err);
    if (!w)
        fail_msg("%s", err.text);
    ub_run_writer_add(w, 0, "hard-margin", 0, 0.6, (double)NAN);
    for (int k = 0; k <= 16; k++) {
        const double t = round(pow(10, k / 4.0));
        const double norm = 2 * log(t) + 1;
        ub_run_writer_add(w, (int64_t)t, "flow-time", 0, t, (double)NAN);
        ub_run_writer_add(w, (int64_t)t, "parameter-norm", 0, norm, (double)NAN);
        ub_run_writer_add(w, (int64_t)t, "predicted-parameter-norm", 0, norm, (double)NAN);
        ub_run_writer_add(w, (int64_t)t, "normalized-margin", 0,
                          0.5 - 0.1 / t - (k == 12 ? dip : 0), (double)NAN);
    }
    ub_run_writer_fact(w, "samples", 40);
    ub_run_writer_fact(w, "classes", 2);
    if (!ub_run_writer_commit(w, UB_RUN_OK, NULL, NULL, 0, &err))
        fail_msg("%s", err.text);
}

static struct ub_datum planted(double dip)
{
    struct ub_error err = {0};
    struct law_suite s = {.folder = support_folder()};
    if (!ub_store_lock(s.folder, false, &err))
        fail_msg("%s", err.text);
    plant(s.folder, dip);
    s.store = ub_store_open(s.folder, &err);
    s.frame = s.store ? ub_frame_new(s.store, &err) : NULL;
    if (!s.frame)
        fail_msg("%s", err.text);
    const struct ub_datum d = law_suite_datum(&s, &ub_law_max_margin, "optimizer", "gd");
    law_suite_free(&s);
    return d;
}

/* At t = 100 the norm is 10.2, and of 40 margins the smoothed one ln 40/10.2 = 0.36 below the least
 * at most: a fall by 0.1 may be of the margin alone, one by 0.6 may not. */
static void margins_may_give_way_by_what_smoothing_hides(void **state)
{
    (void)state;
    struct ub_datum d = planted(0.1);
    assert_null(d.why);
    assert_near(d.value, 1, 1e-12);
    d = planted(0.6);
    assert_string_equal(d.why, "the margin falls");
    assert_true(d.against);
}

/* On flows of several draws: the smoothed margin rises, the least margin does not always, and lies
 * above it by what the law allows. */
static void smoothed_margins_rise(void **state)
{
    enum { DRAWS = 60 };
    struct ub_random r = ub_random_stream(4, "test.margin");
    double worst = 0;
    int gave_way = 0, rose = 0;
    (void)state;
    for (int draw = 0; draw < DRAWS; draw++) {
        double c[ROWS * WIDE], w[WIDE] = {0}, before = -INFINITY, smoothed_before = -INFINITY;
        draw_rows(&r, 2, c);
        flow(c, -8, 0, w);
        for (double s = 0; s < 14; s += 0.1) {
            double least = INFINITY, loss = 0;
            flow(c, s, s + 0.1, w);
            const double size = sqrt(tiny_dot(WIDE, w, w));
            for (int i = 0; i < ROWS; i++) {
                const double q = tiny_dot(WIDE, c + (ptrdiff_t)i * WIDE, w);
                least = fmin(least, q);
                loss += log1p(exp(-q));
            }
            if (loss > log(2)) /* not separated yet: theorem 4.1 says nothing */
                continue;
            const double smoothed = -log(expm1(loss)),
                         below = -log(expm1(ROWS * log1p(exp(-least))));
            gave_way += least / size < before - 1e-9;
            rose += smoothed / size > smoothed_before;
            worst = fmax(worst, fmax(smoothed_before - smoothed / size,
                                     fmax(smoothed - least, below - smoothed) / size));
            before = least / size;
            smoothed_before = smoothed / size;
        }
    }
    print_message("%d rises of the smoothed margin, %d falls of the least\n", rose, gave_way);
    assert_true(rose > 1000 && gave_way > 0);
    assert_oracle("law max-margin",
                  "smoothed margins of the flow: they rise, within the law's bounds", worst, 1e-9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(margins_may_give_way_by_what_smoothing_hides),
        cmocka_unit_test(smoothed_margins_rise),
        cmocka_unit_test(margins_are_the_largest),
        cmocka_unit_test(none_is_missed),
        cmocka_unit_test(norms_are_those_of_the_flow),
        cmocka_unit_test(times_are_those_of_steps),
        cmocka_unit_test(margins_are_those_of_outputs),
        cmocka_unit_test(the_law_needs_separable_samples_and_cross_entropy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
