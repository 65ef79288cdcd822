/* Transfer of the learning rate as a law: planted sweeps whose optimum is known, and networks under
 * mup and in the standard parametrization. */
#include "law_suite.h"

#include "bench/store/store.h"

extern const struct ub_law ub_law_lr_transfer;

/* ---- planted ---- */

/* log loss is a parabola in log2 rate about an optimum that goes as width^exponent; rates too large
 * by 2^3 diverge. */
static void plant(const char *path, int width, int step, int seed, double exponent)
{
    struct ub_error err = {0};
    const double rate = exp2(-10 + 0.5 * step);
    const double off = log2(rate) - (-6.3 + exponent * log2(width / 64.0) + 0.05 * seed);
    char model[128], optimizer[128];
    char *measures[] = {(char *)"loss"};
    snprintf(model, sizeof model, "mlp:parametrization=mup,widths=%dx%d", width, width);
    snprintf(optimizer, sizeof optimizer, "adam:lr=%.17g", rate);
    const struct ub_run_spec spec = {.dataset = (char *)"digits",
                                     .model = model,
                                     .loss = (char *)"mse",
                                     .init = (char *)"pytorch:gain=1",
                                     .optimizer = optimizer,
                                     .steps = 10,
                                     .seed = (uint64_t)seed,
                                     .n_measures = 1,
                                     .measures = measures};
    struct ub_run_writer *w = ub_run_writer_new(path, &spec, &err);
    if (!w)
        fail_msg("%s", err.text);
    const bool diverged = off > 3;
    ub_run_writer_add(w, 0, "loss", 0, 1, (double)NAN);
    if (!diverged)
        ub_run_writer_add(w, 10, "loss", 0, 0.1 * exp(0.3 * off * off), (double)NAN);
    ub_run_writer_fact(w, "lr", rate);
    if (!ub_run_writer_commit(w, diverged ? UB_RUN_DIVERGED : UB_RUN_OK, NULL, NULL, 0, &err))
        fail_msg("%s", err.text);
}

static struct ub_datum planted(double exponent)
{
    enum { RATES = 17, SEEDS = 3 };
    struct ub_error err = {0};
    struct law_suite s = {.folder = support_folder()};
    if (!ub_store_lock(s.folder, false, &err))
        fail_msg("%s", err.text);
    for (int width = 32; width <= 256; width *= 2)
        for (int step = 0; step < RATES; step++)
            for (int seed = 0; seed < SEEDS; seed++)
                plant(s.folder, width, step, seed, exponent);
    s.store = ub_store_open(s.folder, &err);
    if (!s.store)
        fail_msg("%s", err.text);
    s.frame = ub_frame_new(s.store, &err);
    if (!s.frame)
        fail_msg("%s", err.text);
    assert_int_equal(law_suite_applies(&s, &ub_law_lr_transfer), s.frame->rows);
    const struct ub_datum d = law_suite_datum(&s, &ub_law_lr_transfer, "optimizer", "adam");
    law_suite_free(&s);
    return d;
}

/* A parabola through three of its points is itself: the slope is the planted one to rounding. */
static void planted_slopes_are_found(void **state)
{
    (void)state;
    const double exponents[] = {0, -0.5, 0.4};
    double worst = 0;
    for (int i = 0; i < 3; i++) {
        const struct ub_datum d = planted(exponents[i]);
        assert_null(d.why);
        worst = fmax(worst, fabs(d.value - exponents[i]));
    }
    assert_oracle("law lr-transfer", "exponents planted in the best rates of parabolas", worst,
                  1e-9);
}

/* At -2 a width of 256 has its optimum below all rates: nobody knows where. */
static void an_optimum_at_an_end_is_none(void **state)
{
    (void)state;
    const struct ub_datum d = planted(-2);
    assert_non_null(d.why);
    assert_string_equal(d.why, "no optimum inside the rates at some width");
}

/* ---- networks ---- */

static void mup_transfers_and_sp_does_not(void **state)
{
    static const char suite[] =
        "name: transfer\n"
        "defaults: {seed: 0..2, steps: 40, loss: mse, "
        "dataset: {digits: {size: 100, scale: center}}, measure: {loss: {at: [end]}}}\n"
        "runs:\n"
        "  - model: {mlp: {widths: [16x16, 32x32, 64x64, 128x128], activation: relu, "
        "parametrization: [mup, sp], base-width: 16}}\n"
        "    optimizer: {adam: {lr: [0.00049, 0.00098, 0.00195, 0.0039, 0.0078, 0.0156, 0.031, "
        "0.0625, 0.125]}}\n";
    (void)state;
    struct law_suite s = law_suite_run(suite);
    const struct ub_law *law = &ub_law_lr_transfer;
    struct ub_datum d = law_suite_datum(&s, law, "model.parametrization", "mup");
    const double mup =
        d.value; /* 0.19 +- 0.09 from widths as small as 16; the suite has 32 to 256 */
    assert_null(d.why);
    assert_near(mup, 0, 0.35);
    d = law_suite_datum(&s, law, "model.parametrization", "sp");
    assert_null(d.why);
    assert_false(ub_datum_meets(&law->is, &d));
    assert_true(mup - d.value > 0.4);
    assert_int_equal(law_suite_applies(&s, law), 108);
    law_suite_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(planted_slopes_are_found),
        cmocka_unit_test(an_optimum_at_an_end_is_none),
        cmocka_unit_test(mup_transfers_and_sp_does_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
