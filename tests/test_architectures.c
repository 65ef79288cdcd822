/* Every model of the registry on data of its kind: gradient, Hessian-vector product and third
 * directional derivative against central differences in f64, symmetry and linearity of the product;
 * and what of data, options and sizes is refused. */
#include "kinds.h"
#include "support.h"
#include "systems/activations.h"

#include <string.h>

/* Fourth-order central differences, as in test_models.c. */
static const double STEP = 1e-4, TOLERANCE = 3e-8;

/* ---- derivatives ---- */

static void shift(int64_t n, const double *theta, double h, const double *v, double *out)
{
    for (int64_t i = 0; i < n; i++)
        out[i] = theta[i] + h * v[i];
}

enum quantity { GRADIENT, PRODUCT, THIRD };

/* The gradient at a point; the Hessian's product with u; its derivative along u. */
static void evaluate(struct ub_problem *p, enum quantity q, const double *theta, const double *u,
                     double *out)
{
    if (q == GRADIENT) {
        ub_problem_gradient(p, theta, out);
        return;
    }
    ub_problem_linearize(p, theta);
    if (q == PRODUCT)
        ub_problem_hvp(p, 1, u, out);
    else
        ub_problem_third(p, u, u, out);
}

/* (8 (f(h) - f(-h)) - (f(2h) - f(-2h))) / 12h of a vector along v. */
static void difference(struct ub_problem *p, enum quantity q, const double *theta, const double *u,
                       const double *v, double *out)
{
    const int64_t n = ub_problem_size(p);
    double *at = ub_calloc((size_t)n, sizeof *at), *f = ub_calloc((size_t)n, sizeof *f);
    const double place[] = {-2, -1, 1, 2}, weight[] = {1, -8, 8, -1};
    memset(out, 0, (size_t)n * sizeof *out);
    for (int k = 0; k < 4; k++) {
        shift(n, theta, place[k] * STEP, v, at);
        evaluate(p, q, at, u, f);
        for (int64_t i = 0; i < n; i++)
            out[i] += weight[k] * f[i] / (12 * STEP);
    }
    ub_free(at);
    ub_free(f);
}

static void check(const char *what, const char *model, int64_t n, const double *got,
                  const double *expected)
{
    double scale = 1e-2, error = 0; /* what is exactly 0 has differences of rounding */
    for (int64_t i = 0; i < n; i++) {
        scale = fmax(scale, fabs(expected[i]));
        error = fmax(error, isfinite(got[i]) ? fabs(got[i] - expected[i]) : INFINITY);
    }
    if (!(error < TOLERANCE * scale))
        fail_msg("%s of %s: off by %.3g of %.3g", what, model, error, scale);
}

static void check_loss_slope(struct ub_problem *p, const char *model, const double *theta,
                             const double *v, const double *gradient)
{
    const int64_t n = ub_problem_size(p);
    double *at = ub_calloc((size_t)n, sizeof *at), slope = 0;
    const double place[] = {-2, -1, 1, 2}, weight[] = {1, -8, 8, -1};
    for (int k = 0; k < 4; k++) {
        shift(n, theta, place[k] * STEP, v, at);
        slope += weight[k] * ub_problem_loss(p, at) / (12 * STEP);
    }
    ub_free(at);
    const double scale = tiny_norm(n, gradient) * tiny_norm(n, v) + 1e-6;
    if (!(fabs(slope - tiny_dot(n, gradient, v)) < TOLERANCE * scale))
        fail_msg("gradient of %s: slope %.12g, differences %.12g", model, tiny_dot(n, gradient, v),
                 slope);
}

/* w'Hv = v'Hw and H(2v - 3w) = 2Hv - 3Hw. */
static void check_product(struct ub_problem *p, const char *model, const double *v, const double *w,
                          const double *hv)
{
    const int64_t n = ub_problem_size(p);
    double *hw = ub_calloc((size_t)n, sizeof *hw), *mixed = ub_calloc((size_t)n, sizeof *mixed);
    double *both = ub_calloc((size_t)n, sizeof *both);
    ub_problem_hvp(p, 1, w, hw);
    const double scale = tiny_norm(n, hv) * tiny_norm(n, w) + 1e-9;
    if (!(fabs(tiny_dot(n, w, hv) - tiny_dot(n, v, hw)) < 1e-12 * scale))
        fail_msg("%s: w'Hv = %.15g, v'Hw = %.15g", model, tiny_dot(n, w, hv), tiny_dot(n, v, hw));
    for (int64_t i = 0; i < n; i++) {
        mixed[i] = 2 * v[i] - 3 * w[i];
        both[i] = 2 * hv[i] - 3 * hw[i];
    }
    ub_problem_hvp(p, 1, mixed, hw);
    if (!(tiny_error(n, hw, both) < 1e-11))
        fail_msg("%s: the product is not linear", model);
    ub_free(hw);
    ub_free(mixed);
    ub_free(both);
}

