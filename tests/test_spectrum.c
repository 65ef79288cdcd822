/* Spectra of any matrix of a run, as observables: against dense ones. */
#include "observing.h"

#include "bench/curvature/curvature.h"

#include <math.h>

/* Eigenvalues of a kind's matrix at the fixture's point by LAPACK, descending. */
static double *dense_values(const struct fixture *f, struct ub_matrix_choice choice, int64_t *n,
                            double *matrix)
{
    struct ub_error err = {0};
    const struct ub_matrix_point at = {
        .problem = f->problem, .theta = f->theta, .grad = f->grad, .optimizer = f->optimizer};
    struct ub_matrix *m = ub_matrix_new(&choice, &at, &err);
    assert_non_null(m);
    *n = m->operator.n;
    double *a = ub_calloc((size_t)(*n * *n), sizeof *a), *up = ub_calloc((size_t)*n, 8);
    double *values = ub_calloc((size_t)*n, sizeof *values);
    assert_true(ub_operator_matrix(&m->operator, a));
    if (matrix)
        memcpy(matrix, a, (size_t)(*n * *n) * sizeof *a);
    assert_int_equal(
        LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'U', (lapack_int)*n, a, (lapack_int)*n, up), 0);
    for (int64_t i = 0; i < *n; i++)
        values[i] = up[*n - 1 - i];
    ub_matrix_free(m);
    ub_free(a);
    ub_free(up);
    return values;
}

/* ---- several spectra of one run ---- */

static void check_spectrum(const struct fixture *f, const char *name,
                           struct ub_matrix_choice choice, int64_t count)
{
    int64_t n;
    double *expected = dense_values(f, choice, &n, NULL);
    assert_spectrum(f->recorded, 3, name, expected, count < n ? count : n, 1e-7 * expected[0]);
    ub_free(expected);
}

/* Of the largest, how far the leading ones are from LAPACK's. */
static double spectrum_error(const struct fixture *f, int64_t step, const char *name,
                             struct ub_matrix_choice choice, int64_t count)
{
    int64_t n;
    double *expected = dense_values(f, choice, &n, NULL), worst = 0;
    assert_true(count <= n);
    for (int64_t i = 0; i < count; i++)
        worst = fmax(worst, fabs(value_of(f->recorded, step, name, i) - expected[i]) / expected[0]);
    ub_free(expected);
    return worst;
}

static void one_run_has_several_spectra(void **state)
{
    (void)state;
    struct fixture f = fixture_of(tiny_dataset(UB_CLASSIFICATION, 20, 7, 4, 3),
                                  "mlp:widths=16x12,activation=tanh", "ce", "rmsprop:lr=0.01");
    assert_true(f.size > 200); /* where not the whole matrix is formed */
    TRAIN(&f, 3, "spectrum:at=end,top=6,tolerance=1e-8,first=1,last=6",
          "spectrum:operator=gauss-newton,at=end,top=6,tolerance=1e-8",
          "spectrum:operator=hessian,preconditioned=true,at=end,top=3,tolerance=1e-8",
          "spectrum:operator=fisher,layer=fc2,at=end,top=4,tolerance=1e-8",
          "spectrum:operator=ntk,at=end,top=100,tolerance=1e-8",
          "spectrum:operator=weight-gram,layer=fc1.weight,at=end,tolerance=1e-8",
          "spectrum:operator=activation-covariance,layer=inputs,at=end,tolerance=1e-8");
    assert_oracle(
        "observable spectrum", "dense eigenvalues of the Hessian, of the largest",
        spectrum_error(&f, 3, "spectrum.hessian", (struct ub_matrix_choice){.kind = "hessian"}, 6),
        1e-7);
    assert_oracle("law spectral-decay-gauss-newton, observable spectrum",
                  "dense eigenvalues of the Gauss-Newton matrix, of the largest",
                  spectrum_error(&f, 3, "spectrum.gauss-newton",
                                 (struct ub_matrix_choice){.kind = "gauss-newton"}, 6),
                  1e-7);
    check_spectrum(&f, "spectrum.hessian.preconditioned",
                   (struct ub_matrix_choice){.kind = "hessian", .preconditioned = true}, 3);
    check_spectrum(&f, "spectrum.fisher.fc2",
                   (struct ub_matrix_choice){.kind = "fisher", .layer = "fc2"}, 4);
    check_spectrum(&f, "spectrum.ntk", (struct ub_matrix_choice){.kind = "ntk"}, 60);
    check_spectrum(&f, "spectrum.weight-gram.fc1.weight",
                   (struct ub_matrix_choice){.kind = "weight-gram", .layer = "fc1.weight"}, 4);
    check_spectrum(&f, "spectrum.activation-covariance.inputs",
                   (struct ub_matrix_choice){.kind = "data-covariance"}, 4);
    assert_near(value_of(f.recorded, 3, "exponent.hessian", UB_EXPONENT_LAST), 6, 0);
    assert_near(fact(f.recorded, "measurements.spectrum.ntk"), 1, 0);
    assert_near(fact(f.recorded, "products.spectrum.ntk"), 60, 0); /* the whole */
    assert_true(fact(f.recorded, "seconds.spectrum.hessian") > 0);
    assert_near(fact(f.recorded, "unconverged.spectrum.hessian"), 0, 0);
    fixture_free(&f);
}

