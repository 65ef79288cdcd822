/* Columns of the page: the frame's axes, what became of each run, and the numbers of runs.csv. */
#include "report/explorer/private.h"

#include <math.h>
#include <string.h>

/* ---- words ---------------------------------------------------------------------------------- */

static void add_words(json_t *column, const int *level, char *const *words, size_t n_words,
                      size_t rows)
{
    json_t *list = json_array(), *levels = json_array();
    bool same = rows > 0;
    for (size_t i = 0; i < n_words; i++)
        json_array_append_new(list, explorer_text(words[i]));
    for (size_t row = 0; row < rows; row++) {
        same = same && level[row] == level[0];
        json_array_append_new(levels, json_integer(level[row]));
    }
    json_object_set_new(column, "words", list);
    if (same) {
        json_object_set_new(column, "level", json_integer(level[0]));
        json_decref(levels);
    } else {
        json_object_set_new(column, "level", levels);
    }
}

/* Words that a function says of each run. */
static json_t *told(const struct study *study, const char *name, const char *meaning,
                    const char *(*word)(const struct ub_run *run))
{
    const size_t rows = study->store->count;
    struct labels words = {0};
    int *level = ub_calloc(rows + 1, sizeof *level);
    for (size_t row = 0; row < rows; row++) {
        const char *text = word(&study->store->runs[row]);
        level[row] = text && *text ? (int)labels_add(&words, text) : -1;
    }
    const struct ub_quantity what = {.name = name, .meaning = meaning, .units = ""};
    json_t *column = explorer_named(name, &what);
    add_words(column, level, words.text, words.count, rows);
    labels_free(&words);
    ub_free(level);
    return column;
}

static const char *status_of(const struct ub_run *run)
{
    return ub_run_status_name(run->status);
}

static const char *control_of(const struct ub_run *run)
{
    return run->control;
}

static const char *message_of(const struct ub_run *run)
{
    return run->message;
}

/* ---- numbers -------------------------------------------------------------------------------- */

/* Columns that few runs have name these. */
static void add_numbers(json_t *column, const double *number, size_t rows)
{
    size_t known = 0;
    for (size_t row = 0; row < rows; row++)
        known += isfinite(number[row]) != 0;
    const bool sparse = 2 * known < rows;
    json_t *list = json_array(), *of = json_array();
    for (size_t row = 0; row < rows; row++) {
        if (sparse && !isfinite(number[row]))
            continue;
        json_array_append_new(list, explorer_number(number[row], EXPLORER_DIGITS));
        json_array_append_new(of, json_integer((json_int_t)row));
    }
    json_object_set_new(column, "number", list);
    if (sparse)
        json_object_set_new(column, "rows", of);
    else
        json_decref(of);
}

/* Whether some number is another than its word says: "edge(40)". */
static bool says_more(const struct ub_column *c, size_t rows)
{
    for (size_t row = 0; row < rows; row++) {
        double word;
        if (isfinite(c->number[row]) &&
            !(c->level[row] >= 0 && ub_read_real(c->words[c->level[row]], &word) &&
              word == c->number[row]))
            return true;
    }
    return false;
}

static json_t *axis_column(const struct ub_column *c, size_t rows)
{
    const struct ub_run_axis *axis = ub_run_axis_find(c->name);
    const struct ub_quantity what = {
        .name = c->name, .meaning = axis ? axis->meaning : "", .units = ""};
    json_t *column = explorer_named(c->name, &what);
    json_object_set_new(column, "axis", json_true());
    add_words(column, c->level, c->words, c->n_words, rows);
    if (says_more(c, rows))
        add_numbers(column, c->number, rows);
    return column;
}

static json_t *fact_column(const struct digest *digest, const char *name)
{
    const struct ub_quantity *what = digest_quantity(name);
    double *number = ub_calloc(digest->count + 1, sizeof *number);
    for (size_t row = 0; row < digest->count; row++)
        number[row] = ub_run_fact(&digest->runs[row], name);
    json_t *column = explorer_named(name, what);
    if (what && what->headline)
        json_object_set_new(column, "headline", json_true());
    add_numbers(column, number, digest->count);
    ub_free(number);
    return column;
}

json_t *explorer_columns(const struct study *study, const struct digest *digest)
{
    const struct ub_frame *frame = study->frame;
    json_t *columns = json_array();
    json_array_append_new(columns, told(study, "status", "how the run ended", status_of));
    for (size_t c = 0; c < frame->columns; c++)
        if (frame->column[c].role == UB_COLUMN_AXIS)
            json_array_append_new(columns, axis_column(&frame->column[c], frame->rows));
    json_array_append_new(
        columns, told(study, "control", "of which laws it is a control, and how", control_of));
    json_array_append_new(
        columns, told(study, "message", "why it did not end well, if it did not", message_of));
    struct labels facts = fact_names(digest);
    for (size_t i = 0; i < facts.count; i++)
        json_array_append_new(columns, fact_column(digest, facts.text[i]));
    labels_free(&facts);
    return columns;
}
