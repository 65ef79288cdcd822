/* From model, loss and data to programs: the expression of one chunk's share of the mean loss,
 * what is derived from it, and which vectors its inputs and outputs are bound to. */
#include "systems/problem.h"

#include <string.h>

enum { MOST_NUMBERS = 1 << 23 };

const int64_t ub_block_sizes[UB_BLOCKS] = {8, 4, 2, 1};

/* What one program may keep of a linearisation before it recomputes it at each product. */
static const uint64_t KEEP_LIMIT = (uint64_t)1 << 30;

static const struct ub_split *split_of(const struct ub_problem *p, bool test)
{
    return test ? &p->data->test : &p->data->train;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* ---- the expression ---- */

struct expression {
    struct ub_builder builder;
    ub_node x, target, weight, output;
    ub_node loss; /* the chunk's share of the mean over all samples, rank 0 */
    int64_t samples, chunk;
};

static int64_t largest_param(const struct ub_layout *layout)
{
    int64_t size = 0;
    for (int64_t i = 0; i < layout->count; i++)
        size = larger(size, layout->params[i].size);
    return size;
}

/* Mean over the positions that are asked for (every sample has as many): (chunk). Each position is
 * a row to the loss. Labels become one-hot here; -1, not asked for, is a row of zeros that does not
 * count. */
static ub_node loss_of_samples(const struct ub_problem *p, const struct expression *e)
{
    struct ub_graph *g = e->builder.graph;
    const int64_t positions = ub_positions(p->data), outputs = p->data->outputs;
    if (positions == 1)
        return p->loss->build(g, e->output, e->target);
    const int64_t rows[] = {e->chunk * positions, outputs}, grid[] = {e->chunk, positions};
    const bool labels = p->data->task == UB_CLASSIFICATION;
    const ub_node target = labels ? ub_one_hot(g, e->target, outputs) : e->target;
    ub_node losses =
        p->loss->build(g, ub_reshape(g, e->output, 2, rows), ub_reshape(g, target, 2, rows));
    losses = ub_reshape(g, losses, 2, grid);
    if (!labels)
        return ub_scale(g, ub_sum(g, losses, UB_AXIS(1)), 1.0 / (double)positions);
    const ub_node asked = ub_greater(g, e->target, ub_like(g, -0.5, e->target));
    const ub_node sum = ub_sum(g, ub_mul(g, asked, losses), UB_AXIS(1));
    return ub_div(g, sum, ub_sum(g, asked, UB_AXIS(1)));
}

/* Samples that are normalized together share a chunk: all of them, or whole runs of them. Runs
 * divide the training set; the test set's last is filled up with its first samples. */
static int64_t chunk_of(const struct ub_problem *p, int64_t samples, int64_t batch)
{
    const int64_t coupled = p->model->coupled ? p->model->coupled(p->model_call) : 0;
    if (coupled == UB_WHOLE_SET || coupled >= samples)
        return samples;
    const int64_t chunk =
        ub_chunk_size(samples, batch * p->widest, batch * largest_param(&p->layout), p->rows);
    if (coupled == 0)
        return chunk;
    int64_t runs = samples / coupled, together = chunk / coupled;
    while (together > 1 && runs % together != 0)
        together--;
    return coupled * (together > 1 ? together : 1);
}

/* The chunk is sized for a block of `batch` copies of the activations; inputs are not copied. */
static struct expression express(const struct ub_problem *p, bool test, int64_t batch)
{
    struct expression e = {.builder = ub_builder_new(p->data, p->model_call)};
    struct ub_graph *g = e.builder.graph;
    e.samples = split_of(p, test)->count;
    e.chunk = chunk_of(p, e.samples, batch);
    e.x = ub_input(g, 2, (int64_t[]){e.chunk, p->data->features});
    e.target = ub_input(g, 2, (int64_t[]){e.chunk, ub_target_width(p->data)});
    e.weight = ub_input(g, 1, &e.chunk);
    e.output = p->model->build(&e.builder, p->model_call, e.x);
    /* 1/N goes on the weights, a short vector, rather than on the gradient. */
    const ub_node weight = ub_scale(g, e.weight, 1.0 / (double)e.samples);
    e.loss = ub_sum_all(g, ub_mul(g, weight, loss_of_samples(p, &e)));
    return e;
}

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
    ub_graph_sizes(b.graph, output, x, &p->widest, &p->rows);
    p->layout = b.layout;
    p->frozen = b.frozen;
    p->frozen_values = ub_calloc((size_t)b.frozen.size + 1, sizeof *p->frozen_values);
    p->hidden_names = b.hidden_names;
    b.layout.params = b.frozen.params = NULL;
    b.hidden_names = NULL;
    ub_builder_clear(&b);
}

