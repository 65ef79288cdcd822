/* Verdicts: what is said of each law, its groups as a table, and all of them as rows for other
 * programs. */
#include "report/laws/law.h"
#include "report/sections/sections.h"

#include <math.h>
#include <string.h>

/* ---- sentences --------------------------------------------------------------------------------
 */

/* "12 still rising; 3 diverged", the most frequent first, after `before`; nothing without any. */
static void add_counts(struct ub_text *out, const char *before, const struct labels *reasons,
                       size_t *count)
{
    for (size_t done = 0; done < reasons->count; done++) {
        size_t most = 0;
        for (size_t k = 1; k < reasons->count; k++)
            most = count[k] > count[most] ? k : most;
        ub_text_add(out, "%s%zu %s", done ? "; " : before, count[most], reasons->text[most]);
        count[most] = 0;
    }
    ub_text_add(out, "%s", reasons->count ? "." : "");
}

/* Why groups have no value. */
static void add_reasons(struct ub_text *out, const struct ub_law_verdict *v)
{
    struct labels reasons = {0};
    size_t *count = ub_calloc(v->groups.count + 1, sizeof *count);
    for (size_t g = 0; g < v->groups.count; g++)
        if (v->data[g].why)
            count[labels_add(&reasons, v->data[g].why)]++;
    add_counts(out, " Without a value: ", &reasons, count);
    labels_free(&reasons);
    ub_free(count);
}

/* Of laws about levels of runs: how many have one, and why the others have none. */
static void add_runs(struct ub_text *out, const struct ub_law_verdict *v)
{
    struct labels reasons = {0};
    size_t *count = NULL, runs = 0, reached = 0;
    for (size_t g = 0; g < v->groups.count; g++)
        for (size_t i = 0; i < v->groups.group[g].count; i++) {
            const struct ub_level *l = &v->level[v->groups.group[g].row[i]];
            runs++;
            reached += l->window.reached;
            if (l->window.reached)
                continue;
            const size_t before = reasons.count, at = labels_add(&reasons, l->window.why);
            count = ub_realloc(count, (reasons.count + 1) * sizeof *count);
            count[at] = at == before ? 1 : count[at] + 1;
        }
    ub_text_add(out, " Of %zu run%s %zu came to a level.", runs, runs == 1 ? "" : "s", reached);
    add_counts(out, " Runs that have none: ", &reasons, count);
    labels_free(&reasons);
    ub_free(count);
}

static void add_exceptions(struct ub_text *out, const struct ub_law_verdict *v)
{
    enum { NAMED = 5 };
    size_t named = 0;
    for (size_t g = 0; g < v->groups.count && named < NAMED; g++) {
        if (!v->judgment.exception[g])
            continue;
        ub_text_add(out, "%s%s (", named++ ? ", " : " Beyond it past doubt: ", v->names[g]);
        if (v->data[g].why)
            ub_text_add(out, "%s)", v->data[g].why);
        else
            ub_text_add(out, "%.3g)", v->data[g].value);
    }
    if (named && v->judgment.exceptions > named)
        ub_text_add(out, " and %zu more", v->judgment.exceptions - named);
    ub_text_add(out, "%s", named ? "." : "");
}

static void add_resolution(struct ub_text *out, const struct ub_law_verdict *v)
{
    if (v->judgment.verdict == UB_LAW_VIOLATED)
        return;
    if (v->below > 0)
        ub_text_add(out, " Values %.3g times as large would violate it", v->below);
    if (isfinite(v->above))
        ub_text_add(out, "%s %.3g times as large would", v->below > 0 ? ", and" : " Values",
                    v->above);
    ub_text_add(out, "%s", v->below > 0 || isfinite(v->above) ? "." : "");
}

static void add_q(struct ub_text *out, const struct ub_law_verdict *v)
{
    if (!ub_law_stands(v))
        ub_text_add(out,
                    " Taken alone: \"%s\" does not stand over all laws of the report "
                    "(false-discovery rate 5%%, q %.2g).",
                    ub_law_word(v), v->q);
}

static void add_shares(struct ub_text *out, const struct ub_law_verdict *v)
{
    for (size_t i = 0; i < v->n_shares; i++)
        ub_text_add(out, "%s%s %.0f%%", i ? ", " : " Variance between systems explained by ",
                    v->shares[i].axis, 100 * v->shares[i].share.estimate);
    ub_text_add(out, "%s", v->n_shares ? "." : "");
    if (isfinite(v->between_seeds.estimate))
        ub_text_add(out, " Variance between runs left to seeds %.0f%%.",
                    100 * v->between_seeds.estimate);
}

static const char *control_word(enum ub_control control)
{
    static const char *const words[] = {"", "must hold", "must fail"};
    return words[control];
}

static size_t controls_of_kind(const struct ub_law_verdict *v, enum ub_control kind)
{
    size_t n = 0;
    for (size_t g = 0; g < v->controls.count; g++)
        n += v->control[g] == kind;
    return n;
}

