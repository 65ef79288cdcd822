/* Verdicts and their data as rows for other programs: laws.csv and data.csv. */
#include "bench/store/axes.h"
#include "report/digest/options.h"
#include "report/sections/shown.h"

#include <math.h>
#include <string.h>

/* ---- columns ------------------------------------------------------------------------------ */

const struct column laws_columns[] = {
    {"law", COLUMN_TEXT, "", "its name: `unibench list laws` says what it claims"},
    {"strand", COLUMN_TEXT, "", "of the five strands, the one that the law belongs to"},
    {"verdict", COLUMN_TEXT, "", "holds, holds with exceptions, ..., or instrument at fault"},
    {"systems", COLUMN_WHOLE, "1", "groups of runs that it is about; of sameness: clusters"},
    {"spoke", COLUMN_WHOLE, "1", "of these, those with a value or against the law without one"},
    {"within", COLUMN_WHOLE, "1", "of these, those that meet the claim"},
    {"exceptions", COLUMN_WHOLE, "1", "those that do not past doubt (false-discovery rate 5%)"},
    {"controls", COLUMN_WHOLE, "1", "controls, run or still to be run"},
    {"controls-right", COLUMN_WHOLE, "1", "of these, those that came out as they must"},
    {"controls-silent", COLUMN_WHOLE, "1", "of these, those that have shown nothing: not run, ..."},
    {"mean", COLUMN_NUMBER, "the law's",
     "mean over systems: of values less their prediction "
     "plus the target, or of relative errors of exact claims"},
    {"low", COLUMN_NUMBER, "the law's", "lower end of the mean's 95% interval"},
    {"high", COLUMN_NUMBER, "the law's", "upper end of the mean's 95% interval"},
    {"new-low", COLUMN_NUMBER, "the law's", "lower end of where a new system is expected, 95%"},
    {"new-high", COLUMN_NUMBER, "the law's", "upper end of where a new system is expected, 95%"},
    {"target", COLUMN_NUMBER, "the law's", "what the mean is held against"},
    {"margin", COLUMN_NUMBER, "the law's", "how far off still meets the claim"},
    {"tau", COLUMN_NUMBER, "the law's", "standard deviation between systems beyond their errors"},
    {"tau-low", COLUMN_NUMBER, "the law's", "lower end of tau's 95% interval"},
    {"tau-high", COLUMN_NUMBER, "the law's", "upper end of tau's 95% interval"},
    {"share-low", COLUMN_NUMBER, "1", "least share of all systems that meet the claim, 95%"},
    {"share-high", COLUMN_NUMBER, "1", "greatest share of all systems that meet the claim, 97.5%"},
    {"violated-below", COLUMN_NUMBER, "1", "factor on all values below which it were violated"},
    {"violated-above", COLUMN_NUMBER, "1", "factor on all values above which it were violated"},
    {"p", COLUMN_NUMBER, "1", "of what the verdict denies; none of undecided and exact"},
    {"q", COLUMN_NUMBER, "1", "p adjusted over all laws of the report: below 0.05 it stands"},
    {.name = NULL},
};

/* Between them stand the axes of runs, as in runs.csv, and the options of their calls. */
const struct column data_keys[] = {
    {"law", COLUMN_TEXT, "", "as in laws.csv"},
    {"strand", COLUMN_TEXT, "", "as in laws.csv"},
    {"group", COLUMN_TEXT, "", "what its runs have in common, for people"},
    {"first-run", COLUMN_TEXT, "", "run in runs.csv: the group's first"},
    {"run-ids", COLUMN_TEXT, "", "runs in runs.csv: all of the group, joined by ;"},
    {"system", COLUMN_TEXT, "", "as in runs.csv; empty where runs of the group are of several"},
    {.name = NULL},
};
const struct column data_columns[] = {
    {"runs", COLUMN_WHOLE, "1", "how many runs the group has"},
    {"value", COLUMN_NUMBER, "the law's", "what the law takes from the group"},
    {"low", COLUMN_NUMBER, "the law's", "lower end of the value's 95% interval"},
    {"high", COLUMN_NUMBER, "the law's", "upper end of the value's 95% interval"},
    {"error", COLUMN_NUMBER, "the law's", "standard error of the value"},
    {"prediction", COLUMN_NUMBER, "the law's", "what it is held against; none of sameness"},
    {"q", COLUMN_NUMBER, "1", "adjusted p, over groups, of that it meets the claim"},
    {"meets", COLUMN_TEXT, "", "yes, no or unclear; of controls whether it is as it must"},
    {"exception", COLUMN_FLAG, "", "whether it does not meet the claim past doubt"},
    {"control", COLUMN_TEXT, "", "must hold, must fail, or empty where it is no control"},
    {"why", COLUMN_TEXT, "", "why it has no value"},
    {.name = NULL},
};

static void add_heads(struct ub_text *out, const struct column *c)
{
    for (; c->name; c++)
        ub_csv_add(out, c->name);
}

