/* planted_sweep.h - sweeps of the learning rate over sizes whose best rate is known, and what a law
 * of such sweeps finds in them.
 *
 *     const struct planted_sweep p = {"mlp:parametrization=mup,widths=", "adam", 32, -0.5};
 *     const struct ub_datum d = planted_sweep_datum(&ub_law_lr_transfer, &p);
 */
#ifndef UB_TEST_PLANTED_SWEEP_H
#define UB_TEST_PLANTED_SWEEP_H

#include "law_suite.h"

#include "bench/store/store.h"

struct planted_sweep {
    const char *model; /* to be followed by a size */
    const char *optimizer;
    int least;       /* of four sizes, each twice the one before */
    double exponent; /* of the best rate in the size */
};

/* log loss is a parabola in log2 rate about an optimum that goes as size^exponent; rates too large
 * by 2^3 diverge. */
static inline void planted_sweep_run(const char *path, const struct planted_sweep *p, int size,
                                     int step, int seed)
{
    struct ub_error err = {0};
    const double rate = exp2(-10 + 0.5 * step);
    const double off =
        log2(rate) - (-6.3 + p->exponent * log2((double)size / (2 * p->least)) + 0.05 * seed);
    char model[128], optimizer[128];
    char *measures[] = {(char *)"loss"};
    snprintf(model, sizeof model, "%s%d", p->model, size);
    snprintf(optimizer, sizeof optimizer, "%s:lr=%.17g", p->optimizer, rate);
    const struct ub_run_spec spec = {.dataset = (char *)"digits",
                                     .model = model,
                                     .loss = (char *)"mse",
                                     .init = (char *)"pytorch:gain=1",
                                     .optimizer = optimizer,
                                     .steps = 10,
                                     .seed = (uint64_t)seed,
                                     .n_measures = 1,
                                     .measures = measures};
    struct ub_run_writer *w = ub_run_writer_new(path, &spec, &err);
    if (!w)
        fail_msg("%s", err.text);
    const bool diverged = off > 3;
    ub_run_writer_add(w, 0, "loss", 0, 1, (double)NAN);
    if (!diverged)
        ub_run_writer_add(w, 10, "loss", 0, 0.1 * exp(0.3 * off * off), (double)NAN);
    ub_run_writer_fact(w, "lr", rate);
    if (!ub_run_writer_commit(w, diverged ? UB_RUN_DIVERGED : UB_RUN_OK, NULL, NULL, 0, &err))
        fail_msg("%s", err.text);
}

enum { PLANTED_RATES = 17, PLANTED_SEEDS = 3, PLANTED_SIZES = 4 };

static inline struct law_suite planted_sweep_store(const struct planted_sweep *p)
{
    struct ub_error err = {0};
    struct law_suite s = {.folder = support_folder()};
    if (!ub_store_lock(s.folder, false, &err))
        fail_msg("%s", err.text);
    for (int size = 0; size < PLANTED_SIZES; size++)
        for (int step = 0; step < PLANTED_RATES; step++)
            for (int seed = 0; seed < PLANTED_SEEDS; seed++)
                planted_sweep_run(s.folder, p, p->least << size, step, seed);
    s.store = ub_store_open(s.folder, &err);
    if (!s.store)
        fail_msg("%s", err.text);
    s.frame = ub_frame_new(s.store, &err);
    if (!s.frame)
        fail_msg("%s", err.text);
    return s;
}

static inline struct ub_datum planted_sweep_datum(const struct ub_law *law,
                                                  const struct planted_sweep *p)
{
    struct law_suite s = planted_sweep_store(p);
    assert_int_equal(law_suite_applies(&s, law), s.frame->rows);
    const struct ub_datum d = law_suite_datum(&s, law, "optimizer", p->optimizer);
    law_suite_free(&s);
    return d;
}

/* A parabola through three of its points is itself: the slope is the planted one to rounding. */
static inline double planted_sweep_error(const struct ub_law *law, const char *model,
                                         const char *optimizer, int least)
{
    const double exponents[] = {0, -0.5, 0.4};
    double worst = 0;
    for (int i = 0; i < 3; i++) {
        const struct planted_sweep p = {model, optimizer, least, exponents[i]};
        const struct ub_datum d = planted_sweep_datum(law, &p);
        assert_null(d.why);
        worst = fmax(worst, fabs(d.value - exponents[i]));
    }
    return worst;
}

#endif
