/* view.c - copies that are never made. What is transposed or cut out of an array is read where it
 * lies, by products (through leading dimensions and strides of a batch) and by further copies; and
 * products and copies that an array is joined or transposed from write into their part of it.
 * Pointwise arithmetic has its operands copied: gathering them block by block took recurrent
 * networks as long. */
#include "systems/graph/program.h"

static bool is_alias(const struct ub_compiler *c, ub_node x)
{
    return c->base[x] != x;
}

static struct ub_view whole(const struct ub_compiler *c, ub_node x)
{
    struct ub_view l = {.source = x, .shape = ub_shape_of(c->g, x)};
    ub_shape_strides(l.shape, l.stride);
    return l;
}

/* Axes without those of size 1, merged where one goes on where the next ends. */
static struct ub_view merged(const struct ub_view *l)
{
    struct ub_view out = {.source = l->source, .offset = l->offset};
    int rank = 0;
    for (int i = 0; i < l->shape.rank; i++) {
        const int64_t dim = l->shape.dim[i], stride = l->stride[i];
        if (dim == 1)
            continue;
        if (rank > 0 && out.stride[rank - 1] == dim * stride)
            out.shape.dim[rank - 1] *= dim;
        else
            out.shape.dim[rank++] = dim;
        out.stride[rank - 1] = stride;
    }
    out.shape.rank = rank;
    return out;
}

/* The same elements in the same order under another shape; false where an axis of it would not
 * have one stride. */
static bool reshape(struct ub_view *l, struct ub_shape shape)
{
    struct ub_view from = merged(l);
    int axis = from.shape.rank - 1;
    int64_t left = axis >= 0 ? from.shape.dim[axis] : 1, stride = axis >= 0 ? from.stride[axis] : 1;
    for (int i = shape.rank - 1; i >= 0; i--) {
        const int64_t dim = shape.dim[i];
        if (dim > 1 && left == 1 && axis > 0) {
            axis--;
            left = from.shape.dim[axis];
            stride = from.stride[axis];
        }
        if (left % dim != 0)
            return false;
        l->stride[i] = stride;
        stride *= dim;
        left /= dim;
    }
    l->shape = shape;
    return true;
}

/* As the axes of x = transpose(y, order) lie in y. */
static void turn_axes(struct ub_view *l, const int *order)
{
    const struct ub_view from = *l;
    for (int i = 0; i < from.shape.rank; i++) {
        l->shape.dim[i] = from.shape.dim[order[i]];
        l->stride[i] = from.stride[order[i]];
    }
}

static void cut(struct ub_view *l, int axis, int64_t before, int64_t length)
{
    l->offset += before * l->stride[axis];
    l->shape.dim[axis] = length;
}

bool ub_view_of(const struct ub_compiler *c, ub_node x, struct ub_view *l)
{
    const struct ub_vertex *v = ub_vertex(c->g, x);
    if (is_alias(c, x))
        return ub_view_of(c, v->in[0], l) && reshape(l, v->shape);
    if (!c->viewed[x]) {
        *l = whole(c, x);
        return true;
    }
    if (!ub_view_of(c, v->in[0], l))
        return false;
    if (v->op == UB_OP_TRANSPOSE)
        turn_axes(l, v->attributes->order);
    else
        cut(l, v->attributes->axis, v->attributes->before, v->shape.dim[v->attributes->axis]);
    return true;
}

ub_node ub_source_of(const struct ub_compiler *c, ub_node x)
{
    for (x = c->base[x]; c->viewed[x]; x = c->base[ub_vertex(c->g, x)->in[0]])
        ;
    return x;
}

bool ub_matrix_of(const struct ub_view *l, struct ub_matrix *matrix)
{
    const int rank = l->shape.rank;
    const int64_t rows = l->shape.dim[rank - 2], columns = l->shape.dim[rank - 1];
    const int64_t down = l->stride[rank - 2], along = l->stride[rank - 1];
    if ((along == 1 || columns == 1) && (down >= columns || rows == 1))
        *matrix = (struct ub_matrix){false, rows == 1 ? columns : down};
    else if ((down == 1 || rows == 1) && (along >= rows || columns == 1))
        *matrix = (struct ub_matrix){true, columns == 1 ? rows : along};
    else
        return false;
    return true;
}

/* What a product reads: a transposition of the last axes alone is looked through even where it is
 * made for others. */
bool ub_factor_of(const struct ub_compiler *c, ub_node x, int i, struct ub_view *l)
{
    const ub_node in = ub_vertex(c->g, x)->in[i];
    if (!ub_use_of(c, x, i).transposed)
        return ub_view_of(c, in, l);
    if (!ub_view_of(c, ub_vertex(c->g, in)->in[0], l))
        return false;
    turn_axes(l, ub_vertex(c->g, in)->attributes->order);
    return true;
}

/* ---- what is read in place ---- */

/* A product with a shared right side is one of all rows: they must lie evenly, or copying pays. */
static bool lies_evenly(const struct ub_view *l)
{
    struct ub_view tall = *l;
    const int64_t columns = l->shape.dim[l->shape.rank - 1];
    return reshape(&tall, ub_shape_make(2, (int64_t[]){ub_count(l->shape) / columns, columns}));
}