/* What they came to, of those that did not come out as they must. */
static void add_wrong_controls(struct ub_text *out, const struct ub_law_verdict *v)
{
    size_t named = 0;
    for (size_t g = 0; g < v->controls.count; g++) {
        const struct ub_datum *d = &v->control_data[g];
        if (v->control_right[g])
            continue;
        ub_text_add(out, named++ ? ", " : " (not so: ");
        if (d->why)
            ub_text_add(out, "%s", d->why);
        else
            ub_text_add(out, "%.4g", d->value);
        ub_text_add(out, " where it %s", control_word(v->control[g]));
    }
    ub_text_add(out, "%s", named ? ")" : "");
}

static void add_controls(struct ub_text *out, const struct ub_law_verdict *v)
{
    if (v->controls.count == 0)
        ub_text_add(out, " No controls were run.");
    else
        ub_text_add(out, " %zu of %zu controls came out as they must", v->n_right,
                    v->controls.count);
    add_wrong_controls(out, v);
    if (v->controls.count > 0 && controls_of_kind(v, UB_CONTROL_HOLDS) == 0)
        ub_text_add(out, "; none had to hold");
    if (v->controls.count > 0 && controls_of_kind(v, UB_CONTROL_FAILS) == 0)
        ub_text_add(out, "; none had to fail");
    ub_text_add(out, "%s", v->controls.count > 0 ? "." : "");
}

void add_verdict(struct ub_text *out, const struct ub_law_verdict *v, bool markdown)
{
    const char *mark = markdown ? "**" : "";
    char *sentence = ub_judgment_sentence(&v->law->is, &v->judgment);
    ub_text_add(out, "%s%s: %s%s (%s): %s.", mark, v->law->name, ub_law_word(v), mark,
                v->law->claim, sentence);
    add_q(out, v);
    add_exceptions(out, v);
    if (v->level)
        add_runs(out, v);
    else
        add_reasons(out, v);
    add_resolution(out, v);
    add_shares(out, v);
    add_controls(out, v);
    ub_free(sentence);
}

/* ---- one group --------------------------------------------------------------------------------
 */

/* A group or a control of a law, as its rows show it. */
struct shown {
    const struct ub_rows *rows;
    const char *name;
    const struct ub_datum *datum;
    const char *meets;   /* "yes", "no", "unclear"; of controls: whether they are right */
    const char *control; /* "", "must hold", "must fail" */
    double q;
    bool exception;
};

static struct shown group_of(const struct ub_law_verdict *v, size_t g)
{
    const struct ub_judgment *j = &v->judgment;
    const bool silent = v->data[g].why && !v->data[g].against;
    const char *meets = silent ? "" : j->meets[g] ? "yes" : "no";
    if (!silent && !j->meets[g] && !j->exception[g] && isfinite(j->q[g]))
        meets = "unclear";
    return (struct shown){&v->groups.group[g], v->names[g], &v->data[g], meets, "", j->q[g],
                          j->exception[g]};
}

static struct shown control_of(const struct ub_law_verdict *v, size_t g, const char *name)
{
    return (struct shown){&v->controls.group[g],
                          name,
                          &v->control_data[g],
                          v->control_right[g] ? "as it must" : "not as it must",
                          control_word(v->control[g]),
                          (double)NAN,
                          false};
}

/* "2 of 3" where runs have levels. */
static void add_run_count(struct table *t, const struct ub_law_verdict *v, const struct ub_rows *r)
{
    size_t reached = 0;
    for (size_t i = 0; v->level && i < r->count; i++)
        reached += v->level[r->row[i]].window.reached;
    if (v->level)
        table_cell(t, "%zu of %zu", reached, r->count);
    else
        table_cell(t, "%zu", r->count);
}

/* ---- tables -----------------------------------------------------------------------------------
 */

/* A reason instead of an answer, where there is no room for both. */
static void add_answer(struct table *t, const struct shown *s, bool wide)
{
    if (!s->datum->why)
        table_cell(t, "%s", s->meets);
    else if (!wide || !*s->meets)
        table_cell(t, "%s", wide ? s->datum->why : *s->meets ? s->meets : "-");
    else
        table_cell(t, "%s (%s)", s->meets, s->datum->why);
}

static void add_row(struct table *t, const struct ub_law_verdict *v, const struct shown *s,
                    bool wide)
{
    const struct ub_interval x = ub_datum_interval(s->datum);
    table_cell(t, "%s", s->name);
    add_run_count(t, v, s->rows);
    table_real(t, x.estimate, 4);
    if (isfinite(x.low) && x.low < x.high)
        table_cell(t, "[%.3g, %.3g]", x.low, x.high);
    else
        table_cell(t, "-");
    table_real(t, s->datum->predicts ? s->datum->prediction : v->law->is.target, 4);
    add_answer(t, s, wide);
    table_cell(t, "%s", s->control);
}

