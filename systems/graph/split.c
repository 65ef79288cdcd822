/* split.c - products in float as sums of products in bfloat16, by oneDNN, for precision bf16x3.
 *
 * A number x in float is h + l + e: h the bfloat16 (8 significant bits) nearest to it, l the one
 * nearest to x - h, which is exact; |x - h|, |l| <= 2^-8 |x|, and since x - h has no bit below
 * x's last, |e| <= 2^-17 |x|. Of x y, (h + l)(h' + l') keeps all but l l', at most 2^-16 |x y|,
 * and what e makes, as much. So
 *
 *   |C - A B| <= (2^-15 + 3.1 k 2^-24) |A| |B|  +  3 k 2^-126 (1 + max|A| + max|B|)
 *
 * entry by entry, k the length of the sums: the second term rounds 3 k additions in float, at
 * worst. The last is because these instructions take denormals for zeros. (After Henry, Tang and
 * Heinecke 2019, arXiv:1904.06376, who keep three of the products, too.)
 *
 * The three products are one, of rows three times as long: (l, h, h) times (h, l, h), small terms
 * first. They are made block by block, so that what is split is read again from L2. A block with a
 * number that is inf, NaN or beyond bfloat16's range is multiplied in float, as if nothing were
 * split. */
#include "systems/graph/program.h"
#include "systems/graph/unseen.h"

#include <dnnl.h>
#include <omp.h>
#include <string.h>

enum { PARTS = 3, LINE = 64, OPERANDS = 3 };

/* One of C = A B and C += A B. */
struct form {
    dnnl_primitive_desc_t descriptor;
    dnnl_primitive_t primitive;
    dnnl_memory_desc_t pad; /* of size 0 where none is needed */
};

struct ub_split_product {
    bool ta, tb;
    int64_t m, n, k, rows, depth; /* rows and depth: of a block, the last one's filled with 0 */
    ub_multiply_kernel *multiply; /* in float */
    dnnl_memory_desc_t operand[OPERANDS];
    size_t bytes[OPERANDS]; /* A, B and the larger scratchpad, one after the other in `scratch` */
    dnnl_engine_t engine;
    struct form form[2];
    int threads;
    struct split_hand {
        dnnl_stream_t stream;
        dnnl_memory_t operand[OPERANDS], pad[2];
    } * hands; /* one a thread */
};

/* ---- where there is such a thing, and where it pays ---- */

bool ub_split_available(struct ub_error *err)
{
    const int bf16 = dnnl_cpu_isa_avx512_core_bf16;
    const bool has = ((int)dnnl_get_effective_cpu_isa() & bf16) == bf16;
    return (has && strcmp(ub_kernel_isa(), "v4") == 0) ||
           ub_fail(err, UB_INPUT,
                   "precision bf16x3: AVX512-BF16 and AMX are missing from this CPU, or kept from "
                   "use (UNIBENCH_KERNELS, ONEDNN_MAX_CPU_ISA); expected f32 or f64");
}

void ub_split_rule(struct ub_text *text)
{
    const int isa = (int)dnnl_get_effective_cpu_isa(), amx = dnnl_cpu_isa_avx512_core_amx;
    const dnnl_version_t *v = dnnl_version();
    ub_text_add(text, "oneDNN %d.%d.%d, %s", v->major, v->minor, v->patch,
                (isa & amx) == amx ? "AMX" : "AVX512-BF16");
}

/* Large products, of whose numbers each is used 64 times or more (half the harmonic mean of rows
 * and columns): AMX would make the three products, at its nominal 16 times float's rate, in a fifth
 * of float's time, so that most of the rest may go into splitting. Expected: no CPU with AMX was
 * there to measure. */
static bool pays(const struct ub_gemm *g)
{
    enum { LEAST = 1 << 22, USES = 64 };
    const double m = (double)g->m, n = (double)g->n, k = (double)g->k;
    return m * n * k > LEAST && m * n >= USES * (m + n);
}

/* ---- making one ---- */

