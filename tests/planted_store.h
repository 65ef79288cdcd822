/* planted_store.h - stores in memory whose systems' series are planted, and the verdict of the law
 * on the edge of stability on them. */
#ifndef UB_TEST_PLANTED_STORE_H
#define UB_TEST_PLANTED_STORE_H

#include "planted_series.h"

#include "report/frame/columns.h"
#include "report/laws/law.h"
#include "report/laws/level.h"

enum { MEASUREMENTS = 120 };

static inline const struct ub_law *edge(void)
{
    return ub_law_find("edge-of-stability");
}

struct world {
    enum planted kind; /* of all systems, but for the exceptions */
    size_t systems, seeds, exceptions;
    double center, tau; /* levels over those of the kind */
    double except;      /* those of the exceptions */
};

struct noise {
    double deviation, phi; /* 0: as is drawn for the kind */
    size_t measurements;   /* MEASUREMENTS at most */
};

struct planted_store {
    struct ub_store store;
    struct ub_frame *frame;
    struct ub_trace **trace; /* one a run; the frame owns them */
    struct ub_fact threshold;
};

static inline struct ub_trace *planted_trace(const double *value, size_t n, double factor)
{
    struct ub_trace *t = ub_calloc(1, sizeof *t);
    t->count = 2 * n;
    t->n_names = 2;
    t->names = ub_calloc(2, sizeof *t->names);
    t->names[0] = ub_strdup("edge-ratio");
    t->names[1] = ub_strdup("loss");
    t->step = ub_calloc(t->count, sizeof *t->step);
    t->index = ub_calloc(t->count, sizeof *t->index);
    t->observable = ub_calloc(t->count, sizeof *t->observable);
    t->value = ub_calloc(t->count, sizeof *t->value);
    t->error = ub_calloc(t->count, sizeof *t->error);
    for (size_t i = 0; i < t->count; i++) {
        t->step[i] = (int64_t)(i / 2) * 10;
        t->observable[i] = t->names[i % 2];
        t->value[i] = i % 2 ? 1 - 0.8 * (double)i / (double)t->count : factor * value[i / 2];
    }
    return t;
}

static inline void plant_run(struct planted_store *p, size_t i, size_t system, const double *value,
                             size_t n, double factor)
{
    static char *measures[] = {(char *)"sharpness:every=10"};
    struct ub_text model = {0};
    ub_text_add(&model, "mlp:widths=%zu", system + 1);
    p->store.runs[i] = (struct ub_run){.spec = {.dataset = (char *)"digits",
                                                .model = model.data,
                                                .loss = (char *)"mse",
                                                .init = (char *)"pytorch",
                                                .optimizer = (char *)"gd:lr=0.1",
                                                .seed = i,
                                                .n_measures = 1,
                                                .measures = measures},
                                       .n_facts = 1,
                                       .facts = &p->threshold};
    p->trace[i] = planted_trace(value, n, factor);
}

static inline void plant_frame(struct planted_store *p)
{
    struct ub_error err = {0};
    p->frame = ub_frame_new(&p->store, &err);
    if (!p->frame)
        fail_msg("%s", err.text);
    for (size_t i = 0; i < p->store.count; i++)
        ub_trace_cache_put(p->frame->traces, i, p->trace[i]);
}

/* The same world twice is the same store but for the factor. */
static inline struct planted_store *plant_noisy(const struct world *w, const struct noise *noise,
                                                uint64_t seed, double factor)
{
    struct planted_store *p = ub_calloc(1, sizeof *p);
    struct ub_random r = ub_random_stream(seed, "worlds");
    const size_t runs = w->systems * w->seeds;
    const size_t n = noise->measurements;
    p->threshold = (struct ub_fact){.name = (char *)"threshold", .value = 20};
    p->store = (struct ub_store){
        .path = (char *)"planted", .count = runs, .runs = ub_calloc(runs, sizeof *p->store.runs)};
    p->trace = ub_calloc(runs, sizeof *p->trace);
    for (size_t s = 0; s < w->systems; s++) {
        struct plant plant = plant_of(w->kind, &r);
        plant.noise = noise->deviation > 0 ? noise->deviation : plant.noise;
        plant.phi = noise->deviation > 0 ? noise->phi : plant.phi;
        const double spread = exp(planted_between(&r, log(0.0005), log(0.03)));
        const double own = w->center + w->tau * ub_random_normal(&r);
        const double scale = s < w->exceptions ? w->except : own;
        for (size_t k = 0; k < w->seeds; k++) {
            double value[MEASUREMENTS];
            planted_series(&plant, &r, value, n);
            plant_run(p, s * w->seeds + k, s, value, n,
                      factor * (scale + spread * ub_random_normal(&r)));
        }
    }
    plant_frame(p);
    return p;
}

static inline struct planted_store *plant(const struct world *w, uint64_t seed, double factor)
{
    return plant_noisy(w, &(struct noise){0, 0, MEASUREMENTS}, seed, factor);
}

static inline void uproot(struct planted_store *p)
{
    ub_frame_free(p->frame);
    for (size_t i = 0; i < p->store.count; i++)
        ub_free(p->store.runs[i].spec.model);
    ub_free(p->store.runs);
    ub_free(p->trace);
    ub_free(p);
}

static inline struct ub_law_verdict *judge_and_uproot(struct planted_store *p)
{
    struct ub_law_verdict *v = ub_law_verdict_new(edge(), p->frame);
    uproot(p); /* a verdict keeps nothing of the frame */
    return v;
}

static inline struct ub_law_verdict *verdict_on(const struct world *w, uint64_t seed, double factor)
{
    return judge_and_uproot(plant(w, seed, factor));
}

#endif
