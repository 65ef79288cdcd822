/* planted_laws.h - a law made for tests, and frames planted for it in memory. */
#ifndef UB_TEST_PLANTED_LAWS_H
#define UB_TEST_PLANTED_LAWS_H

#include "report/laws/law.h"
#include "support.h"

/* A law made for these tests: the fact "y" falls as 1/width, whatever the optimizer. */
static bool is_two_layer(const struct ub_frame *f, size_t row)
{
    return strcmp(ub_frame_word(f, row, "model"), "two-layer") == 0;
}

static struct ub_datum slope(const struct ub_frame *f, const struct ub_rows *group)
{
    double xy = 0, xx = 0, x0 = 0, y0 = 0;
    const double n = (double)group->count;
    for (size_t i = 0; i < group->count; i++) {
        x0 += log(ub_frame_number(f, group->row[i], "model.width")) / n;
        y0 += log(ub_frame_number(f, group->row[i], "y")) / n;
    }
    for (size_t i = 0; i < group->count; i++) {
        const double x = log(ub_frame_number(f, group->row[i], "model.width")) - x0;
        xy += x * (log(ub_frame_number(f, group->row[i], "y")) - y0);
        xx += x * x;
    }
    if (!(xx > 0))
        return (struct ub_datum){.why = "one width only"};
    return (struct ub_datum){.value = xy / xx, .se = 0.01};
}

static const char *const within[] = {"model.width", NULL};
static const struct ub_law falls = {
    .name = "falls",
    .strand = UB_LIMITS,
    .claim = "y falls as 1/width",
    .quantity = "slope of log y on log width",
    .citation = "these tests",
    .who = "two-layer networks",
    .because = "ten times the error of a slope",
    .within = within,
    .needs = {{.observable = "loss"}, {.axis = "model.width", .least = 3}},
    .applies = is_two_layer,
    .datum = slope,
    .is = {UB_EQUAL, .target = -1, .margin = 0.1},
};

enum { RATES = 12, WIDTHS = 4, MOST = (RATES + 4) * WIDTHS };

struct made {
    struct ub_run run[MOST];
    struct ub_fact y[MOST];
    char text[MOST][2][48];
    struct ub_store store;
    struct ub_frame *frame;
};
static char *loss_only[] = {(char *)"loss:every=1"};

static inline void add(struct made *m, int width, double rate, double y, const char *control)
{
    const size_t i = m->store.count++;
    snprintf(m->text[i][0], sizeof m->text[i][0], "two-layer:width=%d", width);
    snprintf(m->text[i][1], sizeof m->text[i][1], "%s:lr=%g", rate < 0.5 ? "gd" : "adam", rate);
    m->y[i] = (struct ub_fact){(char *)"y", y};
    m->run[i] = (struct ub_run){.spec = {.dataset = (char *)"digits",
                                         .model = m->text[i][0],
                                         .loss = (char *)"mse",
                                         .init = (char *)"pytorch",
                                         .optimizer = m->text[i][1],
                                         .steps = 10,
                                         .n_measures = 1,
                                         .measures = loss_only},
                                .control = (char *)control,
                                .n_facts = 1,
                                .facts = &m->y[i]};
}

static inline void add_widths(struct made *m, double rate, double exponent, const char *control)
{
    for (int w = 0; w < WIDTHS; w++)
        add(m, 64 << w, rate, pow(64 << w, exponent), control);
}

static inline struct ub_law_verdict *judged(struct made *m, const struct ub_law *law)
{
    struct ub_error err = {0};
    m->store.runs = m->run;
    m->store.path = (char *)"";
    m->frame = ub_frame_new(&m->store, &err);
    if (!m->frame)
        fail_msg("%s", err.text);
    return ub_law_verdict_new(law, m->frame);
}

#endif
