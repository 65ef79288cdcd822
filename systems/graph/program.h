/* program.h - what the compiler makes of a graph and the executor runs. */
#ifndef UB_PROGRAM_H
#define UB_PROGRAM_H

#include "systems/graph/kernels.h"

#define UB_SLOTS 8    /* sample arrays */
#define UB_ALIGN 16   /* elements: every value starts on a cache line in float and double */
#define UB_BLOCK 1024 /* elements of a fused block: its registers stay in L1 */
/* From one register to the next: a few cache lines more than a block, or registers would all fall
 * into the same sets of the cache. */
#define UB_REGISTER_STRIDE (UB_BLOCK + 80)

/* Where a value lives. Offsets are in elements; the executor knows each space's base for a chunk.
 */
enum ub_space {
    UB_SPACE_NOWHERE = -1, /* an input that nothing reads */
    UB_SPACE_ONCE,         /* computed once a call, shared by all threads */
    UB_SPACE_KEPT,         /* one block a chunk, kept between stages, or where threads meet */
    UB_SPACE_ARENA,        /* one a thread, overwritten chunk after chunk */
    UB_SPACE_LANE,         /* totals of the lane at work */
    UB_SPACE_WEIGHTS,      /* 1 for a sample, 0 for padding */
    UB_SPACE_SAMPLES,      /* + slot */
    UB_SPACES = UB_SPACE_SAMPLES + UB_SLOTS
};
struct ub_ref {
    int space;
    int64_t offset;
};

/* On what a node depends; segments.c. */
struct ub_part {
    bool chunk;  /* on samples: there is one a chunk */
    bool late;   /* on late inputs */
    bool summed; /* on totals over all samples */
    int phase;   /* totals one after the other on the way to it, of its stage */
};

enum ub_step_kind {
    UB_STEP_BLOCK, /* a fused chain of pointwise operators */
    UB_STEP_GEMM,
    UB_STEP_MOVE, /* transpose, slice, pad, concat, broadcast */
    UB_STEP_FILL,
    UB_STEP_SUM,
    UB_STEP_MAX,
    UB_STEP_IOTA,
    UB_STEP_CUMSUM,
    UB_STEP_GATHER,
    UB_STEP_SCATTER,
    UB_STEP_WINDOWS,
    UB_STEP_WINDOWS_ADD,
    UB_STEP_CONV,
    UB_STEP_TOTAL, /* lane += value */
    UB_STEP_JOIN,  /* value = sum of lanes */
    UB_STEP_EACH   /* result rows = value, as double */
};

/* lda, ldb, ldc: from a row of an operand, as it is stored, to the next. Members of the batch lie
 * along `rank` axes, with strides of their own in each operand. */
enum { UB_BATCH_RANK = UB_RANK - 2 };
struct ub_gemm {
    bool ta, tb;
    int rank;
    int64_t batch, m, n, k, lda, ldb, ldc;
    int64_t dim[UB_BATCH_RANK], stride_a[UB_BATCH_RANK], stride_b[UB_BATCH_RANK],
        stride_c[UB_BATCH_RANK];
    ub_multiply_kernel *multiply;   /* one of the batch: ub_choose_multiply */
    struct ub_split_product *split; /* what multiplies in its place, or NULL */
};
struct ub_move {
    int rank;
    int64_t dim[UB_RANK], out_stride[UB_RANK], in_stride[UB_RANK];
};
struct ub_reduce {
    int64_t a, r, b;
};

struct ub_index {
    int64_t n, d, rows;
};
/* A convolution of `batch` members; strides of 0 share an operand. in[0], in[1] and out are the
 * operands in the order of the operator. */
struct ub_convolution {
    enum ub_op op;
    struct ub_images images;
    int64_t batch, stride_a, stride_b, stride_c;
    bool direct;               /* by ourselves: choose.c */
    struct ub_dnnl_conv *dnnl; /* neither: windows and GEMMs */
};

/* Fused blocks (pointwise operators, and sums of what they make): operands are registers (one block
 * long), memory, or memory read with strides. */
enum ub_operand_kind { UB_REGISTER, UB_MEMORY, UB_STRIDED };
/* Short: the code of an unrolled recurrent network is read anew for every chunk, and would drive
 * the chunk's values out of the cache. */
