/* Models, losses and activations: derivatives against finite differences, parameters against what
 * PyTorch would have, and what is refused. */
#include "support.h"
#include "systems/activations.h"
#include "tiny.h"

#include <string.h>

/* Fourth-order central differences: roundoff near 1e-11, truncation below it. A step this short
 * rarely crosses a kink of relu. */
static const double STEP = 1e-5, TOLERANCE = 2e-8;

static void shift(int64_t n, const double *theta, double h, const double *v, double *out)
{
    for (int64_t i = 0; i < n; i++)
        out[i] = theta[i] + h * v[i];
}

static double difference(const double f[4], double h)
{
    return (8 * (f[2] - f[1]) - (f[3] - f[0])) / (12 * h);
}

/* The gradient's product with v against differences of the loss. */
static void check_gradient(struct ub_problem *p, const double *theta, const double *v)
{
    const int64_t n = ub_problem_size(p);
    double *grad = ub_calloc((size_t)n, sizeof *grad), *at = ub_calloc((size_t)n, sizeof *at);
    double f[4], slope = 0;
    const double loss = ub_problem_gradient(p, theta, grad);
    assert_near(loss, ub_problem_loss(p, theta), 1e-14 * fmax(1, loss));
    for (int k = 0; k < 4; k++) {
        shift(n, theta, STEP * (double[]){-2, -1, 1, 2}[k], v, at);
        f[k] = ub_problem_loss(p, at);
    }
    for (int64_t i = 0; i < n; i++)
        slope += grad[i] * v[i];
    const double scale = fmax(tiny_norm(n, grad) * tiny_norm(n, v), 1e-3);
    assert_near(slope, difference(f, STEP), TOLERANCE * scale);
    ub_free(grad);
    ub_free(at);
}

/* The Hessian's product with v against differences of the gradient. */
static void check_product(struct ub_problem *p, const double *theta, const double *v)
{
    const size_t n = (size_t)ub_problem_size(p);
    double *hv = ub_calloc(n, sizeof *hv), *at = ub_calloc(n, sizeof *at);
    double *expected = ub_calloc(n, sizeof *expected), *grad = ub_calloc(4 * n, sizeof *grad);
    ub_problem_linearize(p, theta);
    ub_problem_hvp(p, 1, v, hv);
    for (size_t k = 0; k < 4; k++) {
        shift((int64_t)n, theta, STEP * (double[]){-2, -1, 1, 2}[k], v, at);
        ub_problem_gradient(p, at, grad + k * n);
    }
    for (size_t i = 0; i < n; i++)
        expected[i] =
            difference((double[]){grad[i], grad[n + i], grad[2 * n + i], grad[3 * n + i]}, STEP);
    assert_true(tiny_error((int64_t)n, hv, expected) < TOLERANCE);
    ub_free(hv);
    ub_free(at);
    ub_free(expected);
    ub_free(grad);
}

static void check_derivatives(const struct ub_dataset *data, const char *model, const char *loss)
{
    struct ub_problem *p = tiny_problem(data, model, loss);
    assert_non_null(p);
    const int64_t n = ub_problem_size(p);
    double *theta = ub_calloc((size_t)n, sizeof *theta);
    ub_problem_init(p, 3, theta);
    for (int k = 0; k < 2; k++) {
        double *v = tiny_normals(n, k == 0 ? "first" : "second");
        check_gradient(p, theta, v);
        check_product(p, theta, v);
        ub_free(v);
    }
    ub_free(theta);
    ub_problem_free(p);
}

static bool loss_fits(const struct ub_loss *loss, const struct ub_dataset *data)
{
    struct ub_error err = {0};
    return loss->fits(data, &err);
}

static void derivatives_agree_with_differences(void **state)
{
    (void)state;
    struct ub_dataset *sets[] = {tiny_dataset(UB_CLASSIFICATION, 13, 0, 5, 3),
                                 tiny_dataset(UB_REGRESSION, 13, 0, 5, 2)};
    const char *const models[] = {"linear",
                                  "linear:bias=false",
                                  "deep-linear:widths=4x4",
                                  "deep-linear:widths=4x6,bias=true",
                                  "mlp:widths=none",
                                  "deep-linear:widths=none"};
    int checked = 0;
    for (int d = 0; d < 2; d++)
        for (size_t l = 0; ub_losses[l]; l++) {
            if (!loss_fits(ub_losses[l], sets[d]))
                continue;
            for (size_t m = 0; m < sizeof models / sizeof *models; m++, checked++)
                check_derivatives(sets[d], models[m], ub_losses[l]->name);
            for (const struct ub_activation *a = ub_activations; a->name; a++, checked++) {
                char model[96];
                snprintf(model, sizeof model, "mlp:widths=6x4,activation=%s,bias=%s", a->name,
                         checked % 2 ? "true" : "false");
                check_derivatives(sets[d], model, ub_losses[l]->name);
            }
        }
    assert_int_equal(checked, 3 * (6 + 10)); /* ce is not for regression */
    tiny_free(sets[0]);
    tiny_free(sets[1]);
}

