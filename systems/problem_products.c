/* Products that are linear in a vector, at one point of parameters: with the Hessian and its kin,
 * with the Jacobian of the outputs and its transpose. What depends on the parameters alone is
 * computed once a point, by each program at its first use there; products then cost only what
 * follows the vector. Blocks of 8, 4, 2 and 1 vectors have a program each. */
#include "systems/problem_express.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_NUMBERS = 1 << 23, SAMPLE_SLOT = 2 };
/* Of activations at work in a product with one vector or two: values of the primal, kept, and of
 * the tangent both ways. With chunks for one copy mlp-mixer, vit, gpt and attention-only
 * took 1.10 to 1.18 times as long, on an idle machine; other small models as long. */
enum { COPIES = 4 };

const int64_t ub_block_sizes[UB_BLOCKS] = {8, 4, 2, 1};

/* ---- expressions ----------------------------------------------------------------------------- */

/* A linear map as nodes: `in` are inputs (tangents of the parameters, or one cotangent of the
 * outputs), `out` what they are mapped to. */
struct linear {
    ub_node *in, *out;
    int n_in, n_out;
};

static struct linear linear_new(int n_in, int n_out)
{
    return (struct linear){.in = ub_calloc((size_t)n_in + 1, sizeof(ub_node)),
                           .out = ub_calloc((size_t)n_out + 1, sizeof(ub_node)),
                           .n_in = n_in,
                           .n_out = n_out};
}

static void linear_clear(struct linear *map)
{
    ub_free(map->in);
    ub_free(map->out);
}

ub_node *ub_tangent_inputs(struct ub_graph *g, const struct ub_layout *layout, int64_t batch)
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

/* The Hessian: derivative of the gradient along the tangents. */
static void express_hessian(const struct ub_expression *e, struct linear *map)
{
    ub_node *gradient = ub_gradient_nodes(e);
    ub_linearize(e->builder.graph, gradient, map->n_in, e->builder.param_nodes, map->in, map->n_in,
                 map->out);
    ub_free(gradient);
}

/* Gauss-Newton: outputs move along J v, the loss' gradient by them along its Hessian times that,
 * and J' takes it back. */
static void express_gauss_newton(const struct ub_expression *e, struct linear *map)
{
    struct ub_graph *g = e->builder.graph;
    ub_node slope, motion, change;
    ub_grad(g, e->loss, &e->seen, 1, &slope);
    ub_jvp(g, &e->output, 1, e->builder.param_nodes, map->in, map->n_in, &motion);
    ub_jvp(g, &slope, 1, &e->seen, &motion, 1, &change);
    ub_vjp(g, &e->output, &change, 1, e->builder.param_nodes, map->n_out, map->out);
}

/* Second moment of the gradients: every item's loss moves by g_i'v, and weighs g_i by it. */
static void express_moment(const struct ub_expression *e, struct linear *map)
{
    struct ub_graph *g = e->builder.graph;
    ub_node motion;
    ub_jvp(g, &e->item_losses, 1, e->builder.param_nodes, map->in, map->n_in, &motion);
    motion = ub_mul(g, e->item_share, motion);
    ub_vjp(g, &e->item_losses, &motion, 1, e->builder.param_nodes, map->n_out, map->out);
}

/* x (chunk, ...) where a sample is real, 0 where it only fills up the last chunk. */
static ub_node weigh(const struct ub_expression *e, ub_node x)
{
    const int rank = ub_shape_of(e->builder.graph, x).rank;
    const int64_t column[UB_RANK] = {e->chunk, 1, 1, 1, 1, 1, 1, 1};
    return ub_mul(e->builder.graph, ub_reshape(e->builder.graph, e->weight, rank, column), x);
}

/* Weighed, so that it depends on samples even where the outputs do not. */
static void express_jacobian(const struct ub_expression *e, struct linear *map)
{
    ub_jvp(e->builder.graph, &e->output, 1, e->builder.param_nodes, map->in, map->n_in, map->out);
    map->out[0] = weigh(e, map->out[0]);
}

