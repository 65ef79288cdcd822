/* paper.h - what `unibench publish` writes: main.tex, and with it each figure at two widths, each
 * table in three notations, and the citations. Figures lie in figures/, tables in tables/. */
#ifndef UB_PUBLISH_PAPER_H
#define UB_PUBLISH_PAPER_H

#include "report/pages/page.h"
#include "report/references/citations.h"

struct paper {
    const struct study *study;
    struct plates plates;
    struct citations citations;
    const char *folder; /* where all is written */
    struct ub_text main;
    size_t tables;
    struct ub_error *err;
};

/* A line of files.txt, by which a folder is known as one of publish's. */
extern const char paper_mark[];

/* Takes the table, writes tables/NAME.csv, .md and .tex, and puts it into main.tex; nothing of one
 * without rows (NULL: none). Caption and note in Markdown; note may be NULL. */
bool paper_table(struct paper *paper, struct table *table, const char *name, const char *caption,
                 const char *note);
/* What the runs of the study stand on, and its laws: keys "law:NAME", "optimizer:NAME",
 * "optimizer:NAME:edge", "model:NAME", "init:NAME", "loss:NAME", "dataset:NAME",
 * "observable:NAME". */
void paper_citations(struct paper *paper);
/* runs.csv, entries of the program and of that file, "unibench" and "results", and what main.tex
 * says of both. */
bool paper_results(struct paper *paper, struct ub_text *bib);
/* Text, figures and tables, all but the files of figures, which the plates have. */
bool paper_write(struct paper *paper);

#endif
