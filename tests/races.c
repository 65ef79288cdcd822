/* Races planted for ThreadSanitizer to find: `races ours` in code of ours, `races product` and
 * `races convolution` where libraries that it cannot see into are handed memory that two threads
 * share. A test of the sanitizer's set-up (make tsan), not of the project. */
#include "systems/graph/program.h"

#include <sched.h>
#include <stdatomic.h>
#include <string.h>

enum { SIDE = 8, CHANNELS = 8, PIXELS = SIDE * SIDE * CHANNELS, SCRATCH = 1 << 20 };
/* The sanitizer misses one in eight where both threads write at the very same time. */
enum { RUNS = 20 };

struct shared {
    const struct ub_kernels *kernels;
    struct ub_dnnl_conv *conv;
    const char *what;
    _Atomic int here;
    int count;
    float *a, *b, *out[2], *scratch;
};

/* The tasks meet, so that two threads do them, and then do the same. */
static void race(void *context, int64_t task, int member)
{
    struct shared *s = context;
    atomic_fetch_add(&s->here, 1);
    while (atomic_load(&s->here) < 2)
        sched_yield();
    if (strcmp(s->what, "ours") == 0)
        s->count++;
    else if (strcmp(s->what, "product") == 0)
        s->kernels->gemm(false, false, SIDE, SIDE, SIDE, s->a, SIDE, s->b, SIDE, false, s->scratch,
                         SIDE);
    else
        ub_dnnl_conv_run(s->conv, member, s->out[task], s->a, s->b, s->scratch);
}

static float *zeros(int64_t count)
{
    return ub_calloc((size_t)count, sizeof(float));
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "races: expected ours, product or convolution\n");
        return UB_INPUT;
    }
    const struct ub_images images = {.n = 2,
                                     .h = SIDE,
                                     .w = SIDE,
                                     .c = CHANNELS,
                                     .out_h = SIDE,
                                     .out_w = SIDE,
                                     .o = CHANNELS,
                                     .kh = 3,
                                     .kw = 3,
                                     .stride = 1,
                                     .pad = 1,
                                     .groups = 1};
    struct shared s = {.kernels = ub_kernels_pick(true),
                       .conv = ub_dnnl_conv_new(UB_OP_CONV_WEIGHT, &images, 2),
                       .what = argv[1],
                       .a = zeros(2 * PIXELS),
                       .b = zeros(2 * PIXELS),
                       .out = {zeros(2 * PIXELS), zeros(2 * PIXELS)},
                       .scratch = zeros(SCRATCH)};
    if (!s.conv || ub_dnnl_conv_scratch(s.conv) > SCRATCH)
        return UB_INTERNAL;
    struct ub_team *team = ub_team_new(2);
    for (int run = 0; run < RUNS; run++) {
        atomic_store(&s.here, 0);
        ub_team_run(team, 2, race, &s);
    }
    ub_team_free(team);
    ub_dnnl_conv_free(s.conv);
    float *const all[] = {s.a, s.b, s.out[0], s.out[1], s.scratch};
    for (int i = 0; i < 5; i++)
        ub_free(all[i]);
    return UB_OK;
}
