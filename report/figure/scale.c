/* Ranges of data, ticks and their texts. */
#include "report/figure/private.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* ---- ticks: Talbot, Lin and Hanrahan 2010, doi:10.1109/TVCG.2010.130 ---- */

static const double nice[] = {1, 5, 2, 2.5, 4, 3};
enum { NICE = sizeof nice / sizeof *nice };

static double simplicity(int i, double j, bool has_zero)
{
    return 1 - (double)i / (NICE - 1) - j + has_zero;
}

static double coverage(double low, double high, double from, double to)
{
    const double range = high - low, a = high - to, b = low - from;
    return 1 - 0.5 * (a * a + b * b) / (0.01 * range * range);
}

static double coverage_most(double low, double high, double span)
{
    const double range = high - low;
    if (span <= range)
        return 1;
    const double half = (span - range) / 2;
    return 1 - half * half / (0.01 * range * range);
}

static double density(double k, double wanted, double low, double high, double from, double to)
{
    const double r = (k - 1) / (to - from);
    const double rt = (wanted - 1) / (fmax(to, high) - fmin(from, low));
    return 2 - fmax(r / rt, rt / r);
}

static double density_most(double k, double wanted)
{
    return k >= wanted ? 2 - (k - 1) / (wanted - 1) : 1;
}

static double score_of(double s, double c, double d)
{
    return 0.25 * s + 0.2 * c + 0.5 * d + 0.05;
}

struct labeling {
    double score, from, step;
    int count;
};

/* The best start for one step size. */
static void try_starts(struct labeling *best, double low, double high, double wanted, int i, int j,
                       int k, double step)
{
    const double first = floor(high / step) * j - (k - 1) * j, last = ceil(low / step) * j;
    if (last - first > 1000)
        return;
    for (double start = first; start <= last; start++) {
        const double from = start * step / j, to = from + step * (k - 1);
        const double rest = fabs(fmod(from, step));
        const bool zero =
            (rest < 1e-10 * step || step - rest < 1e-10 * step) && from <= 0 && to >= 0;
        const double score = score_of(simplicity(i, j, zero), coverage(low, high, from, to),
                                      density(k, wanted, low, high, from, to));
        if (score > best->score)
            *best = (struct labeling){score, from, step, k};
    }
}

static struct labeling search(double low, double high, double wanted)
{
    struct labeling best = {.score = -2};
    for (int j = 1; j < 20; j++)
        for (int i = 0; i < NICE; i++) {
            if (score_of(simplicity(i, j, true), 1, 1) < best.score)
                return best;
            for (int k = 2; k < 60; k++) {
                if (score_of(simplicity(i, j, true), 1, density_most(k, wanted)) < best.score)
                    break;
                const double delta = (high - low) / (k + 1) / j / nice[i];
                for (double z = ceil(log10(delta));; z++) {
                    const double step = j * nice[i] * pow(10, z);
                    if (score_of(simplicity(i, j, true), coverage_most(low, high, step * (k - 1)),
                                 density_most(k, wanted)) < best.score)
                        break;
                    try_starts(&best, low, high, wanted, i, j, k, step);
                }
            }
        }
    return best;
}

size_t ub_ticks(double low, double high, size_t wanted, double *out, size_t room)
{
    if (!(high > low) || !isfinite(high - low) || room == 0)
        return 0;
    const struct labeling best = search(low, high, wanted < 2 ? 2 : (double)wanted);
    size_t n = 0;
    for (int k = 0; k < best.count && n < room; k++) {
        double value = best.from + k * best.step;
        if (fabs(value) < 1e-10 * best.step)
            value = 0;
        out[n++] = value;
    }
    return n;
}

/* ---- numbers as text ---- */