static double activation_by_hand(const char *name, double x)
{
    if (strcmp(name, "relu") == 0)
        return fmax(x, 0);
    if (strcmp(name, "tanh") == 0)
        return tanh(x);
    if (strcmp(name, "gelu") == 0)
        return x * 0.5 * erfc(-x / sqrt(2));
    if (strcmp(name, "silu") == 0)
        return x / (1 + exp(-x));
    if (strcmp(name, "elu") == 0)
        return x > 0 ? x : expm1(x);
    if (strcmp(name, "softplus") == 0)
        return log1p(exp(x));
    if (strcmp(name, "sigmoid") == 0)
        return 1 / (1 + exp(-x));
    if (strcmp(name, "sin") == 0)
        return sin(x);
    if (strcmp(name, "erf") == 0)
        return erf(x);
    assert_string_equal(name, "quadratic");
    return x * x;
}

/* One hidden layer's activations against the formula, on both sides of 0 and far out. */
static void activations_are_their_formulas(void **state)
{
    (void)state;
    struct ub_dataset *data = tiny_dataset(UB_REGRESSION, 5, 0, 1, 1);
    const double inputs[5] = {-30, -1.5, 0, 0.7, 30};
    memcpy(data->train.inputs, inputs, sizeof inputs);
    for (const struct ub_activation *a = ub_activations; a->name; a++) {
        char model[64];
        snprintf(model, sizeof model, "mlp:widths=1,activation=%s", a->name);
        struct ub_problem *p = tiny_problem(data, model, "mse");
        assert_int_equal(ub_problem_hidden_count(p), 1);
        double hidden[5];
        ub_problem_hidden(p, 0, (double[]){1, 0, 1, 0}, hidden);
        for (int i = 0; i < 5; i++) {
            const double expected = activation_by_hand(a->name, inputs[i]);
            assert_near(hidden[i], expected, 1e-14 * fmax(1, fabs(expected)));
        }
        ub_problem_free(p);
    }
    tiny_free(data);
}

static void activation_names_follow_the_table(void **state)
{
    (void)state;
    size_t n = 0;
    for (; ub_activations[n].name; n++) {
        assert_string_equal(ub_activation_names[n], ub_activations[n].name);
        assert_ptr_equal(ub_activation_find(ub_activations[n].name), &ub_activations[n]);
        assert_non_null(ub_activations[n].citation);
    }
    assert_null(ub_activation_names[n]);
    assert_int_equal(n, 10);
    assert_null(ub_activation_find("swish"));
}

static void parameters_are_laid_out_as_in_pytorch(void **state)
{
    (void)state;
    struct ub_dataset *data = tiny_dataset(UB_CLASSIFICATION, 4, 0, 7, 3);
    struct ub_problem *p = tiny_problem(data, "mlp:widths=5x2", "ce");
    const struct {
        const char *name;
        int64_t rows, columns, fan_in;
    } expected[] = {{"fc1.weight", 5, 7, 7}, {"fc1.bias", 5, 1, 7},   {"fc2.weight", 2, 5, 5},
                    {"fc2.bias", 2, 1, 5},   {"fc3.weight", 3, 2, 2}, {"fc3.bias", 3, 1, 2}};
    const struct ub_layout *layout = ub_problem_layout(p);
    assert_int_equal(layout->count, 6);
    int64_t offset = 0;
    for (int i = 0; i < 6; i++) {
        const struct ub_param *param = &layout->params[i];
        assert_string_equal(param->name, expected[i].name);
        assert_int_equal(param->rank, expected[i].columns == 1 ? 1 : 2);
        assert_int_equal(param->shape[0], expected[i].rows);
        assert_int_equal(param->size, expected[i].rows * expected[i].columns);
        assert_int_equal(param->fan_in, expected[i].fan_in);
        assert_int_equal(param->fan_out, expected[i].rows);
        assert_int_equal(param->offset, offset);
        assert_int_equal(param->start == UB_START_BIAS, expected[i].columns == 1);
        offset += param->size;
    }
    assert_int_equal(ub_problem_size(p), offset);
    assert_string_equal(ub_problem_hidden_name(p, 1), "hidden2");
    assert_int_equal(ub_problem_hidden_width(p, 0), 5);
    assert_int_equal(ub_problem_hidden_width(p, 1), 2);
    ub_problem_free(p);
    tiny_free(data);
}

