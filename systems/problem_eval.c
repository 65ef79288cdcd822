/* Loss, gradient, accuracy, activations: each a run of one program. */
#include "systems/problem.h"

#include <math.h>
#include <string.h>

static void run_at(const struct ub_problem *p, struct ub_program *program, const double *theta,
                   double *const *results)
{
    const double *vectors[] = {[UB_AT_THETA] = theta, [UB_AT_FROZEN] = p->frozen_values};
    ub_program_run(program, vectors, results, true);
}

static double run_evaluation(struct ub_problem *p, bool test, const double *theta)
{
    struct ub_program *program = ub_problem_evaluate_program(p, test);
    double loss = 0;
    double *results[] = {[UB_EVALUATE_LOSS] = &loss, [UB_EVALUATE_OUTPUTS] = p->outputs[test]};
    run_at(p, program, theta, results);
    return loss;
}

double ub_problem_loss(struct ub_problem *p, const double *theta)
{
    return run_evaluation(p, false, theta);
}

double ub_problem_gradient(struct ub_problem *p, const double *theta, double *grad)
{
    struct ub_program *program = ub_problem_gradient_program(p);
    double loss = 0;
    double *results[] = {[UB_GRADIENT_LOSS] = &loss, [UB_GRADIENT_VECTOR] = grad};
    run_at(p, program, theta, results);
    p->gradients++;
    return loss;
}

/* The label's output is the first of the greatest; a NaN anywhere counts as wrong. */
static bool is_correct(const double *output, int64_t n, int64_t label)
{
    for (int64_t k = 0; k < n; k++)
        if (!(k < label ? output[k] < output[label] : output[k] <= output[label]))
            return false;
    return true;
}

static double accuracy_of(const struct ub_dataset *data, bool test, const double *outputs)
{
    const struct ub_split *split = test ? &data->test : &data->train;
    if (data->task != UB_CLASSIFICATION || !split->labels)
        return NAN;
    int64_t correct = 0, asked = 0;
    for (int64_t i = 0; i < split->count * ub_positions(data); i++) {
        if (split->labels[i] < 0)
            continue;
        asked++;
        correct += is_correct(outputs + i * data->outputs, data->outputs, split->labels[i]);
    }
    return (double)correct / (double)asked;
}

void ub_problem_evaluate(struct ub_problem *p, bool test, const double *theta, double *loss,
                         double *accuracy)
{
    const int64_t count = test ? p->data->test.count : p->data->train.count;
    const double value = count > 0 ? run_evaluation(p, test, theta) : NAN;
    if (loss)
        *loss = value;
    if (accuracy)
        *accuracy = count > 0 ? accuracy_of(p->data, test, p->outputs[test]) : NAN;
}

void ub_problem_outputs(struct ub_problem *p, const double *theta, double *out)
{
    run_evaluation(p, false, theta);
    const int64_t n = p->data->train.count * ub_positions(p->data) * p->data->outputs;
    memcpy(out, p->outputs[0], (size_t)n * sizeof *out);
}

void ub_problem_hidden(struct ub_problem *p, int i, const double *theta, double *out)
{
    run_at(p, ub_problem_hidden_program(p, i), theta, &out);
}
