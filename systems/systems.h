/* systems.h - what is trained: models, losses, optimizers, and the problem they make together.
 *
 *     struct ub_problem *p = ub_problem_new(&(struct ub_problem_spec){
 *         .model = "mlp:widths=64x64", .loss = "mse", .data = dataset, .threads = 1}, &err);
 *     double *theta = ub_calloc(ub_problem_size(p), sizeof *theta), *grad = ...;
 *     ub_problem_init(p, seed, theta);
 *     struct ub_optimizer *o = ub_optimizer_new("gd:lr=0.05", ub_problem_size(p), &err);
 *     ub_optimizer_attach(o, &(struct ub_training){p, 100, seed}, &err);
 *     ub_optimizer_resolve(o, initial_sharpness, &err);      // only for lr=relative(R)
 *     for (int t = 0; t < 100; t++) {
 *         double loss = ub_problem_gradient(p, theta, grad);
 *         ub_optimizer_step(o, theta, grad);
 *     }
 *
 * Parameters, gradients and tangents are flat vectors of double with a layout; the derivative
 * engine computes in the precision the problem was made with. */
#ifndef UB_SYSTEMS_H
#define UB_SYSTEMS_H

#include "base/base.h"
#include "base/precision.h"
#include "base/registry.h"
#include "datasets/datasets.h"
#include "systems/graph/graph.h"
#include "systems/optimizers.h"

/* ---- parameters ------------------------------------------------------------------------- */

/* What of a parameter grows with a model's width: all that a parametrization needs to know. */
enum ub_role {
    UB_ROLE_INPUT,  /* fan_out grows: first layers, embeddings */
    UB_ROLE_HIDDEN, /* fan_in and fan_out grow */
    UB_ROLE_OUTPUT, /* fan_in grows: the readout's weights */
    UB_ROLE_VECTOR, /* one entry a unit: biases, gains */
    UB_ROLE_FIXED   /* nothing grows: the readout's biases */
};

/* How a parameter starts. */
enum ub_start {
    UB_START_WEIGHT,   /* drawn by the init's rule for weights */
    UB_START_BIAS,     /* by its rule for biases */
    UB_START_CONSTANT, /* all entries are `value`, whatever the init */
    UB_START_NORMAL    /* N(0, value^2), whatever the init */
};

struct ub_param {
    char name[64]; /* as PyTorch would name it in a Sequential-like module: "fc1.weight" */
    int rank;
    int64_t shape[4];
    int64_t offset, size; /* within the flat vector */
    int64_t fan_in, fan_out;
    enum ub_role role;
    enum ub_start start;
    double value;      /* UB_START_CONSTANT, UB_START_NORMAL */
    double multiplier; /* the model reads multiplier * parameter; 1 under SP */
    double init_scale; /* multiplies the initial values; 1 under SP */
    double rate_scale; /* multiplies the learning rate of Adam-like optimizers; 1 under SP. None
                          is needed for SGD-like ones: multipliers do it (parametrization.h) */
};

struct ub_layout {
    int64_t count; /* tensors */
    int64_t size;  /* numbers in all */
    struct ub_param *params;
};

struct ub_wide; /* wide.h */
struct ub_wide_source;

/* ---- models ----------------------------------------------------------------------------- */

/* sp: standard; ntk: Jacot et al. 2018, 1806.07572; mup: Yang and Hu 2020, 2011.14522. */
enum ub_parametrization { UB_SP, UB_NTK, UB_MUP };

/* What a model's build function writes to. */
struct ub_builder {
    struct ub_graph *graph;
    struct ub_layout layout;
    ub_node *param_nodes;    /* one a layout entry: inputs of the graph, before multipliers */
    struct ub_layout frozen; /* parameters that are drawn but never trained */
    ub_node *frozen_nodes;
    int n_hidden; /* activations worth observing, in order of depth: (chunk, ...) nodes */
    ub_node *hidden;
    char (*hidden_names)[64];
    const struct ub_dataset *data; /* shapes only */
    enum ub_parametrization parametrization;
    double base_width;   /* at which mup equals sp */
    bool zero_readout;   /* output weights start at zero */
    bool fixed_readout;  /* the output layer is drawn, not trained */
    bool plain_norms;    /* norms without gain and offset */
    double norm_epsilon; /* what norms add to the variance */
    int64_t together;    /* samples that batch norms take together, in many chunks; 0: a chunk's */
    bool filled_up;      /* the last of those chunks is, so that samples are weighed: */
    ub_node weight;      /* (chunk) */
    double ratio;        /* the model's width over base_width; set by ub_builder_width */
    int64_t width;       /* 0 until set */
};