static void check_model(const struct ub_dataset *data, const char *model, const char *loss)
{
    struct ub_problem *p = tiny_problem(data, model, loss);
    assert_non_null(p);
    const int64_t n = ub_problem_size(p);
    double *theta = ub_calloc((size_t)n, sizeof *theta), *got = ub_calloc((size_t)n, sizeof *got);
    double *expected = ub_calloc((size_t)n, sizeof *expected);
    double *v = tiny_normals(n, "v"), *w = tiny_normals(n, "w");
    const double unit = 1 / tiny_norm(n, v);
    for (int64_t i = 0; i < n; i++)
        v[i] *= unit;
    ub_problem_init(p, 3, theta);
    evaluate(p, GRADIENT, theta, NULL, got);
    check_loss_slope(p, model, theta, v, got);
    difference(p, GRADIENT, theta, NULL, v, expected);
    evaluate(p, PRODUCT, theta, v, got);
    check("Hessian-vector product", model, n, got, expected);
    check_product(p, model, v, w, got);
    difference(p, PRODUCT, theta, v, v, expected);
    evaluate(p, THIRD, theta, v, got);
    check("third derivative", model, n, got, expected);
    ub_free(theta);
    ub_free(got);
    ub_free(expected);
    ub_free(v);
    ub_free(w);
    ub_problem_free(p);
}

/* With their defaults, so that a model added to the registry is covered by that alone. */
static void every_registered_model_differentiates(void **state)
{
    (void)state;
    struct ub_dataset *sets[KINDS];
    for (int k = 0; k < KINDS; k++)
        sets[k] = kinds_dataset(k);
    for (size_t m = 0; ub_models[m]; m++) {
        char model[128];
        int fitting = 0;
        kinds_smooth(ub_models[m], model);
        for (int k = 0; k < KINDS && fitting < 2; k++) {
            if (!kinds_takes(ub_models[m], sets[k]))
                continue;
            fitting++;
            const bool classes = sets[k]->task == UB_CLASSIFICATION;
            check_model(sets[k], model, classes && fitting == 1 ? "ce" : "mse");
        }
        if (fitting == 0)
            fail_msg("no dataset here fits %s", model);
    }
    for (int k = 0; k < KINDS; k++)
        tiny_free(sets[k]);
}