/* ---- binding ---- */

struct binding {
    struct ub_program_input *inputs;
    struct ub_program_output *outputs;
    int n_inputs, n_outputs;
};

static struct binding binding_new(const struct ub_problem *p)
{
    const size_t params = (size_t)p->layout.count, frozen = (size_t)p->frozen.count;
    return (struct binding){
        .inputs = ub_calloc(3 * params + frozen + 3, sizeof *(struct binding){0}.inputs),
        .outputs = ub_calloc(params + 2, sizeof *(struct binding){0}.outputs)};
}

static void bind_input(struct binding *b, struct ub_program_input input)
{
    b->inputs[b->n_inputs++] = input;
}

static void bind_output(struct binding *b, struct ub_program_output output)
{
    b->outputs[b->n_outputs++] = output;
}

static void bind_expression(struct binding *b, const struct expression *e)
{
    const struct ub_layout *layout = &e->builder.layout;
    for (int64_t i = 0; i < layout->count; i++)
        bind_input(b, (struct ub_program_input){.node = e->builder.param_nodes[i],
                                                .kind = UB_SHARED,
                                                .slot = UB_AT_THETA,
                                                .offset = layout->params[i].offset});
    const struct ub_layout *frozen = &e->builder.frozen;
    for (int64_t i = 0; i < frozen->count; i++)
        bind_input(b, (struct ub_program_input){.node = e->builder.frozen_nodes[i],
                                                .kind = UB_SHARED,
                                                .slot = UB_AT_FROZEN,
                                                .offset = frozen->params[i].offset});
    bind_input(b, (struct ub_program_input){.node = e->x, .kind = UB_SAMPLES, .slot = 0});
    bind_input(b, (struct ub_program_input){.node = e->target, .kind = UB_SAMPLES, .slot = 1});
    bind_input(b, (struct ub_program_input){.node = e->weight, .kind = UB_WEIGHTS});
}

/* Compiles, hands over the split's samples, and releases the expression and the binding. */
static struct ub_program *finish(const struct ub_problem *p, bool test, struct expression *e,
                                 struct binding *b)
{
    const struct ub_program_spec spec = {.inputs = b->inputs,
                                         .n_inputs = b->n_inputs,
                                         .outputs = b->outputs,
                                         .n_outputs = b->n_outputs,
                                         .samples = e->samples,
                                         .chunk = e->chunk,
                                         .single = p->single,
                                         .dry = p->dry,
                                         .threads = p->threads,
                                         .keep_limit = KEEP_LIMIT};
    struct ub_program *program = ub_program_compile(e->builder.graph, &spec);
    if (!p->dry) {
        ub_program_samples(program, 0, split_of(p, test)->inputs);
        ub_program_samples(program, 1, split_of(p, test)->targets);
    }
    ub_free(b->inputs);
    ub_free(b->outputs);
    ub_builder_clear(&e->builder);
    return program;
}

/* ---- programs ---- */

static struct ub_program *make_evaluation(const struct ub_problem *p, bool test)
{
    struct expression e = express(p, test, 1);
    struct binding b = binding_new(p);
    bind_expression(&b, &e);
    bind_output(
        &b, (struct ub_program_output){.node = e.loss, .kind = UB_TOTAL, .slot = UB_EVALUATE_LOSS});
    bind_output(&b, (struct ub_program_output){
                        .node = e.output, .kind = UB_EACH, .slot = UB_EVALUATE_OUTPUTS});
    return finish(p, test, &e, &b);
}

