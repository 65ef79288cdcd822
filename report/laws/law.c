/* A law over a frame: groups, data, controls, verdict. */
#include "bench/observables/observables.h"
#include "report/laws/group.h"
#include "report/laws/moderate.h"
#include "report/statistics/axis.h"

#include <math.h>
#include <string.h>

const char *const ub_strand_names[UB_STRANDS] = {"solvable settings", "limits", "empirical laws",
                                                 "hyperparameters", "universal phenomena"};

/* ---- groups -----------------------------------------------------------------------------------
 */

struct selection {
    const struct ub_law *law;
    enum ub_control control;
};

/* A run that is a control of whatever law was made to hold or to fail something: it is no system of
 * any law. */
static bool is_selected(const struct ub_frame *frame, size_t row, const void *context)
{
    const struct selection *s = context;
    const char *marks = frame->store->runs[row].control;
    if (s->control == UB_NO_CONTROL)
        return !(marks && *marks) && s->law->applies(frame, row);
    return ub_frame_control(frame, row, s->law->name) == s->control;
}

static void drop_others(const struct ub_law *law, const struct ub_frame *frame,
                        struct ub_groups *groups)
{
    size_t kept = 0;
    for (size_t g = 0; g < groups->count; g++)
        if (law->concerns(frame, &groups->group[g]))
            groups->group[kept++] = groups->group[g];
        else
            ub_rows_clear(&groups->group[g]);
    groups->count = kept;
}

/* Of the runs that are this kind of control of the law, or none and ones that it is about. */
static struct ub_groups groups_of(const struct ub_law *law, const struct ub_frame *frame,
                                  enum ub_control control)
{
    const struct selection selection = {law, control};
    struct ub_rows rows = ub_frame_where(frame, NULL, is_selected, &selection);
    struct ub_groups groups = ub_frame_group(frame, &rows, law->within);
    if (control == UB_NO_CONTROL && law->concerns)
        drop_others(law, frame, &groups);
    ub_rows_clear(&rows);
    return groups;
}

/* ---- data -------------------------------------------------------------------------------------
 */

static void measure_levels(struct ub_law_verdict *v, const struct ub_frame *frame,
                           const struct ub_groups *groups)
{
    if (v->law->series && !v->level)
        v->level = ub_calloc(frame->rows + 1, sizeof *v->level);
    if (!v->level)
        return;
    struct ub_rows rows = {.row = ub_calloc(frame->rows + 1, sizeof *rows.row)};
    for (size_t g = 0; g < groups->count; g++)
        for (size_t i = 0; i < groups->group[g].count; i++)
            rows.row[rows.count++] = groups->group[g].row[i];
    ub_levels_of(v->law->series, v->law->window, &v->law->is, frame, &rows, v->level);
    ub_rows_clear(&rows);
}

static struct ub_datum datum_of(const struct ub_law_verdict *v, const struct ub_frame *frame,
                                const struct ub_rows *group)
{
    return v->level ? ub_level_datum(v->level, group) : v->law->datum(frame, group);
}

/* ---- clusters ---------------------------------------------------------------------------------
 */

/* The cluster of each group: those that differ in nothing but law->across. */
static void set_clusters(const struct ub_law *law, const struct ub_frame *frame,
                         const struct ub_groups *groups, struct ub_datum *data)
{
    const char *within[16] = {law->across};
    struct ub_rows first = {.row = ub_calloc(groups->count + 1, sizeof *first.row)};
    size_t *group_of = ub_calloc(frame->rows + 1, sizeof *group_of); /* by its first row */
    for (size_t i = 0; law->within && law->within[i] && i < 14; i++)
        within[i + 1] = law->within[i];
    for (size_t g = 0; g < groups->count; g++) {
        const size_t row = groups->group[g].row[0];
        first.row[first.count++] = row;
        group_of[row] = g;
    }
    struct ub_groups clusters = ub_frame_group(frame, &first, within);
    for (size_t c = 0; c < clusters.count; c++)
        for (size_t k = 0; k < clusters.group[c].count; k++)
            data[group_of[clusters.group[c].row[k]]].cluster = (int)c;
    ub_groups_clear(&clusters);
    ub_rows_clear(&first);
    ub_free(group_of);
}

/* ---- shares -----------------------------------------------------------------------------------
 */

static double residual_of(const struct ub_law *law, const struct ub_datum *d)
{
    return d->value - (d->predicts ? d->prediction : law->is.target);
}

