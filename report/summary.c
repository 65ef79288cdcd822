/* Verdicts and tables in words: what the terminal and the report's first page show. */
#include "report/pages.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* ---- verdicts --------------------------------------------------------------------------- */

static void add_shares(struct ub_text *out, const struct ub_law_result *r)
{
    bool any = false;
    for (int i = 0; i < 5; i++) {
        if (!isfinite(r->share[i]))
            continue;
        ub_text_add(out, "%s%s %.0f%%", any ? ", " : " Variance between runs explained by ",
                    ub_share_names[i], 100 * r->share[i]);
        any = true;
    }
    if (any)
        ub_text_add(out, ".");
}

void add_verdict(struct ub_text *out, const struct ub_law_result *r, bool markdown)
{
    const char *mark = markdown ? "**" : "";
    ub_text_add(out, "%s%s: %s%s. %s", mark, r->law->name, ub_verdict_name(r->verdict), mark,
                r->why);
    ub_text_add(out, ". %zu of %zu runs and %zu of %zu systems reached its regime.", r->n_reached,
                r->n_runs, r->n_systems_reached, r->n_systems);
    if (isfinite(r->meta.mean.estimate))
        ub_text_add(out,
                    " Mean over systems %.3f, 95%% interval [%.3f, %.3f]; spread between systems "
                    "%.3f (predicted %.3g, margin %.3g).",
                    r->meta.mean.estimate, r->meta.mean.low, r->meta.mean.high, r->meta.tau,
                    r->target, r->law->margin);
    add_shares(out, r);
}

/* ---- tables ----------------------------------------------------------------------------- */

static void add_agreement(struct table *t, const struct ub_law_system *s, enum table_use use)
{
    if (s->n_reached == 0 && use != FOR_TERMINAL)
        table_cell(t, "- (%s)", s->why ? s->why : "not reached");
    else if (s->n_reached == 0)
        table_cell(t, "-");
    else if (s->violates)
        table_cell(t, "no");
    else
        table_cell(t, "%s", s->agrees ? "yes" : "unclear");
}

static void add_interval(struct table *t, const struct ub_interval *i)
{
    if (isfinite(i->low) && isfinite(i->high))
        table_cell(t, "[%.2f, %.2f]", i->low, i->high);
    else
        table_cell(t, "-");
}

static void add_system(struct table *t, const struct ub_law_result *r,
                       const struct ub_law_system *s, enum table_use use)
{
    const bool wide = use == FOR_CSV;
    const struct ub_run_spec *spec = &s->first->spec;
    if (wide)
        table_cell(t, "%s", r->law->name);
    table_cell(t, "%s", dataset_label(spec));
    table_cell(t, "%s", model_label(spec));
    table_cell(t, "%s", spec->loss);
    table_cell(t, "%s", optimizer_label(spec));
    table_cell(t, "%zu/%zu", s->n_reached, s->n_runs);
    table_fixed(t, s->plateau.estimate, wide ? 6 : 3);
    if (wide) {
        table_fixed(t, s->plateau.low, 6);
        table_fixed(t, s->plateau.high, 6);
        table_fixed(t, s->plateau.se, 6);
        table_real(t, s->predicted, 6);
        table_real(t, s->peak, 6);
        table_real(t, s->violation_q, 4);
    } else {
        add_interval(t, &s->plateau);
    }
    add_agreement(t, s, use);
}

struct table *systems_table(const struct ub_law_result *r, enum table_use use)
{
    static const char *const narrow_head[] = {"dataset", "model", "loss",    "optimizer", "runs",
                                              "rho",     "95%",   "at edge", NULL};
    static const char *const wide_head[] = {
        "law",  "dataset", "model",     "loss", "optimizer",   "runs",   "plateau", "low",
        "high", "se",      "predicted", "peak", "violation_q", "agrees", NULL};
    struct table *t = use == FOR_CSV ? table_new(wide_head, "llllllrrrrrrrl")
                                     : table_new(narrow_head, "lllllrrl");
    for (size_t i = 0; i < r->n_systems; i++)
        add_system(t, r, &r->systems[i], use);
    return t;
}

struct table *status_table(const struct ub_store *store)
{
    static const char *const head[] = {"status", "runs", "of which", NULL};
    struct table *t = table_new(head, "lrl");
    for (int status = UB_RUN_OK; status <= UB_RUN_MISSING; status++) {
        const size_t n = count_status(store, (enum ub_run_status)status);
        if (n == 0)
            continue;
        table_cell(t, "%s", ub_run_status_name((enum ub_run_status)status));
        table_cell(t, "%zu", n);
        struct labels labels = {0};
        for (size_t i = 0; status != UB_RUN_OK && i < store->count; i++)
            if ((int)store->runs[i].status == status) {
                char *label = system_label(&store->runs[i].spec);
                labels_add(&labels, label);
                ub_free(label);
            }
        struct ub_text some = {0};
        for (size_t i = 0; i < labels.count && i < 3; i++)
            ub_text_add(&some, "%s%s", i ? "; " : "", labels.text[i]);
        if (labels.count > 3)
            ub_text_add(&some, "; and %zu more system%s", labels.count - 3,
                        labels.count == 4 ? "" : "s");
        table_cell(t, "%s", some.data ? some.data : "");
        ub_text_free(&some);
        labels_free(&labels);
    }
    return t;
}

