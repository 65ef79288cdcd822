/* graph_examples.h - checks of tables of small graphs: derivatives to third order against central
 * differences, vmap against one by one, float against double. */
#ifndef UB_TEST_GRAPH_EXAMPLES_H
#define UB_TEST_GRAPH_EXAMPLES_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "graph_support.h"

struct example {
    const char *name;
    int n;
    struct {
        int rank;
        int64_t dim[4];
    } shape[3];
    ub_node (*build)(struct ub_graph *g, const ub_node *x);
    double low, high; /* inputs are uniform in here: away from kinks and poles */
};

/* ---- derivatives along two directions, checked against differences of the order below ---- */

struct setting {
    struct ub_graph *g;
    ub_node x[3], u[3], v[3], w; /* inputs, two directions of tangents, weights of the output */
    ub_node y, s;                /* output; s = sum(w * y) */
    double at[3][64], du[3][64], dv[3][64], weight[256];
};

/* Random points of a grid without repetition, each input's grid a little off the others': no
 * difference of 2e-3 times a normal deviate steps over the kink of a maximum (where two values are
 * equal) or of select (sin 3x = 0). */
static inline void draw_points(const struct example *e, int input, struct ub_random *r,
                               double at[64])
{
    int64_t cell[64];
    ub_random_permutation(r, 64, cell);
    for (int k = 0; k < 64; k++)
        at[k] = e->low + (e->high - e->low) * ((double)cell[k] + 0.5 + 0.25 * input) / 64;
}

static inline void open_setting(struct setting *t, const struct example *e, uint64_t seed)
{
    struct ub_random r = ub_random_stream(seed, "test");
    *t = (struct setting){.g = ub_graph_new()};
    for (int i = 0; i < e->n; i++) {
        t->x[i] = ub_input(t->g, e->shape[i].rank, e->shape[i].dim);
        t->u[i] = ub_input(t->g, e->shape[i].rank, e->shape[i].dim);
        t->v[i] = ub_input(t->g, e->shape[i].rank, e->shape[i].dim);
        draw_points(e, i, &r, t->at[i]);
        for (int k = 0; k < 64; k++) {
            t->du[i][k] = ub_random_normal(&r);
            t->dv[i][k] = ub_random_normal(&r);
        }
    }
    for (int k = 0; k < 256; k++)
        t->weight[k] = ub_random_normal(&r);
    t->y = e->build(t->g, t->x);
    struct ub_shape shape = ub_shape_of(t->g, t->y);
    t->w = ub_input(t->g, shape.rank, shape.dim);
    t->s = ub_sum_all(t->g, ub_mul(t->g, t->w, t->y));
}

/* The value of a scalar node at x + eps * direction. */
static inline double value_at(struct setting *t, int n, ub_node node, double direction[3][64],
                              double eps)
{
    struct binding b[10];
    double moved[3][64];
    int count = 0;
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < 64; k++)
            moved[i][k] = t->at[i][k] + eps * direction[i][k];
        b[count++] = (struct binding){t->x[i], moved[i]};
        b[count++] = (struct binding){t->u[i], t->du[i]};
        b[count++] = (struct binding){t->v[i], t->dv[i]};
    }
    b[count++] = (struct binding){t->w, t->weight};
    double out;
    evaluate(t->g, b, count, &node, 1, (double *[]){&out}, false);
    return out;
}

/* Fourth-order central difference. */
static inline double difference(struct setting *t, int n, ub_node node, double direction[3][64])
{
    const double h = 1e-3;
    double a = value_at(t, n, node, direction, h) - value_at(t, n, node, direction, -h);
    double b = value_at(t, n, node, direction, 2 * h) - value_at(t, n, node, direction, -2 * h);
    return (8 * a - b) / (12 * h);
}

static inline ub_node dot_all(struct ub_graph *g, const ub_node *a, const ub_node *b, int n)
{
    ub_node sum = ub_scalar(g, 0);
    for (int i = 0; i < n; i++)
        sum = ub_add(g, sum, ub_sum_all(g, ub_mul(g, a[i], b[i])));
    return sum;
}

static inline void check_close(const char *name, const char *what, double got, double expected)
{
    if (!(fabs(got - expected) <= 2e-8 * (1 + fabs(expected))))
        fail_msg("%s: %s is %.12g, differences give %.12g", name, what, got, expected);
}

