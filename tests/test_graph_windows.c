/* Indexing, windows, convolutions, pooling and norms: derivatives to third order, vmap, float
 * against double, and convolution against its definition. */
#include "graph_examples.h"

static ub_node f_gather(struct ub_graph *g, const ub_node *x)
{
    ub_node index = ub_mul(g, ub_iota(g, 4), ub_iota(g, 4)); /* 0, 1, 4, and 9: beyond the end */
    return ub_exp(g, ub_gather(g, ub_mul(g, x[0], x[0]), index));
}

static ub_node f_scatter(struct ub_graph *g, const ub_node *x)
{
    ub_node index = ub_mul(g, ub_iota(g, 3), ub_iota(g, 3)); /* 0, 1, 4: the last two meet */
    return ub_exp(g, ub_scatter_add(g, ub_mul(g, x[0], x[0]), index, 2));
}

static ub_node f_cumsum(struct ub_graph *g, const ub_node *x)
{
    return ub_mul(g, x[0], ub_cumsum(g, ub_exp(g, x[0]), 1, false));
}

static ub_node f_cumsum_back(struct ub_graph *g, const ub_node *x)
{
    return ub_mul(g, x[0], ub_cumsum(g, ub_exp(g, x[0]), 0, true));
}

static ub_node f_windows(struct ub_graph *g, const ub_node *x)
{
    struct ub_patch w = {.height = 2, .width = 3, .stride = 2, .pad = 1};
    ub_node p = ub_windows(g, ub_mul(g, x[0], x[0]), w);
    return ub_sum(g, ub_exp(g, p), UB_AXIS(3) | UB_AXIS(4));
}

#define CONV(NAME, HEIGHT, WIDTH, STRIDE, PAD, GROUPS)                                             \
    static ub_node f_##NAME(struct ub_graph *g, const ub_node *x)                                  \
    {                                                                                              \
        struct ub_patch w = {HEIGHT, WIDTH, STRIDE, PAD, GROUPS};                                  \
        return ub_tanh(g, ub_conv(g, ub_sin(g, x[0]), x[1], w));                                   \
    }
CONV(conv, 3, 3, 1, 1, 1)
CONV(conv_strided, 3, 2, 2, 1, 0)
CONV(conv_bare, 2, 2, 1, 0, 1)
CONV(conv_grouped, 3, 3, 1, 1, 2)
CONV(conv_point, 1, 1, 2, 0, 1)

static ub_node f_conv_batched(struct ub_graph *g, const ub_node *x)
{
    struct ub_patch w = {2, 2, 1, 1, 1};
    ub_node many = ub_reshape(g, x[1], 5, (int64_t[]){2, 2, 2, 2, 2});
    return ub_tanh(g, ub_conv(g, x[0], many, w));
}

static ub_node f_mean_pool(struct ub_graph *g, const ub_node *x)
{
    return ub_exp(g, ub_mean_pool(g, ub_mul(g, x[0], x[0]), 2, 2, 0));
}

static ub_node f_mean_pool_wide(struct ub_graph *g, const ub_node *x)
{
    return ub_exp(g, ub_mean_pool(g, ub_mul(g, x[0], x[0]), 3, 2, 1));
}

static ub_node f_max_pool(struct ub_graph *g, const ub_node *x)
{
    return ub_max_pool(g, ub_exp(g, x[0]), 2, 2);
}

static ub_node f_max_pool_wide(struct ub_graph *g, const ub_node *x)
{
    return ub_max_pool(g, ub_exp(g, x[0]), 3, 1);
}

static ub_node f_softmax(struct ub_graph *g, const ub_node *x)
{
    return ub_softmax(g, x[0]);
}

static ub_node f_attention(struct ub_graph *g, const ub_node *x)
{
    ub_node scores = ub_matmul(g, x[0], ub_transpose(g, x[1], (int[]){0, 2, 1}));
    ub_node hidden = ub_scale(g, ub_sub(g, ub_causal_mask(g, 3, 3), ub_scalar(g, 1)), 1e9);
    return ub_matmul(g, ub_softmax(g, ub_add(g, scores, hidden)), x[1]);
}

static const struct example examples[] = {
    {"gather", 1, {{2, {5, 3}}}, f_gather, -1, 1},
    {"scatter-add", 1, {{2, {3, 4}}}, f_scatter, -1, 1},
    {"cumsum", 1, {{3, {2, 4, 3}}}, f_cumsum, -1, 1},
    {"cumsum from the end", 1, {{2, {4, 3}}}, f_cumsum_back, -1, 1},
    {"windows", 1, {{4, {2, 4, 3, 2}}}, f_windows, -1, 1},
    {"conv", 2, {{4, {2, 3, 3, 2}}, {4, {2, 3, 3, 2}}}, f_conv, -1, 1},
    {"conv strided", 2, {{4, {2, 5, 4, 1}}, {4, {3, 3, 2, 1}}}, f_conv_strided, -1, 1},
    {"conv bare", 2, {{4, {1, 4, 3, 3}}, {4, {2, 2, 2, 3}}}, f_conv_bare, -1, 1},
    {"conv grouped", 2, {{4, {1, 3, 3, 4}}, {4, {2, 3, 3, 2}}}, f_conv_grouped, -1, 1},
    {"conv of points", 2, {{4, {2, 4, 3, 2}}, {4, {3, 1, 1, 2}}}, f_conv_point, -1, 1},
    {"conv batched", 2, {{4, {1, 3, 3, 2}}, {2, {4, 8}}}, f_conv_batched, -1, 1},
    {"mean pool", 1, {{4, {1, 4, 5, 2}}}, f_mean_pool, -1, 1},
    {"mean pool, overlapping", 1, {{4, {1, 4, 5, 2}}}, f_mean_pool_wide, -1, 1},
    {"max pool", 1, {{4, {1, 4, 5, 2}}}, f_max_pool, -1, 1},
    {"max pool, overlapping", 1, {{4, {1, 4, 5, 2}}}, f_max_pool_wide, -1, 1},
    {"softmax", 1, {{2, {3, 4}}}, f_softmax, -2, 2},
    {"attention", 2, {{3, {2, 3, 4}}, {3, {2, 3, 4}}}, f_attention, -1, 1},
};
enum { EXAMPLES = sizeof examples / sizeof *examples };

