/* How many outliers there are per class, and whether class means make them. */
#include "report/sections/exponents.h"
#include "report/sections/spectra.h"
#include "report/sections/system_names.h"

#include <math.h>
#include <string.h>

/* What one run says; NAN where it was not measured. */
struct counts {
    double classes, hessian, gauss_newton, gap, gap_at_classes, of_means, means, cross;
};

static double last_of(const struct ub_trace *trace, const char *row, int64_t index)
{
    return has_series(trace, row) ? last_value(trace, row, index) : (double)NAN;
}

/* Value of rank C over that of rank C + 1, where both are above their errors. */
static double ratio_at(const struct ub_trace *trace, const char *row, double classes)
{
    struct ub_series values = ub_trace_spectrum(trace, row, -1);
    const size_t c = (size_t)classes;
    const double ratio =
        known_values(&values) > c ? values.value[c - 1] / values.value[c] : (double)NAN;
    ub_series_clear(&values);
    return ratio;
}

/* Share of one part in Gauss-Newton's leading C eigenvalues, weighted by them; how many of all are
 * mostly of it to *count. NAN where it was not measured. */
static double share_of(const struct ub_trace *trace, const char *part, double classes,
                       double *count)
{
    struct ub_series value = ub_trace_spectrum(trace, "class-structure.gauss-newton", -1);
    struct ub_series share = ub_trace_spectrum(trace, part, -1);
    double all = 0, of_part = 0, mostly = 0;
    for (size_t i = 0; i < share.count && i < value.count; i++) {
        mostly += share.value[i] > 0.5;
        if ((double)i >= classes)
            continue;
        all += value.value[i];
        of_part += value.value[i] * share.value[i];
    }
    *count = share.count ? mostly : (double)NAN;
    ub_series_clear(&value);
    ub_series_clear(&share);
    return all > 0 ? of_part / all : (double)NAN;
}

static struct counts count_run(const struct ub_run *run, const struct ub_trace *trace)
{
    struct counts n = {.classes = ub_run_fact(run, "classes")};
    if (!(n.classes >= 2))
        return (struct counts){.classes = NAN};
    n.hessian = last_of(trace, "outliers.hessian", UB_OUTLIERS);
    n.gap = last_of(trace, "outliers.hessian", UB_OUTLIERS_GAP);
    n.gauss_newton = last_of(trace, "outliers.gauss-newton", UB_OUTLIERS);
    n.gap_at_classes = ratio_at(trace, "spectrum.hessian", n.classes);
    double ignored;
    n.means = share_of(trace, "class-share.class", n.classes, &n.of_means);
    n.cross = share_of(trace, "class-share.cross-class", n.classes, &ignored);
    return n;
}

/* ---- systems ---------------------------------------------------------------------------- */

static struct ub_interval mean_of(const double *x, size_t n)
{
    double *kept = ub_calloc(n + 1, sizeof *kept);
    size_t m = 0;
    for (size_t i = 0; i < n; i++)
        if (isfinite(x[i]))
            kept[m++] = x[i];
    const struct ub_interval mean = ub_sample_mean(kept, m);
    ub_free(kept);
    return mean;
}

/* Mean, with the least and the greatest. */
static struct ub_interval range_of(const double *x, size_t n)
{
    struct ub_interval mean = mean_of(x, n);
    mean.low = mean.high = NAN;
    for (size_t i = 0; i < n; i++) {
        mean.low = fmin(mean.low, x[i]); /* fmin and fmax pass over NAN */
        mean.high = fmax(mean.high, x[i]);
    }
    return mean;
}

static double geometric_mean_of(const double *x, size_t n)
{
    double *logs = ub_calloc(n + 1, sizeof *logs);
    for (size_t i = 0; i < n; i++)
        logs[i] = log(x[i]);
    const double mean = exp(mean_of(logs, n).estimate);
    ub_free(logs);
    return mean;
}