static int be_alone(void)
{
    const int threads = omp_get_max_threads();
    if (threads > 1)
        omp_set_num_threads(1);
    return threads;
}

static void be_many(int threads)
{
    if (threads > 1)
        omp_set_num_threads(threads);
}

/* Rows of (columns), or columns of (rows) one after the other. */
static bool lay_out(dnnl_memory_desc_t *d, dnnl_data_type_t type, int64_t rows, int64_t columns,
                    bool by_columns)
{
    const dnnl_dims_t strides = {by_columns ? 1 : columns, by_columns ? rows : 1};
    return dnnl_memory_desc_init_by_strides(d, 2, (dnnl_dims_t){rows, columns}, type, strides) ==
           dnnl_success;
}

/* A scratchpad is the caller's: oneDNN's own would be shared by threads. */
static bool set_attributes(dnnl_primitive_attr_t own, dnnl_post_ops_t then, bool accumulate)
{
    return dnnl_primitive_attr_set_scratchpad_mode(own, dnnl_scratchpad_mode_user) ==
               dnnl_success &&
           (!accumulate || dnnl_post_ops_append_sum(then, 1) == dnnl_success) &&
           dnnl_primitive_attr_set_post_ops(own, then) == dnnl_success;
}

static bool describe(struct ub_split_product *s, bool accumulate)
{
    dnnl_matmul_desc_t product;
    dnnl_primitive_attr_t own = NULL;
    dnnl_post_ops_t then = NULL;
    struct form *f = &s->form[accumulate];
    const bool made =
        dnnl_primitive_attr_create(&own) == dnnl_success &&
        dnnl_post_ops_create(&then) == dnnl_success && set_attributes(own, then, accumulate) &&
        dnnl_matmul_desc_init(&product, &s->operand[0], &s->operand[1], NULL, &s->operand[2]) ==
            dnnl_success &&
        dnnl_primitive_desc_create(&f->descriptor, &product, own, s->engine, NULL) == dnnl_success;
    if (then)
        dnnl_post_ops_destroy(then);
    if (own)
        dnnl_primitive_attr_destroy(own);
    return made;
}

/* Of oneDNN's forms only those that are known to add up in float and to be fast. */
static bool is_right(const_dnnl_primitive_desc_t descriptor)
{
    const char *name = NULL;
    return dnnl_primitive_desc_query(descriptor, dnnl_query_impl_info_str, 0, &name) ==
               dnnl_success &&
           strncmp(name, "brg", 3) == 0;
}

static bool make_form(struct ub_split_product *s, bool accumulate)
{
    struct form *f = &s->form[accumulate];
    if (!describe(s, accumulate) || !is_right(f->descriptor))
        return false;
    f->pad = *dnnl_primitive_desc_query_md(f->descriptor, dnnl_query_scratchpad_md, 0);
    const size_t pad = dnnl_memory_desc_get_size(&f->pad);
    s->bytes[2] = pad > s->bytes[2] ? pad : s->bytes[2];
    return s->threads == 0 || dnnl_primitive_create(&f->primitive, f->descriptor) == dnnl_success;
}

static bool make_hand(const struct ub_split_product *s, struct split_hand *h)
{
    bool made =
        dnnl_stream_create(&h->stream, s->engine, dnnl_stream_default_flags) == dnnl_success;
    for (int i = 0; made && i < OPERANDS; i++)
        made = dnnl_memory_create(&h->operand[i], &s->operand[i], s->engine, DNNL_MEMORY_NONE) ==
               dnnl_success;
    for (int i = 0; made && i < 2; i++)
        made = dnnl_memory_create(&h->pad[i], &s->form[i].pad, s->engine, DNNL_MEMORY_NONE) ==
               dnnl_success;
    return made;
}

static size_t whole_lines(size_t bytes)
{
    return (bytes + LINE - 1) / LINE * LINE;
}