/* What the defaults leave out. */
static void variants_differentiate(void **state)
{
    (void)state;
    static const struct {
        int kind;
        const char *model;
    } cases[] = {
        {IMAGES, "cnn:channels=4,pool=none,activation=gelu,norm=layer"},
        {IMAGES, "cnn:channels=4x6,pool=mean,activation=sin,norm=batch,ghost=3,kernel=5"},
        {IMAGES, "resnet:width=4,stages=2,norm=layer,activation=silu"},
        {IMAGES, "resnet:width=4,stages=2,norm=group,groups=2,activation=tanh"},
        {IMAGES, "resnet:width=4,stages=2,norm=batch,ghost=2,activation=tanh"},
        {IMAGES, "resnet:width=4,stages=2,norm=none,blocks=2,activation=softplus"},
        {IMAGES, "lstm:width=5,depth=2"},
        {TOKENS, "gpt:width=8,heads=2,depth=1,positions=rotary"},
        {TOKENS, "gpt:width=8,heads=2,depth=1,parametrization=mup,base-width=4"},
        {TOKENS, "gru:width=6,depth=2"},
        {STEPS, "gpt:width=8,heads=1,depth=1"},
        {STEPS, "mamba:width=4,depth=1,state=3"},
        {VECTORS, "mlp:widths=8x8,parametrization=ntk"},
        {VECTORS, "mlp:widths=8x8,parametrization=mup,base-width=2"},
        {VECTORS, "mlp:widths=8x8,norm=batch"},
        {VECTORS, "mlp:widths=8x8,norm=layer,affine=false"},
        {VECTORS, "mlp:widths=8x8,norm=rms,fixed-readout=true,epsilon=0.1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ub_dataset *data = kinds_dataset(cases[i].kind);
        check_model(data, cases[i].model, data->task == UB_CLASSIFICATION ? "ce" : "mse");
        tiny_free(data);
    }
}

/* ---- a loss by hand ---- */

/* Positions that are not asked for do not count: the mean over the others of -log p(label). */
static void positions_are_averaged(void **state)
{
    (void)state;
    struct ub_dataset *data = kinds_dataset(TOKENS);
    struct ub_problem *p = tiny_problem(data, "gpt:width=8,heads=2,depth=1", "ce");
    double *theta = ub_calloc((size_t)ub_problem_size(p), sizeof *theta), loss, accuracy;
    ub_problem_init(p, 0, theta);
    memset(theta, 0, (size_t)ub_problem_size(p) * sizeof *theta); /* all logits 0 */
    ub_problem_evaluate(p, false, theta, &loss, &accuracy);
    assert_near(loss, log(5), 1e-14);
    int64_t zeros = 0, asked = 0;
    for (int i = 0; i < 24; i++) {
        asked += data->train.labels[i] >= 0;
        zeros += data->train.labels[i] == 0;
    }
    assert_int_equal(asked, 16);
    assert_near(accuracy, (double)zeros / 16, 1e-15); /* all outputs tie: the first is taken */
    ub_free(theta);
    ub_problem_free(p);
    tiny_free(data);
}

/* ---- refusals ---- */

static void refuse(int kind, const char *model, const char *part)
{
    struct ub_dataset *data = kinds_dataset(kind);
    struct ub_error err = {0};
    const char *loss = data->task == UB_CLASSIFICATION ? "ce" : "mse";
    assert_null(ub_problem_new(
        &(struct ub_problem_spec){.model = model, .loss = loss, .data = data}, &err));
    assert_int_equal(err.code, UB_INPUT);
    if (!strstr(err.text, part))
        fail_msg("'%s' does not say '%s'", err.text, part);
    tiny_free(data);
}

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    refuse(TOKENS, "cnn", "a sequence of tokens; expected images");
    refuse(VECTORS, "resnet", "vectors; expected images");
    refuse(VECTORS, "vit", "expected images");
    refuse(IMAGES, "vit:patch=3", "patch=3 does not divide images of 8 x 8");
    refuse(IMAGES, "mlp-mixer:patch=16", "patch=16 does not divide");
    refuse(IMAGES, "vit:heads=5", "heads=5 does not divide width=64");
    refuse(IMAGES, "cnn:channels=4x4x4x4", "4 poolings shrink images of 8 x 8 to nothing");
    refuse(IMAGES, "cnn:kernel=4", "expected an odd number");
    refuse(IMAGES, "cnn:channels=6,norm=group,groups=4", "groups=4 does not divide 6");
    refuse(IMAGES, "cnn:channels=6,groups=3", "groups=3 with norm=none; expected norm=group");
    refuse(IMAGES, "resnet:norm=layer,ghost=3", "ghost=3 with norm=layer; expected norm=batch");
    refuse(IMAGES, "resnet:ghost=4", "ghost batches of 4 do not divide 6 training samples");
    refuse(IMAGES, "cnn:affine=false", "affine or epsilon with norm=none; expected a norm");
    refuse(VECTORS, "mlp:epsilon=1e-8", "affine or epsilon with norm=none; expected a norm");
    refuse(IMAGES, "gpt", "expected a sequence");
    refuse(VECTORS, "lstm", "expected a sequence or images");
    refuse(TOKENS, "mlp", "tokens");
    refuse(TOKENS, "gpt:width=12,heads=4,positions=rotary", "expected an even number");
    refuse(LAST_TOKEN, "gpt:width=65536,depth=256", "parameters; expected at most");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_registered_model_differentiates),
        cmocka_unit_test(variants_differentiate),
        cmocka_unit_test(positions_are_averaged),
        cmocka_unit_test(what_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