static void both_ends_meet_the_dense_ones(void **state)
{
    (void)state;
    struct fixture f = fixture_of(tiny_dataset(UB_CLASSIFICATION, 20, 7, 4, 3),
                                  "mlp:widths=16x12,activation=tanh", "ce", "gd:lr=0.1");
    TRAIN(&f, 2, "spectrum:operator=residual,ends=both,top=5,every=1,tolerance=1e-8");
    int64_t n;
    double *expected = dense_values(&f, (struct ub_matrix_choice){.kind = "residual"}, &n, NULL);
    assert_spectrum(f.recorded, 2, "spectrum.residual", expected, 5, 1e-7 * expected[0]);
    for (int64_t i = 0; i < n / 2; i++) {
        const double top = expected[i];
        expected[i] = expected[n - 1 - i];
        expected[n - 1 - i] = top;
    }
    assert_true(expected[0] < 0);
    assert_spectrum(f.recorded, 2, "spectrum-bottom.residual", expected, 5,
                    1e-7 * fabs(expected[0]));
    assert_near(fact(f.recorded, "measurements.spectrum.residual"), 3, 0);
    ub_free(expected);
    fixture_free(&f);
}

/* Later measurements start from the last eigenvectors: a second one at the same point is cheaper.
 */
static void measurements_start_from_the_last(void **state)
{
    (void)state;
    struct fixture f = fixture_of(tiny_dataset(UB_CLASSIFICATION, 20, 7, 4, 3),
                                  "mlp:widths=16x12,activation=tanh", "ce", "gd:lr=1e-12");
    TRAIN(&f, 0, "spectrum:every=1,top=4,tolerance=1e-6");
    const double once = fact(f.recorded, "products.spectrum.hessian");
    TRAIN(&f, 1, "spectrum:every=1,top=4,tolerance=1e-6");
    assert_true(fact(f.recorded, "products.spectrum.hessian") < 1.5 * once);
    fixture_free(&f);
}

/* ---- outliers ---- */

/* A quadratic whose Hessian is planted: the largest ratio of neighbors ends the outliers. */
static void outliers_end_at_the_largest_gap(void **state)
{
    (void)state;
    struct fixture f = fixture_of(tiny_dataset(UB_CLASSIFICATION, 60, 0, 12, 3),
                                  "linear:bias=false", "mse", "gd:lr=0.1");
    double *x = f.data->train.inputs;
    for (int64_t i = 0; i < 60; i++) /* two inputs are larger: two eigenvalues for each output */
        for (int64_t j = 0; j < 2; j++)
            x[i * 12 + j] *= j ? 8 : 11;
    struct ub_problem *p = tiny_problem(f.data, "linear:bias=false", "mse");
    ub_problem_free(f.problem);
    f.problem = p;
    TRAIN(&f, 0, "spectrum:at=0,top=18,tolerance=1e-9");
    const struct ub_row *rows[7];
    for (int i = 0; i < 7; i++)
        rows[i] = find_row(f.recorded, 0, "spectrum.hessian", i);
    assert_oracle("law hessian-outliers", "the count that a planted Hessian has",
                  value_of(f.recorded, 0, "outliers.hessian", UB_OUTLIERS) - 6, 0);
    assert_near(value_of(f.recorded, 0, "outliers.hessian", UB_OUTLIERS_GAP),
                rows[5]->value / rows[6]->value, 1e-9);
    assert_true(rows[5]->value > 10 * rows[6]->value);
    fixture_free(&f);
}