static bool make(struct ub_split_product *s)
{
    if (!lay_out(&s->operand[0], dnnl_bf16, s->rows, PARTS * s->depth, s->ta) ||
        !lay_out(&s->operand[1], dnnl_bf16, PARTS * s->depth, s->n, s->tb) ||
        !lay_out(&s->operand[2], dnnl_f32, s->rows, s->n, false) ||
        dnnl_engine_create(&s->engine, dnnl_cpu, 0) != dnnl_success)
        return false;
    for (int i = 0; i < 2; i++)
        s->bytes[i] = whole_lines(dnnl_memory_desc_get_size(&s->operand[i]));
    if (!make_form(s, false) || !make_form(s, true))
        return false;
    for (int i = 0; i < s->threads; i++)
        if (!make_hand(s, &s->hands[i]))
            return false;
    return true;
}

/* Of all rows, or of a whole part of them that is not too few. */
static int64_t rows_of(int64_t m)
{
    enum { MOST = 512, LEAST = 128 };
    int64_t parts = (m + MOST - 1) / MOST;
    while (m % parts != 0 && m / parts >= LEAST)
        parts++;
    return m % parts == 0 && m / parts >= LEAST ? m / parts : m;
}

static int64_t depth_of(int64_t k)
{
    enum { MOST = 256 };
    const int64_t parts = (k + MOST - 1) / MOST;
    return (k + parts - 1) / parts;
}

struct ub_split_product *ub_split_product_new(const struct ub_gemm *g, int threads)
{
    if (!pays(g))
        return NULL;
    struct ub_split_product *s = ub_calloc(1, sizeof *s);
    *s = (struct ub_split_product){.ta = g->ta,
                                   .tb = g->tb,
                                   .m = g->m,
                                   .n = g->n,
                                   .k = g->k,
                                   .rows = rows_of(g->m),
                                   .depth = depth_of(g->k),
                                   .multiply = g->multiply,
                                   .threads = threads};
    s->hands = ub_calloc((size_t)threads + 1, sizeof *s->hands);
    const int before = be_alone();
    const bool made = make(s);
    be_many(before);
    if (made)
        return s;
    ub_split_product_free(s);
    return NULL;
}

static void free_hand(struct split_hand *h)
{
    for (int i = 0; i < OPERANDS; i++)
        if (h->operand[i])
            dnnl_memory_destroy(h->operand[i]);
    for (int i = 0; i < 2; i++)
        if (h->pad[i])
            dnnl_memory_destroy(h->pad[i]);
    if (h->stream)
        dnnl_stream_destroy(h->stream);
}

void ub_split_product_free(struct ub_split_product *s)
{
    if (!s)
        return;
    for (int i = 0; i < s->threads; i++)
        free_hand(&s->hands[i]);
    for (int i = 0; i < 2; i++) {
        if (s->form[i].primitive)
            dnnl_primitive_destroy(s->form[i].primitive);
        if (s->form[i].descriptor)
            dnnl_primitive_desc_destroy(s->form[i].descriptor);
    }
    if (s->engine)
        dnnl_engine_destroy(s->engine);
    ub_free(s->hands);
    ub_free(s);
}

int64_t ub_split_product_scratch(const struct ub_split_product *s)
{
    return (int64_t)((s->bytes[0] + s->bytes[1] + s->bytes[2]) / sizeof(float)) + 1;
}

/* ---- running one ---- */

/* Part of a matrix: rows of columns, `row` apart. */
struct part {
    const float *x;
    int64_t rows, columns, row;
};

/* Three parts in bfloat16, (h, l, h) or, where `low_first`, (l, h, h), each `depth` long: side by
 * side in rows that are PARTS times as long, or one below the other. What there is not is 0. */
static bool split(const struct ub_kernels *kernels, const struct part *p, bool beside,
                  bool low_first, int64_t depth, uint16_t *out)
{
    const int64_t width = beside ? depth : p->columns, row = beside ? PARTS * depth : width;
    const int64_t size = beside ? depth : depth * width; /* of a part, or from one to the next */
    const int64_t low = low_first ? 0 : size, high = size - low, again = 2 * size;
    for (int64_t r = 0; r < p->rows; r++) {
        uint16_t *at = out + r * row;
        if (!kernels->split(p->columns, p->x + r * p->row, at + high, at + low))
            return false;
        memset(at + high + p->columns, 0, (size_t)(width - p->columns) * sizeof *at);
        memset(at + low + p->columns, 0, (size_t)(width - p->columns) * sizeof *at);
        memcpy(at + again, at + high, (size_t)width * sizeof *at);
    }
    for (int i = 0; !beside && i < PARTS; i++)
        memset(out + i * size + p->rows * width, 0,
               (size_t)((depth - p->rows) * width) * sizeof *out);
    return true;
}

