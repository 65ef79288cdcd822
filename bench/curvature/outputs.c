#include "bench/curvature/outputs.h"

#include <math.h>
#include <string.h>

/* ---- items ---- */

static bool is_item(const struct ub_dataset *data, int64_t position)
{
    return data->task != UB_CLASSIFICATION || data->train.labels[position] >= 0;
}

int64_t ub_items_count(const struct ub_dataset *data)
{
    const int64_t positions = data->train.count * ub_positions(data);
    int64_t count = 0;
    for (int64_t i = 0; i < positions; i++)
        count += is_item(data, i);
    return count;
}

/* Samples weigh the same, and so do the items of a sample. */
struct ub_items *ub_items_new(const struct ub_dataset *data)
{
    const int64_t samples = data->train.count, each = ub_positions(data);
    struct ub_items *items = ub_calloc(1, sizeof *items);
    items->positions = samples * each;
    items->share = ub_calloc((size_t)items->positions + 1, sizeof *items->share);
    items->place = ub_calloc((size_t)items->positions + 1, sizeof *items->place);
    for (int64_t s = 0; s < samples; s++) {
        const int64_t first = items->count;
        for (int64_t i = s * each; i < (s + 1) * each; i++)
            if (is_item(data, i))
                items->place[items->count++] = i;
        for (int64_t k = first; k < items->count; k++)
            items->share[items->place[k]] = 1 / (double)(samples * (items->count - first));
    }
    return items;
}

void ub_items_free(struct ub_items *items)
{
    if (!items)
        return;
    ub_free(items->share);
    ub_free(items->place);
    ub_free(items);
}

/* ---- making ---- */

static void set_labels(struct ub_outputs *o, const struct ub_dataset *data)
{
    if (data->task != UB_CLASSIFICATION)
        return;
    o->label = ub_calloc((size_t)o->positions + 1, sizeof *o->label);
    memcpy(o->label, data->train.labels, (size_t)o->positions * sizeof *o->label);
}

static void set_shares(struct ub_outputs *o, const struct ub_dataset *data)
{
    struct ub_items *items = ub_items_new(data);
    o->share = items->share;
    items->share = NULL;
    ub_items_free(items);
}

static void softmax_row(int64_t n, double *z)
{
    double most = -INFINITY, total = 0;
    for (int64_t j = 0; j < n; j++)
        most = fmax(most, z[j]);
    for (int64_t j = 0; j < n; j++)
        total += z[j] = exp(z[j] - most);
    for (int64_t j = 0; j < n; j++)
        z[j] /= total;
}

static void set_softmax(struct ub_outputs *o, const struct ub_matrix_point *at)
{
    o->softmax = ub_calloc((size_t)(o->positions * o->width), sizeof *o->softmax);
    ub_problem_outputs(at->problem, at->theta, o->softmax);
    for (int64_t i = 0; i < o->positions; i++)
        softmax_row(o->width, o->softmax + i * o->width);
}

static void set_weights(struct ub_outputs *o)
{
    if (!o->label)
        return;
    o->weight = ub_calloc((size_t)(o->width * o->width), sizeof *o->weight);
    for (int64_t i = 0; i < o->positions; i++)
        for (int64_t j = 0; o->label[i] >= 0 && j < o->width; j++)
            o->weight[o->label[i] * o->width + j] += ub_outputs_weight(o, i, j);
}

struct ub_outputs *ub_outputs_new(const struct ub_matrix_point *at)
{
    const struct ub_dataset *data = ub_problem_data(at->problem);
    struct ub_outputs *o = ub_calloc(1, sizeof *o);
    o->positions = data->train.count * ub_positions(data);
    o->width = data->outputs;
    set_labels(o, data);
    set_shares(o, data);
    if (ub_problem_loss_kind(at->problem)->softmax)
        set_softmax(o, at);
    set_weights(o);
    return o;
}

void ub_outputs_free(struct ub_outputs *o)
{
    if (!o)
        return;
    ub_free(o->share);
    ub_free(o->softmax);
    ub_free(o->label);
    ub_free(o->weight);
    ub_free(o);
}

/* ---- gradients along a vector ---- */

double ub_outputs_weight(const struct ub_outputs *o, int64_t item, int64_t output)
{
    return o->share[item] * (o->softmax ? o->softmax[item * o->width + output] : 1);
}

void ub_outputs_along(const struct ub_outputs *o, double *t)
{
    for (int64_t i = 0; o->softmax && i < o->positions; i++) {
        const double *p = o->softmax + i * o->width;
        double *row = t + i * o->width, mean = 0;
        for (int64_t j = 0; j < o->width; j++)
            mean += p[j] * row[j];
        for (int64_t j = 0; j < o->width; j++)
            row[j] -= mean;
    }
}

void ub_outputs_back(const struct ub_outputs *o, double *b)
{
    for (int64_t i = 0; o->softmax && i < o->positions; i++) {
        const double *p = o->softmax + i * o->width;
        double *row = b + i * o->width, sum = 0;
        for (int64_t j = 0; j < o->width; j++)
            sum += row[j];
        for (int64_t j = 0; j < o->width; j++)
            row[j] -= p[j] * sum;
    }
}

/* ---- means ---- */

double ub_outputs_class_weight(const struct ub_outputs *o, int64_t c)
{
    double sum = 0;
    for (int64_t j = 0; j < o->width; j++)
        sum += j == c ? 0 : o->weight[c * o->width + j];
    return sum;
}

void ub_outputs_means(const struct ub_outputs *o, const double *a, double *pair, double *class)
{
    const int64_t k = o->width;
    memset(pair, 0, (size_t)(k * k) * sizeof *pair);
    for (int64_t i = 0; i < o->positions; i++)
        for (int64_t j = 0; o->label[i] >= 0 && j < k; j++)
            pair[o->label[i] * k + j] += ub_outputs_weight(o, i, j) * a[i * k + j];
    for (int64_t c = 0; c < k; c++) {
        const double total = ub_outputs_class_weight(o, c);
        class[c] = 0;
        for (int64_t j = 0; j < k; j++) {
            class[c] += j == c || !(total > 0) ? 0 : pair[c * k + j] / total;
            pair[c * k + j] /= o->weight[c * k + j] > 0 ? o->weight[c * k + j] : 1;
        }
    }
}