/* ---- kernels ---- */

static void kernel_spectrum_is_the_dense_one(void **state)
{
    (void)state;
    struct fixture f =
        fixture_of(tiny_dataset(UB_CLASSIFICATION, 90, 0, 4, 3), mlp, "mse", "gd:lr=0.1");
    int64_t n;
    double *K = ub_calloc(270 * 270, sizeof *K), *y = f.data->train.targets;
    TRAIN(&f, 1, "kernel-spectrum:at=end", "kernel-spectrum:outputs=mean,at=end,dense=0,top=7");
    double *expected = dense_values(&f, (struct ub_matrix_choice){.kind = "ntk"}, &n, K);
    double along = 0, squares = 0;
    assert_int_equal(n, 270);
    assert_spectrum(f.recorded, 1, "kernel-spectrum.ntk", expected, n, 1e-12 * expected[0] + 1e-9);
    for (int64_t i = 0; i < n * n; i++) {
        along += y[i / n] * K[i] * y[i % n];
        squares += K[i] * K[i];
    }
    assert_oracle("observable kernel-spectrum", "alignment with targets from the dense kernel",
                  value_of(f.recorded, 1, "kernel-alignment.ntk", 0) -
                      along / (tiny_dot(n, y, y) * sqrt(squares)),
                  1e-10);
    ub_free(expected);
    assert_oracle("law spectral-decay-kernel, observable kernel-spectrum",
                  "dense eigenvalues of the kernel's mean over outputs, of the largest",
                  spectrum_error(&f, 1, "kernel-spectrum.ntk-mean",
                                 (struct ub_matrix_choice){.kind = "ntk-mean"}, 7),
                  1e-4);
    ub_free(K);
    fixture_free(&f);
}

/* ---- classes ---- */

static void class_structure_is_that_of_the_dense_parts(void **state)
{
    (void)state;
    struct fixture f =
        fixture_of(tiny_dataset(UB_CLASSIFICATION, 20, 7, 4, 3), mlp, "ce", "gd:lr=0.5");
    TRAIN(&f, 3, "class-structure:at=end,top=5,tolerance=1e-9");
    static const char *const kinds[] = {"gauss-newton", "class", "cross-class", "same-mean"};
    const int64_t counts[] = {5, 3, 6, 3};
    double worst = 0;
    for (int k = 0; k < 4; k++) {
        int64_t n;
        char name[64];
        double *expected = dense_values(&f, (struct ub_matrix_choice){.kind = kinds[k]}, &n, NULL);
        snprintf(name, sizeof name, "class-structure.%s", kinds[k]);
        for (int64_t i = 0; i < counts[k]; i++)
            worst = fmax(worst, fabs(value_of(f.recorded, 3, name, i) - expected[i]) / expected[0]);
        assert_null(find_row(f.recorded, 3, name, counts[k]));
        ub_free(expected);
    }
    assert_oracle("observable class-structure", "dense eigenvalues of each part, of the largest",
                  worst, 1e-8);
    for (int64_t i = 0; i < 5; i++) {
        const double sum = value_of(f.recorded, 3, "class-share.class", i) +
                           value_of(f.recorded, 3, "class-share.cross-class", i) +
                           value_of(f.recorded, 3, "class-share.within-class", i) +
                           value_of(f.recorded, 3, "class-share.same-class", i);
        assert_near(sum, 1, 1e-12);
        assert_true(value_of(f.recorded, 3, "class-share.same-mean", i) <=
                    value_of(f.recorded, 3, "class-share.same-class", i) + 1e-12);
    }
    assert_near(fact(f.recorded, "classes"), 3, 0);
    fixture_free(&f);
}

static void regressions_have_no_classes(void **state)
{
    (void)state;
    struct fixture f = fixture_of(tiny_dataset(UB_REGRESSION, 9, 4, 4, 2), mlp, "mse", "gd:lr=0.1");
    TRAIN(&f, 1, "class-structure:at=end", "spectrum:operator=within-class,at=end");
    assert_int_equal(f.recorded->n_rows, 0);
    fixture_free(&f);
}

/* ---- densities ---- */