/* A fixed readout starts as a trained one does, and is no parameter: those before it, and the
 * outputs at the start, are the same. */
static void fixed_readouts_are_drawn_and_not_trained(void **state)
{
    (void)state;
    enum { HIDDEN = 5 * 4 + 5, READOUT = 2 * 5 + 2, OUTPUTS = 4 * 2 };
    struct ub_dataset *data = tiny_dataset(UB_REGRESSION, 4, 0, 4, 2);
    struct ub_problem *trained = tiny_problem(data, "mlp:widths=5", "mse"),
                      *fixed = tiny_problem(data, "mlp:widths=5,fixed-readout=true", "mse");
    double theta[HIDDEN + READOUT], held[HIDDEN], f[OUTPUTS], g[OUTPUTS];
    const double *frozen;
    assert_int_equal(ub_problem_size(fixed), HIDDEN);
    ub_problem_init(trained, 3, theta);
    ub_problem_init(fixed, 3, held);
    assert_memory_equal(theta, held, sizeof held);
    const struct ub_layout *layout = ub_problem_frozen(fixed, &frozen);
    assert_int_equal(layout->size, READOUT);
    assert_string_equal(layout->params[0].name, "fc2.weight");
    assert_memory_equal(theta + HIDDEN, frozen, READOUT * sizeof *frozen);
    ub_problem_outputs(trained, theta, f);
    ub_problem_outputs(fixed, held, g);
    assert_memory_equal(f, g, sizeof f);
    ub_problem_free(trained);
    ub_problem_free(fixed);
    tiny_free(data);
}

/* Layer and batch norm without gain: rows, or columns, of mean 0 and variance v/(v + epsilon). */
static void norms_standardize(void **state)
{
    (void)state;
    enum { SAMPLES = 9, UNITS = 5 };
    struct ub_dataset *data = tiny_dataset(UB_REGRESSION, SAMPLES, 0, 4, 2);
    for (int batch = 0; batch < 2; batch++) {
        char model[96];
        snprintf(model, sizeof model, "mlp:widths=5,activation=%s,norm=%s,affine=false,epsilon=0.1",
                 "elu", batch ? "batch" : "layer");
        struct ub_problem *p = tiny_problem(data, model, "mse");
        double theta[5 * 4 + 5 + 2 * 5 + 2], h[SAMPLES * UNITS];
        ub_problem_init(p, 3, theta);
        ub_problem_hidden(p, 0, theta, h);
        const int groups = batch ? UNITS : SAMPLES, each = batch ? SAMPLES : UNITS;
        for (int k = 0; k < groups; k++) {
            double a[SAMPLES], mean = 0, variance = 0;
            for (int j = 0; j < each; j++) {
                const int i = batch ? j : k, u = batch ? k : j;
                a[j] = theta[UNITS * 4 + u];
                for (int l = 0; l < 4; l++)
                    a[j] += theta[u * 4 + l] * data->train.inputs[i * 4 + l];
                mean += a[j] / each;
            }
            for (int j = 0; j < each; j++)
                variance += (a[j] - mean) * (a[j] - mean) / each;
            for (int j = 0; j < each; j++) {
                const double y = (a[j] - mean) / sqrt(variance + 0.1);
                assert_near(h[batch ? j * UNITS + k : k * UNITS + j], y > 0 ? y : expm1(y), 1e-13);
            }
        }
        ub_problem_free(p);
    }
    tiny_free(data);
}

