/* graph.h - tensor expressions, their derivatives, and programs compiled from them.
 *
 *     struct ub_graph *g = ub_graph_new();
 *     ub_node w = ub_input(g, 2, (int64_t[]){10, 64});       // parameters
 *     ub_node x = ub_input(g, 2, (int64_t[]){128, 64});      // one chunk of samples
 *     ub_node y = ub_matmul(g, x, ub_transpose(g, w, (int[]){1, 0}));       // (128, 10)
 *     ub_node loss = ub_sum_all(g, ub_mul(g, y, y));
 *     ub_node dw;
 *     ub_grad(g, loss, &w, 1, &dw);                          // reverse mode
 *     ub_node v = ub_input(g, 2, (int64_t[]){10, 64}), hv;
 *     ub_jvp(g, &dw, 1, &w, &v, 1, &hv);                     // Hessian-vector product
 *     ub_node vs = ub_input(g, 3, (int64_t[]){8, 10, 64}), hvs;
 *     ub_vmap(g, &hv, 1, &v, &vs, 1, &hvs);                  // a block of 8 of them
 *
 * A graph is a list of nodes in topological order, each an operator applied to earlier nodes, with
 * a static shape (row-major, rank 0 to UB_RANK). Nodes are hash-consed and simplified as they
 * are made, so equal expressions are one node. `ub_grad`, `ub_jvp` and `ub_vmap` read nodes and
 * append nodes: they compose to any order. Values are real numbers; float or double is chosen when
 * a program is compiled.
 *
 * Shape errors are programming errors: they abort with a message (models check what users give
 * them before they build). */
#ifndef UB_GRAPH_H
#define UB_GRAPH_H

#include "base/team.h"

#define UB_RANK 8 /* greatest rank of a tensor */

struct ub_graph;
typedef int32_t ub_node; /* index of a node in its graph */

struct ub_shape {
    int rank;
    int64_t dim[UB_RANK];
};

struct ub_graph *ub_graph_new(void);
void ub_graph_free(struct ub_graph *g);
struct ub_shape ub_shape_of(const struct ub_graph *g, ub_node x);
int64_t ub_count(struct ub_shape s); /* number of elements */

/* ---- leaves ---- */
ub_node ub_input(struct ub_graph *g, int rank, const int64_t *dim);
ub_node ub_fill(struct ub_graph *g, double value, int rank, const int64_t *dim); /* constant */
ub_node ub_scalar(struct ub_graph *g, double value);                             /* rank 0 */
ub_node ub_like(struct ub_graph *g, double value, ub_node shape_of);             /* ub_fill */
ub_node ub_iota(struct ub_graph *g, int64_t n); /* constant 0, 1, ..., n - 1: (n) */

/* ---- pointwise; the binary ones broadcast as NumPy does ---- */
ub_node ub_neg(struct ub_graph *g, ub_node x);
ub_node ub_exp(struct ub_graph *g, ub_node x);
ub_node ub_log(struct ub_graph *g, ub_node x);
ub_node ub_sqrt(struct ub_graph *g, ub_node x);
ub_node ub_recip(struct ub_graph *g, ub_node x); /* 1/x */
ub_node ub_tanh(struct ub_graph *g, ub_node x);
ub_node ub_sigmoid(struct ub_graph *g, ub_node x);  /* 1/(1+exp(-x)) */
ub_node ub_softplus(struct ub_graph *g, ub_node x); /* log(1+exp(x)), stable */
ub_node ub_sin(struct ub_graph *g, ub_node x);
ub_node ub_cos(struct ub_graph *g, ub_node x);
ub_node ub_erf(struct ub_graph *g, ub_node x);
ub_node ub_abs(struct ub_graph *g, ub_node x);
ub_node ub_sign(struct ub_graph *g, ub_node x); /* -1, 0, 1; derivative 0 */
ub_node ub_stop(struct ub_graph *g, ub_node x); /* x, with derivative 0 */
/* y, whose derivative reverse mode takes to be `slope` times that of x, all of one shape: for who
 * knows that what is left out is zero in the end. Squares of deviations d = x - mean, with slope 2
 * d: by way of the mean their sum does not change. The slope is differentiated as any value. */
