/* Transfer of the learning rate as a law: planted sweeps whose optimum is known, and networks under
 * mup and in the standard parametrization. */
#include "planted_sweep.h"

#include "report/report.h"
#include "report/sections/transfer.h"

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

/* What is drawn: of planted parabolas the median over seeds, without the seeds that diverged; and
 * it stands on the law's page. */
static void curves_are_medians_over_seeds(void **state)
{
    (void)state;
    const struct planted_sweep p = {under_mup, "adam", 32, -0.5};
    struct law_suite s = planted_sweep_store(&p);
    struct ub_error err = {0};
    struct ub_rows all = {.count = s.frame->rows, .row = ub_calloc(s.frame->rows, sizeof(size_t))};
    for (size_t i = 0; i < all.count; i++)
        all.row[i] = i;
    const struct sweep sweep = {s.frame, &all, "model.width", "width"};
    double worst = 0;
    size_t nowhere = 0;
    for (int size = 0; size < PLANTED_SIZES; size++)
        for (int step = 0; step < PLANTED_RATES; step++) {
            const double rate = exp2(-10 + 0.5 * step), width = p.least << size;
            double loss[PLANTED_SEEDS];
            int n = 0;
            for (int seed = 0; seed < PLANTED_SEEDS; seed++) {
                const double off =
                    log2(rate) - (-6.3 + p.exponent * log2(width / 64) + 0.05 * seed);
                if (!(off > 3))
                    loss[n++] = 0.1 * exp(0.3 * off * off);
            }
            /* as functions of the seed they rise or fall: the middle one, or the mean of two */
            const double expected =
                n == 3   ? fmax(fmin(loss[0], loss[1]), fmin(fmax(loss[0], loss[1]), loss[2]))
                : n == 2 ? (loss[0] + loss[1]) / 2
                : n == 1 ? loss[0]
                         : (double)NAN;
            const double drawn = transfer_loss(&sweep, width, rate);
            assert_true(isnan(expected) == isnan(drawn));
            nowhere += isnan(drawn) ? 1 : 0;
            worst = isnan(drawn) ? worst : fmax(worst, fabs(drawn / expected - 1));
        }
    assert_true(nowhere > 0);
    assert_oracle("law lr-transfer", "medians of planted parabolas, as drawn", worst, 1e-12);
    char *folder = ub_path(s.folder, "report");
    assert_true(ub_report_write(s.store, folder, &err));
    char *page = ub_path(folder, "law-lr-transfer.md");
    char *text = ub_read_text(page, 1 << 20, NULL, &err);
    assert_non_null(strstr(text, "![Learning rates and width](lr-transfer.png)"));
    ub_free(text);
    ub_free(page);
    ub_free(folder);
    ub_rows_clear(&all);
    law_suite_free(&s);
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
        cmocka_unit_test(curves_are_medians_over_seeds),
        cmocka_unit_test(mup_transfers_and_sp_does_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
