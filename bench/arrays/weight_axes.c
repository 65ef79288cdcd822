/* weight_axes.c - which axes of a kernel are rows and columns; see weight_axes.h. */
#include "bench/arrays/weight_axes.h"

#include <string.h>

enum { LONGEST_POSITIONS = 16, MOST_GROUPS = 1 << 24 };

/* ---- rules ---- */

bool ub_axes_rule_parse(const char *text, struct ub_axes_rule *out, struct ub_error *err)
{
    static const char *const orders[] = {"auto", "oihw", "hwio"}; /* as enum ub_axis_order */
    const char *equals = strrchr(text, '='), *order = equals ? equals + 1 : text;
    const char *slash = strchr(order, '/');
    const size_t n = slash ? (size_t)(slash - order) : strlen(order);
    *out = (struct ub_axes_rule){.groups = 1};
    size_t k = 0;
    while (k < 3 && (strlen(orders[k]) != n || strncmp(orders[k], order, n) != 0))
        k++;
    if (k == 3 || (slash && (!ub_read_int(slash + 1, &out->groups) || out->groups < 1 ||
                             out->groups > MOST_GROUPS)))
        return ub_fail(err, UB_INPUT,
                       "--layout: '%s'; expected oihw, hwio or auto, after NAME= or not, before "
                       "/GROUPS or not: 'features.*=oihw/32'",
                       text);
    out->order = (enum ub_axis_order)k;
    out->pattern = equals ? ub_calloc((size_t)(equals - text) + 1, 1) : ub_strdup("*");
    if (equals)
        memcpy(out->pattern, text, (size_t)(equals - text));
    return true;
}

void ub_axes_rule_free(struct ub_axes_rule *rule)
{
    ub_free(rule->pattern);
    *rule = (struct ub_axes_rule){0};
}

/* ---- order ---- */

/* A kernel in one of the two orders. */
struct reading {
    const int64_t *position; /* lengths of the axes of positions */
    int axes;
    int64_t positions, first, second; /* their product; the matrix's sides */
};

static struct reading read_as(const struct ub_array *a, enum ub_axis_order order)
{
    const bool first = order == UB_ORDER_OIHW;
    struct reading r = {.position = a->shape + (first ? 2 : 0),
                        .axes = a->rank - 2,
                        .positions = 1,
                        .first = a->shape[first ? 0 : a->rank - 2],
                        .second = a->shape[first ? 1 : a->rank - 1]};
    for (int i = 0; i < r.axes; i++)
        r.positions *= r.position[i];
    return r;
}

/* 0: positions unlike a kernel's, 1: like those of 1xN, 2: of one length. */
static int likeness(const struct reading *r)
{
    bool equal = true, one = false;
    for (int i = 0; i < r->axes; i++) {
        if (r->position[i] > LONGEST_POSITIONS)
            return 0;
        equal = equal && r->position[i] == r->position[0];
        one = one || r->position[i] == 1;
    }
    return equal ? 2 : one ? 1 : 0;
}

static struct ub_axes by_shape(const struct ub_array *a)
{
    const struct reading oihw = read_as(a, UB_ORDER_OIHW), hwio = read_as(a, UB_ORDER_HWIO);
    const int as_oihw = likeness(&oihw), as_hwio = likeness(&hwio);
    struct ub_axes axes = {.groups = 1, .by = UB_AXES_BY_SHAPE};
    bool last = as_hwio > as_oihw;
    if (as_oihw == as_hwio && as_oihw == 0)
        last = hwio.positions < oihw.positions;
    else if (as_oihw == as_hwio)
        last = (oihw.first == 1 || oihw.second == 1) && hwio.first > 1 && hwio.second > 1;
    if (as_oihw == as_hwio || (as_oihw > 0 && as_hwio > 0))
        axes.by = UB_AXES_EITHER;
    axes.order = last ? UB_ORDER_HWIO : UB_ORDER_OIHW;
    return axes;
}

bool ub_axes_rule_fits(const struct ub_axes_rule *rule, const struct ub_array *a)
{
    return a->rank > 2 && ub_glob(rule->pattern, a->name);
}

