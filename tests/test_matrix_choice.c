/* What a matrix may be asked for: of which kind and which layers, and in which metric; and what is
 * refused. */
#include "dense.h"
#include "metrics.h"

/* ---- layers and preconditioners ---- */

static void set_metric(const struct ub_optimizer *o, const double *grad, struct ub_metric *m)
{
    for (int64_t i = 0; i < o->size; i++)
        m->values[i] = i == 4 ? 0 : 0.1 + fabs(grad[i]) + 0.03 * (double)i;
}

/* Rows and columns first.. of A, scaled, against the product. */
static void check_block(const struct dense *d, const struct ub_matrix_point *at, const double *A,
                        struct ub_matrix_choice choice, int64_t first, int64_t count)
{
    int64_t size;
    double *B = dense_product(d, choice, at, &size), *scale = dense_zeros(1, d->n);
    assert_int_equal(size, count);
    metric_diagonal(at->optimizer, d->theta, d->grad, scale);
    for (int64_t i = 0; i < d->n; i++)
        scale[i] = !choice.preconditioned ? 1 : scale[i] > 0 ? 1 / sqrt(scale[i]) : 0;
    for (int64_t i = 0; i < count; i++)
        for (int64_t j = 0; j < count; j++)
            assert_near(B[i * count + j],
                        scale[first + i] * scale[first + j] * A[(first + i) * d->n + first + j],
                        1e-11);
    ub_free(B);
    ub_free(scale);
}

static void layers_are_blocks_and_metrics_scale(void **state)
{
    (void)state;
    struct ub_dataset *data = kinds_dataset(VECTORS);
    struct dense d = dense_new(data, "mlp:widths=5x4,activation=tanh", "ce");
    struct ub_error err = {0};
    struct ub_optimizer *o = ub_optimizer_new("gd:lr=0.1", d.n, &err);
    const struct ub_optimizer_kind *gd = o->kind, kind = kind_with_metric(gd, set_metric);
    struct ub_matrix_point at = dense_point(&d);
    at.optimizer = o;
    static const char *const kinds[] = {"hessian", "gradient-covariance", "class"};
    for (int i = 0; i < 3; i++) {
        int64_t n;
        double *A = dense_product(&d, (struct ub_matrix_choice){.kind = kinds[i]}, &at, &n);
        for (int scaled = 0; scaled < 2; scaled++) {
            struct ub_matrix_choice c = {.kind = kinds[i], .preconditioned = scaled};
            o->kind = &kind;
            at.grad = scaled && i == 0 ? d.grad : NULL; /* computed when it is not given */
            check_block(&d, &at, A, c, 0, d.n);
            c.layer = "all";
            check_block(&d, &at, A, c, 0, d.n);
            c.layer = "fc2.weight"; /* after 4 x 5 weights and 5 biases */
            check_block(&d, &at, A, c, 25, 20);
            c.layer = "fc2";
            check_block(&d, &at, A, c, 25, 24);
            o->kind = gd; /* the identity */
            c.preconditioned = false;
            check_block(&d, &at, A, c, 25, 24);
        }
        ub_free(A);
    }
    ub_optimizer_free(o);
    dense_free(&d);
    tiny_free(data);
}

/* ---- names and refusals ---- */

static void every_kind_has_its_name(void **state)
{
    (void)state;
    size_t i = 0;
    for (; ub_matrix_kinds[i].name; i++) {
        assert_string_equal(ub_matrix_names[i], ub_matrix_kinds[i].name);
        assert_non_null(ub_matrix_kinds[i].summary);
        assert_non_null(ub_matrix_kinds[i].citation);
        assert_non_null(ub_matrix_kinds[i].open);
        assert_ptr_equal(ub_matrix_find(ub_matrix_names[i]), &ub_matrix_kinds[i]);
    }
    assert_null(ub_matrix_names[i]);
    assert_null(ub_matrix_find("hesian"));
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    static const struct {
        struct ub_matrix_choice choice;
        const char *message;
    } bad[] = {
        {{.kind = "hesian"}, "unknown operator 'hesian'"},
        {{.kind = "hessian", .layer = "fc9"}, "unknown layer 'fc9'; expected all, or one of fc1"},
        {{.kind = "ntk", .layer = "fc1"}, "it has no layers, but layer is 'fc1'"},
        {{.kind = "ntk", .preconditioned = true}, "expected preconditioned=false"},
        {{.kind = "weight-gram"}, "expected layer=NAME, a weight"},
        {{.kind = "weight-gram", .layer = "fc1.bias"}, "expected one of fc1.weight, fc2.weight"},
        {{.kind = "activation-gram", .layer = "all"}, "expected layer=inputs, or a hidden"},
        {{.kind = "activation-gram", .layer = "fc1"}, "expected one of inputs, "},
        {{.kind = "class"}, "is a regression task; expected classes"},
    };
    struct ub_dataset *data = tiny_dataset(UB_REGRESSION, 5, 0, 3, 2);
    struct ub_problem *p = tiny_problem(data, "mlp:widths=4,activation=tanh", "mse");
    double *theta = dense_zeros(1, ub_problem_size(p)), shares[UB_PARTS];
    const struct ub_matrix_point at = {.problem = p, .theta = theta};
    struct ub_error err = {0};
    struct ub_class_structure s;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_null(ub_matrix_new(&bad[i].choice, &at, &err));
        assert_input_error(&err, bad[i].message);
    }
    assert_false(ub_class_structure_find(&s, &at, &err));
    assert_input_error(&err, "expected classes");
    assert_false(ub_class_shares(&at, 1, theta, shares, &err));
    assert_input_error(&err, "expected classes");
    ub_free(theta);
    ub_problem_free(p);
    tiny_free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_are_blocks_and_metrics_scale),
        cmocka_unit_test(every_kind_has_its_name),
        cmocka_unit_test(what_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
