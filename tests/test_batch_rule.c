/* Laws of settings that go with the batch size: the datum on a quadratic without noise against its
 * closed form, on planted curves with noise against what was planted; and the laws' controls. */
#include "law_suite.h"

#include "systems/systems.h"

#include <math.h>

extern const struct ub_law ub_law_linear_scaling, ub_law_adam_sqrt;

/* ---- without noise ---- */

/* All targets are 1 (T_4 at -1, 0 and 1) and the model is theta: losses are (1 - lr)^(2t) of the
 * first. */
static const char deterministic[] =
    "name: deterministic\n"
    "defaults:\n"
    "  loss: mse\n"
    "  precision: f64\n"
    "  seed: 0..2\n"
    "  model: quadratic\n"
    "  dataset: {chebyshev: {degree: 4, points: 3}}\n"
    "  measure: {loss: {every: 1}}\n"
    "runs:\n"
    "  - {optimizer: {sgd: {lr: 0.1, batch: 1, replacement: true}}, steps: 40}\n"
    "  - {optimizer: {sgd: {lr: [0.1, 0.2], batch: 2, replacement: true}}, steps: 20}\n"
    /* of another batch, or over other samples: no part of any triple */
    "  - {optimizer: {sgd: {lr: 0.1, batch: 3, replacement: true}}, steps: 20}\n"
    "  - {optimizer: {sgd: {lr: 0.2, batch: 2, replacement: true}}, steps: 21}\n"
    "  - {optimizer: {sgd: {lr: 0.2, batch: 1, replacement: true}}, steps: 40}\n";

static void a_quadratic_has_its_closed_form(void **state)
{
    (void)state;
    struct law_suite s = law_suite_run(deterministic);
    const struct ub_datum d =
        law_suite_datum(&s, &ub_law_linear_scaling, "optimizer.replacement", "true");
    const double z = 0.1, expected = (2 * log(1 - z) - log(1 - 2 * z)) / -log(1 - z);
    assert_null(d.why);
    assert_oracle("law linear-scaling", "the closed form of a quadratic without noise",
                  d.value - expected, 1e-9);
    assert_near(d.se, 0, 1e-9); /* seeds start elsewhere, and losses have one shape */
    assert_int_equal(law_suite_applies(&s, &ub_law_linear_scaling), 9);
    assert_int_equal(law_suite_applies(&s, &ub_law_adam_sqrt), 0);
    law_suite_free(&s);
}

enum { BASE = 40 };
struct adam_rule {
    double lr, beta1, beta2, epsilon;
};

/* Adam of Kingma and Ba 2015, algorithm 1, on e^2/2: ln of that after each step. */
static void adam_by_hand(double e, const struct adam_rule *r, int steps, double *log_loss)
{
    double m = 0, v = 0;
    log_loss[0] = log(e * e / 2);
    for (int t = 1; t <= steps; t++) {
        m = r->beta1 * m + (1 - r->beta1) * e;
        v = r->beta2 * v + (1 - r->beta2) * e * e;
        e -= r->lr * m / (1 - pow(r->beta1, t)) / (sqrt(v / (1 - pow(r->beta2, t))) + r->epsilon);
        log_loss[t] = log(e * e / 2);
    }
}

/* D(ruled; base)/D(fixed; base) from one start. */
static double ratio_by_hand(double e, const struct adam_rule *rule, const struct adam_rule *ruled)
{
    double base[BASE + 1], fixed[BASE / 2 + 1], other[BASE / 2 + 1], square[2] = {0};
    adam_by_hand(e, rule, BASE, base);
    adam_by_hand(e, rule, BASE / 2, fixed);
    adam_by_hand(e, ruled, BASE / 2, other);
    for (int t = 1; t <= BASE / 2; t++) {
        square[0] += pow(other[t] - base[2 * t], 2);
        square[1] += pow(fixed[t] - base[2 * t], 2);
    }
    return sqrt(square[0] / square[1]);
}