struct ub_operand {
    enum ub_operand_kind kind;
    int reg;           /* REGISTER; STRIDED: where runs are gathered */
    bool held;         /* STRIDED: the same in every block, gathered in the first */
    bool shared;       /* STRIDED: read by later instructions, too, from its register */
    int walk;          /* STRIDED: which of the block's */
    struct ub_ref ref; /* MEMORY, STRIDED */
};
struct ub_instruction {
    enum ub_op op;            /* of two in one pass, the second */
    ub_pointwise_kernel *run; /* but of sums */
    int n_in;
    struct ub_operand in[3], out; /* out: REGISTER or MEMORY */
    struct ub_reduce sum;         /* SUM: sizes of its whole input */
};
struct ub_constant {
    int reg;
    double value;
};
struct ub_block {
    int64_t n;
    int n_code, n_constants, n_registers, n_walks;
    struct ub_instruction *code;
    struct ub_constant *constants;
    struct ub_move *walks; /* dim and in_stride, merged */
};

struct ub_step {
    enum ub_step_kind kind;
    bool to_lane; /* GEMM: out is a lane total, added to after the lane's first chunk */
    struct ub_ref out, in[2];
    int64_t n;    /* elements: FILL, IOTA, TOTAL, JOIN; EACH: a sample */
    bool reverse; /* CUMSUM */
    double value; /* FILL */
    int output;   /* EACH: which output */
    union {
        struct ub_gemm gemm;
        struct ub_move move;
        struct ub_reduce reduce; /* SUM, MAX, CUMSUM */
        struct ub_index index;
        struct ub_images images;
        struct ub_convolution conv;
        struct ub_block block;
    };
};

struct ub_steps {
    struct ub_step *step;
    int count, capacity;
};
/* Steps that run together, once a call or chunk by chunk. */
struct ub_segment {
    bool chunk, late;
    int region; /* segments of one region of chunks are run one after the other for each chunk */
    int first_part; /* its first step's place among all, where the program is watched */
    struct ub_steps steps;
};

/* Per-thread state, on cache lines of its own: it changes with every chunk. */
struct ub_lane_context {
    _Alignas(64) void *base[UB_SPACES];
    void *registers;
    void *scratch; /* what a convolution works in: patches, or what oneDNN asks for */
    double *spent; /* by part, where the program is watched */
    int member;    /* of the team */
    int64_t chunk;
    bool lane_first; /* the lane's first chunk */
};

struct ub_bound_output {
    struct ub_program_output spec;
    struct ub_ref ref; /* of the value (ONCE) or of its total in a lane */
    int64_t count;     /* elements */
    int64_t members;   /* batch members, 1 unless stride is given */
    bool late, once;   /* once: depends on no samples */
};
struct ub_bound_input {
    struct ub_program_input spec;
    struct ub_ref ref;
    int64_t count, members;
};

/* Members of inputs and outputs in pieces, some of them a task: task[k]..task[k + 1]. */
struct ub_copy {
    int index; /* of the input or output */
    int64_t member, start, count;
};
struct ub_copies {
    struct ub_copy *copy;
    int count, capacity, tasks, *task;
};

/* Samples of a slot, in the program's precision: the caller's, or a copy. A last chunk that they do
 * not fill is copied, and filled up with the first ones. */
struct ub_bound_samples {
    const void *values;
    void *own, *tail;
};

struct ub_program {
    const struct ub_kernels *kernels;
    struct ub_program_facts facts;
    int64_t samples, chunk, chunks, lanes;
    struct ub_team *team;
    int threads;       /* of the team */
    bool staged, keep; /* has late inputs; keeps what they do not change */
    int n_inputs, n_outputs;
    struct ub_bound_input *inputs;
    struct ub_bound_output *outputs;
    struct ub_copies loads, stores;
    struct ub_segment *segments;
    int n_segments;
    int64_t once_size, kept_size, arena_size, lane_size, registers, scratch; /* elements */
    int64_t sample_size[UB_SLOTS];                                           /* elements a sample */
    struct ub_bound_samples bound[UB_SLOTS];
    void *weights;
    void *once, *kept, *lane; /* in the workspace, but for what stays between runs */
    struct ub_workspace *workspace;
    bool borrows;                     /* it is the caller's */
    struct ub_lane_context *contexts; /* one a thread */
};