struct table *group_table(const struct ub_law_verdict *v, const struct ub_frame *frame, bool wide)
{
    static const char *const head[] = {"group",    "runs",    "value", "95%", "predicted or bound",
                                       "meets it", "control", NULL};
    struct table *t = table_new(head, "lrrrrll");
    for (size_t g = 0; g < v->groups.count; g++) {
        const struct shown s = group_of(v, g);
        add_row(t, v, &s, wide);
    }
    for (size_t g = 0; g < v->controls.count; g++) {
        char *name = ub_frame_group_name(frame, &v->controls, g);
        const struct shown s = control_of(v, g, name);
        add_row(t, v, &s, wide);
        ub_free(name);
    }
    return t;
}

/* ---- laws.csv and data.csv ----------------------------------------------------------------------
 */

static void add_words(struct ub_text *out, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ub_csv_add(out, words[i]);
}

static void add_numbers(struct ub_text *out, const double *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ub_csv_add_real(out, isfinite(x[i]) ? x[i] : (double)NAN);
}

static void add_data_row(struct ub_text *out, const struct ub_law_verdict *v,
                         const struct ub_frame *frame, const struct shown *s)
{
    static const char *const axes[] = {"dataset", "model", "loss", "optimizer"};
    const struct ub_interval x = ub_datum_interval(s->datum);
    const size_t first = s->rows->row[0];
    const char *const before[] = {v->law->name, ub_strand_names[v->law->strand], s->name,
                                  frame->store->runs[first].id};
    const char *const after[] = {s->meets, s->exception ? "true" : "false", s->control,
                                 s->datum->why ? s->datum->why : ""};
    char runs[32];
    add_words(out, before, sizeof before / sizeof *before);
    for (size_t i = 0; i < sizeof axes / sizeof *axes; i++)
        ub_csv_add(out, ub_frame_word(frame, first, axes[i]));
    snprintf(runs, sizeof runs, "%zu", s->rows->count);
    ub_csv_add(out, runs);
    add_numbers(out,
                (const double[]){x.estimate, x.low, x.high, x.se,
                                 s->datum->predicts ? s->datum->prediction : v->law->is.target,
                                 s->q},
                6);
    add_words(out, after, sizeof after / sizeof *after);
    ub_csv_end_row(out);
}

struct ub_text data_csv(const struct study *study)
{
    static const char *const head[] = {"law",   "strand",    "group",     "first-run",  "dataset",
                                       "model", "loss",      "optimizer", "runs",       "value",
                                       "low",   "high",      "error",     "prediction", "q",
                                       "meets", "exception", "control",   "why"};
    struct ub_text out = {0};
    add_words(&out, head, sizeof head / sizeof *head);
    ub_csv_end_row(&out);
    for (size_t i = 0; i < study->n_laws; i++) {
        const struct ub_law_verdict *v = study->laws[i];
        for (size_t g = 0; g < v->groups.count; g++) {
            const struct shown s = group_of(v, g);
            add_data_row(&out, v, study->frame, &s);
        }
        for (size_t g = 0; g < v->controls.count; g++) {
            char *name = ub_frame_group_name(study->frame, &v->controls, g);
            const struct shown s = control_of(v, g, name);
            add_data_row(&out, v, study->frame, &s);
            ub_free(name);
        }
    }
    return out;
}

static void add_law_row(struct ub_text *out, const struct ub_law_verdict *v)
{
    const struct ub_judgment *j = &v->judgment;
    const char *const before[] = {v->law->name, ub_strand_names[v->law->strand], ub_law_word(v)};
    const size_t counts[] = {j->systems,    j->spoke,          j->within,
                             j->exceptions, v->controls.count, v->n_right};
    const struct ub_meta *m = &j->meta;
    add_words(out, before, sizeof before / sizeof *before);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        char number[32];
        snprintf(number, sizeof number, "%zu", counts[i]);
        ub_csv_add(out, number);
    }
    add_numbers(out,
                (const double[]){m->mean.estimate, m->mean.low, m->mean.high, m->prediction.low,
                                 m->prediction.high, j->target, v->law->is.margin, m->tau,
                                 m->tau_low, m->tau_high, j->share_low, j->share_high, v->below,
                                 v->above, j->p[j->verdict], v->q},
                16);
    ub_csv_end_row(out);
}

struct ub_text laws_csv(const struct study *study)
{
    static const char *const head[] = {"law",
                                       "strand",
                                       "verdict",
                                       "systems",
                                       "spoke",
                                       "within",
                                       "exceptions",
                                       "controls",
                                       "controls-right",
                                       "mean",
                                       "low",
                                       "high",
                                       "new-low",
                                       "new-high",
                                       "target",
                                       "margin",
                                       "tau",
                                       "tau-low",
                                       "tau-high",
                                       "share-low",
                                       "share-high",
                                       "violated-below",
                                       "violated-above",
                                       "p",
                                       "q"};
    struct ub_text out = {0};
    add_words(&out, head, sizeof head / sizeof *head);
    ub_csv_end_row(&out);
    for (size_t i = 0; i < study->n_laws; i++)
        add_law_row(&out, study->laws[i]);
    return out;
}