static void add_exponent(struct ub_text *text, int exponent)
{
    static const char *const digits[] = {"\u2070", "\u00b9", "\u00b2", "\u00b3", "\u2074",
                                         "\u2075", "\u2076", "\u2077", "\u2078", "\u2079"};
    char plain[16];
    snprintf(plain, sizeof plain, "%d", exponent);
    ub_text_add(text, "10");
    for (const char *c = plain; *c; c++)
        ub_text_add(text, "%s", *c == '-' ? "\u207b" : digits[*c - '0']);
}

static void keep_text(struct ub_text *text, char out[32])
{
    snprintf(out, 32, "%s", text->data);
    ub_text_free(text);
}

static void decade_text(int exponent, bool plain, char out[32])
{
    struct ub_text text = {0};
    if (plain)
        ub_text_add(&text, "%.*f", exponent < 0 ? -exponent : 0, pow(10, exponent));
    else
        add_exponent(&text, exponent);
    keep_text(&text, out);
}

/* Decimals after which multiples of `step` end. */
static int decimals_of(double step)
{
    for (int d = 0; d < 12; d++) {
        const double scaled = step * pow(10, d);
        if (fabs(scaled - round(scaled)) < 1e-6 * scaled)
            return d;
    }
    return 12;
}

/* Of marks that are not multiples of their step, as 0.5, 1.5, 2.5, enough decimals, too. */
static int decimals_for(double size, double step)
{
    const int of_step = decimals_of(step);
    const double rest = fmod(size, step);
    const bool multiple = rest < 1e-6 * step || step - rest < 1e-6 * step;
    return multiple ? of_step : (int)fmax(of_step, decimals_of(rest));
}

static void linear_text(double value, double step, double largest, char out[32])
{
    struct ub_text text = {0};
    const double size = fabs(value);
    if (value < 0)
        ub_text_add(&text, "\u2212");
    if (value != 0 && (largest >= 1e6 || largest < 1e-3)) {
        const int exponent = (int)floor(log10(largest) + 1e-9);
        ub_text_add(&text, "%.*f\u00d7",
                    decimals_for(size / pow(10, exponent), step / pow(10, exponent)),
                    size / pow(10, exponent));
        add_exponent(&text, exponent);
    } else {
        ub_text_add(&text, "%.*f", decimals_for(size, step), size);
    }
    keep_text(&text, out);
}

/* ---- axes ---- */

static size_t linear_ticks(struct ub_range r, size_t wanted, struct ub_tick *out)
{
    double value[UB_MOST_TICKS];
    const size_t n = ub_ticks(r.low, r.high, wanted, value, UB_MOST_TICKS);
    const double step = n > 1 ? value[1] - value[0] : 1, slack = 1e-9 * (r.high - r.low);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (value[i] < r.low - slack || value[i] > r.high + slack)
            continue;
        out[kept].value = value[i];
        linear_text(value[i], step, fmax(fabs(r.low), fabs(r.high)), out[kept].text);
        kept++;
    }
    return kept;
}

static size_t log_ticks(struct ub_range r, size_t wanted, struct ub_tick *out)
{
    const int first = (int)floor(log10(r.low) + 1e-9), last = (int)ceil(log10(r.high) - 1e-9);
    const double decades = log10(r.high / r.low);
    int every = (int)ceil(decades / (double)(wanted > 1 ? wanted : 1));
    every = every < 1 ? 1 : every;
    const bool plain = first >= -3 && last <= 4, dense = decades < 2.2;
    size_t n = 0;
    for (int e = first; e <= last; e++)
        for (int m = 1; m < 10 && n < UB_MOST_TICKS; m++) {
            const double value = m * pow(10, e);
            if (value < r.low * (1 - 1e-9) || value > r.high * (1 + 1e-9) || (m > 1 && every > 1))
                continue;
            out[n] = (struct ub_tick){.value = value};
            if (m == 1 && e % every == 0)
                decade_text(e, plain, out[n].text);
            else if (dense && plain && (m == 2 || m == 5))
                linear_text(value, e < 0 ? pow(10, e) : 1, 1, out[n].text);
            n++;
        }
    return n;
}

