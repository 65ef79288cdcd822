/* made_store.h - stores written by hand: 3 models x 3 optimizers x seeds whose rho is planted. */
#ifndef UB_TEST_MADE_STORE_H
#define UB_TEST_MADE_STORE_H

#include "bench/store/store.h"
#include "support.h"

enum { MADE_MODELS = 3, MADE_OPTIMIZERS = 3 };
static const char *const made_models[] = {"mlp:widths=8", "mlp:widths=16", "deep-linear:widths=8"};
static const char *const made_optimizers[] = {"gd:lr=0.1", "heavy-ball:beta=0.9,lr=0.1",
                                              "nesterov:beta=0.9,lr=0.1"};

struct made {
    const char *folder;
    int64_t seeds, first_seed;
    double rho[MADE_OPTIMIZERS];       /* planted plateau */
    double threshold[MADE_OPTIMIZERS]; /* recorded fact; 0 = 20 */
    double spread;                     /* of the plateau from seed to seed */
    uint64_t noise;                    /* names the random stream: other runs of the same specs */
    int diverged_optimizer;            /* -1 = none */
};

static inline void made_run(const struct made *m, int model, int optimizer, int64_t seed,
                            struct ub_random *r)
{
    struct ub_error err = {0};
    char *measures[] = {(char *)"sharpness"};
    const struct ub_run_spec spec = {.dataset = (char *)"digits",
                                     .model = (char *)made_models[model],
                                     .loss = (char *)"mse",
                                     .init = (char *)"pytorch:gain=1",
                                     .optimizer = (char *)made_optimizers[optimizer],
                                     .steps = 1000,
                                     .seed = (uint64_t)seed,
                                     .n_measures = 1,
                                     .measures = measures};
    struct ub_run_writer *w = ub_run_writer_new(m->folder, &spec, &err);
    assert_non_null(w);
    const bool diverged = optimizer == m->diverged_optimizer;
    const double threshold = m->threshold[optimizer] > 0 ? m->threshold[optimizer] : 20;
    const double plateau = m->rho[optimizer] + m->spread * ub_random_normal(r);
    for (int k = 0; k < 100; k++) { /* sharpens for 40 measurements, then sits at the plateau */
        const double rise = k < 40 ? 0.3 + 0.7 * k / 40.0 : 1;
        const double rho = plateau * rise + (k < 40 ? 0 : 0.02 * ub_random_normal(r));
        ub_run_writer_add(w, 10 * k, "sharpness", 0, rho * threshold, 1e-3);
        ub_run_writer_add(w, 10 * k, "edge-ratio", 0, rho, 1e-4);
        ub_run_writer_add(w, 10 * k, "loss", 0, exp(-0.03 * k + 0.02 * ub_random_normal(r)),
                          (double)NAN);
    }
    ub_run_writer_fact(w, "threshold", threshold);
    ub_run_writer_fact(w, "lr", 0.1);
    ub_run_writer_fact(w, "seconds", 1 + ub_random_uniform(r));
    const struct ub_pair provenance[] = {{(char *)"unibench", (char *)"test"}};
    if (!ub_run_writer_commit(w, diverged ? UB_RUN_DIVERGED : UB_RUN_OK, diverged ? "grew" : "",
                              provenance, 1, &err))
        fail_msg("%s", err.text);
}

static inline void made_store(const struct made *m)
{
    struct ub_error err = {0};
    if (!ub_store_lock(m->folder, false, &err))
        fail_msg("%s", err.text);
    struct ub_random r = ub_random_stream(m->noise, "made");
    for (int model = 0; model < MADE_MODELS; model++)
        for (int optimizer = 0; optimizer < MADE_OPTIMIZERS; optimizer++)
            for (int64_t seed = 0; seed < m->seeds; seed++)
                made_run(m, model, optimizer, m->first_seed + seed, &r);
}

#endif