static void express_transpose(const struct ub_expression *e, struct linear *map)
{
    struct ub_graph *g = e->builder.graph;
    const struct ub_shape shape = ub_shape_of(g, e->output);
    map->in[0] = ub_input(g, shape.rank, shape.dim);
    const ub_node cotangent = weigh(e, map->in[0]);
    ub_vjp(g, &e->output, &cotangent, 1, e->builder.param_nodes, map->n_out, map->out);
}

typedef void express_map(const struct ub_expression *e, struct linear *map);

static const struct {
    express_map *express;
    bool apart;                   /* the loss reads the outputs as a point of its own */
    bool samples_in, samples_out; /* vectors of outputs rather than of parameters */
} products[UB_PRODUCTS] = {
    [UB_HESSIAN] = {.express = express_hessian},
    [UB_GAUSS_NEWTON] = {.express = express_gauss_newton, .apart = true},
    [UB_GRADIENT_MOMENT] = {.express = express_moment},
    [UB_JACOBIAN] = {.express = express_jacobian, .samples_out = true},
    [UB_JACOBIAN_TRANSPOSE] = {.express = express_transpose, .samples_in = true},
};

static struct linear express_one(const struct ub_problem *p, const struct ub_expression *e,
                                 int kind)
{
    const int n = (int)p->layout.count;
    struct linear map =
        linear_new(products[kind].samples_in ? 1 : n, products[kind].samples_out ? 1 : n);
    if (!products[kind].samples_in) {
        ub_free(map.in);
        map.in = ub_tangent_inputs(e->builder.graph, &p->layout, 1);
    }
    products[kind].express(e, &map);
    return map;
}

/* ---- blocks of vectors ------------------------------------------------------------------------
 */

/* The inputs of `batch` vectors at once, and what the map reads of them, (batch, ...): caller
 * frees. Where vectors are of samples, the samples lead in what is bound, the batch in what is
 * read. */
static ub_node *block_inputs(const struct ub_problem *p, const struct ub_expression *e, int kind,
                             int64_t batch, ub_node one, struct linear *block)
{
    struct ub_graph *g = e->builder.graph;
    if (!products[kind].samples_in) {
        ub_free(block->in);
        block->in = ub_tangent_inputs(g, &p->layout, batch);
        ub_node *seen = ub_calloc((size_t)block->n_in + 1, sizeof *seen);
        return memcpy(seen, block->in, (size_t)block->n_in * sizeof *seen);
    }
    const struct ub_shape shape = ub_shape_of(g, one);
    const int64_t width = ub_count(shape) / e->chunk;
    int64_t dim[UB_RANK] = {batch};
    memcpy(dim + 1, shape.dim, (size_t)shape.rank * sizeof *dim);
    block->in[0] = ub_input(g, 3, (int64_t[]){e->chunk, batch, width});
    ub_node *seen = ub_calloc(1, sizeof *seen);
    *seen = ub_reshape(g, ub_transpose(g, block->in[0], (int[]){1, 0, 2}), shape.rank + 1, dim);
    return seen;
}

static ub_node by_sample(struct ub_graph *g, ub_node x, int64_t batch, int64_t chunk)
{
    const int64_t width = ub_count(ub_shape_of(g, x)) / batch / chunk;
    const ub_node flat = ub_reshape(g, x, 3, (int64_t[]){batch, chunk, width});
    return ub_transpose(g, flat, (int[]){1, 0, 2});
}

static struct linear express_block(const struct ub_problem *p, const struct ub_expression *e,
                                   int kind, int64_t batch)
{
    struct linear one = express_one(p, e, kind);
    if (batch == 1)
        return one;
    struct ub_graph *g = e->builder.graph;
    struct linear block = linear_new(one.n_in, one.n_out);
    ub_node *seen = block_inputs(p, e, kind, batch, one.in[0], &block);
    ub_vmap(g, one.out, one.n_out, one.in, seen, one.n_in, block.out);
    if (products[kind].samples_out)
        block.out[0] = by_sample(g, block.out[0], batch, e->chunk);
    ub_free(seen);
    linear_clear(&one);
    return block;
}

