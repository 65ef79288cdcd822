/* weights.c - weight spectra: table, page. The figures are in plots_weights.c. */
#include "report/sections/weights.h"
#include "report/sections/sections.h"

#include <math.h>
#include <string.h>

/* A power law is plausible when more than a tenth of its own samples lie farther from their fits
 * than the values do (Clauset, Shalizi, Newman 2009, section 4.2). */
static const double least_p = 0.1;

bool weights_plausible(const struct ub_tail *tail)
{
    return tail->p > least_p;
}

void ub_weight_row_clear(struct ub_weight_row *row)
{
    ub_free(row->name);
    ub_free(row->shape);
    ub_free(row->order);
    ub_weight_spectrum_free(&row->spectrum);
}

void ub_weights_free(struct ub_weights *weights)
{
    for (size_t i = 0; i < weights->count; i++)
        ub_weight_row_clear(&weights->rows[i]);
    ub_free(weights->rows);
    ub_text_free(&weights->skipped);
}

/* ---- tables ----------------------------------------------------------------------------- */

static const char *verdict_of(const struct ub_tail *t)
{
    return weights_plausible(t) ? "plausible" : "rejected";
}

static void count_cell(struct table *table, int64_t count)
{
    if (count < 0)
        table_cell(table, "-");
    else
        table_cell(table, "%lld", (long long)count);
}

static void tail_cells(struct table *table, const struct ub_weight_row *r)
{
    enum { COLUMNS = 6 };
    const struct ub_tail *t = &r->spectrum.tail;
    for (int i = 0; i < COLUMNS && !t->valid; i++)
        table_cell(table, "-");
    if (!t->valid)
        return;
    table_cell(table, "%.2f [%.2f, %.2f]", t->alpha, t->low, t->high);
    table_cell(table, "%lld of %lld", (long long)t->count, (long long)r->spectrum.count);
    table_fixed(table, t->distance, 3);
    table_cell(table, "%.2f, %s", t->p, verdict_of(t));
    table_cell(table, "%s", t->best == UB_TAIL_POWER ? "-" : ub_tail_names[t->best]);
    table_fixed(table, r->spectrum.alpha_hat, 2);
}

/* value * 2^power, which no double may hold. */
static void scaled_cell(struct table *table, double value, int power, int digits)
{
    if (isfinite(value))
        table_cell(table, "%.*Lg", digits, ldexpl((long double)value, power));
    else
        table_cell(table, "-");
}

/* What a person reads; weights.csv has everything. */
static struct table *short_table(const struct ub_weights *w)
{
    static const char *const head[] = {"weight",    "shape",       "order",         "norm",
                                       "Frobenius", "stable rank", "participation", "entropy rank",
                                       "outliers",  "alpha",       "tail",          "KS",
                                       "p",         "likelier",    "alpha-hat",     NULL};
    struct table *table = table_new(head, "lllrrrrrrlrrllr");
    for (size_t i = 0; i < w->count; i++) {
        const struct ub_weight_row *r = &w->rows[i];
        table_cell(table, "%s", r->name);
        table_cell(table, "%s", r->shape);
        table_cell(table, "%s", r->order);
        scaled_cell(table, sqrt(r->spectrum.values[0]), r->spectrum.power, 4);
        scaled_cell(table, sqrt(r->spectrum.scalars.trace), r->spectrum.power, 4);
        table_real(table, r->spectrum.scalars.stable_rank, 4);
        table_real(table, r->spectrum.scalars.participation_ratio, 4);
        table_real(table, r->spectrum.scalars.entropy_rank, 4);
        count_cell(table, r->spectrum.outliers);
        tail_cells(table, r);
    }
    return table;
}

