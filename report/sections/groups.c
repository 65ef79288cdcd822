/* Verdicts: what is said of each law, and its groups as a table. */
#include "report/sections/shown.h"

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

/* Of sameness it is clusters that are beyond it, and all of their systems are named. */
static void add_exceptions(struct ub_text *out, const struct ub_law_verdict *v)
{
    enum { NAMED = 5 };
    size_t named = 0, systems = 0;
    const char *before = v->law->is.is != UB_SAME     ? " Beyond it past doubt: "
                         : v->judgment.exceptions > 1 ? " Their systems: "
                                                      : " Its systems: ";
    for (size_t g = 0; g < v->groups.count; g++) {
        if (!v->judgment.exception[g] || systems++ >= NAMED)
            continue;
        ub_text_add(out, "%s%s (", named++ ? ", " : before, v->names[g]);
        if (v->data[g].why)
            ub_text_add(out, "%s)", v->data[g].why);
        else
            ub_text_add(out, "%.3g)", v->data[g].value);
    }
    if (systems > named)
        ub_text_add(out, " and %zu more", systems - named);
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
        if (v->control_right[g] || v->control_silent[g])
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

/* Why some said nothing, each reason once. */
static void add_silent_controls(struct ub_text *out, const struct ub_law_verdict *v)
{
    struct labels reasons = {0};
    for (size_t g = 0; g < v->controls.count; g++)
        if (v->control_silent[g])
            labels_add(&reasons,
                       v->control_data[g].why ? v->control_data[g].why : "nothing to compare with");
    if (v->n_silent)
        ub_text_add(out, "; %zu said nothing: ", v->n_silent);
    for (size_t i = 0; i < reasons.count; i++)
        ub_text_add(out, "%s%s", i ? ", " : "", reasons.text[i]);
    labels_free(&reasons);
}

static void add_controls(struct ub_text *out, const struct ub_law_verdict *v)
{
    if (v->controls.count == 0)
        ub_text_add(out, " No controls were run.");
    else
        ub_text_add(out, " %zu of %zu controls came out as they must", v->n_right,
                    v->controls.count);
    add_wrong_controls(out, v);
    add_silent_controls(out, v);
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
    add_controls(out, v);
    ub_free(sentence);
}

void add_verdict_details(struct ub_text *out, const struct ub_law_verdict *v)
{
    if (v->groups.count == 0)
        return;
    if (v->level)
        add_runs(out, v);
    else
        add_reasons(out, v);
    add_resolution(out, v);
    add_shares(out, v);
}

/* ---- one group --------------------------------------------------------------------------------
 */

struct shown shown_group(const struct ub_law_verdict *v, size_t g)
{
    const struct ub_judgment *j = &v->judgment;
    const bool alone = v->law->is.is == UB_SAME && isnan(j->q[g]); /* in its cluster */
    const bool silent = alone || (v->data[g].why && !v->data[g].against);
    const char *meets = silent ? "" : j->meets[g] ? "yes" : "no";
    if (!silent && !j->meets[g] && !j->exception[g] && isfinite(j->q[g]))
        meets = "unclear";
    return (struct shown){&v->groups.group[g], v->names[g], &v->data[g], meets, "", j->q[g],
                          j->exception[g]};
}

struct shown shown_control(const struct ub_law_verdict *v, size_t g, const char *name)
{
    return (struct shown){&v->controls.group[g],
                          name,
                          &v->control_data[g],
                          v->control_silent[g]  ? "said nothing"
                          : v->control_right[g] ? "as it must"
                                                : "not as it must",
                          control_word(v->control[g]),
                          (double)NAN,
                          false};
}

double shown_prediction(const struct ub_law_verdict *v, const struct shown *s)
{
    if (v->law->is.is == UB_SAME)
        return NAN;
    return s->datum->predicts ? s->datum->prediction : v->law->is.target;
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
    table_real(t, shown_prediction(v, s), 4);
    add_answer(t, s, wide);
    table_cell(t, "%s", s->control);
}

struct table *group_table(const struct ub_law_verdict *v, bool wide)
{
    static const char *const head[] = {"group",    "runs",    "value", "95%", "predicted or bound",
                                       "meets it", "control", NULL};
    struct table *t = table_new(head, "lrrrrll");
    for (size_t g = 0; g < v->groups.count; g++) {
        const struct shown s = shown_group(v, g);
        add_row(t, v, &s, wide);
    }
    for (size_t g = 0; g < v->controls.count; g++) {
        const struct shown s = shown_control(v, g, v->control_names[g]);
        add_row(t, v, &s, wide);
    }
    return t;
}