/* ---- programs ---------------------------------------------------------------------------------
 */

static void bind_linear(struct ub_binding *b, const struct ub_layout *layout, int kind,
                        int64_t batch, const struct linear *map)
{
    const int64_t stride = batch > 1 ? layout->size : 0;
    if (products[kind].samples_in)
        ub_bind_input(
            b, (struct ub_program_input){
                   .node = map->in[0], .kind = UB_SAMPLES, .slot = SAMPLE_SLOT, .late = true});
    if (products[kind].samples_out)
        ub_bind_output(b, (struct ub_program_output){.node = map->out[0], .kind = UB_EACH});
    for (int64_t i = 0; i < layout->count; i++) {
        const int64_t offset = layout->params[i].offset;
        if (!products[kind].samples_in)
            ub_bind_input(b, (struct ub_program_input){.node = map->in[i],
                                                       .kind = UB_SHARED,
                                                       .slot = UB_AT_TANGENT,
                                                       .offset = offset,
                                                       .stride = stride,
                                                       .late = true});
        if (!products[kind].samples_out)
            ub_bind_output(
                b, (struct ub_program_output){
                       .node = map->out[i], .kind = UB_TOTAL, .offset = offset, .stride = stride});
    }
}

struct ub_program *ub_problem_make_product(const struct ub_problem *p, int kind, int block)
{
    const int64_t batch = ub_block_sizes[block];
    const int64_t copies = ub_copies_at_least(p, batch, COPIES, batch);
    struct ub_expression e =
        products[kind].apart ? ub_express_apart(p, copies) : ub_express(p, false, copies);
    struct ub_binding b = ub_binding_new(p);
    ub_bind_expression(&b, &e);
    struct linear map = express_block(p, &e, kind, batch);
    bind_linear(&b, &p->layout, kind, batch, &map);
    linear_clear(&map);
    return ub_finish_program(p, false, &e, &b);
}

int ub_problem_first_block(const struct ub_problem *p)
{
    const bool whole = p->model->coupled && p->model->coupled(p->model_call) == UB_WHOLE_SET;
    const int64_t samples = p->data->train.count;
    int block = 0;
    for (; block < UB_BLOCKS - 1; block++) {
        const int64_t batch = ub_block_sizes[block];
        const int64_t at_once = whole ? samples : ub_chunk_of(p, samples, batch);
        if (at_once * batch * p->sample.widest <= MOST_NUMBERS)
            break;
    }
    return block;
}

/* ---- products ---------------------------------------------------------------------------------
 */

void ub_problem_linearize(struct ub_problem *p, const double *theta)
{
    const size_t bytes = (size_t)p->layout.size * sizeof *p->theta;
    if (p->theta && memcmp(p->theta, theta, bytes) == 0)
        return;
    if (!p->theta)
        p->theta = ub_alloc(bytes);
    memcpy(p->theta, theta, bytes);
    ub_problem_forget(p);
}

void ub_problem_forget(struct ub_problem *p)
{
    for (int kind = 0; kind < UB_PRODUCTS; kind++)
        memset(p->product[kind].fresh, 0, sizeof p->product[kind].fresh);
    memset(p->third_fresh, 0, sizeof p->third_fresh);
}

static void require_point(const struct ub_problem *p, const char *what)
{
    if (p->theta)
        return;
    fprintf(stderr, "unibench: %s before ub_problem_linearize\n", what);
    abort();
}

/* `values` are (samples, batch, width) when `turn`, else (batch, samples, width): the other way. */
static void turn_rows(double *out, const double *values, int64_t first, int64_t second,
                      int64_t width)
{
    for (int64_t i = 0; i < first; i++)
        for (int64_t k = 0; k < second; k++)
            memcpy(out + (k * first + i) * width, values + (i * second + k) * width,
                   (size_t)width * sizeof *out);
}