static double linear_part(const struct ub_axis *axis)
{
    return axis->linear > 0 ? axis->linear : 1;
}

static double stretched(const struct ub_axis *axis, double value)
{
    return asinh(value / linear_part(axis));
}

static bool is_clear(const struct ub_axis *axis, const struct ub_tick *ticks, size_t n,
                     double value, double apart)
{
    for (size_t i = 0; i < n; i++)
        if (*ticks[i].text &&
            fabs(stretched(axis, ticks[i].value) - stretched(axis, value)) < apart)
            return false;
    return true;
}

/* Zero, and to both sides decades, from the greatest in; twice and five times them where there are
 * few. Texts stay `apart` in stretched units. */
static size_t signed_ticks(struct ub_range r, const struct ub_axis *axis, size_t wanted,
                           struct ub_tick *out)
{
    static const int steps[] = {1, 5, 2};
    const double span = stretched(axis, r.high) - stretched(axis, r.low);
    const double apart = 0.75 * span / (double)(wanted > 1 ? wanted : 1);
    const double most = fmax(fabs(r.low), fabs(r.high));
    const int first = (int)ceil(log10(linear_part(axis))), last = (int)floor(log10(most));
    const bool plain = first >= -3 && last <= 3;
    size_t n = 0;
    if (r.low <= 0 && r.high >= 0)
        out[n++] = (struct ub_tick){.text = "0"};
    for (size_t s = 0; s < (last - first < 3 ? 3 : 1); s++)
        for (int e = last; e >= first; e--)
            for (int side = -1; side <= 1 && n < UB_MOST_TICKS; side += 2) {
                const double value = side * steps[s] * pow(10, e);
                char text[32];
                if (value < r.low || value > r.high)
                    continue;
                out[n] = (struct ub_tick){.value = value};
                if (s > 0 && plain)
                    linear_text(value, e < 0 ? pow(10, e) : 1, 1, out[n].text);
                decade_text(e, plain, text);
                if (s == 0)
                    snprintf(out[n].text, sizeof out[n].text, "%s%.28s", side < 0 ? "\u2212" : "",
                             text);
                if (!is_clear(axis, out, n, value, apart))
                    *out[n].text = '\0';
                n++;
            }
    return n;
}

/* Every so many have a number, that there are no more of these than wanted. */
static size_t given_ticks(const struct ub_axis *axis, size_t wanted, struct ub_tick *out)
{
    const size_t n = axis->n_values, every = (n + wanted - 1) / (wanted > 0 ? wanted : 1);
    for (size_t i = 0; i < n; i++) {
        out[i] = (struct ub_tick){.value = axis->values[i]};
        if (i % (every > 1 ? every : 1) == 0)
            snprintf(out[i].text, sizeof out[i].text, "%s%.4g", axis->values[i] < 0 ? "\u2212" : "",
                     fabs(axis->values[i]));
    }
    return n;
}

size_t ub_axis_ticks(struct ub_range r, const struct ub_axis *axis, size_t wanted,
                     struct ub_tick out[UB_MOST_TICKS])
{
    if (axis->n_values > 0)
        return given_ticks(axis, wanted, out);
    if (axis->scale == UB_LOG && r.high / r.low > 4)
        return log_ticks(r, wanted, out);
    if (axis->scale == UB_SIGNED && fmax(fabs(r.low), fabs(r.high)) > 10 * linear_part(axis))
        return signed_ticks(r, axis, wanted, out);
    return linear_ticks(r, wanted, out);
}

/* ---- ranges ---- */

bool ub_plottable(double value, enum ub_axis_scale scale)
{
    return isfinite(value) && (scale != UB_LOG || value > 0);
}

