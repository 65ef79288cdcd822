/* internal.h - nodes and the operator table, shared by the files of this folder. */
#ifndef UB_GRAPH_INTERNAL_H
#define UB_GRAPH_INTERNAL_H

#include "systems/graph/graph.h"

enum ub_op {
    /* leaves */
    UB_OP_INPUT,
    UB_OP_FILL,
    UB_OP_IOTA,
    /* pointwise: all inputs have the node's shape */
    UB_OP_NEG,
    UB_OP_EXP,
    UB_OP_LOG,
    UB_OP_SQRT,
    UB_OP_RECIP,
    UB_OP_TANH,
    UB_OP_SIGMOID,
    UB_OP_SOFTPLUS,
    UB_OP_SIN,
    UB_OP_COS,
    UB_OP_ERF,
    UB_OP_ABS,
    UB_OP_SIGN,
    UB_OP_ADD,
    UB_OP_SUB,
    UB_OP_MUL,
    UB_OP_DIV,
    UB_OP_MAX,
    UB_OP_GREATER,
    UB_OP_EQUAL,
    UB_OP_SELECT,
    /* the rest */
    UB_OP_STOP,
    UB_OP_WITH_SLOPE, /* in[0], whose derivatives are in[2] times those of in[1] */
    UB_OP_SOFTMAX,    /* in[0], which is the softmax of in[1] over the last axis */
    UB_OP_RESHAPE,
    UB_OP_TRANSPOSE,
    UB_OP_BROADCAST,
    UB_OP_SLICE,
    UB_OP_PAD,
    UB_OP_CONCAT,
    UB_OP_SUM,
    UB_OP_TOTAL, /* over all chunks */
    UB_OP_REDUCE_MAX,
    UB_OP_MATMUL,
    UB_OP_CUMSUM,
    UB_OP_GATHER,
    UB_OP_SCATTER,
    UB_OP_WINDOWS,     /* patches of an image ... */
    UB_OP_WINDOWS_ADD, /* ... and its adjoint */
    UB_OP_CONV,        /* the convolution triple */
    UB_OP_CONV_INPUT,
    UB_OP_CONV_WEIGHT,
    UB_OPS
};

#define UB_NONE (-1) /* no node: a derivative that is zero */

/* What an operator is told besides its inputs. Zeroed where unused: compared byte by byte. */
struct ub_attributes {
    double value;           /* FILL */
    int64_t before;         /* SLICE: start; PAD: zeros before; windows: the image's height */
    int64_t after;          /* PAD: zeros after; windows: the image's width */
    int axis;               /* SLICE, PAD, CONCAT, IOTA, CUMSUM */
    unsigned axes;          /* SUM, REDUCE_MAX: bit mask of one contiguous group of axes */
    int order[UB_RANK];     /* TRANSPOSE */
    int64_t reverse;        /* CUMSUM: from the end; WITH_SLOPE: in reverse mode only */
    struct ub_patch window; /* WINDOWS, WINDOWS_ADD, CONV* */
    int64_t serial;         /* INPUT: makes each one distinct */
};

struct ub_vertex {
    enum ub_op op;
    int n_in;
    const ub_node *in; /* of the graph, as are attributes: those that are all zero in common */
    struct ub_shape shape;
    const struct ub_attributes *attributes;
};

/* Of a hash table of nodes: the node's hash is by it, as nodes are far apart in memory. */
struct ub_slot {
    ub_node node; /* UB_NONE: free */
    uint32_t hash;
};

enum { UB_PAGE = 512 };
struct ub_graph {
    struct ub_vertex **pages; /* of UB_PAGE vertices: they stay where they are */
    int32_t count, n_pages;
    char **pools; /* of inputs and attributes, the last one filled up to `used` */
    int32_t n_pools;
    size_t used, room;
    struct ub_slot *table; /* open addressing */
    int32_t table_size;
    int64_t inputs;
};

/* One operator. Rules emit nodes, so a derivative never needs a kernel of its own. */
struct ub_operator_row {
    const char *name;
    bool pointwise, commutes;
    /* Pointwise: d node / d input i as a multiplier, UB_NONE for zero. */
    ub_node (*partial)(struct ub_graph *g, ub_node node, int i);
    /* Others (and SELECT): cotangent of each input into out (UB_NONE = zero); NULL = all zero. */
    void (*vjp)(struct ub_graph *g, ub_node node, ub_node cotangent, ub_node *out);
    /* Tangent of the node from its inputs' (UB_NONE = zero; at least one is not). */
    ub_node (*jvp)(struct ub_graph *g, ub_node node, const ub_node *tangents);
    /* The node with a leading batch axis of b, given inputs of which some carry that axis. */
    ub_node (*vmap)(struct ub_graph *g, ub_node node, const ub_node *in, const bool *batched,
                    int64_t b);
};
const struct ub_operator_row *ub_operator_row(enum ub_op op);