/* A parameter as a model asks for it; fields as in struct ub_param, fans as PyTorch counts them. */
struct ub_param_spec {
    const char *name;
    int rank;
    int64_t shape[4];
    int64_t fan_in, fan_out;
    enum ub_role role;
    enum ub_start start;
    double value;
    bool frozen; /* drawn at initialisation, not trained: no part of the flat vector */
};
/* Declares a parameter and returns the node to compute with (its multiplier applied). */
ub_node ub_builder_param(struct ub_builder *b, const struct ub_param_spec *spec);
/* States the model's width, before its first parameter; needed for mup. */
void ub_builder_width(struct ub_builder *b, int64_t width);
void ub_builder_hidden(struct ub_builder *b, const char *name, ub_node activation);
/* y = x W' + b over the last axis, W (out, in) named "<name>.weight", b (out) "<name>.bias". */
ub_node ub_builder_linear(struct ub_builder *b, const char *name, ub_node x, int64_t out,
                          enum ub_role role, bool bias);

struct ub_model {
    const char *name, *summary, *citation;
    const char *title; /* what people call it; NULL: its name */
    const struct ub_option *options;
    /* False with a clear message when the model does not fit the dataset. */
    bool (*fits)(const struct ub_call *call, const struct ub_dataset *data, struct ub_error *err);
    /* input is (chunk, features); returns (chunk, outputs), or (chunk, positions, outputs) for data
     * with several positions. */
    ub_node (*build)(struct ub_builder *b, const struct ub_call *call, ub_node input);
    /* Samples that a batch norm takes together: 0 = none, UB_WHOLE_SET = all of the split, else
     * consecutive runs of so many. NULL = 0. */
    int64_t (*coupled)(const struct ub_call *call);
    /* Fully connected networks describe themselves to theory of infinite width: fills what
     * ub_problem_wide gives (wide.h), or leaves it as it is where their options leave no such
     * theory. NULL: none is known here. */
    void (*wide)(const struct ub_wide_source *source, struct ub_wide *wide);
};
#define UB_WHOLE_SET (-1)
/* Options that every model takes besides its own: what the problem calls its outputs is
 *
 *     output-scale x (f(theta) - f(theta_0)),   without the second part unless `centered`
 *
 * with theta_0 the start that ub_problem_init drew last (Chizat, Oyallon and Bach 2019,
 * arXiv:1812.07956: a large scale makes training lazy). */
extern const struct ub_option ub_model_common_options[];
extern const struct ub_model *const ub_models[]; /* NULL-terminated */
const struct ub_model *ub_model_find(const char *name);

/* ---- losses ----------------------------------------------------------------------------- */

struct ub_loss {
    const char *name, *summary, *citation;
    const char *title; /* what people call it; NULL: its name */
    /* It is -log p(target | output), p the softmax of the output; else N(output, I), but for a
     * constant. */
    bool softmax;
    /* Per-sample losses, (chunk), from output and target, both (chunk, outputs). */
    ub_node (*build)(struct ub_graph *g, ub_node output, ub_node target);
    bool (*fits)(const struct ub_dataset *data, struct ub_error *err);
};
extern const struct ub_loss *const ub_losses[];
const struct ub_loss *ub_loss_find(const char *name);

/* ---- initialisation --------------------------------------------------------------------- */

/* "pytorch" (U(-1/sqrt(fan_in), 1/sqrt(fan_in)) for weights and biases), "xavier-uniform",
 * "xavier-normal", "he", "lecun", "orthogonal"; option gain. All but pytorch zero the biases.
 * "aligned": all weights together, from the data. */
struct ub_init {
    const char *name, *summary, *citation;
    const char *title; /* what people call it; NULL: its name */
    const struct ub_option *options;
    /* Each parameter by itself, from a stream of its own. */
    void (*fill)(const struct ub_call *call, const struct ub_param *param, struct ub_random *r,
                 double *values);
    /* Where parameters start together or by the data, in place of `fill`: writes all of theta, as
     * the model reads it (multipliers are divided out, init_scale is not asked), and says which
     * models that can be done for. Not for models with frozen parameters. */
    bool (*fits)(const struct ub_call *call, const struct ub_layout *layout,
                 const struct ub_dataset *data, struct ub_error *err);
    void (*start)(const struct ub_call *call, const struct ub_layout *layout,
                  const struct ub_dataset *data, uint64_t seed, double *theta);
    /* Its weights come from outside (ub_problem_give): neither of the above. */
    bool given;
    /* Variance of an entry that `fill` draws, whose mean is 0; NULL: not said. */
    double (*variance)(const struct ub_call *call, const struct ub_param *param);
};
extern const struct ub_init *const ub_inits[];
const struct ub_init *ub_init_find(const char *name);

/* ---- problems: model + loss + data, compiled -------------------------------------------- */