static void include(struct ub_range *r, const double *values, size_t n, enum ub_axis_scale scale)
{
    for (size_t i = 0; values && i < n; i++)
        if (ub_plottable(values[i], scale)) {
            r->low = r->empty ? values[i] : fmin(r->low, values[i]);
            r->high = r->empty ? values[i] : fmax(r->high, values[i]);
            r->empty = false;
        }
}

struct ub_range ub_panel_data_range(const struct ub_panel *p, int axis)
{
    struct ub_range r = {.empty = true};
    const enum ub_axis_scale scale = p->axis[axis].scale;
    if (p->axis[axis].n_categories > 0)
        return (struct ub_range){-0.6, (double)p->axis[axis].n_categories - 0.4, false};
    if (p->axis[axis].fixed)
        return (struct ub_range){p->axis[axis].low, p->axis[axis].high, false};
    for (size_t i = 0; i < p->n; i++) {
        const struct ub_mark *m = &p->marks[i];
        const bool along =
            m->kind == UB_MARK_BARS ? (int)m->direction == axis : axis == UB_VERTICAL;
        if (m->kind == UB_MARK_SHADE || (m->kind == UB_MARK_RUG && (int)m->direction != axis))
            continue; /* fills what the data span */
        if (m->kind == UB_MARK_HEAT && axis == UB_VERTICAL) {
            include(&r, m->y, m->rows + 1, scale);
            continue;
        }
        if (m->kind == UB_MARK_RUG) {
            include(&r, m->x, m->n, scale);
            continue;
        }
        if (m->kind == UB_MARK_RULE) {
            if ((m->direction == UB_HORIZONTAL) == (axis == UB_VERTICAL))
                include(&r, m->x, 1, scale);
            continue;
        }
        include(&r, axis == UB_HORIZONTAL ? m->x : m->y, m->n, scale);
        if (along) {
            include(&r, m->low, m->n, scale);
            include(&r, m->high, m->n, scale);
        }
    }
    return r;
}

struct ub_range ub_range_union(struct ub_range a, struct ub_range b)
{
    if (a.empty)
        return b;
    if (b.empty)
        return a;
    return (struct ub_range){fmin(a.low, b.low), fmax(a.high, b.high), false};
}

struct ub_range ub_range_padded(struct ub_range r, const struct ub_axis *axis)
{
    if (r.empty)
        return axis->scale == UB_LOG ? (struct ub_range){0.1, 10, true}
                                     : (struct ub_range){0, 1, true};
    if (axis->scale == UB_SIGNED) {
        const double low = stretched(axis, r.low), high = stretched(axis, r.high);
        const double margin = high > low ? 0.04 * (high - low) : 0.5;
        return (struct ub_range){linear_part(axis) * sinh(low - margin),
                                 linear_part(axis) * sinh(high + margin), false};
    }
    if (axis->scale == UB_LOG) {
        double factor = pow(r.high / r.low, 0.04);
        factor = r.high / r.low < 1.05 ? 1.5 : factor;
        return (struct ub_range){fmax(r.low / factor, DBL_MIN), fmin(r.high * factor, DBL_MAX),
                                 false};
    }
    double margin = 0.04 * (r.high - r.low);
    if (!(margin > 1e-9 * fmax(fabs(r.low), fabs(r.high))))
        margin = r.high != 0 ? 0.1 * fabs(r.high) : 1;
    /* Close to zero: start there. */
    const bool from_zero = r.low >= 0 && r.low < 0.3 * r.high;
    return (struct ub_range){from_zero ? 0 : r.low - margin, r.high + margin, false};
}

double ub_scale_place(struct ub_range r, const struct ub_axis *axis, double value)
{
    if (axis->scale == UB_SIGNED)
        return (stretched(axis, value) - stretched(axis, r.low)) /
               (stretched(axis, r.high) - stretched(axis, r.low));
    if (axis->scale == UB_LOG)
        return log(value / r.low) / log(r.high / r.low);
    return (value - r.low) / (r.high - r.low);
}