/* Of one axis: how much of the scatter of data it explains; NAN estimate when groups do not differ
 * in it. */
static struct ub_interval share_of(const struct ub_law_verdict *v, const struct ub_column *c)
{
    double *x = ub_calloc(v->groups.count + 1, sizeof *x);
    int *level = ub_calloc(v->groups.count + 1, sizeof *level);
    size_t n = 0;
    for (size_t g = 0; g < v->groups.count; g++) {
        if (v->data[g].why || !isfinite(v->data[g].value))
            continue;
        level[n] = c->level[v->groups.group[g].row[0]];
        x[n++] = residual_of(v->law, &v->data[g]);
    }
    const struct ub_interval share = ub_share_explained(x, level, n);
    ub_free(x);
    ub_free(level);
    return share;
}

static void set_shares(struct ub_law_verdict *v, const struct ub_frame *frame)
{
    static const char *const axes[] = {"model", "optimizer", "dataset", "loss"};
    v->shares = ub_calloc(sizeof axes / sizeof *axes, sizeof *v->shares);
    for (size_t i = 0; i < sizeof axes / sizeof *axes; i++) {
        const struct ub_column *c = ub_frame_column(frame, axes[i]);
        if (!c || c->role != UB_COLUMN_AXIS)
            continue;
        const struct ub_interval share = share_of(v, c);
        if (!isnan(share.estimate))
            v->shares[v->n_shares++] = (struct ub_law_share){c->name, share};
    }
}

/* Of levels of runs: what groups leave unexplained. */
static struct ub_interval share_of_seeds(const struct ub_law_verdict *v)
{
    size_t runs = 0, n = 0;
    for (size_t g = 0; g < v->groups.count; g++)
        runs += v->groups.group[g].count;
    double *x = ub_calloc(runs + 1, sizeof *x);
    int *group = ub_calloc(runs + 1, sizeof *group);
    for (size_t g = 0; v->level && g < v->groups.count; g++)
        for (size_t i = 0; i < v->groups.group[g].count; i++) {
            const struct ub_level *l = &v->level[v->groups.group[g].row[i]];
            if (!l->window.reached)
                continue;
            group[n] = (int)g;
            x[n++] = l->median;
        }
    struct ub_interval s = ub_share_explained(x, group, n);
    ub_free(x);
    ub_free(group);
    const double low = 1 - s.high;
    s.estimate = 1 - s.estimate;
    s.high = 1 - s.low;
    s.low = low;
    return s;
}

/* ---- controls ---------------------------------------------------------------------------------
 */

bool ub_datum_meets(const struct ub_claim *claim, const struct ub_datum *datum)
{
    struct ub_judgment j = ub_judge(claim, datum, 1);
    const bool meets = !datum->why && j.within == 1;
    ub_judgment_clear(&j);
    return meets;
}

/* Those that must hold, then those that must fail: never both in one group. */
static struct ub_groups controls_of(const struct ub_law *law, const struct ub_frame *frame)
{
    struct ub_groups all = groups_of(law, frame, UB_CONTROL_HOLDS);
    struct ub_groups fails = groups_of(law, frame, UB_CONTROL_FAILS);
    all.group = ub_realloc(all.group, (all.count + fails.count + 1) * sizeof *all.group);
    for (size_t g = 0; g < fails.count; g++)
        all.group[all.count++] = fails.group[g];
    ub_free(fails.group); /* what is in it has moved */
    return all;
}

/* Of sameness, a control is a group among those that it is compared with: where it must hold those
 * of its cluster, where it must fail all that are marked so. One alone has shown nothing. */
static void judge_same_control(struct ub_law_verdict *v, size_t control)
{
    struct ub_datum *data = ub_calloc(v->controls.count + 1, sizeof *data);
    const bool holds = v->control[control] == UB_CONTROL_HOLDS;
    size_t n = 0;
    for (size_t g = 0; g < v->controls.count; g++) {
        if (v->control[g] != v->control[control] ||
            (holds && v->control_data[g].cluster != v->control_data[control].cluster))
            continue;
        data[n] = v->control_data[g];
        data[n++].cluster = 0;
    }
    struct ub_judgment j = ub_judge(&v->law->is, data, n);
    const struct ub_datum *own = &v->control_data[control];
    v->control_silent[control] = own->why ? !own->against : j.spoke == 0;
    v->control_right[control] = !own->why && j.spoke == 1 && (j.within == 1) == holds;
    ub_judgment_clear(&j);
    ub_free(data);
}