/* Errors are half the widths of 95% intervals: the truth lies within three of them. */
static void assert_covers(const struct fixture *f, const char *name, int64_t index, double truth)
{
    const struct ub_row *row = find_row(f->recorded, 1, name, index);
    assert_non_null(row);
    assert_true(row->error > 0);
    assert_near(row->value, truth, 3 * row->error);
}

static double normal_density(double x, double mean, double width)
{
    return exp(-pow((x - mean) / width, 2) / 2) / (width * sqrt(2 * M_PI));
}

static void density_of_a_hessian(void **state)
{
    (void)state;
    struct fixture f = fixture_of(tiny_dataset(UB_CLASSIFICATION, 20, 7, 4, 3),
                                  "mlp:widths=16x12,activation=tanh", "ce", "gd:lr=0.1");
    TRAIN(&f, 1, "density:steps=60,probes=8,points=100,width=0.05,deflate=4,at=end,tolerance=1e-8");
    int64_t n, points = 0;
    double *values = dense_values(&f, (struct ub_matrix_choice){.kind = "hessian"}, &n, NULL);
    double moment[5] = {0}, below = 0, size = 0, count = 0, integral = 0, covered = 0;
    for (int64_t i = 0; i < n; i++) {
        for (int p = 1; p < 5; p++)
            moment[p] += pow(values[i], p);
        below += fmax(-values[i], 0);
        size += fabs(values[i]);
        count += values[i] < -1e-5 * values[0];
    }
    for (int p = 1; p < 5; p++)
        assert_covers(&f, "moment.hessian", p, moment[p]);
    assert_covers(&f, "negative-mass.hessian", 0, below / size);
    const struct ub_row *negative = find_row(f.recorded, 1, "negative-fraction.hessian", 0);
    assert_near(negative->value, count / (double)n, negative->error);
    assert_true(negative->error < 0.3);
    for (int i = 0; i < 4; i++) /* largest in size: all at the top here */
        assert_near(value_of(f.recorded, 1, "density-outlier.hessian", i), values[i], 1e-7);
    const double step = value_of(f.recorded, 1, "density-grid.hessian", 1) -
                        value_of(f.recorded, 1, "density-grid.hessian", 0);
    for (; find_row(f.recorded, 1, "density.hessian", points); points++) {
        const double x = value_of(f.recorded, 1, "density-grid.hessian", points);
        const struct ub_row *row = find_row(f.recorded, 1, "density.hessian", points);
        double truth = 0;
        for (int64_t i = 4; i < n; i++)
            truth += normal_density(x, values[i], 0.05) / (double)n;
        integral += row->value * step;
        covered += fabs(row->value - truth) <= 1.5 * row->error + 1e-6;
    }
    assert_int_equal(points, 100);
    assert_oracle("observable density", "mass of the density beside the dense spectrum's outliers",
                  integral - (1 - 4 / (double)n), 0.01);
    assert_true(covered > 90);
    assert_near(fact(f.recorded, "measurements.density.hessian"), 1, 0);
    assert_true(fact(f.recorded, "products.density.hessian") > 8 * 60);
    ub_free(values);
    fixture_free(&f);
}

static void density_of_a_semidefinite_matrix(void **state)
{
    (void)state;
    struct fixture f = fixture_of(tiny_dataset(UB_CLASSIFICATION, 20, 7, 4, 3),
                                  "mlp:widths=16x12,activation=tanh", "ce", "gd:lr=0.1");
    TRAIN(&f, 1, "density:operator=gauss-newton,probes=8,shift=0.01,at=end",
          "density:at=0,probes=1", "density:operator=fisher,at=0,steps=5,width=0.0001");
    int64_t n;
    double *values = dense_values(&f, (struct ub_matrix_choice){.kind = "gauss-newton"}, &n, NULL);
    double log_det = 0, dimension = 0;
    for (int64_t i = 0; i < n; i++) {
        log_det += log(fmax(values[i], 0) + 0.01);
        dimension += fmax(values[i], 0) / (fmax(values[i], 0) + 0.01);
    }
    assert_covers(&f, "log-det.gauss-newton", 0, log_det);
    assert_covers(&f, "effective-dimension.gauss-newton", 0, dimension);
    assert_int_equal(count_rows(f.recorded, "negative-mass.gauss-newton"), 0);
    assert_int_equal(count_rows(f.recorded, "log-det.hessian"), 0);
    assert_true(find_row(f.recorded, 0, "moment.hessian", 1)->error > 0); /* one probe */
    assert_true(isnan(find_row(f.recorded, 0, "density.hessian", 50)->error));
    assert_true(isnan(find_row(f.recorded, 0, "density.fisher", 50)->error)); /* not resolved */
    ub_free(values);
    fixture_free(&f);
}