ub_node ub_with_slope(struct ub_graph *g, ub_node y, ub_node x, ub_node slope);
/* y = f(x) with slope f'(x), element by element, in either mode: the derivative is one product with
 * one value that needs x alone, where rules would give a sum of several for all that f is made of.
 */
ub_node ub_with_derivative(struct ub_graph *g, ub_node y, ub_node x, ub_node slope);
ub_node ub_add(struct ub_graph *g, ub_node x, ub_node y);
ub_node ub_sub(struct ub_graph *g, ub_node x, ub_node y);
ub_node ub_mul(struct ub_graph *g, ub_node x, ub_node y);
ub_node ub_div(struct ub_graph *g, ub_node x, ub_node y);
ub_node ub_max(struct ub_graph *g, ub_node x, ub_node y);     /* derivative to x where x > y */
ub_node ub_greater(struct ub_graph *g, ub_node x, ub_node y); /* 1 where x > y, else 0 */
ub_node ub_equal(struct ub_graph *g, ub_node x, ub_node y);   /* 1 where x = y, else 0 */
ub_node ub_select(struct ub_graph *g, ub_node c, ub_node x, ub_node y); /* c != 0 ? x : y */
ub_node ub_scale(struct ub_graph *g, ub_node x, double factor);
ub_node ub_relu(struct ub_graph *g, ub_node x); /* max(x, 0); derivative 0 at 0 */

/* ---- shape ---- */
ub_node ub_reshape(struct ub_graph *g, ub_node x, int rank, const int64_t *dim);
ub_node ub_transpose(struct ub_graph *g, ub_node x,
                     const int *order); /* out.dim[i] = x.dim[order[i]] */
/* NumPy broadcasting: x's axes are aligned to the right; sizes 1 stretch. */
ub_node ub_broadcast(struct ub_graph *g, ub_node x, int rank, const int64_t *dim);
ub_node ub_slice(struct ub_graph *g, ub_node x, int axis, int64_t start, int64_t length);
ub_node ub_pad(struct ub_graph *g, ub_node x, int axis, int64_t before, int64_t after); /* zeros */
ub_node ub_concat(struct ub_graph *g, const ub_node *xs, int n, int axis);

/* ---- reductions: the axes in the bit mask are summed and dropped ---- */
ub_node ub_sum(struct ub_graph *g, ub_node x, unsigned axes);
ub_node ub_sum_all(struct ub_graph *g, ub_node x);
/* In a program that streams over samples: the sum over all chunks of what x is in each, for norms
 * over all samples. Every chunk sees the same total; threads meet there. */
ub_node ub_total(struct ub_graph *g, ub_node x);
ub_node ub_reduce_max(struct ub_graph *g, ub_node x, unsigned axes); /* ties share the gradient */
#define UB_AXIS(i) (1u << (i))

/* ---- products ---- */
/* x (..., m, k) times y (..., k, n) = (..., m, n). Leading (batch) axes broadcast as NumPy's;
 * rank 2 on either side means: shared by the whole batch. */
ub_node ub_matmul(struct ub_graph *g, ub_node x, ub_node y);

/* Running sums along an axis, the element itself included; from the end when reverse. */
ub_node ub_cumsum(struct ub_graph *g, ub_node x, int axis, bool reverse);

/* ---- indexing: indices are whole numbers held as reals; what is out of range reads the nearest
 * row (data are checked where they are loaded). Nothing is differentiated in the index. ---- */
/* table (v, d), index (...) -> (..., d): row index[...] of the table. */
ub_node ub_gather(struct ub_graph *g, ub_node table, ub_node index);
/* x (..., d), index (...) -> (rows, d): row r is the sum of the x whose index is r. */
ub_node ub_scatter_add(struct ub_graph *g, ub_node x, ub_node index, int64_t rows);