static bool read_system(struct outliers *o, const struct study *study, const struct ub_rows *rows)
{
    enum { FIELDS = 7 };
    double *x = ub_calloc(FIELDS * rows->count + 1, sizeof *x);
    size_t n = 0;
    *o = (struct outliers){.spec = &study->store->runs[rows->row[0]].spec, .row = rows->row[0]};
    for (size_t i = 0; i < rows->count; i++) {
        const size_t run = rows->row[i];
        if (study->store->runs[run].status != UB_RUN_OK || !ub_frame_has(study->frame, run, NULL))
            continue;
        const struct counts c =
            count_run(&study->store->runs[run], ub_frame_trace(study->frame, run));
        if (!isfinite(c.classes) || !(isfinite(c.hessian) || isfinite(c.of_means)))
            continue;
        const double fields[FIELDS] = {c.hessian,  c.gauss_newton, c.gap,  c.gap_at_classes,
                                       c.of_means, c.means,        c.cross};
        for (int k = 0; k < FIELDS; k++)
            x[(size_t)k * rows->count + n] = fields[k];
        o->classes = c.classes;
        n++;
    }
    o->n_runs = n;
    o->hessian = range_of(x, n);
    o->gauss_newton = range_of(x + rows->count, n);
    o->gap = geometric_mean_of(x + 2 * rows->count, n);
    o->gap_at_classes = geometric_mean_of(x + 3 * rows->count, n);
    o->made_of_means = range_of(x + 4 * rows->count, n);
    o->means = mean_of(x + 5 * rows->count, n).estimate;
    o->cross = mean_of(x + 6 * rows->count, n).estimate;
    ub_free(x);
    return n > 0;
}

size_t outliers_of(const struct study *study, struct outliers **out)
{
    *out = ub_calloc(study->systems.count + 1, sizeof **out);
    size_t n = 0;
    for (size_t g = 0; g < study->systems.count; g++)
        n += read_system(&(*out)[n], study, &study->systems.group[g]);
    return n;
}

/* ---- text ------------------------------------------------------------------------------- */

static void add_range(struct table *t, const struct ub_interval *mean)
{
    if (!isfinite(mean->estimate))
        table_cell(t, "-");
    else if (mean->low < mean->high)
        table_cell(t, "%.1f (%.0f..%.0f)", mean->estimate, mean->low, mean->high);
    else
        table_cell(t, "%.0f", mean->estimate);
}

static struct table *outliers_table(const struct study *study, const struct outliers *o, size_t n)
{
    size_t *system = ub_calloc(n + 1, sizeof *system);
    for (size_t i = 0; i < n; i++)
        system[i] = study->system_of[o[i].row];
    struct system_names names = system_names_of(study, system, n);
    const char *const head[] = {names.head,     "classes",        "Hessian", "gap",         "at C",
                                "Gauss-Newton", "of class means", "means",   "cross-class", NULL};
    struct table *t = table_new(head, "lrrrrrrrr");
    for (size_t i = 0; i < n; i++) {
        table_cell(t, "%s", names.name[i]);
        table_cell(t, "%.0f", o[i].classes);
        add_range(t, &o[i].hessian);
        table_fixed(t, o[i].gap, 2);
        table_fixed(t, o[i].gap_at_classes, 2);
        add_range(t, &o[i].gauss_newton);
        add_range(t, &o[i].made_of_means);
        table_fixed(t, o[i].means, 2);
        table_fixed(t, o[i].cross, 2);
    }
    system_names_clear(&names);
    ub_free(system);
    return t;
}

/* Mean of a field of the systems under a loss, with Student's interval; per class when asked. */
enum field { HESSIAN_COUNT, NEWTON_COUNT, MEANS_COUNT, MEANS_SHARE, CROSS_SHARE };
static struct ub_interval over_systems(const struct outliers *o, size_t n, enum field field)
{
    double *x = ub_calloc(n + 1, sizeof *x);
    size_t m = 0;
    for (size_t i = 0; i < n; i++) {
        const double fields[] = {[HESSIAN_COUNT] = o[i].hessian.estimate / o[i].classes,
                                 [NEWTON_COUNT] = o[i].gauss_newton.estimate / o[i].classes,
                                 [MEANS_COUNT] = o[i].made_of_means.estimate / o[i].classes,
                                 [MEANS_SHARE] = 100 * o[i].means,
                                 [CROSS_SHARE] = 100 * o[i].cross};
        x[m++] = fields[field];
    }
    const struct ub_interval mean = mean_of(x, m);
    ub_free(x);
    return mean;
}