static int64_t output_count(const struct ub_problem *p, bool test)
{
    return split_of(p, test)->count * ub_positions(p->data) * p->data->outputs;
}

struct ub_program *ub_problem_evaluate_program(struct ub_problem *p, bool test)
{
    if (p->evaluate[test])
        return p->evaluate[test];
    p->outputs[test] = ub_calloc((size_t)output_count(p, test), sizeof *p->outputs[test]);
    p->evaluate[test] = make_evaluation(p, test);
    return p->evaluate[test];
}

static ub_node *gradient_nodes(const struct expression *e)
{
    const int n = (int)e->builder.layout.count;
    ub_node *gradient = ub_calloc((size_t)n + 1, sizeof *gradient);
    ub_grad(e->builder.graph, e->loss, e->builder.param_nodes, n, gradient);
    return gradient;
}

static struct ub_program *make_gradient(const struct ub_problem *p)
{
    struct expression e = express(p, false, 1);
    struct binding b = binding_new(p);
    bind_expression(&b, &e);
    ub_node *gradient = gradient_nodes(&e);
    bind_output(
        &b, (struct ub_program_output){.node = e.loss, .kind = UB_TOTAL, .slot = UB_GRADIENT_LOSS});
    for (int64_t i = 0; i < p->layout.count; i++)
        bind_output(&b, (struct ub_program_output){.node = gradient[i],
                                                   .kind = UB_TOTAL,
                                                   .slot = UB_GRADIENT_VECTOR,
                                                   .offset = p->layout.params[i].offset});
    ub_free(gradient);
    return finish(p, false, &e, &b);
}

struct ub_program *ub_problem_gradient_program(struct ub_problem *p)
{
    if (!p->gradient)
        p->gradient = make_gradient(p);
    return p->gradient;
}

/* A tangent for every parameter, with a leading batch axis when `batch` > 1. */
static ub_node *tangent_inputs(struct ub_graph *g, const struct ub_layout *layout, int64_t batch)
{
    ub_node *tangents = ub_calloc((size_t)layout->count + 1, sizeof *tangents);
    for (int64_t i = 0; i < layout->count; i++) {
        const struct ub_param *param = &layout->params[i];
        int64_t dim[UB_RANK] = {batch};
        const int lead = batch > 1 ? 1 : 0;
        memcpy(dim + lead, param->shape, (size_t)param->rank * sizeof *dim);
        tangents[i] = ub_input(g, param->rank + lead, dim);
    }
    return tangents;
}

/* products[i]: derivative of the gradient along the tangents, for `batch` tangents at once. */
static void derive_products(const struct expression *e, int64_t batch, ub_node **tangents,
                            ub_node **products)
{
    struct ub_graph *g = e->builder.graph;
    const struct ub_layout *layout = &e->builder.layout;
    const int n = (int)layout->count;
    ub_node *gradient = gradient_nodes(e);
    ub_node *single = tangent_inputs(g, layout, 1);
    *products = ub_calloc((size_t)n + 1, sizeof **products);
    ub_jvp(g, gradient, n, e->builder.param_nodes, single, n, *products);
    ub_free(gradient);
    if (batch == 1) {
        *tangents = single;
        return;
    }
    *tangents = tangent_inputs(g, layout, batch);
    ub_node *one = *products;
    *products = ub_calloc((size_t)n + 1, sizeof **products);
    ub_vmap(g, one, n, single, *tangents, n, *products);
    ub_free(one);
    ub_free(single);
}

int ub_problem_first_block(const struct ub_problem *p)
{
    int block = 0;
    for (; block < UB_BLOCKS - 1; block++) {
        const int64_t batch = ub_block_sizes[block];
        if (chunk_of(p, p->data->train.count, batch) * batch * p->widest <= MOST_NUMBERS)
            break;
    }
    return block;
}