/* ---- weights ---- */

/* Weights of a wide layer as drawn are noise; a spike that is planted stands out of it, and its
 * value is most of the tail's. */
static void planted_spikes_stand_out_of_weights(void **state)
{
    (void)state;
    struct fixture f = fixture_of(tiny_dataset(UB_CLASSIFICATION, 9, 0, 90, 3),
                                  "mlp:widths=60,activation=tanh", "mse", "gd:lr=0.1");
    TRAIN(&f, 0, "weight-spectrum:at=0");
    const double largest = value_of(f.recorded, 0, "weight-spectrum.fc1.weight", 0);
    const double edge = value_of(f.recorded, 0, "noise-outliers.fc1.weight", UB_NOISE_EDGE);
    assert_near(value_of(f.recorded, 0, "noise-outliers.fc1.weight", UB_NOISE_OUTLIERS), 0, 0);
    /* v (sqrt 90 + sqrt 60)^2 with v = 1/(3 90), that of U(-1/sqrt 90, 1/sqrt 90) */
    assert_near(edge, pow(sqrt(90) + sqrt(60), 2) / 270, 0.15 * edge);
    assert_true(largest < edge && largest > 0.8 * edge);
    for (int64_t i = 0; i < 60; i++)
        for (int64_t j = 0; j < 90; j++)
            f.theta0[i * 90 + j] += (i % 2 ? 1 : -1) * (double)(j % 3 - 1) * 3 / 60;
    TRAIN(&f, 0, "weight-spectrum:at=0");
    assert_near(value_of(f.recorded, 0, "noise-outliers.fc1.weight", UB_NOISE_OUTLIERS), 1, 0);
    assert_near(value_of(f.recorded, 0, "weight-spectrum.fc1.weight", 0), 9, 0.9);
    const struct ub_row *alpha = find_row(f.recorded, 0, "tail.fc1.weight", UB_TAIL_ALPHA);
    assert_true(alpha && alpha->value > 1 && alpha->error > 0);
    assert_near(value_of(f.recorded, 0, "alpha-hat.fc1.weight", 0),
                alpha->value * log10(value_of(f.recorded, 0, "weight-spectrum.fc1.weight", 0)),
                1e-12);
    assert_true(value_of(f.recorded, 0, "stable-rank.fc1.weight", 0) <
                value_of(f.recorded, 0, "participation-ratio.fc1.weight", 0));
    assert_true(value_of(f.recorded, 0, "participation-ratio.fc1.weight", 0) <
                value_of(f.recorded, 0, "entropy-rank.fc1.weight", 0));
    fixture_free(&f);
}

static void weight_spectra_are_squared_singular_values(void **state)
{
    (void)state;
    struct fixture f = fixture_new("gd:lr=0.5");
    TRAIN(&f, 2, "weight-spectrum:at=end");
    const struct ub_layout *layout = ub_problem_layout(f.problem);
    int weights = 0;
    double worst = 0;
    for (int64_t p = 0; p < layout->count; p++) {
        if (layout->params[p].rank < 2)
            continue;
        const struct ub_matrix_choice gram = {.kind = "weight-gram",
                                              .layer = layout->params[p].name};
        int64_t n;
        char name[96];
        double *expected = dense_values(&f, gram, &n, NULL), sum = 0;
        snprintf(name, sizeof name, "weight-spectrum.%s", layout->params[p].name);
        for (int64_t i = 0; i < n; i++) {
            worst = fmax(worst, fabs(value_of(f.recorded, 2, name, i) - expected[i]) / expected[0]);
            sum += expected[i];
        }
        assert_null(find_row(f.recorded, 2, name, n));
        snprintf(name, sizeof name, "stable-rank.%s", layout->params[p].name);
        assert_near(value_of(f.recorded, 2, name, 0), sum / expected[0], 1e-12);
        weights++;
        ub_free(expected);
    }
    assert_int_equal(weights, 3);
    assert_oracle("observable weight-spectrum", "dense eigenvalues of W W', of the largest", worst,
                  1e-13);
    fixture_free(&f);
}

/* ---- what is not finite, and what is refused ---- */

