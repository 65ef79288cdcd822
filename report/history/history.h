/* history.h - nightly comparisons kept as one CSV, one row a night and law, observable or speed;
 * since when something drifts; control charts.
 *
 *     struct ub_history h = {0};
 *     if (ub_history_read("nightlies.csv", &h, &err)) {
 *         ub_history_add(&h, &tonight);                      // replaces the same night's
 *         ub_history_write("nightlies.csv", &h, &err);
 *         ub_history_draw(&h, "charts", &err);               // control charts, history.md
 *     }
 *     ub_history_clear(&h);
 *
 * A control chart (Shewhart 1931, Economic Control of Quality of Manufactured Product; Montgomery
 * 2009, Introduction to Statistical Quality Control, sections 6.4 and 10.2) of single values: each
 * night is held against the nights before it in which nothing drifted from the same base, on the
 * same CPU model, for another base or CPU is another process. Limits are those of a new value given
 * the n before it, mean +- t(n - 1) s sqrt(1 + 1/n) (Quesenberry 1991, J. Quality Technology
 * 23:213), at Shewhart's level, 0.27%, shared by all charts (Bonferroni): where nothing changes,
 * 0.27% of nights give any signal. Nights that gave one stay among those that limits are made of:
 * left out, one that was beyond limits too narrow by chance would keep them so. Runs repeat bit by
 * bit, so that the spread between nights may be 0: limits are never nearer than the floor, a change
 * to which nobody objects. */
#ifndef UB_REPORT_HISTORY_H
#define UB_REPORT_HISTORY_H

#include "base/base.h"

enum ub_history_kind { UB_HISTORY_LAW, UB_HISTORY_OBSERVABLE, UB_HISTORY_SPEED, UB_HISTORY_KINDS };
extern const char *const ub_history_kind_names[UB_HISTORY_KINDS]; /* "law", ... */

struct ub_night { /* one row */
    char *date;   /* of the night's last run, UTC: 2026-11-28T20:15:57Z; sorts as text */
    char *commit, *base, *cpu; /* the night's, the base's commit; CPU model */
    enum ub_history_kind kind;
    char *name;
    bool relative; /* value, low, high and floor are changes as log-ratios */
    /* Of a law the mean over systems, else the change from the base, with a 95% interval; NAN: none
     * is known. */
    double value, low, high, floor;
    int64_t systems, drifted;
    char *verdict; /* of a law its verdict; else "quiet" or "drift" */
};
struct ub_history {
    size_t count;
    struct ub_night *night; /* by date; rows of a night keep their order */
};

/* An absent file is an empty history. */
bool ub_history_read(const char *path, struct ub_history *out, struct ub_error *err);
bool ub_history_write(const char *path, const struct ub_history *history, struct ub_error *err);
/* Copies it; replaces a row of the same date, kind and name. */
void ub_history_add(struct ub_history *history, const struct ub_night *night);
void ub_history_clear(struct ub_history *history);

/* Up to the last night that has it: how many nights in a row something drifted, the first of them
 * and the last quiet one before (NULL: none is known). nights = 0: it is quiet. */
struct ub_since {
    size_t nights;
    const struct ub_night *first, *quiet;
};
struct ub_since ub_history_since(const struct ub_history *history, enum ub_history_kind kind,
                                 const char *name);

/* Of one chart, night by night. */
struct ub_chart {
    enum ub_history_kind kind;
    const char *name; /* the history's, as `night` */
    size_t count;
    const struct ub_night **night;
    double *center, *low, *high; /* NAN: fewer than 2 nights before it to tell */
    bool *signal;
};
struct ub_charts {
    size_t count;
    struct ub_chart *chart;
};
struct ub_charts ub_history_charts(const struct ub_history *history);
void ub_charts_clear(struct ub_charts *charts);

/* Charts as PNG and SVG, and history.md with what gave a signal. */
bool ub_history_draw(const struct ub_history *history, const char *folder, struct ub_error *err);

#endif
