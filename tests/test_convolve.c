/* Convolutions and their gradients without a library, on every instruction set that this CPU has,
 * against their definition; where they are chosen. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "systems/graph/program.h"

enum { EDGE = 16 };

static double at(const struct ub_kernels *kernels, const void *x, int64_t i)
{
    return kernels->real == sizeof(float) ? (double)((const float *)x)[i] : ((const double *)x)[i];
}

/* Multiples of 1/16 below 1: every order of adding gives the same sums, and errors are 0 or wrong.
 */
static void *numbers(const struct ub_kernels *kernels, int64_t count, int64_t seed)
{
    double *x = ub_alloc((size_t)count * sizeof *x);
    void *out = ub_alloc((size_t)count * kernels->real);
    for (int64_t i = 0; i < count; i++)
        x[i] = (double)((i * 7 + i / 11 + seed) % 23 - 11) / 16;
    kernels->from_double(count, out, x);
    ub_free(x);
    return out;
}

static void *nans(const struct ub_kernels *kernels, int64_t count)
{
    void *out = ub_alloc((size_t)count * kernels->real);
    kernels->fill(count, out, (double)NAN);
    return out;
}

static int64_t image_count(const struct ub_images *s)
{
    return s->n * s->h * s->w * s->c;
}

static int64_t out_count(const struct ub_images *s)
{
    return s->n * s->out_h * s->out_w * s->o;
}

static int64_t weight_count(const struct ub_images *s)
{
    return s->o * s->kh * s->kw * s->c;
}

/* What one tap of one pixel adds, of all channels. `sum`: images, weights or outputs. */
static void add_tap(const struct ub_kernels *k, enum ub_op op, const struct ub_images *s,
                    int64_t image, int64_t out, int64_t tap, const void *a, const void *b,
                    double *sum)
{
    for (int64_t o = 0; o < s->o; o++)
        for (int64_t c = 0; c < s->c; c++) {
            const int64_t x = image * s->c + c, y = out * s->o + o;
            const int64_t w = (o * s->kh * s->kw + tap) * s->c + c;
            if (op == UB_OP_CONV)
                sum[y] += at(k, a, x) * at(k, b, w);
            else if (op == UB_OP_CONV_INPUT)
                sum[x] += at(k, a, y) * at(k, b, w);
            else
                sum[w] += at(k, a, x) * at(k, b, y);
        }
}

static void define(const struct ub_kernels *k, enum ub_op op, const struct ub_images *s,
                   const void *a, const void *b, double *sum)
{
    for (int64_t out = 0; out < s->n * s->out_h * s->out_w; out++)
        for (int64_t tap = 0; tap < s->kh * s->kw; tap++) {
            const int64_t i = out / (s->out_h * s->out_w);
            const int64_t y = out / s->out_w % s->out_h * s->stride + tap / s->kw - s->pad;
            const int64_t x = out % s->out_w * s->stride + tap % s->kw - s->pad;
            if (y >= 0 && y < s->h && x >= 0 && x < s->w)
                add_tap(k, op, s, (i * s->h + y) * s->w + x, out, tap, a, b, sum);
        }
}

/* What lies behind the result and what is worked in must stay as it was. */
static void check(const struct ub_kernels *k, enum ub_op op, const struct ub_images *s)
{
    const int64_t counts[] = {image_count(s), weight_count(s), out_count(s)};
    const int64_t na = op == UB_OP_CONV_INPUT ? counts[2] : counts[0];
    const int64_t nb = op == UB_OP_CONV_WEIGHT ? counts[2] : counts[1];
    const int64_t n = op == UB_OP_CONV ? counts[2] : op == UB_OP_CONV_INPUT ? counts[0] : counts[1];
    const int64_t room = k->convolve_scratch(op, s);
    void *a = numbers(k, na, 1), *b = numbers(k, nb, 2);
    void *out = nans(k, n + EDGE), *scratch = nans(k, room + EDGE);
    double *sum = ub_calloc((size_t)n, sizeof *sum);
    define(k, op, s, a, b, sum);
    k->convolve(op, s, out, a, b, scratch);
    for (int64_t i = 0; i < n; i++)
        if (at(k, out, i) != sum[i])
            fail_msg("%s, %d bytes, op %d: %d images (%d, %d, %d) to %d, window (%d, %d), step %d, "
                     "margin %d: number %d is %g, expected %g",
                     k->isa, (int)k->real, (int)op, (int)s->n, (int)s->h, (int)s->w, (int)s->c,
                     (int)s->o, (int)s->kh, (int)s->kw, (int)s->stride, (int)s->pad, (int)i,
                     at(k, out, i), sum[i]);
    for (int64_t i = 0; i < EDGE; i++)
        assert_true(isnan(at(k, out, n + i)) && isnan(at(k, scratch, room + i)));
    ub_free(a);
    ub_free(b);
    ub_free(out);
    ub_free(scratch);
    ub_free(sum);
}