static void numbers_that_are_not_finite_leave_no_rows(void **state)
{
    (void)state;
    struct fixture f = fixture_new("gd:lr=0.5");
    struct ub_error err = {0};
    const char *const texts[] = {"spectrum",        "kernel-spectrum",
                                 "class-structure", "weight-spectrum",
                                 "density",         "density:operator=ntk,deflate=3"};
    struct ub_observers *o = ub_observers_new(texts, 6, "test", &err);
    assert_non_null(o);
    for (int64_t i = 0; i < f.size; i++)
        f.theta[i] = NAN;
    measure(&f, o, 0, 0);
    assert_int_equal(f.recorded->n_rows, 0);
    ub_observers_free(o);
    fixture_free(&f);
}

static void titles_tell_calls_apart(void **state)
{
    (void)state;
    struct ub_error err = {0};
    static const struct {
        const char *text, *title;
    } good[] = {
        {"loss:every=3", "loss"},
        {"spectrum", "spectrum.hessian"},
        {"spectrum:operator=gauss-newton,layer=fc1,preconditioned=true",
         "spectrum.gauss-newton.fc1.preconditioned"},
        {"kernel-spectrum:outputs=mean", "kernel-spectrum.ntk-mean"},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        char *title = ub_observable_title(good[i].text, "here", &err);
        assert_string_equal(title, good[i].title);
        ub_free(title);
    }
    const char *const twice[] = {"spectrum:top=3", "loss", "spectrum:top=4,layer=all"};
    assert_null(ub_observers_new(twice, 3, "here", &err));
    assert_input_error(&err, "here: 'spectrum.hessian' is measured twice; expected it once");
    assert_null(ub_observable_title("spectrum:operator=hesian", "here", &err));
    assert_input_error(&err, "hesian");
    assert_null(ub_observable_title("spectrum:operator=ntk,layer=fc1", "here", &err));
    assert_input_error(&err, "here: spectrum: operator 'ntk': it has no layers");
}

/* Memory by estimate: more pairs and larger models need more, what costs nothing nothing. */
static void memory_is_foreseen(void **state)
{
    (void)state;
    struct fixture f = fixture_of(tiny_dataset(UB_CLASSIFICATION, 90, 0, 40, 3),
                                  "mlp:widths=64x64,activation=tanh", "ce", "gd:lr=0.1");
    struct ub_error err = {0};
    static const char *const texts[] = {"loss", "spectrum:top=10", "spectrum:top=400",
                                        "spectrum:top=400,operator=gauss-newton",
                                        "class-structure"};
    int64_t bytes[5], both;
    for (int i = 0; i < 5; i++)
        assert_true(ub_observables_bytes(&texts[i], 1, f.problem, &bytes[i], &err));
    assert_int_equal(bytes[0], 0);
    /* lanczos.h: a basis of 2 count + 4 blocks of 16 vectors, and the pairs */
    assert_true(bytes[1] > (20 + 64 + 10) * f.size * 8 && bytes[1] < 4 * (84 + 20) * f.size * 8);
    assert_true(bytes[2] > (800 + 64 + 400) * f.size * 8);
    assert_true(bytes[3] > bytes[2]); /* programs of its own */
    assert_true(bytes[4] > ub_problem_jacobian_bytes(f.problem));
    assert_true(ub_observables_bytes(&texts[1], 2, f.problem, &both, &err));
    assert_true(both == bytes[1] + bytes[2]);
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_run_has_several_spectra),
        cmocka_unit_test(both_ends_meet_the_dense_ones),
        cmocka_unit_test(measurements_start_from_the_last),
        cmocka_unit_test(outliers_end_at_the_largest_gap),
        cmocka_unit_test(kernel_spectrum_is_the_dense_one),
        cmocka_unit_test(class_structure_is_that_of_the_dense_parts),
        cmocka_unit_test(regressions_have_no_classes),
        cmocka_unit_test(density_of_a_hessian),
        cmocka_unit_test(density_of_a_semidefinite_matrix),
        cmocka_unit_test(planted_spikes_stand_out_of_weights),
        cmocka_unit_test(weight_spectra_are_squared_singular_values),
        cmocka_unit_test(numbers_that_are_not_finite_leave_no_rows),
        cmocka_unit_test(titles_tell_calls_apart),
        cmocka_unit_test(memory_is_foreseen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
