/* The programs of a problem: which expression each evaluates. Products with curvature have a file
 * of their own, problem_products.c. */
#include "systems/problem_express.h"

#include <string.h>

void ub_problem_measure_model(struct ub_problem *p)
{
    struct ub_builder b = ub_builder_new(p->data, p->model_call);
    const ub_node x = ub_input(b.graph, 2, (int64_t[]){1, p->data->features});
    const ub_node output = p->model->build(&b, p->model_call, x);
    p->n_hidden = b.n_hidden;
    p->width = b.width;
    p->hidden_widths = ub_calloc((size_t)b.n_hidden + 1, sizeof *p->hidden_widths);
    for (int i = 0; i < b.n_hidden; i++)
        p->hidden_widths[i] = ub_count(ub_shape_of(b.graph, b.hidden[i]));
    p->sample = ub_graph_sizes(b.graph, output, x);
    p->layout = b.layout;
    p->frozen = b.frozen;
    p->frozen_values = ub_calloc((size_t)ub_problem_kept(p) + 1, sizeof *p->frozen_values);
    p->hidden_names = b.hidden_names;
    b.layout.params = b.frozen.params = NULL;
    b.hidden_names = NULL;
    ub_builder_clear(&b);
}

/* ---- programs ---- */

static struct ub_program *make_evaluation(const struct ub_problem *p, bool test)
{
    struct ub_expression e = ub_express(p, test, 1);
    struct ub_binding b = ub_binding_new(p);
    ub_bind_expression(&b, &e);
    ub_bind_output(
        &b, (struct ub_program_output){.node = e.loss, .kind = UB_TOTAL, .slot = UB_EVALUATE_LOSS});
    ub_bind_output(&b, (struct ub_program_output){
                           .node = e.output, .kind = UB_EACH, .slot = UB_EVALUATE_OUTPUTS});
    return ub_finish_program(p, test, &e, &b);
}

static int64_t output_count(const struct ub_problem *p, bool test)
{
    return ub_split_of(p, test)->count * ub_positions(p->data) * p->data->outputs;
}

struct ub_program *ub_problem_evaluate_program(struct ub_problem *p, bool test)
{
    if (p->evaluate[test])
        return p->evaluate[test];
    p->outputs[test] = ub_calloc((size_t)output_count(p, test), sizeof *p->outputs[test]);
    p->evaluate[test] = make_evaluation(p, test);
    return p->evaluate[test];
}

static struct ub_program *make_gradient(const struct ub_problem *p)
{
    struct ub_expression e = ub_express(p, false, 1);
    struct ub_binding b = ub_binding_new(p);
    ub_bind_expression(&b, &e);
    ub_node *gradient = ub_gradient_nodes(&e);
    ub_bind_output(
        &b, (struct ub_program_output){.node = e.loss, .kind = UB_TOTAL, .slot = UB_GRADIENT_LOSS});
    for (int64_t i = 0; i < p->layout.count; i++)
        ub_bind_output(&b, (struct ub_program_output){.node = gradient[i],
                                                      .kind = UB_TOTAL,
                                                      .slot = UB_GRADIENT_VECTOR,
                                                      .offset = p->layout.params[i].offset});
    ub_free(gradient);
    return ub_finish_program(p, false, &e, &b);
}

struct ub_program *ub_problem_gradient_program(struct ub_problem *p)
{
    if (!p->gradient)
        p->gradient = make_gradient(p);
    return p->gradient;
}

/* d/ds d/dt of the gradient along two tangents, or twice along one: the terms that the two
 * directions would swap are then the same nodes. */