/* ---- compiler passes, in order (compile.c drives them) ---- */

struct ub_use;
struct ub_compiler {
    const struct ub_graph *g;
    const struct ub_program_spec *spec;
    struct ub_program *p;
    ub_node n;     /* nodes considered: 0..n-1 */
    ub_node *base; /* reshapes and stops are their input under another name */
    bool *viewed;  /* a copy that is never made: read where its input lies */
    ub_node *into; /* the copy in whose array a value is written in place, or UB_NONE */
    int *input_of; /* index of a bound input, -1 */
    struct ub_part *part;
    int *segment;          /* in order of execution */
    int last_phase;        /* of the first stage */
    struct ub_use *use;    /* of all nodes' inputs, or NULL before demand: ub_use_of */
    int *first_use;        /* by node, and one more: place in `use` */
    bool *live, *stored;   /* computed; kept in memory */
    bool *remade;          /* by late readers, from what it is made of */
    ub_node *group, *next; /* fused groups: leader, and list of members in ascending order */
    ub_node *group_last;   /* by leader: its greatest member */
    ub_node *order;        /* leaders in order of execution */
    int n_groups;
    int *position;      /* by leader: place in order */
    int *last_use;      /* by node: greatest place that reads it */
    int *uses;          /* by node: how many values are made from it, outputs included */
    struct ub_ref *ref; /* by node: where its value is */
    struct ub_ref *sum; /* by total: where lanes add it up */
    ub_node *totals;    /* that are live */
    int n_totals;
};

/* How a node reads its i-th input: through a virtual broadcast, a folded transposition, or as is.
 */
struct ub_use {
    ub_node source; /* base node whose memory is read, UB_NONE for a constant */
    ub_node view;   /* the BROADCAST looked through, or UB_NONE */
    bool transposed;
    bool in_memory; /* the source must be stored */
    double value;   /* constant */
};
struct ub_use ub_use_of(const struct ub_compiler *c, ub_node x, int i);
/* Of a node, from demand on: nearer at hand than the node. */
static inline int ub_inputs_of(const struct ub_compiler *c, ub_node x)
{
    return c->first_use[x + 1] - c->first_use[x];
}

/* Where the elements of a node lie in memory: `source` is stored, strides are of `shape`'s axes. */
struct ub_view {
    ub_node source;
    int64_t offset; /* of the first */
    struct ub_shape shape;
    int64_t stride[UB_RANK];
};
/* The last two axes of a view as a product reads them: so many numbers from row to row, of the
 * matrix or of its transposition. */
struct ub_matrix {
    bool transposed;
    int64_t ld;
};
/* view.c. How a node is read, and how a product's i-th factor is; false when not by strides, which
 * never holds of what the passes let be viewed. */
bool ub_view_of(const struct ub_compiler *c, ub_node x, struct ub_view *l);
bool ub_factor_of(const struct ub_compiler *c, ub_node x, int i, struct ub_view *l);
bool ub_matrix_of(const struct ub_view *l, struct ub_matrix *matrix);
ub_node ub_source_of(const struct ub_compiler *c, ub_node x); /* the node in whose memory it lies */
/* How a stored node is written: in an array of its own, or as a part of another's. */
bool ub_place_of(const struct ub_compiler *c, ub_node x, struct ub_view *l);