static void csv_tail(struct table *table, const struct ub_weight_spectrum *s)
{
    const struct ub_tail *t = &s->tail;
    const double nothing = (double)NAN;
    const double numbers[] = {t->alpha, t->low, t->high};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        table_real(table, t->valid ? numbers[i] : nothing, 17);
    scaled_cell(table, t->valid ? t->xmin : nothing, 2 * s->power, 17);
    table_real(table, t->valid ? t->distance : nothing, 17);
    table_real(table, t->valid ? t->p : nothing, 17);
    count_cell(table, t->valid ? t->count : -1);
    table_cell(table, "%s", t->valid ? verdict_of(t) : "-");
    table_cell(table, "%s", t->valid ? ub_tail_names[t->best] : "-");
    for (int form = UB_TAIL_POWER + 1; form < UB_TAIL_FORMS; form++) {
        table_real(table, t->valid ? t->rival[form].ratio : nothing, 17);
        table_real(table, t->valid ? t->rival[form].p : nothing, 17);
    }
    table_real(table, s->alpha_hat, 17);
}

static void csv_row(struct table *table, const struct ub_weight_row *r)
{
    enum { LEADING = 3 };
    const struct ub_weight_spectrum *s = &r->spectrum;
    const struct ub_scalars *c = &s->scalars;
    const double numbers[] = {c->stable_rank, c->participation_ratio, c->entropy_rank, c->log_norm,
                              c->log_spectral_norm};
    table_cell(table, "%s", r->name);
    table_cell(table, "%s", r->shape);
    count_cell(table, r->weight.rows);
    count_cell(table, r->weight.columns);
    count_cell(table, r->weight.slices);
    count_cell(table, s->count);
    for (int k = 0; k < LEADING; k++)
        scaled_cell(table, k < s->count ? sqrt(s->values[k]) : (double)NAN, s->power, 17);
    scaled_cell(table, sqrt(c->trace), s->power, 17);
    for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++)
        table_real(table, numbers[k], 17);
    scaled_cell(table, s->noise_edge, 2 * s->power, 17);
    count_cell(table, s->outliers);
    csv_tail(table, s);
    table_cell(table, "%s", r->order);
}

static struct table *full_table(const struct ub_weights *w)
{
    static const char *const head[] = {"weight",
                                       "shape",
                                       "rows",
                                       "columns",
                                       "slices",
                                       "values",
                                       "singular-value.1",
                                       "singular-value.2",
                                       "singular-value.3",
                                       "frobenius-norm",
                                       "stable-rank",
                                       "participation-ratio",
                                       "entropy-rank",
                                       "log-norm",
                                       "log-spectral-norm",
                                       "noise-edge",
                                       "noise-outliers",
                                       "alpha",
                                       "alpha.low",
                                       "alpha.high",
                                       "xmin",
                                       "ks-distance",
                                       "p",
                                       "tail",
                                       "power-law",
                                       "best",
                                       "ratio.exponential",
                                       "p.exponential",
                                       "ratio.stretched",
                                       "p.stretched",
                                       "ratio.log-normal",
                                       "p.log-normal",
                                       "ratio.truncated",
                                       "p.truncated",
                                       "alpha-hat",
                                       "order",
                                       NULL};
    struct table *table = table_new(head, "llrrrrrrrrrrrrrrrrrrrrrrllrrrrrrrrrl");
    for (size_t i = 0; i < w->count; i++)
        csv_row(table, &w->rows[i]);
    return table;
}

/* ---- page ------------------------------------------------------------------------------- */

static const char meaning[] =
    "- norm: largest singular value; Frobenius: root of the sum of all eigenvalues, the trace.\n"
    "- stable rank: trace / largest eigenvalue; participation and entropy rank: how many\n"
    "  eigenvalues carry the trace, (sum)^2 / sum of squares and exp(entropy of their shares).\n"
    "- outliers: eigenvalues beyond the Marchenko-Pastur edge of noise as strong as the bulk (by\n"
    "  its median), with the margin that 1% of noise matrices exceed (Tracy-Widom).\n"
    "- alpha: the density's tail falls as x^-alpha; maximum likelihood above the cut-off of\n"
    "  least Kolmogorov-Smirnov distance KS (Clauset, Shalizi, Newman 2009, arXiv:0706.1062),\n"
    "  with a 95% bootstrap interval; tail: how many eigenvalues are above it (none fitted to\n"
    "  less than 10).\n"
    "- p: goodness of fit, by 100 replicates; the power law is rejected at p <= 0.1.\n"
    "- likelier: the form, if any, that a likelihood-ratio test prefers to it at p < 0.05.\n"
    "- alpha-hat: alpha log10(largest eigenvalue) (Martin and Mahoney, arXiv:1901.08276,\n"
    "  arXiv:2002.06716).\n"
    "\n"
    "Interval and p take eigenvalues for independent draws; they repel each other and scatter\n"
    "less, so intervals are wide rather than narrow.\n";