struct ub_problem_spec {
    const char *model, *loss, *init; /* call texts; init NULL = "pytorch" */
    const struct ub_dataset *data;   /* kept by reference: must outlive the problem */
    enum ub_precision precision;
    int threads; /* 0 = 1 */
    bool timed;  /* count ub_problem_shared_seconds */
};
struct ub_problem;

/* Checks the calls and that they fit the data; programs are compiled when first needed. */
struct ub_problem *ub_problem_new(const struct ub_problem_spec *spec, struct ub_error *err);
void ub_problem_free(struct ub_problem *p);
/* As if new, for another run: nothing evaluated, no point linearized at. Compiled programs are
 * kept, and so are weights that were given. */
void ub_problem_restart(struct ub_problem *p);
const struct ub_layout *ub_problem_layout(const struct ub_problem *p);
int64_t ub_problem_size(const struct ub_problem *p);
/* Of a timed problem: seconds spent in what threads share out. With one thread, their share of all
 * seconds says how well more threads would do. */
double ub_problem_shared_seconds(const struct ub_problem *p);
/* Parameters that are never trained, as ub_problem_init drew them: `values` is theirs, not copied.
 */
const struct ub_layout *ub_problem_frozen(const struct ub_problem *p, const double **values);
const struct ub_dataset *ub_problem_data(const struct ub_problem *p);
const struct ub_loss *ub_problem_loss_kind(const struct ub_problem *p);

/* Of an init whose weights come from outside, from a file of its option `file`: a copy of it, to be
 * freed; else NULL. */
char *ub_init_file(const char *text);
/* Whether it waits for such weights: theta, and those of frozen parameters (copied; NULL where
 * there are none). Before ub_problem_init, which then gives them, whatever the seed; until then,
 * NAN. */
bool ub_problem_awaits(const struct ub_problem *p);
void ub_problem_give(struct ub_problem *p, const double *theta, const double *frozen);
/* The checked call of its init. */
const struct ub_call *ub_problem_init_call(const struct ub_problem *p);
/* Draws theta, and what the model has of frozen parameters, which stay with the problem, as does
 * the start of a centered one. */
void ub_problem_init(struct ub_problem *p, uint64_t seed, double *theta);
double ub_problem_loss(struct ub_problem *p, const double *theta);
double ub_problem_gradient(struct ub_problem *p, const double *theta, double *grad);

/* Hessian-vector products of the training loss at theta: linearise once, then apply to blocks.
 * Linearising again at the same theta costs nothing, so that whoever needs a point says so.
 * V and HV are `count` x size, row-major. A row's product is the same whatever block it comes in
 * to rounding, and bitwise the same for the same `count`; ub_problem_hvps counts rows. */
void ub_problem_linearize(struct ub_problem *p, const double *theta);
void ub_problem_hvp(struct ub_problem *p, int64_t count, const double *V, double *HV);
/* Third directional derivative: out (size) = d/ds (d/dt grad L(theta + s u + t v)) at s = t = 0, at
 * the point of the last ub_problem_linearize. u and v may be the same vector. */
void ub_problem_third(struct ub_problem *p, const double *u, const double *v, double *out);
/* Products with symmetric operators on the parameters, in blocks as above. With z_i sample i's
 * outputs, l_i its loss, J_i = dz_i/dtheta and g_i = dl_i/dtheta, means taken over samples:
 *
 *   UB_HESSIAN          H = mean d2 l_i/dtheta2
 *   UB_GAUSS_NEWTON     G = mean J_i' (d2 l_i/dz_i2) J_i; H - G is what the model's own curvature
 *                       adds. For ce this is the Fisher information of the model's distribution,
 *                       for mse that of outputs with Gaussian noise, up to the noise's variance
 *                       (Schraudolph 2002, Neural Comput. 14; Martens 2014, arXiv:1412.1193)
 *   UB_GRADIENT_MOMENT  C = mean g_i g_i', the "empirical Fisher"; less g g' (g the gradient) it is
 *                       the covariance of the gradients. Of sequences with several targets each
 *                       position that is asked for has a g_i of its own, as in the Fisher
 *                       information
 *
 * ub_problem_products counts rows. */
enum ub_curvature { UB_HESSIAN, UB_GAUSS_NEWTON, UB_GRADIENT_MOMENT, UB_CURVATURES };
void ub_problem_product(struct ub_problem *p, enum ub_curvature kind, int64_t count,
                        const double *V, double *out);
int64_t ub_problem_products(const struct ub_problem *p, enum ub_curvature kind);
int64_t ub_problem_hvps(const struct ub_problem *p); /* of the Hessian */
/* Products with the Jacobian J of all outputs on the training inputs: JV is count x (samples x
 * positions x outputs), and J'U of as long rows count x size. */