struct ub_axes ub_axes_of(const struct ub_array *a, const struct ub_axes_rule *rules, size_t n)
{
    if (a->rank <= 2)
        return (struct ub_axes){.groups = 1, .by = UB_AXES_PLAIN};
    struct ub_axes axes = by_shape(a);
    for (size_t i = 0; i < n; i++) {
        if (!ub_axes_rule_fits(&rules[i], a))
            continue;
        axes = by_shape(a);
        axes.groups = rules[i].groups;
        if (rules[i].order == UB_ORDER_SHAPE)
            continue;
        axes.order = rules[i].order;
        axes.by = UB_AXES_GIVEN;
    }
    return axes;
}

char *ub_axes_text(const struct ub_axes *axes)
{
    struct ub_text text = {0};
    if (axes->by == UB_AXES_PLAIN)
        return ub_strdup("-");
    ub_text_add(&text, axes->order == UB_ORDER_HWIO ? "HWIO" : "OIHW");
    if (axes->groups > 1)
        ub_text_add(&text, "/%lld", (long long)axes->groups);
    if (axes->by != UB_AXES_BY_SHAPE)
        ub_text_add(&text, axes->by == UB_AXES_GIVEN ? ", given" : ", either");
    return text.data;
}

/* ---- matrices ---- */

/* Where entries of the matrices are in the array. */
struct view {
    int64_t rows, columns, groups, positions;
    int64_t row, column, group, position; /* strides */
};

static struct view view_of(const struct ub_array *a, const struct ub_axes *axes, bool pooled)
{
    const int64_t n = axes->groups;
    if (axes->by == UB_AXES_PLAIN)
        return (struct view){a->shape[0], a->shape[1], 1, 1, a->shape[1], 1, 0, 0};
    const struct reading r = read_as(a, axes->order);
    const int64_t sites = r.positions;
    if (axes->order == UB_ORDER_OIHW) {
        const int64_t row = r.second * sites, rows = r.first / n;
        return pooled ? (struct view){rows, r.second, n, sites, row, sites, rows * row, 1}
                      : (struct view){rows, row, n, 1, row, 1, rows * row, 0};
    }
    const int64_t columns = r.second / n;
    return pooled
               ? (struct view){r.first, columns, n, sites, r.second, 1, columns, r.first * r.second}
               : (struct view){sites * r.first, columns, n, 1, r.second, 1, columns, 0};
}

static double *reorder(const struct ub_array *a, const struct view *v)
{
    const int64_t slices = v->groups * v->positions;
    double *entries = ub_calloc((size_t)a->size + 1, sizeof *entries), *to = entries;
    for (int64_t i = 0; i < v->rows; i++)
        for (int64_t j = 0; j < v->columns; j++)
            for (int64_t k = 0; k < slices; k++)
                *to++ = a->values[i * v->row + j * v->column + k / v->positions * v->group +
                                  k % v->positions * v->position];
    return entries;
}

bool ub_axes_two_sided(const struct ub_array *a, const struct ub_axes *axes, bool pooled)
{
    const struct view v = view_of(a, axes, pooled);
    return v.rows > 1 && v.columns > 1;
}

bool ub_axes_weight(const struct ub_array *a, const struct ub_axes *axes, bool pooled,
                    struct ub_weight *out, double **own, struct ub_error *err)
{
    *own = NULL;
    const int64_t outputs =
        a->rank > 2 ? a->shape[axes->order == UB_ORDER_OIHW ? 0 : a->rank - 1] : axes->groups;
    if (outputs % axes->groups != 0)
        return ub_fail(err, UB_INPUT,
                       "--layout: %s has %lld output channels; expected a multiple of its %lld "
                       "groups",
                       a->name, (long long)outputs, (long long)axes->groups);
    const struct view v = view_of(a, axes, pooled);
    const int64_t slices = v.groups * v.positions;
    const bool in_order = v.groups == 1 && v.column == slices && v.row == v.columns * slices &&
                          (slices == 1 || v.position == 1);
    if (!in_order)
        *own = reorder(a, &v);
    *out = (struct ub_weight){v.rows, v.columns, slices, *own ? *own : a->values};
    return true;
}
