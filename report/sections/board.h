/* board.h - all laws of a report beside each other: one row a law (scoreboard.c), each law's
 * systems as a forest (forest.c), every prediction without a free parameter against what was
 * measured (diagonal.c), and where laws hold: by model, optimizer and dataset (matrix.c). All of it
 * is made from verdicts alone; no law is known here. */
#ifndef UB_SECTIONS_BOARD_H
#define UB_SECTIONS_BOARD_H

#include "report/laws/law.h"
#include "report/sections/sections.h"

struct board {
    const struct ub_frame *frame;
    size_t count;
    struct ub_law_verdict *const *verdict; /* any order; kept by reference */
};

/* One row a law, by strand: systems that meet it, of those that speak (of those that it is
 * about, where some do not); value with its 95% interval, what it is held against, verdict,
 * controls. `wide`: with strand and claim, for pages; else a row a strand stands before its laws.
 */
struct table *scoreboard_table(const struct board *board, bool wide);
/* Whether a verdict of it has a q beside it: one that would be drawn alone, but not over all laws.
 */
bool scoreboard_has_q(const struct board *board);

/* A forest a law: each group's value with its 95% interval, the claim and its margin, where a new
 * system is expected, and the controls apart; of sameness by cluster. Values far out of the others'
 * range stand at the axis' end; more rows than FOREST_MOST are summarized (forest.h). Their section
 * is the law's name. */
bool plot_forests(const struct board *board, struct plates *plates, struct ub_error *err);

/* Of laws that have a trend (laws/trend.h): its points with the fit and its 95% band, a panel a
 * system; of many systems some, evenly over the ranks of their values. Nothing of laws without a
 * value. Their section is the law's name, before the forest's. */
bool plot_trends(const struct board *board, struct plates *plates, struct ub_error *err);

/* Of laws that say of curves that they are one (ub_law_curves): as measured, and beside it in those
 * units, a row a system. */
bool plot_curves(const struct board *board, struct plates *plates, struct ub_error *err);

/* What a claim is held against, on the axis of ub_board_value: "1 +- 0.1", "at most 0.05". */
void board_claim(const struct ub_claim *claim, struct ub_text *out);
/* A group's number as the claim sees it: relative error of exact claims; of equality less its own
 * prediction plus the target; else the value. NAN without one. */
double board_value(const struct ub_claim *claim, const struct ub_datum *datum);

/* What theories say of runs against what was measured; nothing with fewer than ten points. */
bool plot_diagonal(const struct board *board, struct plates *plates, struct ub_error *err);

/* Laws by the words of model, optimizer and dataset: the share of groups that meet each, and where
 * the rest is unclear; nothing with fewer than two laws that have a group to speak of. */
bool plot_matrix(const struct board *board, struct plates *plates, struct ub_error *err);

#endif