/* ---- images: (n, height, width, channels) ---- */
/* A window slides over both axes with one stride, over `pad` zeros on every side. Sizes out are
 * (height + 2 pad - window height) / stride + 1, rounded down; the width alike. */
struct ub_patch {
    int64_t height, width, stride, pad;
    int64_t groups; /* convolutions: channels fall into so many separate ones; 0 = 1 */
};
int64_t ub_window_steps(struct ub_patch w, int64_t size, bool vertical); /* sizes out */
/* x (..., h, w, c) -> (..., out h, out w, window height, window width, c) */
ub_node ub_windows(struct ub_graph *g, ub_node x, struct ub_patch window);
/* Cross-correlation, as all of deep learning calls convolution: x (n, h, w, c) with weights
 * (o, window height, window width, c / groups) -> (n, out h, out w, o). Either side may have one
 * more leading axis, a batch of members with which the other side is shared or lined up. */
ub_node ub_conv(struct ub_graph *g, ub_node x, ub_node weight, struct ub_patch window);
/* Over square windows: the mean counts padding as zeros; the maximum takes no padding. */
ub_node ub_mean_pool(struct ub_graph *g, ub_node x, int64_t size, int64_t stride, int64_t pad);
ub_node ub_max_pool(struct ub_graph *g, ub_node x, int64_t size, int64_t stride);

/* ---- compositions ---- */
ub_node ub_softmax(struct ub_graph *g, ub_node x); /* over the last axis; stable */
/* The same over those places where the mask (broadcast to x) is not 0; exactly 0 at the others. */
ub_node ub_masked_softmax(struct ub_graph *g, ub_node x, ub_node mask);
/* 1 where column <= row, else 0: (rows, columns), for causal attention. */
ub_node ub_causal_mask(struct ub_graph *g, int64_t rows, int64_t columns);
/* (..., n): 1 where the last axis' place equals x's whole number, else 0. */
ub_node ub_one_hot(struct ub_graph *g, ub_node x, int64_t n);
ub_node ub_log_sum_exp(struct ub_graph *g, ub_node x); /* over the last axis, dropped; stable */
/* x Phi(x), exact (Hendrycks and Gimpel 2016, 1606.08415) */
ub_node ub_gelu(struct ub_graph *g, ub_node x);
ub_node ub_silu(struct ub_graph *g, ub_node x); /* x sigmoid(x) (Elfwing et al. 2017, 1702.03118) */

/* ---- transforms ---- */
/* out[i] = d loss / d wrt[i], for a loss of one element. */
void ub_grad(struct ub_graph *g, ub_node loss, const ub_node *wrt, int n, ub_node *out);
/* out[j] = sum_i (d ys[i] / d wrt[j])' cotangents[i]: vector-Jacobian product. */
void ub_vjp(struct ub_graph *g, const ub_node *ys, const ub_node *cotangents, int n_ys,
            const ub_node *wrt, int n_wrt, ub_node *out);
/* out[i] = sum_j d ys[i] / d xs[j] tangents[j]: Jacobian-vector product. */
void ub_jvp(struct ub_graph *g, const ub_node *ys, int n_ys, const ub_node *xs,
            const ub_node *tangents, int n_xs, ub_node *out);
/* The same for programs whose tangents are late inputs: in the one of two ways of which less is
 * kept for later calls. */
void ub_linearize(struct ub_graph *g, const ub_node *ys, int n_ys, const ub_node *xs,
                  const ub_node *tangents, int n_xs, ub_node *out);
/* out[i] (b, ...) = ys[i] with each input xs[j] (...) replaced in turn by the b slices of
 * batched[j] (b, ...). What does not depend on the xs is computed once. */
void ub_vmap(struct ub_graph *g, const ub_node *ys, int n_ys, const ub_node *xs,
             const ub_node *batched, int n_xs, ub_node *out);

