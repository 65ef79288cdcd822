/* Order parameters of a soft committee machine that learns from another (datasets/committee.c): the
 * student's overlaps with the teacher and with itself, the generalization error that they come to,
 * and what both are predicted to be by the equations of many inputs and samples each seen once,
 * from the run's own start on (committee_theory.h).
 *
 * Of a student whose units are erf(u/sqrt(2)) the error is the closed form, exact at any number of
 * inputs; of others it is the mean over test samples of half the squared distance to the teacher,
 * noise apart, with half its 95% interval. Which it is, is found out from the outputs on the
 * training inputs. Predictions are those of erf in any case.
 *
 * No rows of other data, nor of models that have other parameters than one weight an input for each
 * unit; none of error without test samples for units other than erf. */
#include "bench/observables/committee_theory.h"
#include "bench/observables/shared.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

struct state {
    bool known, applies, is_erf, good;
    struct ub_overlaps now, predicted;
    int64_t step; /* of `predicted` */
    struct ub_problem *test;
};

/* One weight an input for each unit, read as J = w / sqrt(d). */
static bool has_units(const struct ub_problem *p)
{
    const struct ub_layout *layout = ub_problem_layout(p);
    for (int64_t i = 0; i < layout->count; i++)
        if (layout->params[i].size != ub_problem_data(p)->features ||
            layout->params[i].multiplier != 1)
            return false;
    return layout->count > 0 && layout->count <= 64;
}

static void overlaps_at(const struct ub_problem *p, const double *theta, struct ub_overlaps *o)
{
    const struct ub_committee *teacher = ub_problem_data(p)->committee;
    const int d = (int)teacher->features, n = o->students + o->teachers;
    double *all = ub_alloc((size_t)n * (size_t)d * sizeof *all);
    for (int64_t i = 0; i < (int64_t)o->students * d; i++)
        all[i] = theta[i] / sqrt((double)d);
    memcpy(all + (size_t)o->students * (size_t)d, teacher->weight,
           (size_t)o->teachers * (size_t)d * sizeof *all);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, n, n, d, 1, all, d, all, d, 0, o->product,
                n);
    ub_free(all);
}

/* Whether the outputs on the training inputs are those of error functions. */
static bool is_erf(const struct ub_moment *moment)
{
    const struct ub_dataset *data = ub_problem_data(moment->problem);
    const struct ub_committee student = {
        ub_problem_layout(moment->problem)->count, data->features,
        ub_calloc((size_t)ub_problem_size(moment->problem), sizeof(double))};
    double *f = ub_calloc((size_t)data->train.count, sizeof *f);
    for (int64_t i = 0; i < ub_problem_size(moment->problem); i++)
        student.weight[i] = moment->theta[i] / sqrt((double)data->features);
    ub_problem_outputs(moment->problem, moment->theta, f);
    bool same = true;
    for (int64_t i = 0; same && i < data->train.count; i++)
        same = fabs(f[i] - ub_committee_answer(&student, data->train.inputs + i * data->features)) <
               1e-4; /* outputs are of order 1; 1e-6 in f32 */
    ub_free(student.weight);
    ub_free(f);
    return same;
}

static bool find_out(struct state *s, const struct ub_moment *moment, struct ub_error *err)
{
    const struct ub_dataset *data = ub_problem_data(moment->problem);
    s->known = true;
    if (!data->committee || ub_problem_loss_kind(moment->problem)->softmax ||
        !has_units(moment->problem))
        return true;
    s->applies = s->good = true;
    s->is_erf = is_erf(moment);
    s->now.students = (int)ub_problem_layout(moment->problem)->count;
    s->now.teachers = (int)data->committee->units;
    s->predicted = s->now;
    const size_t n = (size_t)(s->now.students + s->now.teachers);
    s->now.product = ub_calloc(n * n, sizeof(double));
    s->predicted.product = ub_calloc(n * n, sizeof(double));
    overlaps_at(moment->problem, moment->theta, &s->predicted);
    s->step = moment->step;
    if (!s->is_erf && data->test.count > 0) {
        s->test = ub_problem_test_new(moment->problem, err);
        return s->test != NULL;
    }
    return true;
}

/* From test samples, whose targets have noise and so are not asked for. */
static double sampled_error(struct ub_problem *test, const double *theta, double *error)
{
    const struct ub_dataset *data = ub_problem_data(test);
    const int64_t n = data->train.count;
    double *f = ub_calloc((size_t)n, sizeof *f), mean = 0, squares = 0;
    ub_problem_outputs(test, theta, f);
    for (int64_t i = 0; i < n; i++) {
        const double off =
            f[i] - ub_committee_answer(data->committee, data->train.inputs + i * data->features);
        const double before = off * off / 2 - mean;
        mean += before / (double)(i + 1);
        squares += before * (off * off / 2 - mean);
    }
    *error = n > 1 ? 1.96 * sqrt(squares / ((double)n - 1) / (double)n) : (double)NAN;
    ub_free(f);
    return mean;
}