/* ---- exponents -------------------------------------------------------------------------- */

struct spectrum spectrum_of(const struct ub_trace *trace, const char *values, const char *exponent)
{
    struct spectrum s = {.values = ub_trace_spectrum(trace, values, -1)};
    const struct ub_series fit = ub_trace_spectrum(trace, exponent, -1);
    for (size_t i = 0; i < EXPONENT_ROWS; i++)
        s.fit[i] = i < fit.count ? fit.value[i] : (double)NAN;
    struct ub_series used = fit;
    ub_series_clear(&used);
    return s;
}

void spectrum_clear(struct spectrum *s)
{
    ub_series_clear(&s->values);
}

char *exponent_text(const double fit[EXPONENT_ROWS])
{
    struct ub_text text = {0};
    if (isfinite(fit[EXPONENT]))
        ub_text_add(&text, "%.2f [%.2f, %.2f]", fit[EXPONENT], fit[EXPONENT_LOW],
                    fit[EXPONENT_HIGH]);
    else
        ub_text_add(&text, "-");
    return text.data;
}

static void add_exponent(struct table *t, const struct ub_run *run, const struct ub_trace *trace,
                         const char *name)
{
    static const char *const forms[] = {"power law", "exponential", "stretched exponential",
                                        "log-normal"};
    struct spectrum s = spectrum_of(trace, name, name);
    char *text = exponent_text(s.fit);
    const double best = s.fit[EXPONENT_BEST];
    const char *layer = strncmp(name, "exponent.", 9) == 0 ? name + 9 : "Hessian";
    const bool inputs = strcmp(layer, "inputs") == 0;
    table_cell(t, "%s", dataset_label(&run->spec));
    table_cell(t, "%s", inputs ? "-" : model_label(&run->spec));
    table_cell(t, "%s", inputs ? "-" : run->spec.loss);
    table_cell(t, "%s", inputs ? "-" : optimizer_label(&run->spec));
    table_cell(t, "%s", layer);
    table_cell(t, "%s", text);
    table_cell(t, "%.0f..%.0f", s.fit[EXPONENT_FIRST], s.fit[EXPONENT_LAST]);
    table_fixed(t, s.fit[EXPONENT_R_SQUARED], 3);
    table_cell(t, "%s", best >= 0 && best < 4 ? forms[(int)best] : "-");
    ub_free(text);
    spectrum_clear(&s);
}

/* Each system's first run that has them; inputs once a dataset. */
struct table *exponents_table(const struct study *study)
{
    static const char *const head[] = {"dataset",  "model", "loss", "optimizer",       "spectrum",
                                       "exponent", "ranks", "R2",   "best form (BIC)", NULL};
    struct table *t = table_new(head, "llllllrrl");
    struct labels seen = {0};
    for (size_t i = 0; i < study->store->count; i++) {
        const struct ub_run *run = &study->store->runs[i];
        const struct ub_trace *trace = study->traces[i];
        for (size_t k = 0; trace && run->status == UB_RUN_OK && k < trace->n_names; k++) {
            const char *name = trace->names[k];
            if (strcmp(name, "hessian-exponent") != 0 && strncmp(name, "exponent.", 9) != 0)
                continue;
            struct ub_text key = {0};
            if (strcmp(name, "exponent.inputs") == 0)
                ub_text_add(&key, "%s inputs", run->spec.dataset);
            else
                ub_text_add(&key, "%zu %s", study->system_of[i], name);
            const size_t before = seen.count;
            if (labels_add(&seen, key.data) == before)
                add_exponent(t, run, trace, name);
            ub_text_free(&key);
        }
    }
    labels_free(&seen);
    return t;
}

/* ---- terminal --------------------------------------------------------------------------- */

enum { TERMINAL_WIDTH = 100 };

/* Breaks a paragraph at blanks. */
static void add_wrapped(struct ub_text *out, const char *text)
{
    size_t column = 0;
    while (*text) {
        const size_t n = strcspn(text, " ");
        if (column > 0 && column + 1 + n > TERMINAL_WIDTH) {
            ub_text_add(out, "\n");
            column = 0;
        }
        ub_text_add(out, "%s%.*s", column ? " " : "", (int)n, text);
        column += n + (column > 0);
        text += n;
        text += strspn(text, " ");
    }
    ub_text_add(out, "\n");
}

char *ub_report_summary(const struct ub_store *store, struct ub_error *err)
{
    struct study *study = study_new(store, err);
    if (!study)
        return NULL;
    struct ub_text out = {0};
    for (size_t i = 0; i < study->n_laws; i++) {
        struct ub_text verdict = {0};
        struct table *t = systems_table(study->laws[i], FOR_TERMINAL);
        table_plain(t, TERMINAL_WIDTH, &out);
        add_verdict(&verdict, study->laws[i], false);
        ub_text_add(&out, "\n");
        add_wrapped(&out, verdict.data);
        ub_text_free(&verdict);
        table_free(t);
    }
    study_free(study);
    return out.data ? out.data : ub_strdup("");
}