void ub_compile_segments(struct ub_compiler *c); /* segments.c: parts and segments of nodes, base */
int ub_segment_of_chunks(const struct ub_compiler *c, ub_node x); /* that of x's phase and stage */
void ub_compile_wait(struct ub_compiler *c);  /* segments.c, after demand: what may be done later */
void ub_compile_views(struct ub_compiler *c); /* view.c, before demand: viewed */
void ub_compile_into(struct ub_compiler *c);  /* view.c, before placing: into */
void ub_compile_demand(struct ub_compiler *c); /* demand.c: live, stored, uses */
void ub_compile_fuse(struct ub_compiler *c);   /* fuse.c: groups and their order */
void ub_compile_remake(struct ub_compiler *c); /* remake.c: remade */
bool ub_is_remade(const struct ub_compiler *c, ub_node source, ub_node reader);
void ub_compile_place(struct ub_compiler *c); /* place.c: last uses, refs, sizes */
void ub_compile_lower(struct ub_compiler *c); /* lower.c: steps */
void ub_lower_block(struct ub_compiler *c, ub_node leader, struct ub_block *block); /* block.c */
struct ub_reduce ub_reduction_of(const struct ub_compiler *c, ub_node x); /* of a SUM or MAX */

/* workspace.c: makes room for a program's runs; what it asks of all threads, and of each
 * (elements); has the program find it before a run. */
void ub_workspace_reserve(struct ub_workspace *w, const struct ub_program *p);
int64_t ub_workspace_shared(const struct ub_program *p);
int64_t ub_workspace_thread(const struct ub_program *p);
void ub_workspace_enter(struct ub_program *p);

/* transfer.c: parameters in, results out. */
void ub_plan_transfers(struct ub_program *p); /* after all is placed */
void ub_free_transfers(struct ub_program *p);
void ub_load_inputs(struct ub_program *p, const double *const *vectors, bool first);
void ub_store_outputs(struct ub_program *p, double *const *results, bool first);

/* execute.c: sets where a thread works, and one step there. `results` is for UB_STEP_EACH. */
void ub_run_at_lane(const struct ub_program *p, struct ub_lane_context *t, int64_t lane);
void ub_run_at_chunk(const struct ub_program *p, struct ub_lane_context *t, int64_t chunk);
void ub_run_step(const struct ub_program *p, const struct ub_lane_context *t,
                 const struct ub_step *s, double *const *results);

/* choose.c: by whom products of these sizes are multiplied. It hangs on the sizes alone. */
ub_multiply_kernel *ub_choose_multiply(const struct ub_kernels *k, const struct ub_gemm *g);
/* Whether a convolution is done by the kernels' convolve: on their instruction set, too. */
bool ub_choose_direct(const struct ub_kernels *k, enum ub_op op, const struct ub_images *s);

/* split.c: a product in float as products in bfloat16, made for so many threads (0: for its size
 * alone); NULL where that does not pay. */
struct ub_split_product *ub_split_product_new(const struct ub_gemm *g, int threads);
void ub_split_product_free(struct ub_split_product *s);
int64_t
ub_split_product_scratch(const struct ub_split_product *s); /* elements that a run works in */
void ub_split_product_run(const struct ub_split_product *s, const struct ub_kernels *kernels,
                          int member, bool accumulate, const void *a, const void *b, void *c,
                          void *scratch);

/* convolve.c: a whole step's convolutions; and the scratch elements that it needs. */
void ub_convolve(const struct ub_kernels *k, const struct ub_convolution *s, int member, void *out,
                 const void *a, const void *b, void *scratch);
int64_t ub_convolve_scratch(const struct ub_kernels *k, const struct ub_convolution *s);
/* convolve_dnnl.c: oneDNN's form of it in float for so many threads, or NULL where it has none. */
struct ub_dnnl_conv *ub_dnnl_conv_new(enum ub_op op, const struct ub_images *s, int threads);
void ub_dnnl_conv_free(struct ub_dnnl_conv *conv);
int64_t ub_dnnl_conv_scratch(const struct ub_dnnl_conv *conv); /* elements that a run works in */
void ub_dnnl_conv_run(const struct ub_dnnl_conv *conv, int member, void *out, const void *a,
                      const void *b, void *scratch);

static inline int64_t ub_aligned(int64_t n)
{
    return (n + UB_ALIGN - 1) / UB_ALIGN * UB_ALIGN;
}
/* Merges axes that both sides walk through evenly; drops axes of size 1. */
void ub_move_merge(struct ub_move *m);
/* Strides with which the elements of `shape` are found in a right-aligned `from`. */
void ub_broadcast_strides(struct ub_shape shape, struct ub_shape from, int64_t *stride);
void ub_shape_strides(struct ub_shape shape, int64_t *stride);

#endif