static const char kernels_pooled[] = "Arrays of more than two axes are kernels of convolutions: "
                                     "one out x in matrix a position, their\n"
                                     "eigenvalues pooled, as WeightWatcher does.\n";
static const char kernels_matrix[] =
    "Arrays of more than two axes are one matrix each, out x (in, positions).\n";
static const char kernels_order[] =
    "Files do not tell the order of their axes. OIHW: out x in x positions, as in PyTorch; HWIO:\n"
    "positions x in x out, as in Keras and JAX, and stacks of matrices such as experts. Taken "
    "from\n"
    "the shape where nothing else is said; either: the shape would do for both; given: by "
    "--layout.\n"
    "Convolutions in groups, which no shape tells, are taken for whole ones without --layout.\n";

static bool has_kernels(const struct ub_weights *w)
{
    for (size_t i = 0; i < w->count; i++)
        if (strcmp(w->rows[i].order, "-") != 0)
            return true;
    return false;
}

void ub_weights_markdown(const struct ub_weights *w, struct ub_text *out)
{
    struct table *table = short_table(w);
    ub_text_add(out, "# Weight spectra\n\n`%s`: %zu weight%s.%s%s\n\n", w->source, w->count,
                w->count == 1 ? "" : "s", w->skipped.length ? " " : "",
                w->skipped.length ? w->skipped.data : "");
    table_markdown_aligned(table, out);
    ub_text_add(out,
                "\nEigenvalues are squared singular values of the weight, not divided by its "
                "size.\n%s%s\n%s",
                w->pooled ? kernels_pooled : kernels_matrix, has_kernels(w) ? kernels_order : "",
                meaning);
    table_free(table);
}

static bool write_text(const char *folder, const char *name, struct ub_text *text,
                       struct ub_error *err)
{
    char *path = ub_path(folder, name);
    const bool good = ub_write_file(path, text->data, text->length, err);
    ub_free(path);
    ub_text_free(text);
    return good;
}

static bool write_page(const struct ub_weights *w, const struct plates *plates, const char *folder,
                       struct ub_error *err)
{
    struct ub_text page = {0};
    ub_weights_markdown(w, &page);
    for (size_t i = 0; i < plates->count; i++) {
        const struct plate *p = &plates->plate[i];
        ub_text_add(&page, "\n## %s\n\n![%s](%s.png)\n\n%s ([SVG](%s.svg))\n", p->title, p->title,
                    p->stem, p->caption, p->stem);
    }
    ub_text_add(&page, "\nAll numbers: [weights.csv](weights.csv). unibench %s %s.\n", w->version,
                w->commit);
    return write_text(folder, "weights.md", &page, err);
}

bool ub_weights_write(const struct ub_weights *w, const char *folder, struct ub_error *err)
{
    const struct ub_figure_note notes[] = {{"Software", "unibench"},
                                           {"Version", w->version},
                                           {"Commit", w->commit},
                                           {"Source", w->source}};
    struct plates plates = {.folder = folder, .notes = notes, .n_notes = 4};
    struct table *table = full_table(w);
    struct ub_text csv = {0};
    table_csv(table, &csv);
    table_free(table);
    const bool good = ub_make_folders(folder, err) && plot_weights(w, &plates, err);
    if (!good)
        ub_text_free(&csv);
    const bool all =
        good && write_text(folder, "weights.csv", &csv, err) && write_page(w, &plates, folder, err);
    plates_free(&plates);
    return all;
}
