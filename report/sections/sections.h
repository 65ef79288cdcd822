/* sections.h - the parts of a report, a file a topic: figures, tables and text, made without
 * knowing the page that lays them out (pages/). */
#ifndef UB_REPORT_SECTIONS_H
#define UB_REPORT_SECTIONS_H

#include "report/digest/digest.h"
#include "report/figure/figure.h"
#include "report/laws/decay.h"
#include "report/tables/table.h"

/* "edge-of-stability: holds (...): ...", its exceptions and controls, as one paragraph. */
void add_verdict(struct ub_text *out, const struct ub_law_verdict *verdict, bool markdown);
/* What is behind it, to follow it: why groups or runs say nothing, how wrong a value this store
 * would have told from the true one, what explains the scatter. Each sentence has a blank before
 * it. */
void add_verdict_details(struct ub_text *out, const struct ub_law_verdict *verdict);
/* A law's groups and controls, one a row; not wide: without reasons, for the terminal. */
struct table *group_table(const struct ub_law_verdict *verdict, bool wide);
/* laws_csv.c: one row a law and group (or control), one row a law. Keys join data.csv with
 * runs.csv: what all runs of a group have in common, by the names and in the words that runs.csv
 * has for axes, and a column an option ("model.width"); empty where they differ. */
struct ub_text data_csv(const struct study *study);
struct ub_text laws_csv(const struct study *study);
extern const struct column laws_columns[], data_keys[], data_columns[];
/* What few will read is folded away, under a summary. */
void add_fold_begin(struct ub_text *out, const char *summary);
void add_fold_end(struct ub_text *out);
/* Folded away where it is long, as "60 systems". */
void add_table(struct ub_text *out, const struct table *t, const char *what);
/* How many runs ended how. */
struct table *status_table(const struct study *study);

/* A figure that was written: FOLDER/stem.png and .svg; or for print, FOLDER/stem-1col and stem-2col
 * (ub_figure_print) in so many parts each. */