/* A control that must fail has done so, too, when its runs count against the claim; one that cannot
 * speak (it was not run, or has no value) has shown nothing, neither for the instrument nor against
 * it. */
static void judge_control(struct ub_law_verdict *v, size_t control)
{
    const struct ub_datum *d = &v->control_data[control];
    if (v->law->is.is == UB_SAME) {
        judge_same_control(v, control);
        return;
    }
    const bool holds = v->control[control] == UB_CONTROL_HOLDS;
    v->control_silent[control] = d->why ? !d->against : !isfinite(d->value);
    v->control_right[control] =
        !v->control_silent[control] && ub_datum_meets(&v->law->is, d) == holds;
}

static void run_controls(struct ub_law_verdict *v, const struct ub_frame *frame)
{
    v->controls = controls_of(v->law, frame);
    measure_levels(v, frame, &v->controls);
    v->control = ub_calloc(v->controls.count + 1, sizeof *v->control);
    v->control_data = ub_calloc(v->controls.count + 1, sizeof *v->control_data);
    v->control_right = ub_calloc(v->controls.count + 1, sizeof *v->control_right);
    v->control_silent = ub_calloc(v->controls.count + 1, sizeof *v->control_silent);
    for (size_t g = 0; g < v->controls.count; g++) {
        const struct ub_rows *rows = &v->controls.group[g];
        v->control_data[g] = datum_of(v, frame, rows);
        if (v->control_data[g].why && !v->control_data[g].against) /* not run, before all else */
            v->control_data[g].why = ub_group_why(frame, rows, v->control_data[g].why);
        v->control[g] = ub_frame_control(frame, rows->row[0], v->law->name);
    }
    if (v->law->across)
        set_clusters(v->law, frame, &v->controls, v->control_data);
    for (size_t g = 0; g < v->controls.count; g++) {
        judge_control(v, g);
        v->n_right += v->control_right[g];
        v->n_silent += v->control_silent[g];
    }
    v->at_fault = v->n_right + v->n_silent < v->controls.count;
}

/* ---- verdicts ---------------------------------------------------------------------------------
 */

struct ub_law_verdict *ub_law_verdict_new(const struct ub_law *law, const struct ub_frame *frame)
{
    struct ub_law_verdict *v = ub_calloc(1, sizeof *v);
    v->law = law;
    v->q = (double)NAN;
    v->groups = groups_of(law, frame, UB_NO_CONTROL);
    run_controls(v, frame);
    if (v->groups.count + v->controls.count == 0) {
        ub_law_verdict_free(v);
        return NULL;
    }
    v->data = ub_calloc(v->groups.count + 1, sizeof *v->data);
    v->names = ub_frame_group_names(frame, &v->groups, NULL);
    v->control_names = ub_frame_group_names(frame, &v->controls, NULL);
    measure_levels(v, frame, &v->groups);
    for (size_t g = 0; g < v->groups.count; g++)
        v->data[g] = datum_of(v, frame, &v->groups.group[g]);
    if (law->moderate)
        ub_data_moderate(v->data, v->groups.count);
    if (law->across)
        set_clusters(law, frame, &v->groups, v->data);
    v->judgment = ub_judge(&law->is, v->data, v->groups.count);
    v->below = v->above = (double)NAN;
    if (law->is.is == UB_EQUAL && law->is.target != 0)
        ub_judge_resolution(&law->is, v->data, v->groups.count, &v->below, &v->above);
    set_shares(v, frame);
    v->between_seeds = share_of_seeds(v);
    return v;
}

void ub_law_verdict_free(struct ub_law_verdict *v)
{
    if (!v)
        return;
    ub_names_free(v->names, v->groups.count);
    ub_names_free(v->control_names, v->controls.count);
    ub_free(v->level);
    ub_free(v->data);
    ub_judgment_clear(&v->judgment);
    ub_free(v->shares);
    ub_groups_clear(&v->groups);
    ub_groups_clear(&v->controls);
    ub_free(v->control);
    ub_free(v->control_data);
    ub_free(v->control_right);
    ub_free(v->control_silent);
    ub_free(v);
}

const char *ub_law_word(const struct ub_law_verdict *v)
{
    return v->at_fault ? "instrument at fault" : ub_judgment_word(&v->judgment);
}

/* ---- what is missing --------------------------------------------------------------------------
 */

