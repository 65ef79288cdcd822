/* problem.h - inside of struct ub_problem; private to this library.
 *
 * Every quantity a problem gives (loss, gradient, Hessian-vector products, activations) is a
 * program of its own, compiled when first asked for. problem_express.c builds the
 * expressions, problem_compile.c the programs, problem_eval.c runs them; products with vectors have
 * both in problem_products.c; problem_batch.c is about mini-batches; problem_hold.c has what
 * programs share: samples, and memory to work in. */
#ifndef UB_PROBLEM_H
#define UB_PROBLEM_H

#include "systems/builder.h"
#include "systems/systems.h"

/* Block sizes of products, each with a program; any count is a sum of them. */
enum { UB_BLOCKS = 4 };
extern const int64_t ub_block_sizes[UB_BLOCKS]; /* descending, last is 1 */

/* Kinds of products: those of enum ub_curvature, then J v and J'u. */
enum { UB_JACOBIAN = UB_CURVATURES, UB_JACOBIAN_TRANSPOSE, UB_PRODUCTS };
struct ub_products {
    struct ub_program *program[UB_BLOCKS];
    bool fresh[UB_BLOCKS]; /* this block's program holds the linearisation at theta */
    int64_t count;         /* vectors so far */
};

/* What its programs share: problem_hold.c. */
struct ub_hold;

struct ub_problem {
    const struct ub_dataset *data;
    const struct ub_model *model;
    const struct ub_loss *loss;
    const struct ub_init *init;
    struct ub_call *model_call, *loss_call, *init_call;
    enum ub_precision precision;
    bool dry;             /* programs are planned only, for their size */
    struct ub_team *team; /* NULL: one thread; a mini-batch's is the whole's */
    struct ub_hold *hold;

    struct ub_layout layout, frozen;
    /* Drawn by ub_problem_init: the frozen parameters, and then, if the outputs are centered, the
     * start. */
    double *frozen_values;
    double *given; /* weights from outside, trained ones first; NULL: none yet */
    int n_hidden;
    char (*hidden_names)[64];
    int64_t *hidden_widths;
    int64_t width;                 /* of the model; 0 where it has none */
    struct ub_sample_sizes sample; /* of the model; a block of tangents multiplies the widest */

    struct ub_program *evaluate[2]; /* training and test split: loss and outputs */
    struct ub_program *gradient;
    struct ub_program *third[2]; /* along two directions; twice along one */
    struct ub_program **hidden;  /* one a hidden layer */
    double *outputs[2];          /* of the last evaluation: samples x outputs */

    double *theta; /* where linearised; NULL before */
    struct ub_products product[UB_PRODUCTS];
    bool third_fresh[2];

    int64_t gradients;

    /* A mini-batch's problem: whose samples, and those it holds now. Frozen values are the whole's.
     */
    const struct ub_problem *whole;
    struct ub_dataset *batch_data;
};

/* Result slots of the evaluation programs. */
enum { UB_EVALUATE_LOSS, UB_EVALUATE_OUTPUTS };
/* Result slots of the gradient program. */
enum { UB_GRADIENT_LOSS, UB_GRADIENT_VECTOR };
/* Vector slots. */
enum { UB_AT_THETA, UB_AT_FROZEN, UB_AT_TANGENT, UB_AT_SECOND_TANGENT };

/* Slots of samples. */
enum { UB_AT_INPUTS, UB_AT_TARGETS };

/* Whether outputs are less those at the start, and numbers in frozen_values. */
bool ub_problem_centered(const struct ub_problem *p);
int64_t ub_problem_kept(const struct ub_problem *p);

/* Builds the model once to learn its layout and widths. */
void ub_problem_measure_model(struct ub_problem *p);

/* Memory to work in that a problem's programs have in common, since they never run at once, and its
 * samples in their precision: float ones are rounded when first wanted, double ones are the data
 * set's. `bind` has a program read the split's; `renew`: the training set has other samples. */
struct ub_hold *ub_hold_new(void);
void ub_hold_free(struct ub_hold *h);
void ub_hold_work_with(struct ub_hold *h, const struct ub_hold *whole);
struct ub_workspace *ub_hold_workspace(const struct ub_hold *h);
void ub_hold_bind(const struct ub_problem *p, bool test, struct ub_program *program);
void ub_hold_renew(const struct ub_problem *p);
/* Inputs of `count` samples from `first` on, rounded if the data set has them no more. */
void ub_hold_inputs(const struct ub_problem *p, bool test, int64_t first, int64_t count,
                    double *out);
int64_t ub_hold_sample_bytes(const struct ub_problem *p); /* of both splits, where rounded */

/* Bytes of the programs, planned but not allocated. */
int64_t ub_problem_program_bytes(const struct ub_problem *p);

/* Compiled on first use. `block` indexes ub_block_sizes. */
struct ub_program *ub_problem_evaluate_program(struct ub_problem *p, bool test);
/* The largest block in use: a chunk's widest value times the block stays within 8 Mi numbers. (Only
 * samples that are normalized together make so many: nothing is gained there. Norms over all keep a
 * place for every sample, so that all count.) */
int ub_problem_first_block(const struct ub_problem *p);
struct ub_program *ub_problem_make_product(const struct ub_problem *p, int kind, int block);
struct ub_program *ub_problem_hidden_program(struct ub_problem *p, int layer);

/* Linearisations are of another point, or of other samples. */
void ub_problem_forget(struct ub_problem *p);
void ub_problem_free_batch_data(struct ub_dataset *data);

#endif