struct plate {
    char *stem, *title, *caption;
    const char *section, *fold;
    bool open;
    size_t parts[2];
};
/* Widths of a paper's columns, in inches; what files for them are called. */
extern const double plate_inches[2];
extern const char *const plate_widths[2];
struct plates {
    size_t count;
    /* Of what is added now, constants: the heading of the page that it stands under (NULL:
     * Figures), and, for the reader who asks, the fold there that has it (NULL: none). open: it
     * stands before the folds, of which its own is in this place. */
    const char *section, *fold;
    bool open;
    bool print; /* for papers */
    struct plate *plate;
    const char *folder;
    const struct ub_figure_note *notes;
    size_t n_notes;
};
/* Text and tables of a section, one after the other, without knowing how a page writes them. */
struct piece {            /* one of the three */
    char *heading, *text; /* text: a paragraph in Markdown */
    struct table *table;
    const char *rows; /* what its rows are, where it is long and folds; NULL: it never does */
};
struct pieces {
    size_t count;
    struct piece *piece;
};
void pieces_heading(struct pieces *pieces, const char *heading);
void pieces_text(struct pieces *pieces, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Takes the table, one without rows only to free it. */
void pieces_table(struct pieces *pieces, struct table *table, const char *rows);
/* Headings of the third depth. */
void pieces_markdown(const struct pieces *pieces, struct ub_text *out);
void pieces_free(struct pieces *pieces);

/* Saves and frees the figure; its title and caption become the page's. */
bool plates_add(struct plates *plates, struct ub_figure *figure, const char *stem,
                const char *title, const char *caption, struct ub_error *err);
void plates_free(struct plates *plates);
/* File names keep letters, digits, '-' and '.': what else a stem has becomes '-'. */
void plate_stem(char *stem);
/* "WHAT-NAME", and "-2" on the second page (1), never two '-' in a row. Caller frees. */
char *plate_stem_of(const char *what, const char *name, size_t page);

/* A topic: figures and a table of what a study has of it, without knowing the page. One file in
 * this folder, one line in registry.c.
 *
 *     const struct ub_section ub_section_flows = {
 *         .name = "flows", .draw = plot_flows, .table = flows_table,
 *         .title = "Central flows", .text = "Medians over seeds.",
 *     }; */
struct ub_section {
    const char *name;
    /* The laws, by name, whose section it is (NULL-terminated): it stands with the first of them
     * that the study judges, beside what every law has (verdict, forest, groups), under its own
     * title where it judges none. NULL: a topic. */
    const char *const *laws;
    /* Hands figures to `plates`: none where the study has nothing of the topic. NULL: never any. */
    bool (*draw)(const struct study *study, struct plates *plates, struct ub_error *err);
    /* The rows of traces that its figures have, by the names they are declared with ("loss",
     * "spectrum.OPERATOR"; NULL-terminated): they get no figure of their own (plots_default.c).
     * NULL: none. */
    const char *const *draws;
    struct table *(*table)(const struct study *study); /* left out without rows; NULL: never any */
    const char *title, *text;                          /* the table's heading, and what it says */
    const char *rows; /* what its rows are, where it is long and folds; NULL: it never does */
    /* What is more than one table; nothing where there is none. NULL: never any. */
    void (*write)(struct pieces *out, const struct study *study);
};
extern const struct ub_section *const ub_sections[]; /* NULL-terminated */
/* The law's verdict that a section stands with; NULL when it stands by itself. */
const struct ub_law_verdict *section_verdict(const struct ub_section *section,
                                             const struct study *study);

/* plots_collapse.c: rho of all systems on one axis, for laws about it; and the rows that such a
 * law has a group for (clear with ub_rows_clear). */
bool plot_collapses(const struct study *study, struct plates *plates, struct ub_error *err);
bool is_about_rho(const struct ub_law_verdict *verdict);
struct ub_rows law_rows(const struct ub_law_verdict *verdict);
/* The unit is the step from which the run keeps its level, whatever that is; the last step where
 * it has none; 0 without measurements. */
double unit_of_time(const struct ub_level *level, const struct ub_series *rho);
/* plateaus.c: plateaus by optimizer and architecture, of some of the law's rows, with the reasons
 * why runs have none (collected, the letter a for the first). */
struct table *plateaus_table(const struct study *study, const struct ub_law_verdict *verdict,
                             const struct ub_rows *rows, struct labels *reasons);
/* thresholds.c: what each optimizer's threshold is, as its runs recorded it. */
struct table *thresholds_table(const struct study *study);
/* plots_models.c: rho of every architecture. coordinates.c: activations against width, and a table
 * of the exponents of their changes. */
bool plot_architectures(const struct study *study, struct plates *plates, struct ub_error *err);
struct table *coordinates_table(const struct study *study);
bool plot_coordinates(const struct study *study, struct plates *plates, struct ub_error *err);
/* plots_flow.c: central flows beside their runs, and a table of their errors. */
bool plot_flows(const struct study *study, struct plates *plates, struct ub_error *err);
struct table *flows_table(const struct study *study);
/* plots_catapult.c: where runs that start above their edge land. */
bool plot_catapults(const struct study *study, struct plates *plates, struct ub_error *err);
struct table *catapults_table(const struct study *study);
/* batches.c: batch sharpness against its edges, and where it settles. */
bool plot_batches(const struct study *study, struct plates *plates, struct ub_error *err);
struct table *batches_table(const struct study *study);
/* plots_spectra.c: spectra of single systems, by rank, density, layer and step. */
/* plots_weights.c: spectra of weights without a store, for weights.c. */
struct ub_weights;
struct ub_tail;
bool plot_weights(const struct ub_weights *weights, struct plates *plates, struct ub_error *err);
bool weights_plausible(const struct ub_tail *tail); /* the power law is not rejected */
bool plot_spectra(const struct study *study, struct plates *plates, struct ub_error *err);

#endif
