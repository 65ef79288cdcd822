/* Transfer of the learning rate as a law: planted sweeps whose optimum is known, and networks under
 * mup and in the standard parametrization. */
#include "planted_sweep.h"

extern const struct ub_law ub_law_lr_transfer;

/* ---- planted ---- */

static const char under_mup[] = "mlp:parametrization=mup,widths=";

static void planted_slopes_are_found(void **state)
{
    (void)state;
    assert_oracle("law lr-transfer", "exponents planted in the best rates of parabolas",
                  planted_sweep_error(&ub_law_lr_transfer, under_mup, "adam", 32), 1e-9);
}

/* At -2 a width of 256 has its optimum below all rates: nobody knows where. */
static void an_optimum_at_an_end_is_none(void **state)
{
    (void)state;
    const struct planted_sweep p = {under_mup, "adam", 32, -2};
    const struct ub_datum d = planted_sweep_datum(&ub_law_lr_transfer, &p);
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
