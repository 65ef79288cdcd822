/* verdicts.h - the verdict on a law over a store: what its runs and systems came to, and the four
 * words for it.
 *
 *     struct ub_law_result *r = ub_law_judge(ub_series_law_find("edge-of-stability"), store, &err);
 *     printf("%s: %s\n", ub_verdict_name(r->verdict), r->why);
 *     ub_law_result_free(r); */
#ifndef UB_LAWS_VERDICTS_H
#define UB_LAWS_VERDICTS_H

#include "report/laws/laws.h"
#include "report/statistics/statistics.h"

/* Holds: the mean over systems is within the margin (two one-sided tests), and so are at least 90%
 * of systems (one-sided 95% bound). With exceptions: 75% of them. Violated: the mean's 95% interval
 * lies outside the margin, or so many systems are beyond it, each past doubt, that fewer
 * than half of all can be within (one-sided 95% bound). Undecided: anything else, and always with
 * fewer systems than the law asks for. */
enum ub_verdict { UB_HOLDS, UB_HOLDS_WITH_EXCEPTIONS, UB_VIOLATED, UB_UNDECIDED, UB_VERDICTS };
const char *ub_verdict_name(enum ub_verdict verdict);

struct ub_law_run { /* one run under one law */
    const struct ub_run *run;
    size_t system; /* index into systems */
    struct ub_window window;
    double first_step, last_step; /* of the window */
    double median;                /* over the window; NAN unless reached */
    double end;                   /* the same of one that still rises; NAN for others */
    /* Over the window, autocorrelation-aware; of one that still rises, about the line through it */
    struct ub_interval mean;
    double peak; /* largest value of the whole series; NAN when not measured */
    double predicted;
    /* Without a level that contradicts the law: it falls, or rises beyond the margin; one-sided p
     * that it does not, 1 for all others, and whether that is below 5%. */
    double against_p;
    bool against;
};

/* A system: everything of a spec but its seeds and what was measured. Its runs are replicates. */
struct ub_law_system {
    const struct ub_run *first; /* stands for the axes */
    char *label;                /* for people, without the seed */
    size_t n_runs, n_reached, n_against;
    struct ub_interval plateau; /* mean of its runs' medians; NAN when none reached the regime */
    double plateau_df;          /* degrees of freedom behind its error */
    double predicted, peak;
    double against_p;   /* that at most half of its runs are against; NAN when none is */
    const char *why;    /* of its first run against, or without a level; NULL when all have one */
    bool judged;        /* any run reached the regime or is against */
    bool agrees;        /* plateau within the margin, and no more runs against than with one */
    bool violates;      /* beyond the margin, or mostly against, past doubt: violation_q < 0.05 */
    bool levelless;     /* violates: it is its runs against that say so, not its plateau */
    double violation_q; /* one-sided, adjusted over systems (Benjamini-Hochberg) */
};

struct ub_law_result {
    const struct ub_series_law *law;
    enum ub_verdict verdict;
    char *why;                /* one sentence */
    size_t n_runs, n_reached; /* runs to which the law applies; those that reached its regime */
    size_t n_systems, n_systems_reached, n_judged, n_within, n_violate;
    struct ub_law_run *runs;
    struct ub_law_system *systems; /* in order of first appearance in the store */
    double target;                 /* the common prediction; 0 when systems differ in it */
    struct ub_meta meta;           /* over systems that reached: measured - predicted + target */
    double equivalence_p;
    /* One-sided 95% bounds on the share of systems within: of those seen within, and of those not
     * seen beyond past doubt. */
    double share_low, share_high;
    /* The nearest factors by which all measured values could be off and the verdict be "violated":
     * how wrong a prediction this store finds out, by judging scaled copies of its levels. NAN
     * where none from 0.2 to 5 is; 1 where the verdict is that already. */
    double wrong_below, wrong_above;
    double share[5]; /* of the runs' variance: UB_SHARE_*; NAN when there is nothing to compare */
};
enum { UB_SHARE_MODEL, UB_SHARE_OPTIMIZER, UB_SHARE_DATASET, UB_SHARE_LOSS, UB_SHARE_SEED };
extern const char *const ub_share_names[5];

struct ub_law_result *ub_law_judge(const struct ub_series_law *law, const struct ub_store *store,
                                   struct ub_error *err);
void ub_law_result_free(struct ub_law_result *result);

#endif