static inline void check_derivatives(const struct example *examples, int count)
{
    for (int k = 0; k < count; k++) {
        const struct example *e = &examples[k];
        struct setting t;
        open_setting(&t, e, (uint64_t)k);
        ub_node grad[3], along, second, third, forward;
        ub_grad(t.g, t.s, t.x, e->n, grad);
        along = dot_all(t.g, grad, t.u, e->n);
        ub_jvp(t.g, &t.s, 1, t.x, t.u, e->n, &forward);
        double first = value_at(&t, e->n, along, t.du, 0);
        check_close(e->name, "gradient", first, difference(&t, e->n, t.s, t.du));
        check_close(e->name, "jvp", value_at(&t, e->n, forward, t.du, 0), first);
        ub_jvp(t.g, &along, 1, t.x, t.v, e->n, &second); /* u'Hv, forward over reverse */
        check_close(e->name, "HVP", value_at(&t, e->n, second, t.dv, 0),
                    difference(&t, e->n, along, t.dv));
        ub_node twice[3];
        ub_grad(t.g, along, t.x, e->n, twice); /* Hu, reverse over reverse */
        check_close(e->name, "reverse HVP",
                    value_at(&t, e->n, dot_all(t.g, twice, t.v, e->n), t.dv, 0),
                    value_at(&t, e->n, second, t.dv, 0));
        ub_jvp(t.g, &second, 1, t.x, t.u, e->n, &third);
        check_close(e->name, "third derivative", value_at(&t, e->n, third, t.du, 0),
                    difference(&t, e->n, second, t.du));
        ub_node thrice[3];
        ub_grad(t.g, second, t.x, e->n, thrice); /* grad of u'Hv */
        check_close(e->name, "reverse third derivative",
                    value_at(&t, e->n, dot_all(t.g, thrice, t.u, e->n), t.du, 0),
                    value_at(&t, e->n, third, t.du, 0));
        ub_graph_free(t.g);
    }
}

/* vmap over every subset of the inputs, of the value and of the gradient, against one by one. */
static inline void check_vmap(const struct example *e, int subset, bool of_gradient, uint64_t seed)
{
    enum { B = 3 };
    struct setting t;
    open_setting(&t, e, seed);
    static double batch[3][B * 64], many[B * 256], one[256];
    ub_node grad[3], target = t.y, xs[3], batched[3], out;
    if (of_gradient) {
        ub_grad(t.g, t.s, t.x, e->n, grad);
        target = grad[0];
    }
    struct ub_random r = ub_random_stream(seed, "batch");
    struct binding b[8];
    int n_batched = 0, count = 0;
    for (int i = 0; i < e->n; i++) {
        int64_t size = ub_count(ub_shape_of(t.g, t.x[i]));
        for (int64_t k = 0; k < B * size; k++)
            batch[i][k] = e->low + (e->high - e->low) * ub_random_uniform(&r);
        if (subset & (1 << i)) {
            struct ub_shape s = ub_shape_of(t.g, t.x[i]);
            int64_t dim[UB_RANK] = {B};
            memcpy(dim + 1, s.dim, (size_t)s.rank * sizeof *dim);
            xs[n_batched] = t.x[i];
            batched[n_batched] = ub_input(t.g, s.rank + 1, dim);
            b[count++] = (struct binding){batched[n_batched++], batch[i]};
        } else {
            b[count++] = (struct binding){t.x[i], t.at[i]};
        }
    }
    b[count++] = (struct binding){t.w, t.weight};
    ub_vmap(t.g, &target, 1, xs, batched, n_batched, &out);
    evaluate(t.g, b, count, &out, 1, (double *[]){many}, false);
    int64_t size = ub_count(ub_shape_of(t.g, target));
    for (int j = 0; j < B; j++) {
        count = 0;
        for (int i = 0; i < e->n; i++) {
            int64_t step = ub_count(ub_shape_of(t.g, t.x[i]));
            bool is_batched = subset & (1 << i);
            b[count++] = (struct binding){t.x[i], is_batched ? batch[i] + j * step : t.at[i]};
        }
        b[count++] = (struct binding){t.w, t.weight};
        evaluate(t.g, b, count, &target, 1, (double *[]){one}, false);
        for (int64_t k = 0; k < size; k++)
            if (fabs(many[j * size + k] - one[k]) > 1e-12 * (1 + fabs(one[k])))
                fail_msg("%s: vmap %d of %s differs: %.17g against %.17g", e->name, subset,
                         of_gradient ? "gradient" : "value", many[j * size + k], one[k]);
    }
    ub_graph_free(t.g);
}

static inline void check_vmaps(const struct example *examples, int count)
{
    for (int k = 0; k < count; k++)
        for (int subset = 1; subset < 1 << examples[k].n; subset++)
            for (int of_gradient = 0; of_gradient < 2; of_gradient++)
                check_vmap(&examples[k], subset, of_gradient, (uint64_t)k);
}

static inline void check_single_precision(const struct example *examples, int count)
{
    for (int k = 0; k < count; k++) {
        const struct example *e = &examples[k];
        struct setting t;
        open_setting(&t, e, (uint64_t)k);
        double exact[256], single[256];
        struct binding b[4] = {{0}};
        for (int i = 0; i < e->n; i++)
            b[i] = (struct binding){t.x[i], t.at[i]};
        evaluate(t.g, b, e->n, &t.y, 1, (double *[]){exact}, false);
        evaluate(t.g, b, e->n, &t.y, 1, (double *[]){single}, true);
        for (int64_t i = 0; i < ub_count(ub_shape_of(t.g, t.y)); i++)
            if (fabs(exact[i] - single[i]) > 3e-6 * (1 + fabs(exact[i])))
                fail_msg("%s: f32 gives %.9g, f64 %.9g", e->name, single[i], exact[i]);
        ub_graph_free(t.g);
    }
}

#endif