static bool shares_right(const struct ub_compiler *c, ub_node product)
{
    return ub_shape_of(c->g, ub_vertex(c->g, product)->in[1]).rank == 2;
}

static bool reads_factor(const struct ub_compiler *c, ub_node x, int i)
{
    struct ub_view l;
    struct ub_matrix matrix;
    if (c->spec->split || !ub_factor_of(c, x, i, &l) || !ub_matrix_of(&l, &matrix))
        return false;
    return i == 1 || !shares_right(c, x) || matrix.transposed || lies_evenly(&l);
}

static bool reads_in_place(const struct ub_compiler *c, ub_node x, int i)
{
    const struct ub_vertex *v = ub_vertex(c->g, x);
    struct ub_view l;
    switch (v->op) {
    case UB_OP_MATMUL:
        return reads_factor(c, x, i);
    case UB_OP_TRANSPOSE:
    case UB_OP_SLICE:
    case UB_OP_PAD:
    case UB_OP_CONCAT:
        return ub_view_of(c, v->in[i], &l);
    default:
        return false;
    }
}

/* A reader that cannot read in place has the copy made; what was read through it then lies
 * otherwise, so all are asked again until none has more made. */
void ub_compile_views(struct ub_compiler *c)
{
    for (ub_node x = 0; x < c->n; x++) {
        const enum ub_op op = ub_vertex(c->g, x)->op;
        c->viewed[x] = c->part[x].chunk && (op == UB_OP_TRANSPOSE || op == UB_OP_SLICE);
    }
    for (int i = 0; i < c->spec->n_outputs; i++)
        c->viewed[c->base[c->spec->outputs[i].node]] = false;
    for (bool settled = false; !settled;) {
        settled = true;
        for (ub_node x = 0; x < c->n; x++)
            for (int i = 0; !is_alias(c, x) && i < ub_vertex(c->g, x)->n_in; i++) {
                ub_node source = c->base[ub_vertex(c->g, x)->in[i]];
                if (c->viewed[source] && !reads_in_place(c, x, i))
                    c->viewed[source] = settled = false;
                if (c->viewed[source] || !ub_use_of(c, x, i).transposed)
                    continue;
                source = c->base[ub_vertex(c->g, source)->in[0]];
                if (c->viewed[source] && !reads_in_place(c, x, i))
                    c->viewed[source] = settled = false;
            }
    }
}

/* ---- what is written in place ---- */

static bool joins(enum ub_op op)
{
    return op == UB_OP_TRANSPOSE || op == UB_OP_CONCAT;
}

/* How the part of y's array that its i-th input becomes lies there. */
static bool part_of(const struct ub_compiler *c, ub_node y, int i, struct ub_view *l)
{
    const struct ub_vertex *v = ub_vertex(c->g, y);
    if (!ub_place_of(c, y, l))
        return false;
    const struct ub_view at = *l;
    if (v->op == UB_OP_CONCAT) {
        int64_t before = 0;
        for (int k = 0; k < i; k++)
            before += ub_shape_of(c->g, v->in[k]).dim[v->attributes->axis];
        cut(l, v->attributes->axis, before, ub_shape_of(c->g, v->in[i]).dim[v->attributes->axis]);
        return true;
    }
    for (int k = 0; k < at.shape.rank; k++) {
        l->shape.dim[v->attributes->order[k]] = at.shape.dim[k];
        l->stride[v->attributes->order[k]] = at.stride[k];
    }
    return true;
}

bool ub_place_of(const struct ub_compiler *c, ub_node x, struct ub_view *l)
{
    const ub_node y = c->into[x];
    if (y == UB_NONE) {
        *l = whole(c, x);
        return true;
    }
    int i = 0;
    while (c->base[ub_vertex(c->g, y)->in[i]] != x)
        i++;
    return part_of(c, y, i, l) && reshape(l, ub_shape_of(c->g, x));
}

/* Products write rows of consecutive numbers; copies write anything. */
static bool can_write(const struct ub_compiler *c, ub_node x)
{
    struct ub_view l;
    struct ub_matrix matrix;
    switch (ub_vertex(c->g, x)->op) {
    case UB_OP_MATMUL:
        return !c->spec->split && ub_place_of(c, x, &l) && ub_matrix_of(&l, &matrix) &&
               !matrix.transposed && (!shares_right(c, x) || lies_evenly(&l));
    case UB_OP_TRANSPOSE:
    case UB_OP_CONCAT:
        return ub_place_of(c, x, &l);
    default:
        return false;
    }
}

/* From the last reader on: where a value comes to lie is known before its parts are asked. */
void ub_compile_into(struct ub_compiler *c)
{
    for (ub_node x = 0; x < c->n; x++)
        c->into[x] = UB_NONE;
    for (ub_node y = c->n - 1; y >= 0; y--)
        for (int i = 0; c->live[y] && joins(ub_vertex(c->g, y)->op) && i < ub_vertex(c->g, y)->n_in;
             i++) {
            const ub_node x = c->base[ub_vertex(c->g, y)->in[i]];
            if (!c->live[x] || c->uses[x] != 1 || c->segment[x] != c->segment[y])
                continue;
            c->into[x] = y;
            if (!can_write(c, x))
                c->into[x] = UB_NONE;
        }
}