/* ---- programs --------------------------------------------------------------------------- */

/* A program evaluates some nodes (outputs) from values of input nodes, streaming over samples.
 * Inputs come from vectors that the caller passes at each call:
 *
 *   UB_SHARED   values at vectors[slot] + offset: parameters. With `stride` != 0 the input's
 *               leading axis is a batch (block of tangents) whose i-th member is at
 *               vectors[slot] + offset + i * stride.
 *   UB_SAMPLES  the leading axis is the chunk; the program is run chunk after chunk over `samples`
 *               samples. Values are bound once with ub_program_samples.
 *   UB_WEIGHTS  a chunk-long vector that the program fills: 1 for a real sample, 0 for the
 *               padding of the last chunk (which repeats real samples). Multiply per-sample
 *               terms by it.
 *
 * Outputs are summed over chunks in a fixed order, whatever the number of threads (UB_TOTAL), or
 * laid out sample after sample (UB_EACH: leading axis is the chunk). An output that does not
 * depend on samples is computed once. `late` inputs make the program two-staged: ub_program_run
 * with `first` evaluates and keeps all that does not depend on late inputs; later calls may then
 * pass first = false to evaluate only what does (linearise once, apply many times). */

enum ub_input_kind { UB_SHARED, UB_SAMPLES, UB_WEIGHTS };
enum ub_output_kind { UB_TOTAL, UB_EACH };

struct ub_program_input {
    ub_node node;
    enum ub_input_kind kind;
    int slot;       /* UB_SHARED: index into `vectors`; UB_SAMPLES: index of sample array */
    int64_t offset; /* UB_SHARED: first element within the vector */
    int64_t stride; /* UB_SHARED: elements between batch members, 0 = not batched */
    bool late;      /* not of UB_WEIGHTS */
};

struct ub_program_output {
    ub_node node;
    enum ub_output_kind kind;
    int slot;       /* index into `results` */
    int64_t offset; /* UB_TOTAL: first element within the result */
    int64_t stride; /* UB_TOTAL: as above, for a leading batch axis */
};

/* A run of a program is this many tasks at most, fixed so that results do not depend on threads:
 * sums over every UB_LANES-th chunk. A larger team has members without work. */
enum { UB_LANES = 8 };

struct ub_program_spec {
    const struct ub_program_input *inputs;
    int n_inputs;
    const struct ub_program_output *outputs;
    int n_outputs;
    int64_t samples;      /* how many there are in all */
    int64_t chunk;        /* samples in a chunk: the leading axis of UB_SAMPLES inputs */
    bool single;          /* compute in float (true) or double */
    bool split;           /* in float, but large products in parts of bfloat16 (split.c) */
    struct ub_team *team; /* who shares out the chunks, borrowed; NULL = the caller alone */
    /* Where it works, borrowed; NULL = one of its own. Programs that never run at the same time may
     * have one in common. */
    struct ub_workspace *workspace;
    bool dry;            /* plan only, for the facts: nothing large is allocated, no run */
    uint64_t keep_limit; /* bytes that may be kept between stages; beyond it the first stage is
                            recomputed at each call. 0 = 4 GiB */
};

/* Memory that runs leave nothing in that is wanted later: what threads have at work, and sums over
 * samples. As large as the greatest of its programs asks; it must outlive them. */
struct ub_workspace;
struct ub_workspace *ub_workspace_new(void);
void ub_workspace_free(struct ub_workspace *w);

struct ub_program;
struct ub_program *ub_program_compile(const struct ub_graph *g, const struct ub_program_spec *spec);
void ub_program_free(struct ub_program *p);

/* Copies `count` numbers a sample from `values` (samples x count, row-major). */
void ub_program_samples(struct ub_program *p, int slot, const double *values);
/* The same without a copy: `values` are in the program's precision, float or double, are only read,
 * and must stay as they are until others are bound. Programs may share them. */
void ub_program_share(struct ub_program *p, int slot, const void *values);

