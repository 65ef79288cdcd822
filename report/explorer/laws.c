/* Verdicts with the groups and controls behind them. */
#include "report/explorer/private.h"
#include "report/sections/board.h"
#include "report/sections/shown.h"

#include <math.h>
#include <string.h>

static void set_text(json_t *object, const char *key, const char *text)
{
    json_object_set_new(object, key, explorer_text(text));
}

static void set_number(json_t *object, const char *key, double value)
{
    json_object_set_new(object, key, explorer_number(value, EXPLORER_DIGITS));
}

/* ---- groups --------------------------------------------------------------------------------- */

/* What the claim is held against on one axis (board_value), with the same interval around it. */
static void add_place(json_t *group, const struct ub_law_verdict *v, const struct shown *s)
{
    const struct ub_interval x = ub_datum_interval(s->datum);
    const double place = board_value(&v->law->is, s->datum);
    const bool scaled = v->law->is.is == UB_EXACT; /* a relative error has no interval of its own */
    set_number(group, "value", x.estimate);
    set_number(group, "low", x.low);
    set_number(group, "high", x.high);
    set_number(group, "place", place);
    set_number(group, "from", scaled ? place : place + x.low - x.estimate);
    set_number(group, "to", scaled ? place : place + x.high - x.estimate);
}

/* {name, rows, value, low, high, place, from, to, predicted, q, meets, exception, control, why}:
 * value and its 95% interval; the same as the claim sees it; what it is held against. */
static json_t *group_json(const struct ub_law_verdict *v, const struct shown *s)
{
    json_t *group = json_object(), *rows = json_array();
    for (size_t i = 0; i < s->rows->count; i++)
        json_array_append_new(rows, json_integer((json_int_t)s->rows->row[i]));
    set_text(group, "name", s->name);
    json_object_set_new(group, "rows", rows);
    add_place(group, v, s);
    set_number(group, "predicted", shown_prediction(v, s));
    set_number(group, "q", s->q);
    set_text(group, "meets", s->meets);
    json_object_set_new(group, "exception", json_boolean(s->exception));
    set_text(group, "control", s->control);
    set_text(group, "why", s->datum->why);
    return group;
}

static json_t *groups_json(const struct ub_law_verdict *v)
{
    json_t *groups = json_array();
    for (size_t g = 0; g < v->groups.count; g++) {
        const struct shown s = shown_group(v, g);
        json_array_append_new(groups, group_json(v, &s));
    }
    for (size_t g = 0; g < v->controls.count; g++) {
        const struct shown s = shown_control(v, g, v->control_names[g]);
        json_array_append_new(groups, group_json(v, &s));
    }
    return groups;
}

/* ---- laws ----------------------------------------------------------------------------------- */

static void add_sentences(json_t *law, const struct ub_law_verdict *v)
{
    struct ub_text says = {0}, details = {0};
    add_verdict(&says, v, false);
    add_verdict_details(&details, v);
    set_text(law, "says", says.data);
    set_text(law, "details", details.data ? details.data : "");
    ub_text_free(&says);
    ub_text_free(&details);
}

static void add_claim(json_t *law, const struct ub_law_verdict *v)
{
    static const char *const kinds[] = {"equal", "at most", "at least", "exact", "same"};
    struct ub_text meets = {0};
    ub_claim_text(&v->law->is, &meets);
    set_text(law, "name", v->law->name);
    set_text(law, "strand", ub_strand_names[v->law->strand]);
    set_text(law, "claim", v->law->claim);
    set_text(law, "formula", v->law->formula);
    set_text(law, "quantity", v->law->quantity);
    set_text(law, "citation", v->law->citation);
    set_text(law, "who", v->law->who);
    set_text(law, "because", v->law->because);
    set_text(law, "meets", meets.data);
    set_text(law, "kind", kinds[v->law->is.is]);
    set_text(law, "verdict", ub_law_word(v));
    set_number(law, "target", v->law->is.target);
    set_number(law, "margin", v->law->is.margin);
    ub_text_free(&meets);
}

/* The verdict that a row of the board is about. */
static const struct ub_law_verdict *named(const struct study *study, const char *name)
{
    for (size_t i = 0; i < study->n_laws; i++)
        if (strcmp(study->laws[i]->law->name, name) == 0)
            return study->laws[i];
    return NULL;
}

/* `board`: the cells of its row of the report's scoreboard, under their heads. */
static json_t *law_json(const struct ub_law_verdict *v, const struct table *board, size_t row)
{
    json_t *law = json_object(), *cells = json_object();
    add_claim(law, v);
    add_sentences(law, v);
    for (size_t c = 0; c < board->columns; c++)
        set_text(cells, board->header[c], board->cell[row * board->columns + c]);
    json_object_set_new(law, "board", cells);
    json_object_set_new(law, "groups", groups_json(v));
    return law;
}

json_t *explorer_laws(const struct study *study)
{
    const struct board board = {study->frame, study->n_laws, study->laws};
    struct table *t = scoreboard_table(&board, true);
    json_t *laws = json_array();
    for (size_t row = 0; row < table_rows(t); row++) {
        const struct ub_law_verdict *v = named(study, t->cell[row * t->columns + 1]);
        if (v)
            json_array_append_new(laws, law_json(v, t, row));
    }
    table_free(t);
    return laws;
}
