#include "report/laws/kernel_spread.h"

#include <math.h>
#include <string.h>

static void read_limit(struct ub_kernels *k, const struct ub_frame *frame, size_t row)
{
    struct ub_series limit = ub_frame_spectrum(frame, row, "kernel-limit-entry", -1);
    if (!k->limit && limit.count == k->entries && k->entries > 0) {
        k->limit = ub_calloc(k->entries, sizeof *k->limit);
        memcpy(k->limit, limit.value, k->entries * sizeof *k->limit);
    }
    ub_series_clear(&limit);
}

struct ub_kernels ub_kernels_of_width(const struct ub_frame *frame, const struct ub_rows *group,
                                      size_t like)
{
    struct ub_kernels k = {0};
    const double width = ub_frame_number(frame, like, "model.width");
    for (size_t i = 0; i < group->count; i++) {
        const size_t row = group->row[i];
        if (frame->store->runs[row].status != UB_RUN_OK ||
            ub_frame_number(frame, row, "model.width") != width)
            continue;
        struct ub_series s = ub_frame_spectrum(frame, row, "kernel-entry", -1);
        if (k.runs == 0)
            k.entries = s.count;
        if (s.count == k.entries && s.count > 0) {
            k.entry = ub_realloc(k.entry, (k.runs + 1) * k.entries * sizeof *k.entry);
            memcpy(k.entry + k.runs++ * k.entries, s.value, k.entries * sizeof *k.entry);
        }
        ub_series_clear(&s);
        read_limit(&k, frame, row);
    }
    return k;
}

void ub_kernels_clear(struct ub_kernels *k)
{
    ub_free(k->entry);
    ub_free(k->limit);
    *k = (struct ub_kernels){0};
}

static double mean_of(const struct ub_kernels *k, size_t entry, size_t without, size_t *n)
{
    double sum = 0;
    *n = 0;
    for (size_t r = 0; r < k->runs; r++)
        if (r != without) {
            sum += k->entry[r * k->entries + entry];
            ++*n;
        }
    return sum / (double)*n;
}

double ub_kernels_spread(const struct ub_kernels *k, size_t without)
{
    double squares = 0;
    size_t n = 0;
    for (size_t e = 0; e < k->entries; e++) {
        const double mean = mean_of(k, e, without, &n);
        for (size_t r = 0; r < k->runs; r++)
            squares += r == without ? 0 : pow(k->entry[r * k->entries + e] - mean, 2);
    }
    return n < 2 ? (double)NAN : sqrt(squares / ((double)n - 1));
}

double ub_kernels_distance(const struct ub_kernels *k, size_t without)
{
    double off = 0, size = 0;
    for (size_t e = 0; k->limit && e < k->entries; e++) {
        size_t n;
        off += pow(mean_of(k, e, without, &n) - k->limit[e], 2);
        size += k->limit[e] * k->limit[e];
    }
    return size > 0 ? sqrt(off / size) : (double)NAN;
}

struct ub_datum ub_jackknife_datum(ub_estimate *estimate, const void *context, size_t parts,
                                   const char *why)
{
    const double value = estimate(context, SIZE_MAX);
    if (!isfinite(value))
        return (struct ub_datum){.why = why};
    double *without = ub_calloc(parts, sizeof *without);
    for (size_t i = 0; i < parts; i++)
        without[i] = estimate(context, i);
    const double se = ub_jackknife_error(without, parts);
    ub_free(without);
    return (struct ub_datum){.value = value, .se = se, .df = (double)parts - 1};
}

double ub_jackknife_error(const double *without, size_t n)
{
    double mean = 0, squares = 0;
    for (size_t i = 0; i < n; i++)
        mean += without[i] / (double)n;
    for (size_t i = 0; i < n; i++)
        squares += pow(without[i] - mean, 2);
    return sqrt(squares * ((double)n - 1) / (double)n);
}