static struct ub_images images(int64_t n, int64_t h, int64_t w, int64_t c, int64_t o,
                               const int64_t window[4])
{
    return (struct ub_images){.n = n,
                              .h = h,
                              .w = w,
                              .c = c,
                              .out_h = (h + 2 * window[3] - window[0]) / window[2] + 1,
                              .out_w = (w + 2 * window[3] - window[1]) / window[2] + 1,
                              .o = o,
                              .kh = window[0],
                              .kw = window[1],
                              .stride = window[2],
                              .pad = window[3],
                              .groups = 1};
}

/* All windows and sizes of images, by turns few and many, with `inner` channels on the other side.
 * Returns how many it has taken. */
static int with_channels(const struct ub_kernels *k, enum ub_op op, int64_t channels, int64_t inner)
{
    static const int64_t windows[][4] = {{3, 3, 1, 1}, {3, 3, 2, 1}, {1, 1, 2, 0}, {1, 1, 1, 0},
                                         {2, 3, 1, 0}, {5, 5, 2, 2}, {3, 2, 2, 1}, {3, 3, 1, 0},
                                         {2, 2, 2, 0}, {4, 4, 1, 3}};
    static const int64_t sizes[][2] = {{8, 8}, {7, 5}, {4, 4}, {5, 13}, {9, 24}, {1, 1}, {1, 4}};
    static const int64_t counts[] = {1, 2, 3, 4, 13, 51};
    int taken = 0;
    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++)
        for (size_t j = 0; j < sizeof sizes / sizeof *sizes; j++) {
            const bool back = op == UB_OP_CONV_INPUT;
            const int64_t n = counts[(i + j) % 6];
            if (sizes[j][0] + 2 * windows[i][3] < windows[i][0] ||
                sizes[j][1] + 2 * windows[i][3] < windows[i][1])
                continue;
            const struct ub_images s = images(n, sizes[j][0], sizes[j][1], back ? channels : inner,
                                              back ? inner : channels, windows[i]);
            if (k->convolve_scratch(op, &s) < 0)
                continue;
            check(k, op, &s);
            taken++;
        }
    return taken;
}

/* Channels of several blocks, and images too large to be side by side. */
static int with_blocks(const struct ub_kernels *k, enum ub_op op)
{
    static const int64_t channels[] = {24, 32};
    static const int64_t window[] = {3, 3, 1, 1};
    int taken = 0;
    for (size_t i = 0; i < sizeof channels / sizeof *channels; i++)
        taken += with_channels(k, op, channels[i], i == 0 ? 5 : 3);
    const struct ub_images large = images(7, 20, 30, 32, 32, window);
    if (k->convolve_scratch(op, &large) >= 0) {
        check(k, op, &large);
        taken++;
    }
    return taken;
}

static void every_instruction_set(void **state)
{
    static const char *const levels[] = {"v2", "v3", "v4"};
    static const int64_t inner[] = {1, 3, 8, 9, 17}, most = 8 * 17;
    (void)state;
    for (int i = 0; i < 3; i++) {
        setenv("UNIBENCH_KERNELS", levels[i], 1);
        for (int single = 0; single < 2; single++) {
            const struct ub_kernels *k = ub_kernels_pick(single != 0);
            int taken = 0;
            for (enum ub_op op = UB_OP_CONV; op <= UB_OP_CONV_WEIGHT; op++) {
                taken += with_blocks(k, op);
                for (int64_t channels = 2; channels <= 16; channels *= 2)
                    for (size_t j = 0; j < sizeof inner / sizeof *inner; j++)
                        if (channels * inner[j] <= most)
                            taken += with_channels(k, op, channels, inner[j]);
            }
            print_message("%s: %s, %d bytes, %d\n", levels[i], k->isa, (int)k->real, taken);
            assert_true(taken > 0);
        }
    }
    unsetenv("UNIBENCH_KERNELS");
}

