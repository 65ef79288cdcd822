/* Collapse of loss curves as a law: planted curves whose noise is known. */
#include "law_suite.h"

#include "bench/store/store.h"
#include "report/report.h"

#include <math.h>
#include <unistd.h>

extern const struct ub_law ub_law_loss_collapse;

static struct law_suite opened(char *folder)
{
    struct ub_error err = {0};
    struct law_suite s = {.folder = folder, .store = ub_store_open(folder, &err)};
    if (!s.store)
        fail_msg("%s", err.text);
    s.frame = ub_frame_new(s.store, &err);
    if (!s.frame)
        fail_msg("%s", err.text);
    return s;
}

static char *new_store(void)
{
    struct ub_error err = {0};
    char *folder = support_folder();
    if (!ub_store_lock(folder, false, &err))
        fail_msg("%s", err.text);
    return folder;
}

static struct ub_run_writer *new_run(const char *folder, const struct ub_run_spec *spec)
{
    struct ub_error err = {0};
    struct ub_run_writer *w = ub_run_writer_new(folder, spec, &err);
    if (!w)
        fail_msg("%s", err.text);
    return w;
}

static void commit(struct ub_run_writer *w)
{
    struct ub_error err = {0};
    if (!ub_run_writer_commit(w, UB_RUN_OK, NULL, NULL, 0, &err))
        fail_msg("%s", err.text);
}

/* ---- loss-collapse ---- */

/* Excess over 0.5 (noise 1, one output) is A(width) e^whole x^-shape (1 + noise at each place):
 * `whole` a seed's share in all of its curve, `own` noise that every place, the end among them, has
 * to itself. */
struct planted {
    double whole, own, shape_by_width;
};

static void plant_curve(const char *folder, const struct planted *p, int width, int seed,
                        struct ub_random *r)
{
    enum { STEPS = 1000 };
    char model[64];
    char *measures[] = {(char *)"loss"};
    snprintf(model, sizeof model, "mlp:parametrization=mup,widths=%d", width);
    const struct ub_run_spec spec = {.dataset = (char *)"gaussian:noise=1,online=true",
                                     .model = model,
                                     .loss = (char *)"mse",
                                     .init = (char *)"pytorch:gain=1",
                                     .optimizer = (char *)"adam:lr=0.1,schedule=linear",
                                     .steps = STEPS,
                                     .seed = (uint64_t)seed,
                                     .n_measures = 1,
                                     .measures = measures};
    struct ub_run_writer *w = new_run(folder, &spec);
    const double shape = 0.5 + p->shape_by_width * log2(width / 16.0);
    const double size = 1.0 / width * exp(p->whole * ub_random_normal(r));
    for (int t = 0; t <= STEPS; t += 25)
        ub_run_writer_add(w, t, "test-loss", 0,
                          0.5 + size * pow((t + 1.0) / (STEPS + 1), -shape) *
                                    exp(p->own * ub_random_normal(r)),
                          (double)NAN);
    ub_run_writer_fact(w, "noise", 1);
    ub_run_writer_fact(w, "outputs", 1);
    commit(w);
}

static struct ub_datum collapse_of(const struct planted *p, int seeds)
{
    char *folder = new_store();
    struct ub_random r = ub_random_stream(1, "collapse");
    for (int width = 16; width <= 128; width *= 2)
        for (int seed = 0; seed < seeds; seed++)
            plant_curve(folder, p, width, seed, &r);
    struct law_suite s = opened(folder);
    assert_int_equal(law_suite_applies(&s, &ub_law_loss_collapse), s.frame->rows);
    const struct ub_datum d = law_suite_datum(&s, &ub_law_loss_collapse, "optimizer", "adam");
    law_suite_free(&s);
    return d;
}

/* What a seed does to its whole curve drops out: 0. Noise of every place's own is in the place and
 * in the end: sqrt(2), to the error of 4 x 30 curves. Both: 2 own^2 over whole^2 + own^2. */
static void noise_says_how_far_curves_collapse(void **state)
{
    enum { SEEDS = 30 };
    (void)state;
    struct ub_datum d = collapse_of(&(struct planted){.whole = 0.1}, SEEDS);
    assert_null(d.why);
    assert_near(d.value, 0, 1e-6);
    d = collapse_of(&(struct planted){.own = 0.05}, SEEDS);
    assert_oracle("law loss-collapse", "planted noise, sqrt(2), in standard errors",
                  (d.value - sqrt(2)) / d.se, 4);
    assert_true(d.se < 0.1);
    d = collapse_of(&(struct planted){.own = 0.03, .whole = 0.1}, SEEDS);
    assert_oracle("law loss-collapse", "planted noise of both kinds, in standard errors",
                  (d.value - sqrt(2 * 0.03 * 0.03 / (0.1 * 0.1 + 0.03 * 0.03))) / d.se, 4);
}

/* Curves of another shape at each width do not collapse, however little noise there is. */
static void shapes_of_their_own_do_not_collapse(void **state)
{
    (void)state;
    struct ub_datum d = collapse_of(&(struct planted){.whole = 0.02, .shape_by_width = 0.2}, 5);
    assert_true(d.value > 1.5);
    d = collapse_of(&(struct planted){.whole = 0.02}, 2);
    assert_non_null(d.why); /* too few seeds to tell a floor from */
}

/* ---- its figure ---- */

/* Whether the report has the figure of curves, of a store of so many seeds. */
static bool draws_curves(int seeds)
{
    struct ub_error err = {0};
    char *folder = new_store();
    struct ub_random r = ub_random_stream(1, "drawn");
    const struct planted p = {.whole = 0.1, .own = 0.02};
    for (int width = 16; width <= 64; width *= 2)
        for (int seed = 0; seed < seeds; seed++)
            plant_curve(folder, &p, width, seed, &r);
    struct law_suite s = opened(folder);
    char *report = ub_path(folder, "report"), *png = ub_path(report, "curves-loss-collapse.png");
    if (!ub_report_write(s.store, report, &err))
        fail_msg("%s", err.text);
    const bool drawn = access(png, R_OK) == 0;
    ub_free(report);
    ub_free(png);
    law_suite_free(&s);
    return drawn;
}

static void curves_are_drawn_where_they_have_a_value(void **state)
{
    (void)state;
    assert_true(draws_curves(3));
    assert_false(draws_curves(2)); /* too few seeds to say how far they are apart */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(noise_says_how_far_curves_collapse),
        cmocka_unit_test(shapes_of_their_own_do_not_collapse),
        cmocka_unit_test(curves_are_drawn_where_they_have_a_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