static struct ub_program *make_third(const struct ub_problem *p, bool same)
{
    /* The primal, two tangents and what they make of each other: with chunks for one copy, values
     * leave L2 (mlp-mixer took 1.23 times as long, vit 1.05 times on an idle machine). */
    enum { COPIES = 4, OF_IMAGES = 2 };
    struct ub_expression e = ub_express(p, false, ub_copies_at_least(p, 1, COPIES, OF_IMAGES));
    struct ub_graph *g = e.builder.graph;
    const int n = (int)p->layout.count;
    struct ub_binding b = ub_binding_new(p);
    ub_bind_expression(&b, &e);
    ub_node *gradient = ub_gradient_nodes(&e), *first = ub_tangent_inputs(g, &p->layout, 1);
    ub_node *products = ub_calloc((size_t)n + 1, sizeof *products);
    ub_jvp(g, gradient, n, e.builder.param_nodes, first, n, products);
    ub_node *second = same ? first : ub_tangent_inputs(g, &p->layout, 1);
    ub_node *thirds = ub_calloc((size_t)n + 1, sizeof *thirds);
    ub_jvp(g, products, n, e.builder.param_nodes, second, n, thirds);
    for (int i = 0; i < n; i++) {
        struct ub_program_input tangent = {
            .kind = UB_SHARED, .offset = p->layout.params[i].offset, .late = true};
        tangent.node = first[i];
        tangent.slot = UB_AT_TANGENT;
        ub_bind_input(&b, tangent);
        tangent.node = second[i];
        tangent.slot = UB_AT_SECOND_TANGENT;
        if (!same)
            ub_bind_input(&b, tangent);
        ub_bind_output(
            &b, (struct ub_program_output){
                    .node = thirds[i], .kind = UB_TOTAL, .slot = 0, .offset = tangent.offset});
    }
    if (!same)
        ub_free(second);
    ub_free(gradient);
    ub_free(first);
    ub_free(products);
    ub_free(thirds);
    return ub_finish_program(p, false, &e, &b);
}

struct ub_program *ub_problem_third_program(struct ub_problem *p, bool same)
{
    if (!p->third[same])
        p->third[same] = make_third(p, same);
    return p->third[same];
}

struct ub_program *ub_problem_hidden_program(struct ub_problem *p, int layer)
{
    if (p->hidden[layer])
        return p->hidden[layer];
    struct ub_expression e = ub_express(p, false, 1);
    struct ub_binding b = ub_binding_new(p);
    ub_bind_expression(&b, &e);
    ub_bind_output(&b, (struct ub_program_output){
                           .node = e.builder.hidden[layer], .kind = UB_EACH, .slot = 0});
    p->hidden[layer] = ub_finish_program(p, false, &e, &b);
    return p->hidden[layer];
}

/* ---- size ---- */

/* What programs hold at once: each its own, and one workspace for all. */
struct size {
    int64_t own, workspace;
};

static void add_size(struct size *size, struct ub_program *program, int threads)
{
    const struct ub_program_facts f = ub_program_facts(program);
    const int64_t workspace = f.shared_bytes + f.thread_bytes * threads;
    size->own += f.own_bytes;
    size->workspace = workspace > size->workspace ? workspace : size->workspace;
    ub_program_free(program);
}

static void add_products(struct size *size, const struct ub_problem *plan, int kind)
{
    for (int block = ub_problem_first_block(plan); block < UB_BLOCKS; block++)
        add_size(size, ub_problem_make_product(plan, kind, block), ub_team_threads(plan->team));
}

int64_t ub_problem_product_bytes(const struct ub_problem *p, enum ub_curvature kind)
{
    struct ub_problem plan = *p;
    struct size size = {0};
    plan.dry = true;
    add_products(&size, &plan, (int)kind);
    return size.own + size.workspace;
}

int64_t ub_problem_jacobian_bytes(const struct ub_problem *p)
{
    struct ub_problem plan = *p;
    struct size size = {0};
    plan.dry = true;
    add_products(&size, &plan, UB_JACOBIAN);
    add_products(&size, &plan, UB_JACOBIAN_TRANSPOSE);
    return size.own + size.workspace;
}

int64_t ub_problem_program_bytes(const struct ub_problem *p)
{
    struct ub_problem plan = *p;
    struct size size = {.own = ub_hold_sample_bytes(p)};
    const int threads = ub_team_threads(p->team);
    plan.dry = true;
    add_size(&size, make_gradient(&plan), threads);
    for (int test = 0; test < 2; test++)
        if (ub_split_of(p, test)->count > 0) {
            add_size(&size, make_evaluation(&plan, test), threads);
            size.own += output_count(p, test) * (int64_t)sizeof(double);
        }
    add_products(&size, &plan, UB_HESSIAN);
    return size.own + size.workspace;
}
