/* One value of one run that has changed is found by `compare`, in copies of the published quick
 * suite: all else equal, or with noise on all that is measured. Rates are printed. */
#include "runs_table.h"

static const char *const walked[] = {
    "initial-loss",     "final-loss",       "initial-sharpness",
    "final-sharpness",  "final-accuracy",   "edge-of-stability.plateau",
    "exponent.hidden1", "hessian-exponent", "final-test-loss",
};
enum { WALKED = sizeof walked / sizeof *walked, TRIES = 3 };

/* The store with noise of relative size `noise` on all that is measured, and one value changed. */
static void write_one_changed(const struct ub_csv *csv, double noise, size_t at_row, int at,
                              double value, const char *path)
{
    struct ub_text text = {0};
    struct ub_error err = {0};
    struct ub_random r = ub_random_stream(at_row, "one changed");
    const size_t core = (size_t)ub_csv_column(csv, "provenance.openblas-core");
    for (size_t c = 0; c < csv->columns; c++)
        ub_csv_add(&text, csv->header[c]);
    ub_csv_end_row(&text);
    for (size_t row = 0; row < csv->rows; row++) {
        for (size_t c = 0; c < csv->columns; c++) {
            const char *cell = ub_csv_cell(csv, row, c);
            int metric = 0;
            double x;
            while (metric < WALKED && strcmp(walked[metric], csv->header[c]) != 0)
                metric++;
            if (metric == at && row == at_row)
                ub_csv_add_real(&text, value);
            else if (noise > 0 && metric < WALKED && ub_read_real(cell, &x))
                ub_csv_add_real(&text, x * exp(noise * ub_random_normal(&r)));
            else
                ub_csv_add(&text, noise > 0 && c == core ? "another" : cell);
        }
        ub_csv_end_row(&text);
    }
    if (!ub_write_file(path, text.data, text.length, &err))
        fail_msg("%s", err.text);
    ub_text_free(&text);
}

/* Does the page name this metric as drifted, in a system's row? */
static bool names(const struct outcome *o, const char *metric)
{
    char part[64];
    snprintf(part, sizeof part, " | %s | ", metric);
    return o->code == UB_DRIFT && strstr(o->page, part);
}

static const double rounding = 1e-20; /* losses below are zero but for it */

/* Of `tried` changes, spread over the store; each in a copy of its own. */
static int changes_found(const char *base, const struct ub_csv *csv, double noise, int *tried)
{
    char *folder = support_folder(), *path = ub_path(folder, "new.csv");
    int count = 0;
    *tried = 0;
    for (int m = 0; m < WALKED; m++) {
        const long column = ub_csv_column(csv, walked[m]);
        for (size_t k = 0, row = 0; column >= 0 && k < TRIES; k++) {
            double x = 0;
            for (row = k * csv->rows / TRIES; row < csv->rows; row++)
                if (ub_read_real(ub_csv_cell(csv, row, (size_t)column), &x) && fabs(x) > rounding)
                    break;
            if (row == csv->rows)
                continue;
            const double values[] = {0, 1.5 * x, 1e6, 1e30};
            for (int i = 0; i < 4; i++) {
                if (i == 1 && strstr(walked[m], "accuracy"))
                    continue; /* half as much again as an accuracy is none */
                write_one_changed(csv, noise, row, m, values[i], path);
                const struct outcome o = compare_paths(base, path);
                if (names(&o, walked[m]))
                    count++;
                else if (noise < 1e-3)
                    printf("not found: %s of row %zu, %g to %g\n", walked[m], row, x, values[i]);
                ++*tried;
                free(o.page);
            }
        }
    }
    ub_free(path);
    support_remove(folder);
    return count;
}

static void one_changed_run_is_found(void **state)
{
    (void)state;
    static const char base[] = UNIBENCH_SOURCE "/results/quick/runs.csv";
    struct ub_csv *csv = open_csv(base);
    int tried;
    const int exactly = changes_found(base, csv, 0, &tried);
    printf("one value of one run changed, all else equal: found in %d of %d\n", exactly, tried);
    const int rounded = changes_found(base, csv, 1e-7, &tried);
    printf("one value of one run changed, rounding 1e-7: found in %d of %d\n", rounded, tried);
    const int chaos = changes_found(base, csv, 0.3, &tried);
    printf("one value of one run changed, chaos of 30%%: found in %d of %d\n", chaos, tried);
    ub_csv_free(csv);
    assert_true(tried > 0);
    assert_int_equal(exactly, tried);
    assert_int_equal(rounded, tried);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_changed_run_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