static void add_mean(struct ub_text *out, const struct ub_interval mean, int decimals,
                     const char *unit)
{
    ub_text_add(out, "%.*f%s [%.*f, %.*f]", decimals, mean.estimate, unit, decimals, mean.low,
                decimals, mean.high);
}

static void add_loss(struct ub_text *out, const struct outliers *o, size_t n, const char *loss)
{
    size_t exact = 0, fewer = 0, more = 0;
    for (size_t i = 0; i < n; i++) {
        const double c = o[i].classes, k = o[i].hessian.estimate;
        exact += k >= c - 1 && k <= c;
        fewer += k < c - 1;
        more += k > c;
    }
    ub_text_add(out, "%s, %zu systems: the Hessian has ", loss, n);
    add_mean(out, over_systems(o, n, HESSIAN_COUNT), 2, "");
    ub_text_add(out,
                " outliers per class (C - 1 or C in %zu systems, fewer in %zu, more in %zu), "
                "Gauss-Newton ",
                exact, fewer, more);
    add_mean(out, over_systems(o, n, NEWTON_COUNT), 2, "");
    ub_text_add(out, "; ");
    add_mean(out, over_systems(o, n, MEANS_COUNT), 2, "");
    ub_text_add(out, " of its eigenvalues per class are mostly of class means. Of its leading C, "
                     "class means hold ");
    add_mean(out, over_systems(o, n, MEANS_SHARE), 0, "%");
    ub_text_add(out, ", cross-class means ");
    add_mean(out, over_systems(o, n, CROSS_SHARE), 0, "%");
    ub_text_add(out, ".");
}

/* A paragraph for each loss. */
static void add_losses(struct pieces *out, const struct ub_frame *frame, const struct outliers *o,
                       size_t n)
{
    static const char *const by[] = {"loss", "loss.*", NULL};
    static const char *const *const rungs[] = {by, NULL};
    struct ub_rows rows = {.count = n, .row = ub_calloc(n + 1, sizeof *rows.row)};
    struct outliers *own = ub_calloc(n + 1, sizeof *own);
    for (size_t i = 0; i < n; i++)
        rows.row[i] = o[i].row;
    struct ub_factor losses = ub_factor_new(frame, &rows, rungs, SIZE_MAX);
    for (size_t k = 0; k < losses.groups.count; k++) {
        size_t m = 0;
        for (size_t i = 0; i < n; i++)
            if (losses.of[o[i].row] == k)
                own[m++] = o[i];
        struct ub_text text = {0};
        add_loss(&text, own, m, losses.name[k]);
        if (text.length)
            pieces_text(out, "%s", text.data);
        ub_text_free(&text);
    }
    ub_factor_clear(&losses);
    ub_rows_clear(&rows);
    ub_free(own);
}

void add_outliers(struct pieces *out, const struct study *study)
{
    struct outliers *o;
    const size_t n = outliers_of(study, &o);
    if (n > 0) {
        pieces_heading(out, "How many Hessian outliers per class?");
        pieces_text(out,
                    "At the last measurement. An outlier is above the largest ratio of neighbors "
                    "in the leading half of the eigenvalues found. An eigenvalue of Gauss-Newton "
                    "is mostly of class means where they make more than half of it (Papyan 2020, "
                    "arXiv:2008.11865). Under squared loss all outputs weigh the same, and where "
                    "their gradients are orthogonal class means keep 1/C. Means over systems, with "
                    "95%% interval.");
        add_losses(out, study->frame, o, n);
        pieces_text(out,
                    "Means over runs (least..greatest). gap: ratio at the outliers' end; at C: "
                    "behind as many eigenvalues as classes; class means, cross-class means: their "
                    "shares in the leading C.");
        pieces_table(out, outliers_table(study, o, n), "systems");
    }
    ub_free(o);
}

static const char *const laws[] = {"hessian-outliers", NULL};
const struct ub_section ub_section_outliers = {
    .name = "outliers",
    .laws = laws,
    .title = "Hessian outliers",
    .write = add_outliers,
};