/* Beside other images, and the last of an odd number: the same bits. */
static void check_alone(int64_t channels)
{
    enum { N = 31 };
    const struct ub_kernels *k = ub_kernels_pick(true);
    const struct ub_images s = images(N, 8, 8, channels, channels, (int64_t[]){3, 3, 1, 1});
    struct ub_images one = s;
    one.n = 1;
    if (k->convolve_scratch(UB_OP_CONV, &s) < 0)
        return;
    double *x = ub_alloc((size_t)image_count(&s) * sizeof *x);
    float *in = ub_alloc((size_t)image_count(&s) * sizeof *in),
          *w = numbers(k, weight_count(&s), 2);
    struct ub_random r = ub_random_stream(5, "images");
    for (int64_t i = 0; i < image_count(&s); i++)
        x[i] = ub_random_normal(&r);
    k->from_double(image_count(&s), in, x);
    in[image_count(&one)] = (float)INFINITY; /* of the second image alone */
    float *all = nans(k, out_count(&s)), *alone = nans(k, out_count(&one));
    void *scratch = nans(k, k->convolve_scratch(UB_OP_CONV, &s));
    k->convolve(UB_OP_CONV, &s, all, in, w, scratch);
    for (int64_t i = 0; i < N; i++) {
        k->convolve(UB_OP_CONV, &one, alone, in + i * image_count(&one), w, scratch);
        for (int64_t j = 0; j < out_count(&one); j++) {
            const float beside = all[i * out_count(&one) + j];
            assert_true(beside == alone[j] || (isnan(beside) && isnan(alone[j]) && i == 1));
        }
    }
    ub_free(x);
    ub_free(in);
    ub_free(w);
    ub_free(all);
    ub_free(alone);
    ub_free(scratch);
}

static void images_do_not_meet(void **state)
{
    (void)state;
    check_alone(8);
    check_alone(32);
}

/* As the tables in choose.c say; never with groups, or in double. */
static void chosen_by_sizes(void **state)
{
    static const int64_t three[] = {3, 3, 1, 1}, five[] = {5, 5, 1, 2}, one[] = {1, 1, 1, 0};
    (void)state;
    const struct ub_kernels *k = ub_kernels_pick(true);
    struct ub_images half = images(50, 8, 8, 8, 8, three);
    const struct ub_images small = images(50, 4, 4, 16, 16, three);
    const struct ub_images large = images(50, 8, 8, 16, 16, three);
    const struct ub_images wide = images(50, 8, 8, 16, 16, five);
    const struct ub_images point = images(50, 8, 8, 16, 16, one);
    const struct ub_images uneven = images(50, 8, 8, 24, 24, three);
    const bool v4 = k->isa[strlen(k->isa) - 1] == '4', v3 = k->isa[strlen(k->isa) - 1] == '3';
    for (enum ub_op op = UB_OP_CONV; op <= UB_OP_CONV_WEIGHT; op++) {
        const bool weight = op == UB_OP_CONV_WEIGHT;
        assert_int_equal(ub_choose_direct(k, op, &half), v3 || v4);
        assert_int_equal(ub_choose_direct(k, op, &small), v3 || (v4 && !weight));
        assert_int_equal(ub_choose_direct(k, op, &large), v3);
        assert_int_equal(ub_choose_direct(k, op, &wide), v3 && weight);
        assert_false(ub_choose_direct(k, op, &point));
        assert_false(ub_choose_direct(k, op, &uneven));
        assert_false(ub_choose_direct(ub_kernels_pick(false), op, &half));
    }
    half.groups = 2;
    assert_false(ub_choose_direct(k, UB_OP_CONV, &half));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_instruction_set),
                                       cmocka_unit_test(images_do_not_meet),
                                       cmocka_unit_test(chosen_by_sizes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