/* Inline readers. A pointer from ub_vertex is valid as long as the graph. */
static inline const struct ub_vertex *ub_vertex(const struct ub_graph *g, ub_node x)
{
    return &g->pages[(uint32_t)x / UB_PAGE][(uint32_t)x % UB_PAGE];
}
/* The same numbers in the same places as its first input's. */
static inline bool ub_is_alias(enum ub_op op)
{
    return op == UB_OP_RESHAPE || op == UB_OP_STOP || op == UB_OP_WITH_SLOPE || op == UB_OP_SOFTMAX;
}
static inline bool ub_is_fill(const struct ub_graph *g, ub_node x, double value)
{
    const struct ub_vertex *v = ub_vertex(g, x);
    return v->op == UB_OP_FILL && v->attributes->value == value;
}

/* Makes a node (simplified, or found again if it exists). */
ub_node ub_emit(struct ub_graph *g, enum ub_op op, const ub_node *in, int n_in,
                struct ub_shape shape, const struct ub_attributes *attributes);
/* The same without simplification: for simplify.c and graph.c only. */
ub_node ub_intern(struct ub_graph *g, enum ub_op op, const ub_node *in, int n_in,
                  struct ub_shape shape, const struct ub_attributes *attributes);
/* A node that equals the one asked for and is simpler, or UB_NONE. */
ub_node ub_simplify(struct ub_graph *g, enum ub_op op, const ub_node *in, int n_in,
                    struct ub_shape shape, const struct ub_attributes *attributes);
/* The same for a sum over a contiguous group of axes (simplify_sum.c). */
ub_node ub_simplify_sum(struct ub_graph *g, ub_node x, unsigned axes, struct ub_shape shape);

/* The marked nodes alone, in the same order, for reading: `image` is told which they are there. It
 * reads attributes of g, and all that a marked node is made of must be marked. */
struct ub_graph *ub_graph_pruned(const struct ub_graph *g, const bool *needed, ub_node *image);

struct ub_shape ub_shape_make(int rank, const int64_t *dim);
bool ub_same_shape(struct ub_shape a, struct ub_shape b);
struct ub_shape ub_shape_batched(struct ub_shape s, int64_t b); /* (b, s...) */
/* y, of which is known that it is x's softmax over the last axis, or 0 where masked: slope.c. */
ub_node ub_as_softmax(struct ub_graph *g, ub_node y, ub_node x);
ub_node ub_unary(struct ub_graph *g, enum ub_op op, ub_node x);
/* Value of a pointwise operator at constants: constant folding and the kernels' oracle. */
double ub_op_value(enum ub_op op, const double *x);

/* Rules, by file: rules_pointwise.c */
ub_node ub_partial_pointwise(struct ub_graph *g, ub_node node, int i);
void ub_vjp_select(struct ub_graph *g, ub_node node, ub_node ct, ub_node *out);
ub_node ub_jvp_select(struct ub_graph *g, ub_node node, const ub_node *t);
ub_node ub_vmap_pointwise(struct ub_graph *g, ub_node node, const ub_node *in, const bool *batched,
                          int64_t b);

/* slope.c */
extern const struct ub_operator_row ub_row_with_slope, ub_row_softmax;
/* rules_index.c: cumsum, gather, scatter */
extern const struct ub_operator_row ub_row_cumsum, ub_row_gather, ub_row_scatter;
/* rules_window.c: windows and convolutions */
extern const struct ub_operator_row ub_row_windows, ub_row_windows_add, ub_row_conv,
    ub_row_conv_input, ub_row_conv_weight;

/* The adjoints, emitted by rules only. Sizes as in graph.h; (height, width) is the image's. */
ub_node ub_windows_add(struct ub_graph *g, ub_node x, struct ub_patch window, int64_t height,
                       int64_t width);
ub_node ub_conv_input(struct ub_graph *g, ub_node cotangent, ub_node weight, struct ub_patch window,
                      int64_t height, int64_t width);
ub_node ub_conv_weight(struct ub_graph *g, ub_node x, ub_node cotangent, struct ub_patch window);

/* Adds two cotangents or tangents, either of which may be UB_NONE. */
ub_node ub_accumulate(struct ub_graph *g, ub_node a, ub_node b);
/* Terms of a sum, gathered and then added. Start with zeros; the sum frees them. */
struct ub_terms {
    ub_node *node;
    int count, capacity;
};
void ub_terms_add(struct ub_terms *t, ub_node x);                 /* UB_NONE adds nothing */
ub_node ub_terms_sum(struct ub_graph *g, struct ub_terms *terms); /* UB_NONE when there are none */
/* Gives x a leading axis of b (by broadcasting) unless it has one. */
ub_node ub_with_batch(struct ub_graph *g, ub_node x, bool batched, int64_t b);

#define UB_ABORT(...) ub_abort_shape(__func__, __VA_ARGS__)
_Noreturn void ub_abort_shape(const char *where, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
