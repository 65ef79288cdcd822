/* sample_store.h - small stores written run by run. */
#ifndef UB_TEST_SAMPLE_STORE_H
#define UB_TEST_SAMPLE_STORE_H

#include "bench/store/store.h"
#include "tests/support.h"

static char *measures[] = {"loss:every=1", "sharpness:every=10,top=2"};

static inline struct ub_run_spec sample_spec(uint64_t seed)
{
    return (struct ub_run_spec){
        .dataset = "digits:size=100",
        .model = "mlp:activation=tanh,bias=true,widths=8x8",
        .loss = "mse",
        .init = "pytorch:gain=1",
        .optimizer = "gd:lr=0.05",
        .model_label = "mlp:widths=8x8",
        .init_label = "pytorch",
        .steps = 10,
        .seed = seed,
        .n_measures = 2,
        .measures = measures,
    };
}

static inline void write_run(const char *store, const struct ub_run_spec *spec,
                             enum ub_run_status status, const char *message, double value)
{
    struct ub_error err = {0};
    const struct ub_pair provenance[] = {{"compiler", "GNU 12: \"quoted\" # and more"},
                                         {"empty", ""}};
    struct ub_run_writer *w = ub_run_writer_new(store, spec, &err);
    if (!w)
        fail_msg("%s", err.text);
    ub_run_writer_add(w, 0, "loss", 0, value, (double)NAN);
    ub_run_writer_add(w, 0, "sharpness", 0, 0.1, 1e-300);
    ub_run_writer_add(w, 0, "sharpness", 1, -5e-324, 0);
    ub_run_writer_add(w, 10, "loss", 0, HUGE_VAL, -HUGE_VAL);
    ub_run_writer_add(w, 10, "odd, \"name\"", 7, (double)NAN, 1.0 / 3);
    ub_run_writer_fact(w, "lr", 1);
    ub_run_writer_fact(w, "threshold", (double)NAN);
    ub_run_writer_fact(w, "big", -HUGE_VAL);
    ub_run_writer_fact(w, "lr", 0.1);
    if (!ub_run_writer_commit(w, status, message, provenance, 2, &err))
        fail_msg("%s", err.text);
}

static inline struct ub_store *open_good(const char *path)
{
    struct ub_error err = {0};
    struct ub_store *s = ub_store_open(path, &err);
    if (!s)
        fail_msg("%s", err.text);
    return s;
}

#endif