static struct ub_program *make_hvp(const struct ub_problem *p, int block)
{
    const int64_t batch = ub_block_sizes[block];
    struct expression e = express(p, false, batch);
    struct binding b = binding_new(p);
    bind_expression(&b, &e);
    ub_node *tangents, *products;
    derive_products(&e, batch, &tangents, &products);
    const int64_t stride = batch > 1 ? p->layout.size : 0;
    for (int64_t i = 0; i < p->layout.count; i++) {
        const int64_t offset = p->layout.params[i].offset;
        bind_input(&b, (struct ub_program_input){.node = tangents[i],
                                                 .kind = UB_SHARED,
                                                 .slot = UB_AT_TANGENT,
                                                 .offset = offset,
                                                 .stride = stride,
                                                 .late = true});
        bind_output(&b, (struct ub_program_output){.node = products[i],
                                                   .kind = UB_TOTAL,
                                                   .slot = 0,
                                                   .offset = offset,
                                                   .stride = stride});
    }
    ub_free(tangents);
    ub_free(products);
    return finish(p, false, &e, &b);
}

struct ub_program *ub_problem_hvp_program(struct ub_problem *p, int block)
{
    if (!p->hvp[block])
        p->hvp[block] = make_hvp(p, block);
    return p->hvp[block];
}

/* d/ds d/dt of the gradient along two tangents, or twice along one: the terms that the two
 * directions would swap are then the same nodes. */
static struct ub_program *make_third(const struct ub_problem *p, bool same)
{
    struct expression e = express(p, false, 1);
    struct ub_graph *g = e.builder.graph;
    const int n = (int)p->layout.count;
    struct binding b = binding_new(p);
    bind_expression(&b, &e);
    ub_node *first, *products;
    derive_products(&e, 1, &first, &products);
    ub_node *second = same ? first : tangent_inputs(g, &p->layout, 1);
    ub_node *thirds = ub_calloc((size_t)n + 1, sizeof *thirds);
    ub_jvp(g, products, n, e.builder.param_nodes, second, n, thirds);
    for (int i = 0; i < n; i++) {
        struct ub_program_input tangent = {
            .kind = UB_SHARED, .offset = p->layout.params[i].offset, .late = true};
        tangent.node = first[i];
        tangent.slot = UB_AT_TANGENT;
        bind_input(&b, tangent);
        tangent.node = second[i];
        tangent.slot = UB_AT_SECOND_TANGENT;
        if (!same)
            bind_input(&b, tangent);
        bind_output(&b,
                    (struct ub_program_output){
                        .node = thirds[i], .kind = UB_TOTAL, .slot = 0, .offset = tangent.offset});
    }
    if (!same)
        ub_free(second);
    ub_free(first);
    ub_free(products);
    ub_free(thirds);
    return finish(p, false, &e, &b);
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
    struct expression e = express(p, false, 1);
    struct binding b = binding_new(p);
    bind_expression(&b, &e);
    bind_output(&b, (struct ub_program_output){
                        .node = e.builder.hidden[layer], .kind = UB_EACH, .slot = 0});
    p->hidden[layer] = finish(p, false, &e, &b);
    return p->hidden[layer];
}

/* ---- size ---- */

static int64_t bytes_of(struct ub_program *program)
{
    const int64_t bytes = ub_program_facts(program).bytes;
    ub_program_free(program);
    return bytes;
}

double ub_problem_flops(const struct ub_problem *p)
{
    struct ub_problem plan = *p;
    plan.dry = true;
    struct ub_program *program = make_gradient(&plan);
    const double flops = ub_program_facts(program).flops;
    ub_program_free(program);
    return flops;
}

int64_t ub_problem_program_bytes(const struct ub_problem *p)
{
    struct ub_problem plan = *p;
    plan.dry = true;
    int64_t bytes = bytes_of(make_gradient(&plan));
    for (int test = 0; test < 2; test++)
        if (split_of(p, test)->count > 0)
            bytes += bytes_of(make_evaluation(&plan, test)) +
                     output_count(p, test) * (int64_t)sizeof(double);
    for (int block = ub_problem_first_block(p); block < UB_BLOCKS; block++)
        bytes += bytes_of(make_hvp(&plan, block));
    return bytes;
}
