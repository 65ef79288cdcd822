/* Laws about groups of runs: what is said of each, its groups as a table, and all groups of all
 * laws as rows for other programs. */
#include "report/laws/law.h"
#include "report/sections/sections.h"

#include <math.h>
#include <string.h>

/* ---- sentences --------------------------------------------------------------------------------
 */

/* "3 diverged; 1 too few widths": why groups have no value; texts are static, equal ones are one.
 */
static void add_reasons(struct ub_text *out, const struct ub_law_verdict *v)
{
    struct labels reasons = {0};
    for (size_t g = 0; g < v->groups.count; g++)
        if (v->data[g].why)
            labels_add(&reasons, v->data[g].why);
    for (size_t k = 0; k < reasons.count; k++) {
        size_t count = 0;
        for (size_t g = 0; g < v->groups.count; g++)
            count += v->data[g].why && strcmp(v->data[g].why, reasons.text[k]) == 0;
        ub_text_add(out, "%s%zu %s", k ? "; " : " Without a value: ", count, reasons.text[k]);
    }
    ub_text_add(out, "%s", reasons.count ? "." : "");
    labels_free(&reasons);
}

static void add_exceptions(struct ub_text *out, const struct ub_law_verdict *v)
{
    enum { NAMED = 5 };
    size_t named = 0;
    for (size_t g = 0; g < v->groups.count && named < NAMED; g++)
        if (v->judgment.exception[g])
            ub_text_add(out, "%s%s (%.3g)", named++ ? ", " : " Beyond it past doubt: ", v->names[g],
                        v->data[g].value);
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

void add_group_verdict(struct ub_text *out, const struct ub_law_verdict *v, bool markdown)
{
    const char *mark = markdown ? "**" : "";
    char *sentence = ub_judgment_sentence(&v->law->is, &v->judgment);
    ub_text_add(out, "%s%s: %s%s (%s): %s.", mark, v->law->name, ub_law_word(v), mark,
                v->law->claim, sentence);
    add_exceptions(out, v);
    add_reasons(out, v);
    add_resolution(out, v);
    for (size_t i = 0; i < v->n_shares; i++)
        ub_text_add(out, "%s%s %.0f%%", i ? ", " : " Variance explained by ", v->shares[i].axis,
                    100 * v->shares[i].share.estimate);
    ub_text_add(out, "%s", v->n_shares ? "." : "");
    add_controls(out, v);
    ub_free(sentence);
}

/* ---- tables -----------------------------------------------------------------------------------
 */

static void add_row(struct table *t, const struct ub_law *law, const char *name,
                    const struct ub_datum *d, bool good, enum ub_control control)
{
    table_cell(t, "%s", name);
    table_real(t, d->why ? (double)NAN : d->value, 4);
    table_real(t, d->why ? (double)NAN : d->se, 2);
    table_real(t, d->predicts ? d->prediction : law->is.target, 4);
    table_cell(t, "%s",
               d->why                     ? d->why
               : control == UB_NO_CONTROL ? good ? "yes" : "no"
               : good                     ? "as it must"
                                          : "not as it must");
    table_cell(t, "%s", control_word(control));
}

struct table *group_table(const struct ub_law_verdict *v, const struct ub_frame *frame)
{
    static const char *const head[] = {"group",    "value",   "error", "predicted or bound",
                                       "meets it", "control", NULL};
    struct table *t = table_new(head, "lrrrll");
    for (size_t g = 0; g < v->groups.count; g++)
        add_row(t, v->law, v->names[g], &v->data[g], v->judgment.meets[g], UB_NO_CONTROL);
    for (size_t g = 0; g < v->controls.count; g++) {
        char *name = ub_frame_group_name(frame, &v->controls, g);
        add_row(t, v->law, name, &v->control_data[g], v->control_right[g], v->control[g]);
        ub_free(name);
    }
    return t;
}

/* ---- data.csv ---------------------------------------------------------------------------------
 */

static void add_data_row(struct ub_text *out, const struct ub_law_verdict *v, size_t g)
{
    const struct ub_datum *d = &v->data[g];
    const char *const words[] = {v->law->name, ub_strand_names[v->law->strand], v->names[g]};
    for (size_t i = 0; i < 3; i++)
        ub_csv_add(out, words[i]);
    ub_csv_add_real(out, d->why ? (double)NAN : d->value);
    ub_csv_add_real(out, d->why ? (double)NAN : d->se);
    ub_csv_add_real(out, d->predicts ? d->prediction : v->law->is.target);
    ub_csv_add(out, d->why ? "" : v->judgment.meets[g] ? "true" : "false");
    ub_csv_add(out, v->judgment.exception[g] ? "true" : "false");
    ub_csv_add(out, d->why ? d->why : "");
    ub_csv_end_row(out);
}

struct ub_text group_data_csv(const struct study *study)
{
    static const char *const head[] = {"law",        "strand", "group",     "value", "error",
                                       "prediction", "meets",  "exception", "why"};
    struct ub_text out = {0};
    for (size_t i = 0; i < sizeof head / sizeof *head; i++)
        ub_csv_add(&out, head[i]);
    ub_csv_end_row(&out);
    for (size_t i = 0; i < study->n_group_laws; i++)
        for (size_t g = 0; g < study->group_laws[i]->groups.count; g++)
            add_data_row(&out, study->group_laws[i], g);
    return out;
}
