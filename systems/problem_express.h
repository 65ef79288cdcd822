/* problem_express.h - what the programs of a problem are made from; private to this library. */
#ifndef UB_PROBLEM_EXPRESS_H
#define UB_PROBLEM_EXPRESS_H

#include "systems/problem.h"

/* One chunk's share of the mean loss. Release with ub_finish_program, or ub_builder_clear. */
struct ub_expression {
    struct ub_builder builder;
    ub_node x, target, weight;     /* inputs: (chunk, features), (chunk, target width), (chunk) */
    ub_node share;                 /* (chunk): weight / samples */
    ub_node output;                /* (chunk, outputs) or (chunk, positions, outputs) */
    ub_node *start, *start_frozen; /* what outputs are centered at reads; NULL: not centered */
    ub_node seen;                  /* ub_express_apart: the output as the loss reads it */
    ub_node losses;                /* (chunk) */
    ub_node item_losses;           /* (chunk), or (chunk, positions) of several */
    ub_node item_share;            /* their weights in the loss, which broadcast to them */
    ub_node loss;                  /* <share, losses>, rank 0 */
    int64_t samples, chunk;
};

/* The chunk is sized for a block of `batch` copies of the activations; inputs are not copied. */
struct ub_expression ub_express(const struct ub_problem *p, bool test, int64_t batch);
/* On the training split, with no derivative from the loss to the parameters: the loss reads `seen`,
 * which is the output under another name, so that each half is differentiated on its own. */
struct ub_expression ub_express_apart(const struct ub_problem *p, int64_t batch);
/* Derivative of the loss by each parameter of the layout. Caller frees. */
ub_node *ub_gradient_nodes(const struct ub_expression *e);

/* Derivatives of second and third order of a block of `batch` vectors hold more copies of the
 * activations at work than vectors: so many at least; of models that are mostly convolutions, which
 * few images make slow, `of_images`. Large weights, whose totals shorter chunks would read and
 * write more often, leave it at `batch`. */
int64_t ub_copies_at_least(const struct ub_problem *p, int64_t batch, int64_t copies,
                           int64_t of_images);

/* Samples that share a chunk, when there are `batch` copies of each. */
int64_t ub_chunk_of(const struct ub_problem *p, int64_t samples, int64_t batch);
const struct ub_split *ub_split_of(const struct ub_problem *p, bool test);

/* What a program reads and writes. Has room for the parameters, two tangents of each, and the
 * gradient. */
struct ub_binding {
    struct ub_program_input *inputs;
    struct ub_program_output *outputs;
    int n_inputs, n_outputs;
};
struct ub_binding ub_binding_new(const struct ub_problem *p);
void ub_bind_input(struct ub_binding *b, struct ub_program_input input);
void ub_bind_output(struct ub_binding *b, struct ub_program_output output);
/* Parameters, frozen ones, samples and weights. */
void ub_bind_expression(struct ub_binding *b, const struct ub_expression *e);
/* Compiles, hands over the split's samples, and releases the expression and the binding. */
struct ub_program *ub_finish_program(const struct ub_problem *p, bool test, struct ub_expression *e,
                                     struct ub_binding *b);

/* An input for every parameter's tangent, with a leading batch axis when `batch` > 1. Caller frees.
 */
ub_node *ub_tangent_inputs(struct ub_graph *g, const struct ub_layout *layout, int64_t batch);

#endif
