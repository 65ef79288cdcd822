/* From model, loss and data to the expression of one chunk's share of the mean loss, and which
 * vectors and samples a program's inputs and outputs are bound to. */
#include "systems/problem_express.h"

#include <string.h>

/* What one program may keep of a linearisation before it recomputes it at each product. */
static const uint64_t KEEP_LIMIT = (uint64_t)1 << 30;

const struct ub_split *ub_split_of(const struct ub_problem *p, bool test)
{
    return test ? &p->data->test : &p->data->train;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* ---- the expression ---- */

static int64_t largest_param(const struct ub_layout *layout)
{
    int64_t size = 0;
    for (int64_t i = 0; i < layout->count; i++)
        size = larger(size, layout->params[i].size);
    return size;
}

/* Weight of each position in the mean loss: its sample's share among those that are asked for. */
static ub_node share_of_items(const struct ub_problem *p, const struct ub_expression *e,
                              ub_node asked)
{
    struct ub_graph *g = e->builder.graph;
    const int64_t column[] = {e->chunk, 1};
    const ub_node share = ub_reshape(g, e->share, 2, column);
    if (p->data->task != UB_CLASSIFICATION)
        return ub_scale(g, share, 1.0 / (double)ub_positions(p->data));
    const ub_node count = ub_reshape(g, ub_sum(g, asked, UB_AXIS(1)), 2, column);
    return ub_mul(g, share, ub_div(g, asked, count));
}

/* Mean over the positions that are asked for (every sample has as many): (chunk). Each position is
 * a row to the loss. Labels become one-hot here; -1, not asked for, is a row of zeros that does not
 * count. Sets item_losses and item_share. */
static ub_node loss_of_samples(const struct ub_problem *p, struct ub_expression *e, ub_node output)
{
    struct ub_graph *g = e->builder.graph;
    const int64_t positions = ub_positions(p->data), outputs = p->data->outputs;
    if (positions == 1) {
        e->item_share = e->share;
        return e->item_losses = p->loss->build(g, output, e->target);
    }
    const int64_t rows[] = {e->chunk * positions, outputs}, grid[] = {e->chunk, positions};
    const bool labels = p->data->task == UB_CLASSIFICATION;
    const ub_node target = labels ? ub_one_hot(g, e->target, outputs) : e->target;
    ub_node losses =
        p->loss->build(g, ub_reshape(g, output, 2, rows), ub_reshape(g, target, 2, rows));
    e->item_losses = losses = ub_reshape(g, losses, 2, grid);
    const ub_node asked = ub_greater(g, e->target, ub_like(g, -0.5, e->target));
    e->item_share = share_of_items(p, e, asked);
    if (!labels)
        return ub_scale(g, ub_sum(g, losses, UB_AXIS(1)), 1.0 / (double)positions);
    const ub_node sum = ub_sum(g, ub_mul(g, asked, losses), UB_AXIS(1));
    return ub_div(g, sum, ub_sum(g, asked, UB_AXIS(1)));
}

/* A chunk of about that size that divides the samples, so that none is filled up; or that size. */
static int64_t dividing(int64_t samples, int64_t chunk)
{
    for (int64_t part = chunk; part > chunk / 2; part--)
        if (samples % part == 0)
            return part;
    return chunk;
}

/* Samples that are normalized together, in runs, share a chunk, which is of whole runs. Runs divide
 * the training set; the test set's last is filled up with its first samples. Norms over the whole
 * set are over many chunks. */
int64_t ub_chunk_of(const struct ub_problem *p, int64_t samples, int64_t batch)
{
    const int64_t coupled = p->model->coupled ? p->model->coupled(p->model_call) : 0;
    if (coupled >= samples)
        return samples;
    struct ub_sample_sizes sample = p->sample;
    if (coupled != UB_WHOLE_SET) /* values that stay for other regions are in no cache anyway */
        sample.widest *= batch;
    const int64_t chunk = ub_chunk_size(samples, sample, batch * largest_param(&p->layout));
    if (coupled == 0)
        return chunk;
    if (coupled == UB_WHOLE_SET)
        return dividing(samples, chunk);
    int64_t runs = samples / coupled, together = chunk / coupled;
    while (together > 1 && runs % together != 0)
        together--;
    return coupled * (together > 1 ? together : 1);
}

static void set_norms(const struct ub_problem *p, const struct ub_expression *e,
                      struct ub_builder *b)
{
    const bool whole = p->model->coupled && p->model->coupled(p->model_call) == UB_WHOLE_SET;
    b->together = whole && e->chunk < e->samples ? e->samples : 0;
    b->filled_up = e->samples % e->chunk != 0;
    b->weight = e->weight;
}

/* The outputs at the start: the model once more, reading other parameters and the same frozen ones.
 */
static ub_node express_start(const struct ub_problem *p, struct ub_expression *e)
{
    struct ub_builder b = ub_builder_new(p->data, p->model_call);
    ub_graph_free(b.graph);
    b.graph = e->builder.graph;
    set_norms(p, e, &b);
    const ub_node output = p->model->build(&b, p->model_call, e->x);
    e->start = b.param_nodes;
    e->start_frozen = b.frozen_nodes;
    b.graph = NULL;
    b.param_nodes = b.frozen_nodes = NULL;
    ub_builder_clear(&b);
    return output;
}

/* The chunk is sized for a block of `batch` copies of the activations; inputs are not copied. */
static struct ub_expression express_model(const struct ub_problem *p, bool test, int64_t batch)
{
    struct ub_expression e = {.builder = ub_builder_new(p->data, p->model_call)};
    struct ub_graph *g = e.builder.graph;
    e.samples = ub_split_of(p, test)->count;
    e.chunk = ub_chunk_of(p, e.samples, batch);
    e.x = ub_input(g, 2, (int64_t[]){e.chunk, p->data->features});
    e.target = ub_input(g, 2, (int64_t[]){e.chunk, ub_target_width(p->data)});
    e.weight = ub_input(g, 1, &e.chunk);
    set_norms(p, &e, &e.builder);
    e.output = p->model->build(&e.builder, p->model_call, e.x);
    if (ub_problem_centered(p))
        e.output = ub_sub(g, e.output, express_start(p, &e));
    e.output = ub_scale(g, e.output, ub_call_real(p->model_call, "output-scale"));
    /* 1/N goes on the weights, a short vector, rather than on the gradient. */
    e.share = ub_scale(g, e.weight, 1.0 / (double)e.samples);
    return e;
}

static void express_loss(const struct ub_problem *p, struct ub_expression *e, ub_node output)
{
    struct ub_graph *g = e->builder.graph;
    e->losses = loss_of_samples(p, e, output);
    e->loss = ub_sum_all(g, ub_mul(g, e->share, e->losses));
}

int64_t ub_copies_at_least(const struct ub_problem *p, int64_t batch, int64_t copies,
                           int64_t of_images)
{
    enum { LARGE = 1 << 17 }; /* numbers: each chunk reads and writes totals that leave L2 */
    const int64_t least = p->sample.images ? of_images : copies;
    return batch < least && largest_param(&p->layout) <= LARGE ? least : batch;
}

struct ub_expression ub_express(const struct ub_problem *p, bool test, int64_t batch)
{
    struct ub_expression e = express_model(p, test, batch);
    express_loss(p, &e, e.output);
    return e;
}

struct ub_expression ub_express_apart(const struct ub_problem *p, int64_t batch)
{
    struct ub_expression e = express_model(p, false, batch);
    e.seen = ub_stop(e.builder.graph, e.output);
    express_loss(p, &e, e.seen);
    return e;
}

ub_node *ub_gradient_nodes(const struct ub_expression *e)
{
    const int n = (int)e->builder.layout.count;
    ub_node *gradient = ub_calloc((size_t)n + 1, sizeof *gradient);
    ub_grad(e->builder.graph, e->loss, e->builder.param_nodes, n, gradient);
    return gradient;
}

/* ---- binding ---- */

struct ub_binding ub_binding_new(const struct ub_problem *p)
{
    const size_t params = (size_t)p->layout.count, frozen = (size_t)p->frozen.count;
    return (struct ub_binding){
        .inputs = ub_calloc(4 * params + 2 * frozen + 4, sizeof *(struct ub_binding){0}.inputs),
        .outputs = ub_calloc(params + 2, sizeof *(struct ub_binding){0}.outputs)};
}

void ub_bind_input(struct ub_binding *b, struct ub_program_input input)
{
    b->inputs[b->n_inputs++] = input;
}

void ub_bind_output(struct ub_binding *b, struct ub_program_output output)
{
    b->outputs[b->n_outputs++] = output;
}

static void bind_layout(struct ub_binding *b, const struct ub_layout *layout, const ub_node *nodes,
                        int slot, int64_t offset)
{
    for (int64_t i = 0; nodes && i < layout->count; i++)
        ub_bind_input(b, (struct ub_program_input){.node = nodes[i],
                                                   .kind = UB_SHARED,
                                                   .slot = slot,
                                                   .offset = offset + layout->params[i].offset});
}

void ub_bind_expression(struct ub_binding *b, const struct ub_expression *e)
{
    const struct ub_layout *layout = &e->builder.layout, *frozen = &e->builder.frozen;
    bind_layout(b, layout, e->builder.param_nodes, UB_AT_THETA, 0);
    bind_layout(b, frozen, e->builder.frozen_nodes, UB_AT_FROZEN, 0);
    bind_layout(b, layout, e->start, UB_AT_FROZEN, frozen->size);
    bind_layout(b, frozen, e->start_frozen, UB_AT_FROZEN, 0);
    ub_bind_input(
        b, (struct ub_program_input){.node = e->x, .kind = UB_SAMPLES, .slot = UB_AT_INPUTS});
    ub_bind_input(
        b, (struct ub_program_input){.node = e->target, .kind = UB_SAMPLES, .slot = UB_AT_TARGETS});
    ub_bind_input(b, (struct ub_program_input){.node = e->weight, .kind = UB_WEIGHTS});
}

struct ub_program *ub_finish_program(const struct ub_problem *p, bool test, struct ub_expression *e,
                                     struct ub_binding *b)
{
    const struct ub_program_spec spec = {.inputs = b->inputs,
                                         .n_inputs = b->n_inputs,
                                         .outputs = b->outputs,
                                         .n_outputs = b->n_outputs,
                                         .samples = e->samples,
                                         .chunk = e->chunk,
                                         .single = p->precision != UB_F64,
                                         .split = p->precision == UB_BF16X3,
                                         .dry = p->dry,
                                         .team = p->team,
                                         .workspace = ub_hold_workspace(p->hold),
                                         .keep_limit = KEEP_LIMIT};
    struct ub_program *program = ub_program_compile(e->builder.graph, &spec);
    if (!p->dry)
        ub_hold_bind(p, test, program);
    ub_free(b->inputs);
    ub_free(b->outputs);
    ub_free(e->start);
    ub_free(e->start_frozen);
    ub_builder_clear(&e->builder);
    return program;
}