/* Rates so small that no start is passed by: logarithms stay finite, and distances large. */
static void adam_has_the_distance_of_adam_by_hand(void **state)
{
    static const char suite[] =
        "name: adam\n"
        "defaults: {loss: mse, precision: f64, model: quadratic, measure: {loss: {every: 1}}, "
        "dataset: {chebyshev: {degree: 4, points: 3}}}\n"
        "runs:\n"
        "  - {optimizer: {adam: {lr: 0.001, batch: 1}}, steps: 40}\n"
        "  - {optimizer: [{adam: {lr: 0.001, batch: 2}}, {adam: {lr: 0.0014142135623730951, beta1: "
        "0.8, beta2: 0.998, epsilon: 7.0710678118654752e-9, batch: 2}}], steps: 20}\n";
    static const struct adam_rule rule = {0.001, 0.9, 0.999, 1e-8},
                                  ruled = {0.0014142135623730951, 0.8, 0.998,
                                           7.0710678118654752e-9};
    (void)state;
    struct law_suite s = law_suite_run(suite);
    const struct ub_datum d = law_suite_datum(&s, &ub_law_adam_sqrt, "optimizer", "adam");
    struct ub_series loss = ub_frame_series(s.frame, 0, "loss", 0);
    const double expected = ratio_by_hand(sqrt(2 * loss.value[0]), &rule, &ruled);
    assert_true(expected > 0.05);
    assert_oracle("law adam-sqrt", "Adam written out, of a quadratic without noise",
                  d.value - expected, 1e-8);
    ub_series_clear(&loss);
    law_suite_free(&s);
}

/* ---- with noise ---- */

enum { PLANTED_SEEDS = 8, POINTS = 400 };
struct planted_arm {
    const char *optimizer;
    int64_t steps;
    double offset; /* of the logarithm of the loss */
};

static void write_run(const char *folder, const struct planted_arm *arm, uint64_t seed,
                      enum ub_run_status status, struct ub_random *r)
{
    struct ub_error err = {0};
    char *optimizer =
        ub_registry_canonical(&ub_optimizer_registry, arm->optimizer, "test", NULL, &err);
    char *measures[] = {(char *)"loss"};
    const struct ub_run_spec spec = {.dataset = (char *)"digits",
                                     .model = (char *)"linear",
                                     .loss = (char *)"mse",
                                     .init = (char *)"pytorch:gain=1",
                                     .optimizer = optimizer,
                                     .steps = arm->steps,
                                     .seed = seed,
                                     .n_measures = 1,
                                     .measures = measures};
    struct ub_run_writer *w = ub_run_writer_new(folder, &spec, &err);
    if (!w)
        fail_msg("%s", err.text);
    const int64_t every = arm->steps / POINTS;
    for (int64_t k = 0; k <= POINTS; k++)
        ub_run_writer_add(w, k * every, "loss", 0,
                          exp(arm->offset - 0.01 * (double)k + 0.2 * ub_random_normal(r)),
                          (double)NAN);
    const struct ub_pair provenance[] = {{(char *)"unibench", (char *)"test"}};
    if (!ub_run_writer_commit(w, status, "", provenance, 1, &err))
        fail_msg("%s", err.text);
    ub_free(optimizer);
}

/* `last`: of the ruled run of the last seed. */
static struct law_suite plant(enum ub_run_status last)
{
    static const struct planted_arm arms[] = {
        {"sgd:lr=0.1,batch=4", 800, 0},
        {"sgd:lr=0.1,batch=8", 400, 0.5},
        {"sgd:lr=0.2,batch=8", 400, -0.05},
    };
    struct ub_error err = {0};
    struct law_suite s = {.folder = support_folder()};
    char *path = ub_path(s.folder, "S");
    struct ub_random r = ub_random_stream(1, "planted curves");
    if (!ub_make_folders(path, &err) || !ub_store_lock(path, false, &err))
        fail_msg("%s", err.text);
    for (int k = 0; k < 3; k++)
        for (uint64_t seed = 0; seed < PLANTED_SEEDS; seed++)
            write_run(path, &arms[k], seed, k == 2 && seed == PLANTED_SEEDS - 1 ? last : UB_RUN_OK,
                      &r);
    s.store = ub_store_open(path, &err);
    if (!s.store)
        fail_msg("%s", err.text);
    s.frame = ub_frame_new(s.store, &err);
    assert_non_null(s.frame);
    ub_free(path);
    return s;
}

/* Noise of 0.2 in each logarithm: between means over 8 its variance, 2 x 0.04/8 = 0.01, would make
 * 0.22 of the ratio that was planted, 0.1. The estimate has errors of 0.01 in D^2 times
 * sqrt(2/400), and so of 0.0007/(2 x 0.05 x 0.5) = 0.014. */
static void noise_makes_no_distance(void **state)
{
    (void)state;
    struct law_suite s = plant(UB_RUN_OK);
    const struct ub_datum d = law_suite_datum(&s, &ub_law_linear_scaling, "optimizer", "sgd");
    assert_null(d.why);
    assert_oracle("law linear-scaling", "a distance planted below noise, in standard errors",
                  (d.value - 0.1) / 0.014, 4);
    assert_true(d.se > 0.003 && d.se < 0.06);
    assert_near(d.df, PLANTED_SEEDS - 1, 0);
    law_suite_free(&s);
}

