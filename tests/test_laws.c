/* Laws: which runs they speak of, and where in them. */
#include "support.h"

#include "planted_series.h"
#include "report/laws/law.h"

enum { N = 120, TRIALS = 400 };

/* ---- batch sharpness ---- */

/* Whether a law speaks of a run that was asked to measure all that laws are about. */
static bool speaks_of(const char *law, const char *dataset, const char *optimizer,
                      enum ub_run_status status, double samples)
{
    static char *measures[] = {(char *)"batch-sharpness:every=1", (char *)"sharpness"};
    struct ub_fact fact = {.name = (char *)"samples", .value = samples};
    struct ub_run run = {.spec = {.dataset = (char *)dataset,
                                  .model = (char *)"linear",
                                  .loss = (char *)"mse",
                                  .init = (char *)"pytorch",
                                  .optimizer = (char *)optimizer,
                                  .n_measures = 2,
                                  .measures = measures},
                         .status = status,
                         .n_facts = samples > 0,
                         .facts = &fact};
    const struct ub_store store = {.path = (char *)"", .count = 1, .runs = &run};
    struct ub_error err = {0};
    struct ub_frame *frame = ub_frame_new(&store, &err);
    if (!frame)
        fail_msg("%s", err.text);
    const bool applies = ub_law_find(law)->applies(frame, 0);
    run.spec.n_measures = 0;
    assert_false(ub_law_find(law)->applies(frame, 0)); /* asked for nothing of the kind */
    ub_frame_free(frame);
    return applies;
}