static void must(dnnl_status_t status)
{
    if (status != dnnl_success)
        UB_ABORT("oneDNN's product in bfloat16 failed with status %d", (int)status);
}

/* ThreadSanitizer sees nothing of what the library does. */
static void tell(const struct ub_split_product *s, void *const *data)
{
    for (int i = 0; i < 2; i++)
        ub_unseen_read(data[i], s->bytes[i]);
    ub_unseen_write(data[2], (size_t)(s->rows * s->n) * sizeof(float));
    ub_unseen_write(data[3], s->bytes[2]);
}

static void multiply(const struct ub_split_product *s, const struct split_hand *h, bool accumulate,
                     void *const *data)
{
    static const int names[] = {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST, DNNL_ARG_SCRATCHPAD};
    const dnnl_memory_t memory[] = {h->operand[0], h->operand[1], h->operand[2],
                                    h->pad[accumulate]};
    dnnl_exec_arg_t arguments[4];
    for (int i = 0; i < 4; i++) {
        must(dnnl_memory_set_data_handle(memory[i], data[i]));
        arguments[i] = (dnnl_exec_arg_t){names[i], memory[i]};
    }
    tell(s, data);
    must(dnnl_primitive_execute(s->form[accumulate].primitive, h->stream, 4, arguments));
    must(dnnl_stream_wait(h->stream));
}

/* C (rows, n) = or += A (rows, k) B (k, n), the first k of a block's depth; B is in the scratch
 * already if it could be split. */
static void run_block(const struct ub_split_product *s, const struct ub_kernels *kernels,
                      const struct split_hand *h, bool accumulate, int64_t k, bool b_is_split,
                      const float *a, const float *b, float *c, char *scratch)
{
    const int64_t lda = s->ta ? s->m : s->k, ldb = s->tb ? s->k : s->n;
    const struct part p = {
        .x = a, .rows = s->ta ? k : s->rows, .columns = s->ta ? s->rows : k, .row = lda};
    if (!b_is_split || !split(kernels, &p, !s->ta, true, s->depth, (uint16_t *)(void *)scratch)) {
        s->multiply(s->ta, s->tb, s->rows, s->n, k, a, lda, b, ldb, accumulate, c, s->n);
        return;
    }
    char *split_b = scratch + s->bytes[0];
    const int threads = be_alone();
    multiply(s, h, accumulate, (void *[]){scratch, split_b, c, split_b + s->bytes[1]});
    be_many(threads);
}

void ub_split_product_run(const struct ub_split_product *s, const struct ub_kernels *kernels,
                          int member, bool accumulate, const void *a, const void *b, void *c,
                          void *scratch)
{
    uint16_t *split_b = (uint16_t *)(void *)((char *)scratch + s->bytes[0]);
    for (int64_t p = 0; p < s->k; p += s->depth) {
        const int64_t k = s->k - p < s->depth ? s->k - p : s->depth;
        const float *bp = (const float *)b + (s->tb ? p : p * s->n);
        const struct part right = {.x = bp,
                                   .rows = s->tb ? s->n : k,
                                   .columns = s->tb ? k : s->n,
                                   .row = s->tb ? s->k : s->n};
        const bool b_is_split = split(kernels, &right, s->tb, false, s->depth, split_b);
        for (int64_t i = 0; i < s->m; i += s->rows)
            run_block(s, kernels, &s->hands[member], accumulate || p > 0, k, b_is_split,
                      (const float *)a + (s->ta ? p * s->m + i : i * s->k + p), bp,
                      (float *)c + i * s->n, scratch);
    }
}
