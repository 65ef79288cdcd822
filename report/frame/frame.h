/* frame.h - a store as a table: one row a run, one named column an option of an axis or a fact.
 *
 *     struct ub_frame *f = ub_frame_new(store, &err);
 *     struct ub_rows sp = ub_frame_where(f, NULL, is_standard, NULL);
 *     struct ub_groups g = ub_frame_group(f, &sp, (const char *const[]){"model.width", NULL});
 *     for (size_t i = 0; i < g.count; i++)
 *         for (size_t k = 0; k < g.group[i].count; k++)
 *             printf("%g: %g\n", ub_frame_number(f, g.group[i].row[k], "model.width"),
 *                    ub_frame_number(f, g.group[i].row[k], "final-loss"));
 *     ub_groups_clear(&g);
 *     ub_rows_clear(&sp);
 *     ub_frame_free(f);
 *
 * Columns:
 *   axes      what was asked for: dataset, model, loss, init, optimizer (the name of the call), one
 *             column an option of theirs ("optimizer.beta"), steps, precision, seed, data-seed. A
 *             cell has a word, canonical as in the spec, and a number where it is one. Runs without
 *             that option have neither.
 *   aliases   what an axis says, as it was asked for: a model's list of sizes ("model.widths", of
 *             which come model.width and model.depth). For tables: nothing is grouped by them.
 *   facts     what a run recorded: "parameters", "lr", "threshold", ...: numbers only.
 *
 * Three options are read as what they come to. `optimizer.lr` has as its number the rate that was
 * used, its word stays as asked ("edge(40)"). `model.width` stands for the option that a model
 * names as its width; of a list ("64x64") the common value and, as `model.depth`, its length, where
 * all are equal, else the list itself. `dataset.size` stands for the option that a dataset names as
 * its number of samples, too, and its number is that of the samples used.
 *
 * Grouping knows words only: it never looks at what was measured. */
#ifndef UB_REPORT_FRAME_H
#define UB_REPORT_FRAME_H

#include "bench/store/store.h"

enum ub_column_role { UB_COLUMN_AXIS, UB_COLUMN_ALIAS, UB_COLUMN_FACT };

struct ub_column {
    char *name;
    enum ub_column_role role;
    double *number; /* one a row; NAN where there is none */
    /* Of axes and aliases: the index of each row's word among `words`, -1 where it has none. */
    int *level;
    size_t n_words;
    char **words; /* distinct, sorted: numbers by value and before other words */
};

struct ub_frame {
    const struct ub_store *store; /* kept by reference; row i is its run i */
    size_t rows, columns;
    struct ub_column *column; /* axes in the order above, then aliases, then facts by name */
    const struct ub_column **by_name; /* the same, by name */
    struct ub_trace_cache *traces;
};

struct ub_frame *ub_frame_new(const struct ub_store *store, struct ub_error *err);
void ub_frame_free(struct ub_frame *frame);

/* NULL when no run has such a column. */
const struct ub_column *ub_frame_column(const struct ub_frame *frame, const char *name);
double ub_frame_number(const struct ub_frame *frame, size_t row, const char *column); /* or NAN */
const char *ub_frame_word(const struct ub_frame *frame, size_t row, const char *column); /* or "" */

/* Whether a run is a control of a law: one where it must hold, or must fail. No axis: what a run is
 * a control of says nothing of what it is, and groups do not depend on it. */
enum ub_control { UB_NO_CONTROL, UB_CONTROL_HOLDS, UB_CONTROL_FAILS };
enum ub_control ub_frame_control(const struct ub_frame *frame, size_t row, const char *law);

/* ---- rows --------------------------------------------------------------------------------- */

struct ub_rows {
    size_t count;
    size_t *row;
};
void ub_rows_clear(struct ub_rows *rows);
/* In the three functions below `rows` may be NULL: all of the frame's. */
struct ub_rows ub_frame_where(const struct ub_frame *frame, const struct ub_rows *rows,
                              bool (*wanted)(const struct ub_frame *frame, size_t row,
                                             const void *context),
                              const void *context);