static void derivatives_match_differences(void **state)
{
    (void)state;
    check_derivatives(examples, EXAMPLES);
}

static void vmap_matches_one_by_one(void **state)
{
    (void)state;
    check_vmaps(examples, EXAMPLES);
}

static void single_precision_agrees(void **state)
{
    (void)state;
    check_single_precision(examples, EXAMPLES);
}

/* ---- convolution by its definition, in every form and precision ---- */

struct sizes {
    int64_t n, h, w, c, o, kh, kw, stride, pad, groups;
};

static double at(const double *x, const struct sizes *s, int64_t i, int64_t y, int64_t j, int64_t k)
{
    bool inside = y >= 0 && y < s->h && j >= 0 && j < s->w;
    return inside ? x[((i * s->h + y) * s->w + j) * s->c + k] : 0;
}

static double defined(const struct sizes *s, const double *x, const double *w, int64_t i, int64_t y,
                      int64_t j, int64_t o)
{
    const int64_t each = s->c / s->groups, from = o / (s->o / s->groups) * each;
    double sum = 0;
    for (int64_t ky = 0; ky < s->kh; ky++)
        for (int64_t kx = 0; kx < s->kw; kx++)
            for (int64_t k = 0; k < each; k++)
                sum +=
                    w[((o * s->kh + ky) * s->kw + kx) * each + k] *
                    at(x, s, i, y * s->stride + ky - s->pad, j * s->stride + kx - s->pad, from + k);
    return sum;
}

static double *normals(int64_t n, const char *name)
{
    struct ub_random r = ub_random_stream(3, name);
    double *x = ub_calloc((size_t)n, sizeof *x);
    for (int64_t i = 0; i < n; i++)
        x[i] = ub_random_normal(&r);
    return x;
}

static void check_convolution(const struct sizes *s, bool single)
{
    struct ub_graph *g = ub_graph_new();
    const struct ub_patch p = {s->kh, s->kw, s->stride, s->pad, s->groups};
    ub_node x = ub_input(g, 4, (int64_t[]){s->n, s->h, s->w, s->c});
    ub_node w = ub_input(g, 4, (int64_t[]){s->o, s->kh, s->kw, s->c / s->groups});
    ub_node y = ub_conv(g, x, w, p);
    const struct ub_shape shape = ub_shape_of(g, y);
    double *vx = normals(ub_count(ub_shape_of(g, x)), "x");
    double *vw = normals(ub_count(ub_shape_of(g, w)), "w");
    double *vy = ub_calloc((size_t)ub_count(shape), sizeof *vy), *place = vy;
    const struct binding b[] = {{x, vx}, {w, vw}};
    evaluate(g, b, 2, &y, 1, (double *[]){vy}, single);
    const double tolerance = single ? 3e-6 : 1e-13;
    for (int64_t i = 0; i < s->n; i++)
        for (int64_t r = 0; r < shape.dim[1]; r++)
            for (int64_t j = 0; j < shape.dim[2]; j++)
                for (int64_t o = 0; o < s->o; o++, place++)
                    if (!(fabs(*place - defined(s, vx, vw, i, r, j, o)) <
                          tolerance * (1 + (double)(s->kh * s->kw * s->c))))
                        fail_msg("convolution at %lld, %lld, %lld, %lld: %.9g, by definition %.9g",
                                 (long long)i, (long long)r, (long long)j, (long long)o, *place,
                                 defined(s, vx, vw, i, r, j, o));
    ub_free(vx);
    ub_free(vw);
    ub_free(vy);
    ub_graph_free(g);
}

static void convolutions_follow_their_definition(void **state)
{
    (void)state;
    const struct sizes cases[] = {
        {3, 8, 8, 16, 32, 3, 3, 1, 1, 1},  {2, 9, 7, 3, 5, 3, 3, 2, 1, 1},
        {5, 6, 6, 32, 32, 3, 3, 1, 1, 32}, {2, 7, 5, 6, 4, 1, 1, 2, 0, 2},
        {40, 8, 8, 3, 20, 5, 5, 3, 0, 1},  {1, 4, 4, 2, 3, 4, 4, 4, 0, 1},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        check_convolution(&cases[k], false);
        check_convolution(&cases[k], true);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(derivatives_match_differences),
        cmocka_unit_test(vmap_matches_one_by_one),
        cmocka_unit_test(single_precision_agrees),
        cmocka_unit_test(convolutions_follow_their_definition),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