static struct ub_program *program_of(struct ub_problem *p, int kind, int block)
{
    struct ub_program **program = &p->product[kind].program[block];
    if (!*program)
        *program = ub_problem_make_product(p, kind, block);
    return *program;
}

struct ub_program *ub_problem_hvp_program(struct ub_problem *p)
{
    return program_of(p, UB_HESSIAN, UB_BLOCKS - 1);
}

struct ub_program *ub_problem_block_program(struct ub_problem *p)
{
    return program_of(p, UB_HESSIAN, ub_problem_first_block(p));
}

/* One block, its vectors one after the other on both sides. */
static void apply_block(struct ub_problem *p, int kind, int block, const double *V, double *out)
{
    struct ub_products *these = &p->product[kind];
    const int64_t batch = ub_block_sizes[block], samples = p->data->train.count;
    const int64_t width = ub_positions(p->data) * p->data->outputs;
    const bool turned = batch > 1 && (products[kind].samples_in || products[kind].samples_out);
    double *work = turned ? ub_alloc((size_t)(batch * samples * width) * sizeof *work) : NULL;
    struct ub_program *program = program_of(p, kind, block);
    if (products[kind].samples_in && turned)
        turn_rows(work, V, batch, samples, width);
    if (products[kind].samples_in)
        ub_program_samples(program, SAMPLE_SLOT, turned ? work : V);
    double *to = turned && products[kind].samples_out ? work : out;
    const double *vectors[] = {
        [UB_AT_THETA] = p->theta, [UB_AT_FROZEN] = p->frozen_values, [UB_AT_TANGENT] = V};
    ub_program_run(program, vectors, &to, !these->fresh[block]);
    these->fresh[block] = true;
    if (to == work && turned)
        turn_rows(out, work, samples, batch, width);
    ub_free(work);
}

static void apply(struct ub_problem *p, int kind, int64_t count, const double *V, double *out)
{
    const int64_t samples = p->data->train.count * ub_positions(p->data) * p->data->outputs;
    const int64_t from = products[kind].samples_in ? samples : p->layout.size;
    const int64_t to = products[kind].samples_out ? samples : p->layout.size;
    require_point(p, "a product");
    for (int block = ub_problem_first_block(p); block < UB_BLOCKS; block++)
        for (const int64_t size = ub_block_sizes[block]; count >= size; count -= size) {
            apply_block(p, kind, block, V, out);
            V += size * from;
            out += size * to;
            p->product[kind].count += size;
        }
}

void ub_problem_product(struct ub_problem *p, enum ub_curvature kind, int64_t count,
                        const double *V, double *out)
{
    apply(p, (int)kind, count, V, out);
}

void ub_problem_hvp(struct ub_problem *p, int64_t count, const double *V, double *HV)
{
    apply(p, UB_HESSIAN, count, V, HV);
}

void ub_problem_jvp(struct ub_problem *p, int64_t count, const double *V, double *JV)
{
    apply(p, UB_JACOBIAN, count, V, JV);
}

void ub_problem_vjp(struct ub_problem *p, int64_t count, const double *U, double *JU)
{
    apply(p, UB_JACOBIAN_TRANSPOSE, count, U, JU);
}

int64_t ub_problem_products(const struct ub_problem *p, enum ub_curvature kind)
{
    return p->product[kind].count;
}

int64_t ub_problem_hvps(const struct ub_problem *p)
{
    return p->product[UB_HESSIAN].count;
}

void ub_problem_third(struct ub_problem *p, const double *u, const double *v, double *out)
{
    require_point(p, "ub_problem_third");
    const bool same = memcmp(u, v, (size_t)p->layout.size * sizeof *u) == 0;
    struct ub_program *program = ub_problem_third_program(p, same);
    const double *vectors[] = {[UB_AT_THETA] = p->theta,
                               [UB_AT_FROZEN] = p->frozen_values,
                               [UB_AT_TANGENT] = u,
                               [UB_AT_SECOND_TANGENT] = v};
    ub_program_run(program, vectors, &out, !p->third_fresh[same]);
    p->third_fresh[same] = true;
}
