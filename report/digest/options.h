/* options.h - a column an option of an axis, as tables for other programs have them: typed by the
 * options' own tables, empty where an option does not apply.
 *
 *     struct option_columns o = option_columns_of(frame);
 *     for (size_t c = 0; c < o.count; c++)
 *         ub_csv_add(&out, o.column[c].name);          // "model.name", "model.width",
 * "optimizer.lr" option_cells(&out, &o, &rows);                   // what all of the rows have;
 * empty where they differ option_columns_clear(&o);
 *
 * AXIS.name is the call's name ("mlp"), AXIS.KEY an option: a number where its table says so.
 * Numbers are what they come to: optimizer.lr is the rate that was used, dataset.size the samples;
 * as what a rate was asked for ("edge(40)") is in optimizer.lr.asked. A model's list of sizes
 * ("model.widths") is text, and model.width and model.depth are its numbers where all are equal. */
#ifndef UB_REPORT_OPTIONS_H
#define UB_REPORT_OPTIONS_H

#include "report/frame/frame.h"
#include "report/tables/table.h"

struct option_column {
    char *name;
    enum column_type type;
    const struct ub_column *of; /* the frame's */
    bool as_asked;              /* its words, though it is a number */
};
struct option_columns {
    size_t count;
    struct option_column *column;
};

/* Those that any run has, in the order of axes; of each its name and then its options. Valid as
 * long as the frame. */
struct option_columns option_columns_of(const struct ub_frame *frame);
void option_columns_clear(struct option_columns *columns);

/* A CSV cell a column. `rows` is not empty. */
void option_cells(struct ub_text *out, const struct option_columns *columns,
                  const struct ub_rows *rows);
void option_heads(struct ub_text *out, const struct option_columns *columns);

/* Whether a column of a table has such a name. */
bool option_column_named(const char *name);

/* What such a column of an axis is, by the options' tables: every option of every entry, and names.
 * End with a NULL name; free each name and meaning, and the list. */
struct column *option_descriptions(const char *axis);

#endif
