/* Pairs of runs as one: a twin leaves the training at a step k, the fork, and goes on from there
 * with other mini-batches; what is measured is whether the two stay in one valley, by the barriers
 * of loss and error on the straight line between their weights (line.h; Frankle et al. 2020,
 * arXiv:1912.05671, "instability analysis").
 *
 * A twin is trained here from the run's own start, with its optimizer, rate and batches up to the
 * fork, so that it is the run up to there, to the bit, whatever state its optimizer has (tested:
 * fork-distance is 0 at the fork); after it its batches are of streams of its own
 * (ub_optimizer_redraw). Every fork costs one training more, and `points` evaluations. Trainings on
 * all samples have no noise, and no such rows.
 *
 * The index of rows is the step of the fork; of line-... it is the place on the line, and the word
 * in the name the fork. */
#include "bench/observables/line.h"
#include "bench/observables/shared.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static const struct ub_option options[] = {
    {"forks", UB_OPTION_TEXT, "0", 0, 0, NULL,
     "steps at which a twin leaves the run, ascending, as 0+20+200"},
    {"points", UB_OPTION_INT, "21", 3, 10001, NULL, "on the line, its ends included"},
    {"twin", UB_OPTION_INT, "1", 1, 1e9, NULL, "number of the twins' batches: others, others"},
    {"test", UB_OPTION_FLAG, "true", 0, 0, NULL, "also on the test split, if there is one"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

enum { MOST_FORKS = 64 };

struct twin {
    int64_t fork, step; /* where it leaves; how far it is */
    double *theta;
    struct ub_optimizer *optimizer;
};

struct state {
    int64_t size, points, count; /* of parameters, on a line, of twins */
    struct twin *twin;
    double *room, *loss, *error; /* size; points; points */
};

/* ---- options ---- */

static int64_t read_forks(const char *text, int64_t *fork)
{
    for (int64_t n = 0; n < MOST_FORKS; n++) {
        char word[24];
        const size_t length = strcspn(text, "+");
        if (length == 0 || length >= sizeof word)
            return 0;
        snprintf(word, sizeof word, "%.*s", (int)length, text);
        if (!ub_read_int(word, &fork[n]) || fork[n] < 0 || (n > 0 && fork[n] <= fork[n - 1]))
            return 0;
        if (!text[length])
            return n + 1;
        text += length + 1;
    }
    return 0;
}

static bool check(const struct ub_call *call, const char *where, struct ub_error *err)
{
    int64_t fork[MOST_FORKS];
    const char *text = ub_call_get(call, "forks");
    return read_forks(text, fork) > 0 ||
           ub_fail(err, UB_INPUT,
                   "%s: %s: forks=%s; expected at most %d steps, ascending and joined by '+', as "
                   "in 0+20+200",
                   where, call->name, text, MOST_FORKS);
}

/* ---- twins ---- */

/* The run's, at the rate that it resolved: a number means the same at any time. */
static struct ub_optimizer *optimizer_again(const struct ub_optimizer *o, struct ub_error *err)
{
    char rate[UB_REAL_TEXT];
    char *text = ub_call_text(o->call, NULL);
    struct ub_call *call = ub_call_parse(text, "optimizer", err);
    ub_free(text);
    if (!call)
        return NULL;
    ub_real_text(o->base, rate);
    for (size_t i = 0; i < call->count; i++)
        if (strcmp(call->keys[i], "lr") == 0) {
            ub_free(call->values[i]);
            call->values[i] = ub_strdup(rate);
        }
    text = ub_call_text(call, NULL);
    struct ub_optimizer *again = ub_optimizer_new(text, o->size, err);
    ub_free(text);
    ub_call_free(call);
    if (again && !ub_optimizer_attach(again, &o->training, err)) {
        ub_optimizer_free(again);
        return NULL;
    }
    return again;
}

static bool open_state(struct state *s, const struct ub_call *call, const struct ub_moment *moment,
                       struct ub_error *err)
{
    int64_t fork[MOST_FORKS];
    const int64_t n = read_forks(ub_call_get(call, "forks"), fork);
    s->size = ub_problem_size(moment->problem);
    s->points = ub_call_int(call, "points");
    s->twin = ub_calloc((size_t)n, sizeof *s->twin);
    s->room = ub_calloc((size_t)s->size, sizeof *s->room);
    s->loss = ub_calloc((size_t)s->points, sizeof *s->loss);
    s->error = ub_calloc((size_t)s->points, sizeof *s->error);
    for (int64_t i = 0; i < n; i++) {
        struct twin *t = &s->twin[s->count++];
        t->fork = fork[i];
        t->theta = ub_calloc((size_t)s->size, sizeof *t->theta);
        memcpy(t->theta, moment->theta0, (size_t)s->size * sizeof *t->theta);
        t->optimizer = optimizer_again(moment->optimizer, err);
        if (!t->optimizer)
            return false;
    }
    return true;
}

static void advance(struct state *s, struct twin *t, int64_t step, int64_t number)
{
    for (; t->step < step; t->step++) {
        if (t->step == t->fork)
            ub_optimizer_redraw(t->optimizer, number);
        ub_optimizer_gradient(t->optimizer, t->theta, s->room);
        ub_optimizer_step(t->optimizer, t->theta, s->room);
    }
}

/* ---- rows ---- */

static double distance(const struct state *s, const double *a, const double *b)
{
    for (int64_t i = 0; i < s->size; i++)
        s->room[i] = a[i] - b[i];
    return ub_norm(s->size, s->room);
}

static void record_line(const struct state *s, const struct ub_moment *moment, const char *what,
                        int64_t fork, const double *values, struct ub_record *record)
{
    char name[64];
    snprintf(name, sizeof name, "%s.%" PRId64, what, fork);
    for (int64_t i = 0; i < s->points; i++)
        ub_record_value(record, moment, name, i, values[i], NAN);
}

static void record_split(struct state *s, const struct ub_moment *moment, const struct twin *t,
                         bool test, struct ub_record *record)
{
    const int64_t n = s->points, last = n - 1;
    ub_line_walk(moment->problem, test, moment->theta, t->theta, n, s->room, s->loss, s->error);
    const double barrier = ub_line_loss_barrier(n, s->loss);
    if (isnan(barrier)) /* one of the two diverges */
        return;
    ub_record_value(record, moment, test ? "test-loss-barrier" : "loss-barrier", t->fork, barrier,
                    NAN);
    ub_record_value(record, moment, test ? "twin-test-loss" : "twin-loss", t->fork, s->loss[last],
                    NAN);
    record_line(s, moment, test ? "test-line-loss" : "line-loss", t->fork, s->loss, record);
    if (ub_problem_data(moment->problem)->task != UB_CLASSIFICATION)
        return;
    ub_record_value(record, moment, test ? "test-error-barrier" : "error-barrier", t->fork,
                    ub_line_error_barrier(n, s->error), NAN);
    ub_record_value(record, moment, test ? "twin-test-error" : "twin-error", t->fork,
                    s->error[last], NAN);
    record_line(s, moment, test ? "test-line-error" : "line-error", t->fork, s->error, record);
}

static bool measure(void *state, const struct ub_call *call, const struct ub_moment *moment,
                    struct ub_record *record, struct ub_error *err)
{
    struct state *s = state;
    const bool test =
        ub_call_flag(call, "test") && ub_problem_data(moment->problem)->test.count > 0;
    if (ub_optimizer_batch(moment->optimizer) == 0)
        return true;
    if (!s->twin && !open_state(s, call, moment, err))
        return false;
    for (int64_t i = 0; i < s->count && s->twin[i].fork <= moment->step; i++) {
        struct twin *t = &s->twin[i];
        advance(s, t, moment->step, ub_call_int(call, "twin"));
        const double apart = distance(s, moment->theta, t->theta);
        if (!isfinite(apart))
            continue;
        ub_record_value(record, moment, "fork-distance", t->fork, apart, NAN);
        record_split(s, moment, t, false, record);
        if (test)
            record_split(s, moment, t, true, record);
    }
    return true;
}

static void close(void *state)
{
    struct state *s = state;
    for (int64_t i = 0; i < s->count; i++) {
        ub_free(s->twin[i].theta);
        ub_optimizer_free(s->twin[i].optimizer);
    }
    ub_free(s->twin);
    ub_free(s->room);
    ub_free(s->loss);
    ub_free(s->error);
}

/* Each twin's weights and its optimizer's state, about; and its batch's programs, no larger than
 * those of all samples. */
enum { VECTORS = 4 };

static int64_t bytes(const struct ub_call *call, const struct ub_problem *problem)
{
    int64_t fork[MOST_FORKS];
    return read_forks(ub_call_get(call, "forks"), fork) * ub_problem_bytes(problem, VECTORS);
}

/* ---- declarations ---- */

static const char fork_index[] = "step of the fork", place_index[] = "place on the line, from 0";

#define BARRIER(NAME, UNITS, MEANING, ...)                                                         \
    {                                                                                              \
        .name = NAME, .index = fork_index, .units = UNITS, .meaning = MEANING,                     \
        .figure = UB_FIGURE_OVER_INDEX, .column = "", __VA_ARGS__                                  \
    }
#define OF_TWIN(NAME, UNITS, MEANING)                                                              \
    {                                                                                              \
        .name = NAME, .index = fork_index, .units = UNITS, .meaning = MEANING                      \
    }
#define LINE(NAME, UNITS, MEANING)                                                                 \
    {                                                                                              \
        .name = NAME, .index = place_index, .units = UNITS, .meaning = MEANING,                    \
        .figure = UB_FIGURE_OVER_INDEX                                                             \
    }

static const struct ub_quantity rows[] = {
    BARRIER("error-barrier", "1", "highest training error between run and twin, less the ends'",
            .headline = true,
            .compared = {.kind = UB_COMPARED_MEASURED, .floor = 0.02, .counted = true}),
    BARRIER("test-error-barrier", "1", "highest test error between run and twin, less the ends'",
            .compared = {.kind = UB_COMPARED_MEASURED, .floor = 0.02, .counted = true}),
    BARRIER("loss-barrier", "units of the loss",
            "most that the training loss between run and twin is above its chord",
            .compared = {.kind = UB_COMPARED_MEASURED, .floor = 0.02}),
    BARRIER("test-loss-barrier", "units of the loss",
            "most that the test loss between run and twin is above its chord",
            .compared = {.kind = UB_COMPARED_MEASURED, .floor = 0.02}),
    OF_TWIN("fork-distance", "units of parameters", "distance of the twin's weights"),
    OF_TWIN("twin-loss", "units of the loss", "the twin's training loss"),
    OF_TWIN("twin-error", "1", "share of training samples the twin classifies wrongly"),
    OF_TWIN("twin-test-loss", "units of the loss", "the twin's test loss"),
    OF_TWIN("twin-test-error", "1", "share of test samples the twin classifies wrongly"),
    LINE("line-loss.FORK", "units of the loss", "training loss on the line from run to twin"),
    LINE("line-error.FORK", "1", "training error on the line from run to twin"),
    LINE("test-line-loss.FORK", "units of the loss", "test loss on the line from run to twin"),
    LINE("test-line-error.FORK", "1", "test error on the line from run to twin"),
    {.name = NULL},
};

const struct ub_observable ub_observable_fork_barrier = {
    .name = "fork-barrier",
    .summary = "twins that leave the run with other batches, and the barriers between them and it",
    .units = "1",
    .citation = "Frankle et al. 2020, arXiv:1912.05671; Entezari et al. 2022, arXiv:2110.06296",
    .rows = rows,
    .options = options,
    .at = "end",
    .state_bytes = sizeof(struct state),
    .check = check,
    .bytes = bytes,
    .measure = measure,
    .close = close,
};