/* Vectors and results are double whatever the precision. Results are overwritten: UB_TOTAL slots
 * must have room for all outputs bound to them; an UB_EACH slot is samples x elements. */
void ub_program_run(struct ub_program *p, const double *const *vectors, double *const *results,
                    bool first);

/* Facts for tests, benchmarks and the memory estimate. */
struct ub_program_facts {
    int64_t steps_once, steps_chunk, fused_blocks, matmuls;
    int64_t arena_bytes, kept_bytes;    /* per thread; in all */
    int64_t own_bytes;                  /* that stay with it between runs, samples apart */
    int64_t sample_bytes;               /* of those that are not late: a copy, or the caller's */
    int64_t shared_bytes, thread_bytes; /* of a workspace: in all, and for each thread */
    int64_t bytes;                      /* of all these */
};
struct ub_program_facts ub_program_facts(const struct ub_program *p);

/* Adds by whom products are multiplied, by their sizes: for provenance. */
void ub_product_rule(struct ub_text *text);
/* Whether this CPU splits products; else an error that says what it lacks. And by what it does. */
bool ub_split_available(struct ub_error *err);
void ub_split_rule(struct ub_text *text);

/* What a program does in a run, step by step: counts for rooflines (work.c). A product is C (m, n)
 * = A (m, k) B (k, n), `batch` times; the sizes of a convolution are those of its product with
 * patches. Arithmetic is all else that computes: bytes are of the arrays that a call reads and
 * writes, each counted once (what a fused block makes and reads again stays in its cache). Copies
 * compute nothing: what moves or fills. */
enum ub_part_kind {
    UB_PART_PRODUCT,
    UB_PART_CONVOLUTION,
    UB_PART_ARITHMETIC,
    UB_PART_COPY,
    UB_PART_KINDS
};
struct ub_program_part {
    enum ub_part_kind kind;
    bool ta, tb;            /* products: read transposed */
    bool split;             /* made of products in bfloat16 */
    int64_t batch, m, n, k; /* products and convolutions */
    bool late, shared;      /* run at every call; run once a call, by one thread */
    double calls;           /* in a run: one a chunk, or one */
    double flops, bytes;    /* of a call */
};
int ub_program_parts(const struct ub_program *p);
struct ub_program_part ub_program_part(const struct ub_program *p, int i);
/* Runs a part so many times on each thread of the team at once (a shared one on the caller alone),
 * on what the program holds, which is then of no use until the next run with `first`. For timing,
 * after a run. Parts that write outputs by sample do nothing. */
void ub_program_repeat(struct ub_program *p, int i, int64_t times);
/* From now on runs add up what each of their parts takes where it stands, among all others, and not
 * alone and warm; reading the clock between parts is in it. `spent`: a part's seconds since then,
 * of all threads together. */
void ub_program_watch(struct ub_program *p);
double ub_program_spent(const struct ub_program *p, int i);
/* Bytes outside of the program's own arrays and chunks that a run must read or write once: samples,
 * parameters (late ones alone unless `first`) and results. */
double ub_program_streamed(const struct ub_program *p, bool first);

/* What a sample asks for in a program that streams over samples. */
struct ub_sample_sizes {
    int64_t widest; /* numbers in the largest value kept in memory */
    int64_t rows;   /* in the longest product with shared weights */
    bool thin;      /* much of the work is in short products, as in recurrent networks */
    bool images;    /* much of it is in convolutions */
};

/* Of what `y` needs and depends on x (1, ...). */
struct ub_sample_sizes ub_graph_sizes(const struct ub_graph *g, ub_node y, ub_node x);

/* A chunk size such that a chunk's widest activations stay in L2 if that leaves GEMMs long enough,
 * that chunks divide `samples` nearly evenly, and that every lane has one. `totals`: numbers in the
 * largest total (a weight's gradient) that every chunk is added to. */
int64_t ub_chunk_size(int64_t samples, struct ub_sample_sizes sample, int64_t totals);

#endif