static void refuse(const struct ub_dataset *data, const char *model, const char *loss,
                   const char *init, const char *part)
{
    struct ub_error err = {0};
    assert_null(ub_problem_new(
        &(struct ub_problem_spec){.model = model, .loss = loss, .init = init, .data = data}, &err));
    assert_int_equal(err.code, UB_INPUT);
    if (!strstr(err.text, part))
        fail_msg("'%s' does not say '%s'", err.text, part);
    assert_null(strchr(err.text, '\n'));
}

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    struct ub_dataset *data = tiny_dataset(UB_REGRESSION, 4, 0, 7, 3);
    refuse(data, "mpl", "mse", NULL, "did you mean 'mlp'?");
    refuse(data, "transmogrifier", "mse", NULL,
           "unknown model 'transmogrifier'; 'unibench list models' shows them");
    refuse(data, NULL, "mse", NULL, "no model");
    refuse(data, "mlp:widths=64x-3", "mse", NULL, "-3");
    refuse(data, "mlp:width=64", "mse", NULL, "widths");
    refuse(data, "mlp:activation=tahn", "mse", NULL, "tanh");
    refuse(data, "mlp:widths=1000000x1000000", "mse", NULL, "parameters");
    refuse(data, "deep-linear:widths=1000000x1000000", "mse", NULL, "parameters");
    /* Depth and width beside widths said of two matrices that they were three. */
    refuse(data, "deep-linear:depth=2,widths=3x3", "mse", NULL, "no option 'depth'");
    refuse(data, "linear", "ce", NULL, "'tiny' is a regression task; expected classification");
    refuse(data, "linear", "mse:half=1", NULL, "half");
    refuse(data, "linear", "msee", NULL, "did you mean 'mse'?");
    refuse(data, "linear", "mse", "pytroch", "did you mean 'pytorch'?");
    refuse(data, "linear", "mse", "he:gain=-1", "gain");
    data->train.count = 0;
    refuse(data, "linear", "mse", NULL, "no training samples");
    data->train.count = 4;
    tiny_free(data);
}

/* More layers than the limit, through a long list of widths. */
static void too_many_layers_are_refused(void **state)
{
    (void)state;
    struct ub_dataset *data = tiny_dataset(UB_REGRESSION, 4, 0, 2, 1);
    struct ub_text model = {0};
    ub_text_add(&model, "mlp:widths=2");
    for (int i = 0; i < 300; i++)
        ub_text_add(&model, "x2");
    refuse(data, model.data, "mse", NULL, "301 hidden layers");
    ub_text_free(&model);
    tiny_free(data);
}

static void canonical_texts_are_sorted_and_complete(void **state)
{
    (void)state;
    const struct {
        const struct ub_registry *registry;
        const char *text, *canonical, *label;
    } cases[] = {
        {&ub_model_registry, "mlp",
         "mlp:activation=tanh,base-width=64,bias=true,centered=false,output-scale=1,"
         "parametrization=sp,widths=64x64,zero-readout=false",
         "mlp"},
        {&ub_model_registry, "mlp:widths=8,activation=relu",
         "mlp:activation=relu,base-width=64,bias=true,centered=false,output-scale=1,"
         "parametrization=sp,widths=8,zero-readout=false",
         "mlp:activation=relu,widths=8"},
        {&ub_model_registry, "linear:bias=off", "linear:bias=false,centered=false,output-scale=1",
         "linear:bias=false"},
        {&ub_loss_registry, "ce", "ce", "ce"},
        {&ub_init_registry, "orthogonal:gain=2.0", "orthogonal:gain=2", "orthogonal:gain=2"},
        {&ub_optimizer_registry, "gd:lr=1e-1",
         "gd:drop-every=1000,drop-factor=0.1,l2=0,lr=0.1,schedule=constant,warmup=0", "gd:lr=0.1"},
        {&ub_optimizer_registry, "nesterov:lr=edge(40),warmup=5",
         "nesterov:beta=0.9,drop-every=1000,drop-factor=0.1,l2=0,lr=edge(40),schedule=constant,"
         "warmup=5",
         "nesterov:lr=edge(40),warmup=5"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ub_error err = {0};
        char *label = NULL;
        char *text = ub_registry_canonical(cases[i].registry, cases[i].text, "here", &label, &err);
        assert_non_null(text);
        assert_string_equal(text, cases[i].canonical);
        assert_string_equal(label, cases[i].label);
        ub_free(text);
        ub_free(label);
    }
    struct ub_error err = {0};
    assert_null(ub_registry_canonical(&ub_optimizer_registry, "hevy-ball:lr=1", "quick.yaml:12",
                                      NULL, &err));
    assert_string_equal(err.text, "quick.yaml:12: unknown optimizer 'hevy-ball'; did you mean "
                                  "'heavy-ball'?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(derivatives_agree_with_differences),
        cmocka_unit_test(activations_are_their_formulas),
        cmocka_unit_test(activation_names_follow_the_table),
        cmocka_unit_test(parameters_are_laid_out_as_in_pytorch),
        cmocka_unit_test(fixed_readouts_are_drawn_and_not_trained),
        cmocka_unit_test(norms_standardize),
        cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(too_many_layers_are_refused),
        cmocka_unit_test(canonical_texts_are_sorted_and_complete),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
