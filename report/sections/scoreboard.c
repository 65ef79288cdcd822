/* The table that opens a report and ends `make bench`: what became of each law. */
#include "report/sections/board.h"

#include <math.h>
#include <string.h>

void board_claim(const struct ub_claim *claim, struct ub_text *out)
{
    switch (claim->is) {
    case UB_EQUAL:
        ub_text_add(out, "%.3g ± %.2g", claim->target, claim->margin);
        return;
    case UB_AT_MOST:
        ub_text_add(out, "at most %.3g", claim->target);
        return;
    case UB_AT_LEAST:
        ub_text_add(out, "at least %.3g", claim->target);
        return;
    case UB_EXACT:
        ub_text_add(out, "error ≤ %.2g", claim->margin);
        return;
    case UB_SAME:
        ub_text_add(out, "spread ≤ %.2g", claim->margin);
        return;
    }
}

/* Intervals of means are even to both sides, those of spreads are not. Of exact claims, and of one
 * datum, there is none. */
static void add_value(struct table *t, const struct ub_law_verdict *v)
{
    const struct ub_meta *m = &v->judgment.meta;
    const bool spread = v->law->is.is == UB_SAME;
    const double half = (m->mean.high - m->mean.low) / 2;
    if (spread && isfinite(m->tau_high))
        table_cell(t, "%.2g [%.2g, %.2g]", m->tau, m->tau_low, m->tau_high);
    else if (spread ? !isfinite(m->tau) : !isfinite(m->mean.estimate))
        table_cell(t, "-");
    else if (spread || v->law->is.is == UB_EXACT || !isfinite(half) || !(half > 0))
        table_cell(t, "%.3g", spread ? m->tau : m->mean.estimate);
    else
        table_cell(t, "%.3g ± %.2g", m->mean.estimate, half);
}

static void add_counts(struct table *t, const struct ub_judgment *j)
{
    if (j->spoke < j->systems)
        table_cell(t, "%zu/%zu of %zu", j->within, j->spoke, j->systems);
    else
        table_cell(t, "%zu/%zu", j->within, j->spoke);
}

static void add_law(struct table *t, const struct ub_law_verdict *v, bool wide)
{
    struct ub_text claim = {0};
    board_claim(&v->law->is, &claim);
    if (wide)
        table_cell(t, "%s", ub_strand_names[v->law->strand]);
    table_cell(t, wide ? "%s" : "  %s", v->law->name);
    if (wide)
        table_cell(t, "%s", v->law->claim);
    add_counts(t, &v->judgment);
    add_value(t, v);
    table_cell(t, "%s", claim.data);
    if (ub_law_stands(v))
        table_cell(t, "%s", ub_law_word(v));
    else
        table_cell(t, "%s (q %.2g)", ub_law_word(v), v->q);
    if (v->n_silent)
        table_cell(t, "%zu/%zu (%zu silent)", v->n_right, v->controls.count, v->n_silent);
    else if (v->controls.count)
        table_cell(t, "%zu/%zu", v->n_right, v->controls.count);
    else
        table_cell(t, "none");
    ub_text_free(&claim);
}

/* A row with nothing but the strand's name, before its laws. */
static void add_strand(struct table *t, int strand)
{
    table_cell(t, "%s", ub_strand_names[strand]);
    for (size_t c = 1; c < t->columns; c++)
        table_cell(t, "%s", "");
}

bool scoreboard_has_q(const struct board *board)
{
    for (size_t i = 0; i < board->count; i++)
        if (!ub_law_stands(board->verdict[i]))
            return true;
    return false;
}

struct table *scoreboard_table(const struct board *board, bool wide)
{
    static const char *const head[] = {"law",     "meet it",  "value", "prediction",
                                       "verdict", "controls", NULL};
    static const char *const wide_head[] = {"strand",     "law",     "claim",    "meet it", "value",
                                            "prediction", "verdict", "controls", NULL};
    struct table *t = wide ? table_new(wide_head, "lllrrlll") : table_new(head, "lrrlll");
    for (int strand = 0; strand < UB_STRANDS; strand++) {
        size_t laws = 0;
        for (size_t i = 0; i < board->count; i++) {
            if ((int)board->verdict[i]->law->strand != strand)
                continue;
            if (laws++ == 0 && !wide)
                add_strand(t, strand);
            add_law(t, board->verdict[i], wide);
        }
    }
    return t;
}
