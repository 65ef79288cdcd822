/* Verdicts and tables in words: what the terminal and the report's first page show. */
#include "report/sections/board.h"

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

/* "12 still rising, 3 diverged": runs without a level, by reason, the most frequent first. */
static void add_reasons(struct ub_text *out, const struct ub_law_result *r)
{
    struct labels reasons = {0};
    size_t *count = ub_calloc(r->n_runs + 1, sizeof *count);
    for (size_t i = 0; i < r->n_runs; i++)
        if (!r->runs[i].window.reached)
            count[labels_add(&reasons, r->runs[i].window.why)]++;
    for (size_t done = 0; done < reasons.count; done++) {
        size_t most = 0;
        for (size_t k = 1; k < reasons.count; k++)
            most = count[k] > count[most] ? k : most;
        ub_text_add(out, "%s%zu %s", done ? "; " : " Runs that have none: ", count[most],
                    reasons.text[most]);
        count[most] = 0;
    }
    if (reasons.count > 0)
        ub_text_add(out, ".");
    labels_free(&reasons);
    ub_free(count);
}

/* How wrong a prediction, or a measurement, would have shown. */
static void add_found_out(struct ub_text *out, const struct ub_law_result *r)
{
    const double below = 100 * (1 - r->wrong_below), above = 100 * (r->wrong_above - 1);
    if (r->verdict == UB_VIOLATED || (isnan(below) && isnan(above)))
        return;
    ub_text_add(out, " It would be violated were all measured values ");
    if (!isnan(below))
        ub_text_add(out, "%.1f%% lower", below);
    if (!isnan(above))
        ub_text_add(out, "%s%.1f%% higher", isnan(below) ? "" : " or ", above);
    ub_text_add(out, ": a prediction that far off is found out.");
}

void add_verdict(struct ub_text *out, const struct ub_law_result *r, bool markdown)
{
    const char *mark = markdown ? "**" : "";
    ub_text_add(out, "%s%s: %s%s: %s", mark, r->law->name, ub_verdict_name(r->verdict), mark,
                r->why);
    ub_text_add(out,
                ". Of %zu run%s and %zu system%s that it is about, %zu and %zu came to a level.",
                r->n_runs, r->n_runs == 1 ? "" : "s", r->n_systems, r->n_systems == 1 ? "" : "s",
                r->n_reached, r->n_systems_reached);
    add_reasons(out, r);
    if (isfinite(r->meta.tau))
        ub_text_add(out, " Spread between systems %.3f.", r->meta.tau);
    add_found_out(out, r);
    add_shares(out, r);
}

/* ---- tables ----------------------------------------------------------------------------- */

/* Whether the system agrees with the law, or why it cannot say; the terminal has no room for why.
 */
static void add_agreement(struct table *t, const struct ub_law_system *s, enum table_use use)
{
    const char *word = s->violates ? "no" : s->n_reached == 0 ? "-" : s->agrees ? "yes" : "unclear";
    if ((s->levelless || s->n_reached == 0) && use != FOR_TERMINAL)
        table_cell(t, "%s (%s)", word, s->why);
    else
        table_cell(t, "%s", word);
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

/* Systems of the runs that are damaged, or that have the status and are not. */
static void add_systems(const struct ub_store *store, enum ub_run_status status, bool damaged,
                        struct table *t)
{
    struct labels labels = {0};
    for (size_t i = 0; status != UB_RUN_OK && i < store->count; i++)
        if (store->runs[i].status == status && store->runs[i].damaged == damaged) {
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

/* A damaged run was made: it is not missing. */
struct table *status_table(const struct ub_store *store)
{
    static const char *const head[] = {"status", "runs", "of which", NULL};
    struct table *t = table_new(head, "lrl");
    for (int status = UB_RUN_OK; status <= UB_RUN_MISSING; status++) {
        size_t n = 0;
        for (size_t i = 0; i < store->count; i++)
            n += (int)store->runs[i].status == status && !store->runs[i].damaged;
        if (n == 0)
            continue;
        table_cell(t, "%s", ub_run_status_name((enum ub_run_status)status));
        table_cell(t, "%zu", n);
        add_systems(store, (enum ub_run_status)status, false, t);
    }
    if (store->n_damaged_runs) {
        table_cell(t, "damaged");
        table_cell(t, "%zu", store->n_damaged_runs);
        add_systems(store, UB_RUN_MISSING, true, t);
    }
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

static void add_scoreboard(struct ub_text *out, const struct study *study)
{
    const struct board board = {study->frame, study->n_group_laws, study->group_laws};
    struct table *t = scoreboard_table(&board, false);
    if (table_rows(t) > 0) {
        ub_text_add(out, "\n");
        table_plain(t, TERMINAL_WIDTH, out);
    }
    table_free(t);
}

char *ub_report_summary(const struct ub_store *store, struct ub_error *err)
{
    struct study *study = study_new(store, err);
    if (!study)
        return NULL;
    struct ub_text out = {0};
    char *notice = ub_store_notice(store), *rest = NULL;
    for (char *line = notice ? strtok_r(notice, "\n", &rest) : NULL; line;
         line = strtok_r(NULL, "\n", &rest))
        add_wrapped(&out, line);
    ub_text_add(&out, "%s", notice ? "\n" : "");
    ub_free(notice);
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
    for (size_t i = 0; i < study->n_group_laws; i++) {
        struct ub_text verdict = {0};
        add_group_verdict(&verdict, study->group_laws[i], false);
        ub_text_add(&out, "\n");
        add_wrapped(&out, verdict.data);
        ub_text_free(&verdict);
    }
    add_scoreboard(&out, study);
    study_free(study);
    return out.data ? out.data : ub_strdup("");
}