static size_t words_in(const struct ub_frame *frame, const struct ub_rows *rows, const char *axis)
{
    const struct ub_column *c = ub_frame_column(frame, axis);
    size_t different = 0;
    for (size_t i = 0; c && c->level && i < rows->count; i++) {
        size_t k = 0;
        while (k < i && c->level[rows->row[k]] != c->level[rows->row[i]])
            k++;
        different += k == i && c->level[rows->row[i]] >= 0;
    }
    return different;
}

/* By any run of the group. */
static bool is_measured(const struct ub_frame *frame, const struct ub_rows *rows,
                        const char *observable)
{
    for (size_t k = 0; k < rows->count; k++)
        if (ub_run_measures(frame, rows->row[k], observable))
            return true;
    return false;
}

/* By an observable that declares such rows: an edge ratio comes with the sharpness, too. */
static bool is_written(const struct ub_frame *frame, const struct ub_rows *rows, const char *series)
{
    for (size_t i = 0; ub_observables[i]; i++)
        for (const struct ub_quantity *q = ub_observables[i]->rows; q && q->name; q++)
            if (strcmp(q->name, series) == 0 && is_measured(frame, rows, ub_observables[i]->name))
                return true;
    return false;
}

/* Of one group: its needs that are not met, a law's series first; "" when all are. */
static void add_lack(struct ub_text *text, const struct ub_law *law, const struct ub_frame *frame,
                     const struct ub_rows *rows)
{
    if (law->series && !is_written(frame, rows, law->series))
        ub_text_add(text, "%s is not measured", law->series);
    for (size_t i = 0; i < UB_NEEDS; i++) {
        const struct ub_need *need = &law->needs[i];
        if (need->observable && !is_measured(frame, rows, need->observable))
            ub_text_add(text, "%s%s is not measured", text->length ? "; " : "", need->observable);
        const size_t words = need->axis ? words_in(frame, rows, need->axis) : 0;
        if (need->axis && words < need->least)
            ub_text_add(text, "%s%zu different %s in a group, needs %zu", text->length ? "; " : "",
                        words, need->axis, need->least);
    }
}

struct ub_law_controls ub_law_controls(const struct ub_law *law, const struct ub_frame *frame)
{
    struct ub_law_controls c = {0};
    struct ub_groups groups = controls_of(law, frame);
    for (size_t g = 0; g < groups.count; g++) {
        struct ub_text lack = {0};
        const bool holds =
            ub_frame_control(frame, groups.group[g].row[0], law->name) == UB_CONTROL_HOLDS;
        c.hold += holds;
        c.fail += !holds;
        add_lack(&lack, law, frame, &groups.group[g]);
        if (lack.length && !c.lacks) {
            c.lacks = lack.data;
            lack = (struct ub_text){0};
        }
        ub_text_free(&lack);
    }
    ub_groups_clear(&groups);
    return c;
}

/* Sameness needs two groups in a cluster. */
static bool can_be_compared(const struct ub_law *law, const struct ub_frame *frame,
                            const struct ub_groups *groups)
{
    if (!law->across)
        return true;
    struct ub_datum *data = ub_calloc(groups->count + 1, sizeof *data);
    bool *seen = ub_calloc(groups->count + 1, sizeof *seen), found = false;
    set_clusters(law, frame, groups, data);
    for (size_t g = 0; g < groups->count && !found; g++) {
        found = seen[data[g].cluster];
        seen[data[g].cluster] = true;
    }
    ub_free(seen);
    ub_free(data);
    return found;
}

char *ub_law_lacks(const struct ub_law *law, const struct ub_frame *frame, bool *applies)
{
    struct ub_groups groups = groups_of(law, frame, UB_NO_CONTROL);
    struct ub_text least = {0};
    bool decidable = false;
    *applies = groups.count > 0;
    for (size_t g = 0; g < groups.count && !decidable; g++) {
        struct ub_text lack = {0};
        add_lack(&lack, law, frame, &groups.group[g]);
        decidable = lack.length == 0;
        if (!least.data || lack.length < least.length) {
            ub_text_free(&least);
            least = lack;
            lack = (struct ub_text){0};
        }
        ub_text_free(&lack);
    }
    if (decidable && !can_be_compared(law, frame, &groups)) {
        decidable = false;
        ub_text_add(&least, "no two groups that differ in nothing but %s", law->across);
    }
    ub_groups_clear(&groups);
    if (!decidable && *applies)
        return least.data;
    ub_text_free(&least);
    return NULL;
}