void ub_problem_jvp(struct ub_problem *p, int64_t count, const double *V, double *JV);
void ub_problem_vjp(struct ub_problem *p, int64_t count, const double *U, double *JU);
int64_t ub_problem_gradients(const struct ub_problem *p); /* evaluations so far */

/* Mean loss, and accuracy in [0, 1] (NAN for regression), on the training or test split. */
void ub_problem_evaluate(struct ub_problem *p, bool test, const double *theta, double *loss,
                         double *accuracy);

/* Hidden activations on the training inputs: `out` is samples x ub_problem_hidden_width(p, i). */
int ub_problem_hidden_count(const struct ub_problem *p);
const char *ub_problem_hidden_name(const struct ub_problem *p, int i);
int64_t ub_problem_hidden_width(const struct ub_problem *p, int i);
void ub_problem_hidden(struct ub_problem *p, int i, const double *theta, double *out);

/* Outputs on the training inputs: samples x positions x outputs. */
void ub_problem_outputs(struct ub_problem *p, const double *theta, double *out);
/* The model's width, 0 where it has none. */
int64_t ub_problem_width(const struct ub_problem *p);

/* The programs (graph.h) that a gradient, a product with the Hessian by one vector, by a block of
 * as many as there are programs for, and a third derivative along one direction or two run, for
 * what they do and hold: compiled when first asked for, owned by the problem.
 *
 * What a problem holds in all: each program's own_bytes; once what the greatest of them has at work
 * (shared_bytes, and thread_bytes a thread), for they never run at once; and its samples once, in
 * float, beside the data set's own. In double precision programs read the data set. */
struct ub_program *ub_problem_gradient_program(struct ub_problem *p);
struct ub_program *ub_problem_hvp_program(struct ub_problem *p);
struct ub_program *ub_problem_block_program(struct ub_problem *p);
struct ub_program *ub_problem_third_program(struct ub_problem *p, bool same);

/* For a caller who reads the inputs of the problem's data set no more: in float they are rounded
 * where they are, which halves them, and kept by the problem; data->train.inputs and
 * data->test.inputs are NULL from then on. Does nothing in double precision, and where the init
 * starts from the data. */
void ub_problem_take_inputs(struct ub_problem *p, struct ub_dataset *data);

/* Bytes that training and measuring will hold at once, about, before any of it is allocated:
 * programs of loss, gradient and Hessian-vector products, and `vectors` vectors of parameters. */
int64_t ub_problem_bytes(const struct ub_problem *p, int64_t vectors);
/* Of programs that are not among those: other products, and those with the Jacobian and its
 * transpose. */
int64_t ub_problem_product_bytes(const struct ub_problem *p, enum ub_curvature kind);
int64_t ub_problem_jacobian_bytes(const struct ub_problem *p);

/* A problem over `batch` of another's training samples: everything that problems compute, for a
 * mini-batch (at first the first samples). `whole` must outlive it; frozen parameters are shared,
 * and there is no test split. Fails for batches that are empty, larger than the training set, or no
 * multiple of the samples that a batch norm takes together. */
struct ub_problem *ub_problem_batch_new(const struct ub_problem *whole, int64_t batch,
                                        struct ub_error *err);
/* The same over the test split, whose samples are copied: what problems compute of their training
 * set, for it. Fails where there is none. */
struct ub_problem *ub_problem_test_new(const struct ub_problem *whole, struct ub_error *err);
/* Takes other samples: `batch` places in the whole's training set, repeats allowed. */
void ub_problem_take(struct ub_problem *batch, const int64_t *samples);
/* Takes fresh samples, of a whole whose data draw them (struct ub_dataset). */
void ub_problem_take_fresh(struct ub_problem *batch, struct ub_random *inputs,
                           struct ub_random *noise);

/* A problem over `count` inputs of one's own (count x features): what the whole's model makes of
 * them. Targets are zeros. It owns its frozen parameters and its start, at first copies of the
 * whole's, so that drawing others with ub_problem_init leaves the whole as it is. */
struct ub_problem *ub_problem_on_inputs(const struct ub_problem *whole, int64_t count,
                                        const double *inputs, struct ub_error *err);

/* The tables above by name, with the options that all entries take. */
extern const struct ub_registry ub_model_registry, ub_loss_registry, ub_init_registry,
    ub_optimizer_registry;
/* By its name, that of datasets too: "dataset", "model", "loss", "init", "optimizer"; else NULL. */
const struct ub_registry *ub_system_registry(const char *what);
/* What people call the entry of that registry: "MLP", "Adam"; `name` where it says nothing else, or
 * there is no such entry. */
const char *ub_system_title(const char *what, const char *name);

#endif