static void add_words(struct ub_text *out, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ub_csv_add(out, words[i]);
}

static void add_count(struct ub_text *out, size_t count)
{
    char number[32];
    snprintf(number, sizeof number, "%zu", count);
    ub_csv_add(out, number);
}

static void add_numbers(struct ub_text *out, const double *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ub_csv_add_real(out, isfinite(x[i]) ? x[i] : (double)NAN);
}

/* ---- data.csv ------------------------------------------------------------------------------- */

static void add_ids(struct ub_text *out, const struct ub_frame *frame, const struct ub_rows *rows)
{
    struct ub_text ids = {0};
    for (size_t i = 0; i < rows->count; i++)
        ub_text_add(&ids, "%s%s", i ? ";" : "", frame->store->runs[rows->row[i]].id);
    ub_csv_add(out, ids.data);
    ub_text_free(&ids);
}

/* The text that all of the group's runs have; empty where they differ. */
static void add_axis(struct ub_text *out, const struct ub_frame *frame, const struct ub_rows *rows,
                     const struct ub_run_axis *axis)
{
    struct ub_text first = {0};
    bool same = true;
    ub_run_axis_text(&frame->store->runs[rows->row[0]].spec, axis, &first);
    for (size_t i = 1; same && i < rows->count; i++) {
        struct ub_text other = {0};
        ub_run_axis_text(&frame->store->runs[rows->row[i]].spec, axis, &other);
        same = strcmp(first.data, other.data) == 0;
        ub_text_free(&other);
    }
    ub_csv_add(out, same ? first.data : "");
    ub_text_free(&first);
}

static void add_system(struct ub_text *out, const struct study *study, const struct ub_rows *rows)
{
    const size_t first = study->system_of[rows->row[0]];
    bool same = true;
    for (size_t i = 1; same && i < rows->count; i++)
        same = study->system_of[rows->row[i]] == first;
    ub_csv_add(out, same ? study->system_name[first] : "");
}

static void add_data_row(struct ub_text *out, const struct ub_law_verdict *v,
                         const struct study *study, const struct option_columns *options,
                         const struct shown *s)
{
    const struct ub_frame *frame = study->frame;
    const struct ub_interval x = ub_datum_interval(s->datum);
    const char *const before[] = {v->law->name, ub_strand_names[v->law->strand], s->name,
                                  frame->store->runs[s->rows->row[0]].id};
    const char *const after[] = {s->meets, s->exception ? "true" : "false", s->control,
                                 s->datum->why ? s->datum->why : ""};
    add_words(out, before, sizeof before / sizeof *before);
    add_ids(out, frame, s->rows);
    add_system(out, study, s->rows);
    for (size_t i = 0; i < UB_RUN_AXES; i++)
        add_axis(out, frame, s->rows, &ub_run_axes[i]);
    option_cells(out, options, s->rows);
    add_count(out, s->rows->count);
    add_numbers(out,
                (const double[]){x.estimate, x.low, x.high, x.se, shown_prediction(v, s), s->q}, 6);
    add_words(out, after, sizeof after / sizeof *after);
    ub_csv_end_row(out);
}

struct ub_text data_csv(const struct study *study)
{
    struct ub_text out = {0};
    struct option_columns options = option_columns_of(study->frame);
    add_heads(&out, data_keys);
    for (size_t i = 0; i < UB_RUN_AXES; i++)
        ub_csv_add(&out, ub_run_axes[i].name);
    option_heads(&out, &options);
    add_heads(&out, data_columns);
    ub_csv_end_row(&out);
    for (size_t i = 0; i < study->n_laws; i++) {
        const struct ub_law_verdict *v = study->laws[i];
        for (size_t g = 0; g < v->groups.count; g++) {
            const struct shown s = shown_group(v, g);
            add_data_row(&out, v, study, &options, &s);
        }
        for (size_t g = 0; g < v->controls.count; g++) {
            const struct shown s = shown_control(v, g, v->control_names[g]);
            add_data_row(&out, v, study, &options, &s);
        }
    }
    option_columns_clear(&options);
    return out;
}

/* ---- laws.csv ------------------------------------------------------------------------------- */

static void add_law_row(struct ub_text *out, const struct ub_law_verdict *v)
{
    const struct ub_judgment *j = &v->judgment;
    const char *const before[] = {v->law->name, ub_strand_names[v->law->strand], ub_law_word(v)};
    const size_t counts[] = {j->systems,        j->spoke,   j->within,  j->exceptions,
                             v->controls.count, v->n_right, v->n_silent};
    const struct ub_meta *m = &j->meta;
    add_words(out, before, sizeof before / sizeof *before);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        add_count(out, counts[i]);
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
    struct ub_text out = {0};
    add_heads(&out, laws_columns);
    ub_csv_end_row(&out);
    for (size_t i = 0; i < study->n_laws; i++)
        add_law_row(&out, study->laws[i]);
    return out;
}
