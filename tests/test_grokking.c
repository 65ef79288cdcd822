/* Grokking: the law on planted accuracies whose delays are known, and the fall of weights that it
 * rests on. */
#include "planted_suite.h"

#include "report/laws/grokking.h"

#include "systems/systems.h"

#include <math.h>

extern const struct ub_law ub_law_grokking;

/* ---- planted accuracies --------------------------------------------------------------------- */

enum { SEEDS = 3, EVERY = 10, LAST = 4000, FITTED = 100 };
static const double decays[] = {0.1, 0.2, 0.4, 0.8};

struct plant {
    const char *optimizer; /* with %g for its decay */
    double constant, power;
    bool never; /* the least decay's last seed does not generalize */
};

/* Straight lines through 0.9 at their step: reading between measurements is exact. */
static double accuracy_at(double step, double there)
{
    return fmin(1, 0.9 * step / there);
}

static void write_planted(const char *folder, const struct plant *plant, double decay,
                          uint64_t seed)
{
    char text[64];
    snprintf(text, sizeof text, plant->optimizer, decay);
    struct ub_run_writer *w =
        planted_run(folder, "modular-addition:p=11", text, "accuracy", LAST, seed);
    const double delay = plant->constant * pow(decay, plant->power) * (1 + 0.1 * (double)seed);
    const bool never = plant->never && decay == decays[0] && seed == SEEDS - 1;
    for (int64_t t = 0; t <= LAST; t += EVERY) {
        const double step = (double)t;
        ub_run_writer_add(w, t, "accuracy", 0, accuracy_at(step, FITTED), (double)NAN);
        ub_run_writer_add(w, t, "test-accuracy", 0, never ? 0.5 : accuracy_at(step, FITTED + delay),
                          (double)NAN);
    }
    planted_run_end(w);
}

static struct ub_datum planted(struct plant plant)
{
    char *path;
    struct law_suite s = planted_suite_new(&path);
    for (size_t k = 0; k < sizeof decays / sizeof *decays; k++)
        for (uint64_t seed = 0; seed < SEEDS; seed++)
            write_planted(path, &plant, decays[k], seed);
    planted_suite_read(&s, path);
    assert_int_equal(law_suite_applies(&s, &ub_law_grokking), 4 * SEEDS);
    const struct ub_datum d = law_suite_datum(&s, &ub_law_grokking, "dataset", "modular-addition");
    if (!d.why && plant.power == -1 && strncmp(plant.optimizer, "gd", 2) == 0) {
        law_suite_draws(&s, "grokking.png");
        law_suite_draws(&s, "grokking-delay.png");
    }
    law_suite_free(&s);
    return d;
}

static void planted_delays_are_read(void **state)
{
    (void)state;
    const struct ub_claim *is = &ub_law_grokking.is;
    const char *adamw = "adamw:lr=0.01,decay=%g", *gd = "gd:lr=0.01,l2=%g";
    struct ub_datum d = planted((struct plant){adamw, 200, -1, false});
    assert_null(d.why);
    double worst = fabs(d.value + 1);
    assert_near(d.se, 0, 1e-9);
    assert_true(ub_datum_meets(is, &d));
    d = planted((struct plant){gd, 200, -1, false});
    worst = fmax(worst, fabs(d.value + 1));
    d = planted((struct plant){adamw, 200, -0.5, false});
    worst = fmax(worst, fabs(d.value + 0.5));
    assert_false(ub_datum_meets(is, &d));
    d = planted((struct plant){adamw, 200, 0, false}); /* no part in it */
    worst = fmax(worst, fabs(d.value));
    assert_oracle("law grokking", "planted accuracies of known delays, powers -1, -1/2 and 0",
                  worst, 1e-9);
    assert_false(ub_datum_meets(is, &d));
    d = planted((struct plant){adamw, 200, -1, true});
    assert_string_equal(d.why, "some run does not come to 0.9 on its test set");
    d = planted((struct plant){adamw, -50, 0, false});
    assert_string_equal(d.why, "some run is as early on its test set as on its training set");
}

/* ---- what it rests on ----------------------------------------------------------------------- */

/* Where there is nothing to learn any more a weight of decoupled decay falls by (1 - lr decay) a
 * step: from w_0 to w_c in ln(w_0/w_c)/(lr decay) steps, but for a part lr decay/2. */
static void weights_fall_at_the_rate_of_the_decay(void **state)
{
    (void)state;
    struct ub_error err = {0};
    const double lr = 0.003, share = 0.5;
    double worst = 0;
    for (size_t k = 0; k < sizeof decays / sizeof *decays; k++) {
        char text[64];
        snprintf(text, sizeof text, "adamw:lr=%g,decay=%g", lr, decays[k]);
        struct ub_optimizer *o = ub_optimizer_new(text, 2, &err);
        if (!o)
            fail_msg("%s", err.text);
        double w[] = {1, -2};
        const double nothing[] = {0, 0};
        double steps = 0;
        while (w[0] > share) {
            ub_optimizer_step(o, w, nothing);
            steps++;
        }
        assert_near(w[1], -2 * w[0], 1e-12);
        worst = fmax(worst, fabs(steps * lr * decays[k] / log(1 / share) - 1));
        ub_optimizer_free(o);
    }
    assert_oracle("law grokking",
                  "weights without a gradient: steps to half their size, ln 2/(lr decay), relative",
                  worst, 0.01);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(planted_delays_are_read),
        cmocka_unit_test(weights_fall_at_the_rate_of_the_decay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