/* Ascending by a column: by number, rows without one last, of equal ones in the order they had. */
struct ub_rows ub_frame_sort(const struct ub_frame *frame, const struct ub_rows *rows,
                             const char *column);

struct ub_groups {
    size_t count;
    struct ub_rows *group; /* in order of their first rows; rows keep their order */
};
/* Rows are in one group when all axes but seeds and those in `within` (ends with NULL) are equal.
 * An axis in `within` may stand for all options of one kind, as "optimizer" or "optimizer.*":
 * "optimizer.*" lets its options differ, "optimizer" the name and with it the options. */
struct ub_groups ub_frame_group(const struct ub_frame *frame, const struct ub_rows *rows,
                                const char *const *within);
void ub_groups_clear(struct ub_groups *groups);

/* Rows by the words of two axes: cell i * n_columns + j has those of row word i and column word j.
 * Rows that lack one of the two are in none. */
struct ub_pivot {
    size_t n_rows, n_columns;
    const char **row_word, **column_word; /* the frame's */
    struct ub_rows *cell;
};
struct ub_pivot ub_frame_pivot(const struct ub_frame *frame, const struct ub_rows *rows,
                               const char *row_axis, const char *column_axis);
void ub_pivot_clear(struct ub_pivot *pivot);

/* ---- names -------------------------------------------------------------------------------- */

/* "MLP tanh 64x64, Adam, lr edge 40": what tells this group from the others, as a reader does: what
 * is trained, how, on what. `group` is one of `groups`. Caller frees. Groups that differ in nothing
 * that all of a group's runs have have one name. */
char *ub_frame_group_name(const struct ub_frame *frame, const struct ub_groups *groups,
                          size_t group);
/* Of all groups, no two alike: where they would be, options say what they are of ("dataset gain
 * 2"), and what differs in nothing that names can say has a number. The columns `always` (ends with
 * NULL; NULL: none) are named where all groups have the same, too. Free each, and the list. */
char **ub_frame_group_names(const struct ub_frame *frame, const struct ub_groups *groups,
                            const char *const *always);
/* Of the groups of ub_frame_group with nothing within: systems. Model, optimizer and dataset are
 * always named. */
char **ub_frame_system_names(const struct ub_frame *frame, const struct ub_groups *systems);
void ub_names_free(char **names, size_t count);

/* ---- traces -------------------------------------------------------------------------------- */

/* A run's trace, NULL when it left none or it cannot be read. Valid until the next call of this or
 * of the two below: traces are kept within a budget of memory (UB_FRAME_BUDGET bytes). */
#define UB_FRAME_BUDGET (UINT64_C(192) << 20)
const struct ub_trace *ub_frame_trace(const struct ub_frame *frame, size_t row);
/* Whether a run's trace has this observable; NULL: whether it left a trace. Read once only. */
bool ub_frame_has(const struct ub_frame *frame, size_t row, const char *observable);
/* The names of a trace's rows, each once, and how many; 0 of a run without a trace. They stay valid
 * as long as the frame. Read once only. */
size_t ub_frame_names(const struct ub_frame *frame, size_t row, char *const **names);
/* Whether all traces asked for so far that are due (of runs that came to write one) could be read;
 * else the first error. */
bool ub_frame_good(const struct ub_frame *frame, struct ub_error *err);
/* The rows of one observable and index; all indices at one step (-1: the last). Empty when there
 * are none. Clear with ub_series_clear. */
struct ub_series ub_frame_series(const struct ub_frame *frame, size_t row, const char *observable,
                                 int64_t index);
struct ub_series ub_frame_spectrum(const struct ub_frame *frame, size_t row, const char *observable,
                                   int64_t step);

/* The last finite value of an observable; NAN when there is none. */
double ub_frame_last(const struct ub_frame *frame, size_t row, const char *observable,
                     int64_t index);

/* What the run asked of an observable among its measurements: the option's text. NULL where it does
 * not measure it, or left the option out. Caller frees. */
char *ub_frame_asked(const struct ub_frame *frame, size_t row, const char *observable,
                     const char *option);

#endif