static void mini_batches_without_momentum_only(void **state)
{
    (void)state;
    const struct {
        const char *optimizer;
        bool applies;
    } cases[] = {{"sgd:batch=8,beta=0,lr=0.1,nesterov=false", true},
                 {"sgd:batch=499,beta=0,lr=relative(1.5),nesterov=false", true},
                 {"sgd:batch=8,beta=0.9,lr=0.1,nesterov=false", false},
                 {"sgd:batch=8,beta=0,lr=0.1,nesterov=true", false},
                 {"sgd:batch=0,beta=0,lr=0.1,nesterov=false", false},
                 {"sgd:batch=500,beta=0,lr=0.1,nesterov=false", false},
                 {"gd:lr=0.1", false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_true(speaks_of("batch-sharpness", "digits:scale=center,size=500", cases[i].optimizer,
                              UB_RUN_OK, 500) == cases[i].applies);
}

/* Runs that failed recorded nothing; the law is about them all the same. */
static void runs_without_facts_count(void **state)
{
    (void)state;
    const struct {
        const char *law, *optimizer, *dataset;
        bool applies;
    } cases[] = {
        {"batch-sharpness", "sgd:batch=8,beta=0,lr=0.1,nesterov=false", "digits:size=500", true},
        {"batch-sharpness", "sgd:batch=500,beta=0,lr=0.1,nesterov=false", "digits:size=500", false},
        {"batch-sharpness", "sgd:batch=8,beta=0,lr=0.1,nesterov=false", "digits:size=0", true},
        {"edge-of-stability", "gd:lr=0.1", "digits", true},
        {"edge-of-stability", "gd:lr=edge(7)", "digits", true},
        {"edge-of-stability", "gd:lr=relative(0.5)", "digits", true},
        {"edge-of-stability", "sam:lr=relative(0.5)", "digits", true},
        {"edge-of-stability", "adam:lr=0.003", "digits", true},
        {"edge-of-stability", "soap:lr=0.003", "digits", true},
        {"edge-of-stability", "muon:lr=0.01,momentum=0,others=euclidean", "digits", true},
        {"edge-of-stability", "muon:lr=0.01", "digits", false},
        {"edge-of-stability", "sgd:batch=8,lr=0.1", "digits", false},
        {"edge-of-stability", "sgd:lr=0.1", "digits", true},
        {"edge-of-stability", "lbfgs:lr=1", "digits", false},
        {"edge-of-stability", "gauss-newton:lr=0.1", "digits", false},
        {"edge-of-stability", "gradient-flow:lr=0.1", "digits", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (speaks_of(cases[i].law, cases[i].dataset, cases[i].optimizer, UB_RUN_FAILED, 0) !=
            cases[i].applies)
            fail_msg("%s of %s is %s", cases[i].law, cases[i].optimizer,
                     cases[i].applies ? "true" : "false");
}

/* ---- settling ---- */

static struct ub_window settled(const double *value, size_t n)
{
    return ub_settled(&(struct ub_series){.count = n, .value = (double *)value}, n);
}

/* 0.3 to `level` by measurement `knee`, exactly `level` from there. */
static void step_up(double *value, size_t n, size_t knee, double level)
{
    for (size_t i = 0; i < n; i++)
        value[i] = level * (i < knee ? 0.3 + 0.7 * (double)i / (double)knee : 1);
}

/* On the last sixth of the way up, 0.7 long of which is linear. */
static void begins_at(const struct ub_window *w, size_t knee)
{
    if (!(w->first <= knee && 6.0 * (double)(knee - w->first) <= (double)knee + 6.0))
        fail_msg("begins at %zu, not %zu", w->first, knee);
}

static void a_level_begins_where_it_is_come_to(void **state)
{
    (void)state;
    double value[N];
    static const double levels[] = {0.01, 0.8, 1, 50};
    for (size_t k = 0; k < 4; k++)
        for (size_t knee = 6; knee <= 78; knee += 6) {
            step_up(value, N, knee, levels[k]);
            const struct ub_window w = settled(value, N);
            assert_int_equal(w.stay, UB_STAY_SETTLED);
            assert_true(w.reached);
            assert_int_equal(w.last, N - 1);
            begins_at(&w, knee);
        }
    step_up(value, N, 95, 1); /* in the last third */
    assert_int_equal(settled(value, N).stay, UB_STAY_RISING);
    step_up(value, N, 30, 1);
    value[3] = (double)NAN; /* not finite, not positive: passed over */
    value[60] = INFINITY;
    value[70] = -1;
    const struct ub_window w = settled(value, N);
    begins_at(&w, 30);
}

static void what_has_no_level_says_why(void **state)
{
    (void)state;
    double value[N];
    step_up(value, N, 2, 1);
    assert_string_equal(settled(value, 9).why, "fewer than 10 measurements");
    assert_string_equal(settled(value, 0).why, "fewer than 10 measurements");
    for (size_t i = 0; i < N; i++)
        value[i] = 0.7;
    assert_string_equal(settled(value, N).why, "never sharpened, flat from the start");
    value[0] = 0.58; /* a rise of 21% */
    assert_int_equal(settled(value, N).stay, UB_STAY_OUT);
    value[0] = 0.55; /* of 27% */
    assert_int_equal(settled(value, N).stay, UB_STAY_SETTLED);
    value[0] = 5;
    assert_string_equal(settled(value, N).why, "never sharpened, came to its level from above");
    for (size_t i = 0; i < N; i++)
        value[i] = 1 + (double)i / N;
    struct ub_window w = settled(value, N);
    assert_int_equal(w.stay, UB_STAY_RISING);
    assert_string_equal(w.why, "no level yet, still rising");
    assert_int_equal(w.first, N - N / 3);
    assert_false(w.reached);
    for (size_t i = 0; i < N; i++)
        value[i] = 3 - (double)i / N;
    assert_int_equal(settled(value, N).stay, UB_STAY_FALLING);
}

/* Its median over the window; NAN where it did not settle. */
static double level_of(const struct ub_window *w, const double *value)
{
    double level = (double)NAN;
    if (w->stay != UB_STAY_SETTLED)
        return level;
    for (size_t i = w->first; i <= w->last; i++) { /* by counting */
        size_t below = 0, n = w->last - w->first + 1;
        for (size_t k = w->first; k <= w->last; k++)
            below += value[k] < value[i] || (value[k] <= value[i] && k < i);
        level = below == n / 2 ? value[i] : level;
    }
    return level;
}

/* The true ones pass; of the false ones no more than noise hides. */
static void planted_series_are_told_apart(void **state)
{
    (void)state;
    struct ub_random r = ub_random_stream(5, "planted");
    print_message("of %d planted series, in percent:\n%-12s %8s %8s %8s %8s %8s %8s %8s\n", TRIALS,
                  "", "settled", "rising", "falling", "unsteady", "out", "pass", "level");
    for (enum planted kind = 0; kind < PLANTED_KINDS; kind++) {
        int stay[UB_STAY_UNSTEADY + 1] = {0}, pass = 0;
        double sum = 0;
        for (int trial = 0; trial < TRIALS; trial++) {
            double value[N];
            const struct plant p = plant_of(kind, &r);
            planted_series(&p, &r, value, N);
            const struct ub_window w = settled(value, N);
            stay[w.stay]++;
            const double level = level_of(&w, value);
            pass += fabs(level - 1) <= 0.1;
            sum += isfinite(level) ? level : 0;
        }
        const double unit = 100.0 / TRIALS;
        print_message("%-12s %8.1f %8.1f %8.1f %8.1f %8.1f %8.1f %8.3f\n", planted_names[kind],
                      unit * stay[UB_STAY_SETTLED], unit * stay[UB_STAY_RISING],
                      unit * stay[UB_STAY_FALLING], unit * stay[UB_STAY_UNSTEADY],
                      unit * stay[UB_STAY_OUT], unit * pass,
                      stay[UB_STAY_SETTLED] ? sum / stay[UB_STAY_SETTLED] : (double)NAN);
        if (planted_true(kind)) {
            assert_true(pass >= 0.9 * TRIALS);
            assert_oracle("law edge-of-stability, law batch-sharpness",
                          "levels of planted series, whose window the rule chooses",
                          sum / stay[UB_STAY_SETTLED] - 1, 0.01);
        } else
            assert_true(pass <= 0.02 * TRIALS);
        if (kind == PLANTED_BELOW || kind == PLANTED_ABOVE) /* exceptions, not left out */
            assert_true(stay[UB_STAY_SETTLED] >= 0.9 * TRIALS);
    }
}

/* Powers of two are exact; for other factors logarithms are, to rounding, shifted. */
static void windows_do_not_hang_on_the_level(void **state)
{
    (void)state;
    struct ub_random r = ub_random_stream(6, "planted");
    static const double factors[] = {0.5, 0.7, 0.8, 0.9, 1.1, 1.25, 1.4, 2};
    for (int trial = 0; trial < TRIALS; trial++) {
        double value[N], scaled[N];
        const struct plant p = plant_of((enum planted)(trial % PLANTED_KINDS), &r);
        planted_series(&p, &r, value, N);
        const struct ub_window w = settled(value, N);
        for (size_t k = 0; k < sizeof factors / sizeof *factors; k++) {
            for (size_t i = 0; i < N; i++)
                scaled[i] = factors[k] * value[i];
            const struct ub_window c = settled(scaled, N);
            assert_int_equal(c.stay, w.stay);
            assert_int_equal(c.first, w.first);
            assert_int_equal(c.last, w.last);
        }
    }
}

/* ---- the loss ---- */

static void training_is_over_where_nothing_moves(void **state)
{
    (void)state;
    double step[N], value[N];
    const struct ub_series loss = {.count = N, .step = step, .value = value};
    for (size_t i = 0; i < N; i++) {
        step[i] = 10.0 * (double)i;
        value[i] = 2 * exp(-0.1 * (double)i);
    }
    assert_false(ub_at_rest(&loss, 0, 1190));
    assert_true(ub_at_rest(&loss, 800, 1190)); /* 2 exp(-8), under a thousandth of 2 */
    assert_false(ub_at_rest(&loss, 600, 1190));
    value[100] *= 1.1; /* above the one before: disturbed */
    assert_true(ub_at_rest(&loss, 800, 1190));
    value[100] *= 1.2;
    assert_false(ub_at_rest(&loss, 800, 1190));
    assert_true(ub_at_rest(&loss, 1000, 1190));
    value[110] = 3e-10; /* rounding */
    value[111] = 9e-10;
    assert_true(ub_at_rest(&loss, 1010, 1111));
    for (size_t i = 0; i < N; i++)
        value[i] = i < 20 ? 1 : 0.4; /* a floor above 0 */
    assert_true(ub_at_rest(&loss, 300, 1190));
    assert_false(ub_at_rest(&loss, 0, 1190));
    assert_false(ub_at_rest(&(struct ub_series){0}, 0, 1));
    assert_int_equal(ub_count_until(&loss, &loss, 0.5), 20);
    assert_int_equal(ub_count_until(&loss, &loss, 0.1), N);
    assert_int_equal(ub_count_until(&loss, &(struct ub_series){0}, 0.5), N);
}

/* ---- edge of stability ---- */

static struct ub_window edge_window(const char *loss_name, double *value, double *loss)
{
    struct ub_run run = {.spec = {.dataset = (char *)"digits",
                                  .model = (char *)"linear",
                                  .loss = (char *)loss_name,
                                  .init = (char *)"pytorch",
                                  .optimizer = (char *)"gd:lr=1"}};
    const struct ub_store store = {.path = (char *)"", .count = 1, .runs = &run};
    struct ub_error err = {0};
    struct ub_frame *frame = ub_frame_new(&store, &err);
    double step[N];
    for (size_t i = 0; i < N; i++)
        step[i] = 10.0 * (double)i;
    const struct ub_window w =
        ub_law_find("edge-of-stability")
            ->window(frame, 0, &(struct ub_series){.count = N, .step = step, .value = value},
                     &(struct ub_series){.count = loss ? N : 0, .step = step, .value = loss});
    ub_frame_free(frame);
    return w;
}

static void the_edge_is_where_sharpening_ends(void **state)
{
    (void)state;
    double value[N], loss[N];
    for (size_t i = 0; i < N; i++)
        loss[i] = 1 - 0.8 * (double)i / N;
    step_up(value, N, 40, 0.8); /* an exception: judged, not left out */
    struct ub_window w = edge_window("mse", value, loss);
    assert_true(w.reached);
    begins_at(&w, 40);
    assert_true(edge_window("mse", value, NULL).reached);
    for (size_t i = 0; i < N; i++)
        loss[i] = exp(-0.2 * (double)i);
    assert_string_equal(edge_window("mse", value, loss).why, "training was over");
    loss[100] *= 10; /* disturbed, if by little */
    loss[99] = 1e-6;
    loss[100] = 1e-5;
    assert_true(edge_window("mse", value, loss).reached);
    assert_string_equal(edge_window("ce", value, loss).why,
                        "cross-entropy fell to a tenth before it had a level");
}

static void cross_entropy_ends_with_its_loss(void **state)
{
    (void)state;
    double value[N], loss[N];
    for (size_t i = 0; i < N; i++) { /* at 1 from 25, leaves it from 80 on */
        value[i] = (i < 25 ? 0.3 + 0.7 * (double)i / 25 : 1) * (i > 80 ? 80.0 / (double)i : 1);
        loss[i] = 2.3 * exp(-(double)i / 34);
    }
    struct ub_window w = edge_window("ce", value, loss); /* a tenth: at 78.3 */
    assert_true(w.reached);
    begins_at(&w, 25);
    assert_int_equal(w.last, 78);
    w = edge_window("mse", value, loss);
    assert_int_equal(w.stay, UB_STAY_FALLING);
    assert_false(w.excused);
    w = edge_window("ce", value, NULL);
    assert_int_equal(w.stay, UB_STAY_FALLING);
    assert_true(w.excused);
    assert_string_equal(edge_window("mse", (double[N]){0}, loss).why, "fewer than 10 measurements");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mini_batches_without_momentum_only),
        cmocka_unit_test(runs_without_facts_count),
        cmocka_unit_test(a_level_begins_where_it_is_come_to),
        cmocka_unit_test(what_has_no_level_says_why),
        cmocka_unit_test(planted_series_are_told_apart),
        cmocka_unit_test(windows_do_not_hang_on_the_level),
        cmocka_unit_test(training_is_over_where_nothing_moves),
        cmocka_unit_test(the_edge_is_where_sharpening_ends),
        cmocka_unit_test(cross_entropy_ends_with_its_loss),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