static void record_overlaps(struct ub_record *record, const struct ub_moment *moment,
                            const struct ub_overlaps *o, const char *teacher, const char *student)
{
    const int n = o->students + o->teachers;
    for (int i = 0; i < o->students; i++) {
        for (int m = 0; m < o->teachers; m++)
            ub_record_value(record, moment, teacher, i * o->teachers + m,
                            o->product[i * n + o->students + m], NAN);
        for (int k = 0; k < o->students; k++)
            ub_record_value(record, moment, student, i * o->students + k, o->product[i * n + k],
                            NAN);
    }
}

/* To this moment's step; false where the equations diverge. */
static bool predict(struct state *s, const struct ub_moment *moment)
{
    const struct ub_dataset *data = ub_problem_data(moment->problem);
    const int64_t batch = ub_optimizer_batch(moment->optimizer);
    const struct ub_committee_descent descent = {
        .lr = moment->optimizer->lr,
        .batch = (double)(batch > 0 ? batch : data->train.count),
        .noise = data->noise};
    const double alpha = (double)(moment->step - s->step) / (double)data->features;
    s->step = moment->step;
    return ub_committee_advance(&s->predicted, &descent, alpha);
}

static bool measure(void *state, const struct ub_call *call, const struct ub_moment *moment,
                    struct ub_record *record, struct ub_error *err)
{
    (void)call;
    struct state *s = state;
    if (!s->known && !find_out(s, moment, err))
        return false;
    if (!s->applies)
        return true;
    overlaps_at(moment->problem, moment->theta, &s->now);
    record_overlaps(record, moment, &s->now, "teacher-overlap", "student-overlap");
    double error = (double)NAN;
    if (s->is_erf)
        ub_record_value(record, moment, "generalization-error", 0, ub_committee_error(&s->now),
                        NAN);
    else if (s->test) {
        const double sampled = sampled_error(s->test, moment->theta, &error);
        ub_record_value(record, moment, "generalization-error", 0, sampled, error);
    }
    s->good = s->good && predict(s, moment);
    if (!s->good)
        return true;
    record_overlaps(record, moment, &s->predicted, "predicted-teacher-overlap",
                    "predicted-student-overlap");
    ub_record_value(record, moment, "predicted-generalization-error", 0,
                    ub_committee_error(&s->predicted), NAN);
    return true;
}

static void close_state(void *state)
{
    struct state *s = state;
    ub_problem_free(s->test);
    ub_free(s->now.product);
    ub_free(s->predicted.product);
}

static const char student_teacher[] = "student's unit x units of the teacher + teacher's unit";
static const char student_student[] = "student's unit x units of the student + other unit";

static const struct ub_quantity rows[] = {
    {.name = "generalization-error",
     .units = "output squared",
     .meaning = "half the mean square distance of student and teacher",
     .headline = true,
     .figure = UB_FIGURE_OVER_STEPS,
     .column = "final-",
     .compared =
         {.kind = UB_COMPARED_MEASURED, .scale = UB_SCALE_LOG, .floor = 0.02, .zero = 1e-12}},
    {.name = "predicted-generalization-error",
     .units = "output squared",
     .meaning = "what the equations of many inputs have for it",
     .figure = UB_FIGURE_OVER_STEPS},
    {.name = "teacher-overlap",
     .index = student_teacher,
     .units = "1",
     .meaning = "product of a unit's weights with a teacher's, R"},
    {.name = "predicted-teacher-overlap",
     .index = student_teacher,
     .units = "1",
     .meaning = "what the equations have for it"},
    {.name = "student-overlap",
     .index = student_student,
     .units = "1",
     .meaning = "product of the weights of two units, Q"},
    {.name = "predicted-student-overlap",
     .index = student_student,
     .units = "1",
     .meaning = "what the equations have for it"},
    {.name = NULL},
};

const struct ub_observable ub_observable_order_parameters = {
    .name = "order-parameters",
    .summary = "overlaps and generalization error of a soft committee machine that learns from "
               "another, and what the equations of online learning predict",
    .units = "output squared",
    .citation = "Saad and Solla 1995, doi:10.1103/PhysRevE.52.4225; Goldt et al. 2019, "
                "arXiv:1906.08632",
    .rows = rows,
    .log_spaced = "30",
    .state_bytes = sizeof(struct state),
    .measure = measure,
    .close = close_state,
};