static void divergence_by_the_rule_counts_against_it(void **state)
{
    (void)state;
    struct law_suite s = plant(UB_RUN_DIVERGED);
    const struct ub_datum d = law_suite_datum(&s, &ub_law_linear_scaling, "optimizer", "sgd");
    assert_non_null(d.why);
    assert_true(d.against);
    law_suite_free(&s);
}

/* ---- controls ---- */

static const char controls[] =
    "name: controls\n"
    "defaults:\n"
    "  loss: mse\n"
    "  precision: f64\n"
    "  seed: 0..5\n"
    "  dataset: {gaussian: {samples: 200, features: 32, alpha: 0, noise: 1}}\n"
    "runs:\n"
    "  - {model: {linear: {bias: true}}, optimizer: {sgd: {lr: {relative: 0.005}, batch: 4}}, "
    "steps: 2000, measure: {loss: {every: 40}}}\n"
    "  - {model: {linear: {bias: true}}, optimizer: {sgd: {lr: [{relative: 0.005}, {relative: "
    "0.01}], batch: 8}}, steps: 1000, measure: {loss: {every: 20}}}\n"
    "  - {model: {linear: {bias: false}}, optimizer: {sgd: {lr: {relative: 0.005}, batch: 4}}, "
    "steps: 2000, measure: {loss: {every: 40}}}\n"
    "  - {model: {linear: {bias: false}}, optimizer: {sgd: {lr: [{relative: 0.005}, {relative: "
    "0.00707106781}], batch: 8}}, steps: 1000, measure: {loss: {every: 20}}}\n"
    "  - {model: {linear: {bias: true}}, optimizer: {adam: {lr: 0.001, batch: 1}}, steps: 4000, "
    "measure: {loss: {every: 80}}}\n"
    "  - {model: {linear: {bias: true}}, optimizer: [{adam: {lr: 0.001, batch: 2}}, {adam: {lr: "
    "0.00141421356, beta1: 0.8, beta2: 0.998, epsilon: 7.0710678e-9, batch: 2}}], steps: 2000, "
    "measure: {loss: {every: 40}}}\n"
    "  - {model: {linear: {bias: false}}, optimizer: {adam: {lr: 0.001, batch: 1}}, steps: 4000, "
    "measure: {loss: {every: 80}}}\n"
    "  - {model: {linear: {bias: false}}, optimizer: [{adam: {lr: 0.001, batch: 2}}, {adam: {lr: "
    "0.002, beta1: 0.8, beta2: 0.998, epsilon: 7.0710678e-9, batch: 2}}], steps: 2000, measure: "
    "{loss: {every: 40}}}\n";

struct choice {
    const struct ub_law *law;
    const char *bias;
};

static bool is_chosen(const struct ub_frame *frame, size_t row, const void *context)
{
    const struct choice *c = context;
    return c->law->applies(frame, row) &&
           strcmp(ub_frame_word(frame, row, "model.bias"), c->bias) == 0;
}

/* Of the group of this law's runs with a bias, or without. */
static struct ub_datum of_bias(const struct law_suite *s, const struct ub_law *law, bool bias)
{
    const struct choice choice = {law, bias ? "true" : "false"};
    struct ub_rows rows = ub_frame_where(s->frame, NULL, is_chosen, &choice);
    assert_int_equal(rows.count, 18);
    struct ub_groups groups = ub_frame_group(s->frame, &rows, law->within);
    assert_int_equal(groups.count, 1);
    const struct ub_datum d = law->datum(s->frame, &groups.group[0]);
    print_message("%s: %g +- %g\n", law->name, d.value, d.se);
    ub_groups_clear(&groups);
    ub_rows_clear(&rows);
    return d;
}

static void controls_come_out_as_they_must(void **state)
{
    (void)state;
    struct law_suite s = law_suite_run(controls);
    const struct ub_law *laws[] = {&ub_law_linear_scaling, &ub_law_adam_sqrt};
    for (int k = 0; k < 2; k++) {
        assert_true(ub_datum_meets(&laws[k]->is, &(struct ub_datum){.value = 0.1}));
        const struct ub_datum good = of_bias(&s, laws[k], true), bad = of_bias(&s, laws[k], false);
        assert_true(ub_datum_meets(&laws[k]->is, &good));
        assert_false(ub_datum_meets(&laws[k]->is, &bad));
    }
    law_suite_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_quadratic_has_its_closed_form),
        cmocka_unit_test(adam_has_the_distance_of_adam_by_hand),
        cmocka_unit_test(noise_makes_no_distance),
        cmocka_unit_test(divergence_by_the_rule_counts_against_it),
        cmocka_unit_test(controls_come_out_as_they_must),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
