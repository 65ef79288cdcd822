/* judge.h - from the data of a law's groups to its verdict. It knows numbers only: no runs, no
 * stores. One way to judge for all laws:
 *
 *     struct ub_datum data[] = {{.value = 1.01, .se = 0.02}, {.why = "diverged"}, ...};
 *     struct ub_claim claim = {UB_EQUAL, .target = 1, .margin = 0.1};
 *     struct ub_judgment j = ub_judge(&claim, data, n);
 *     puts(ub_verdict_word(j.verdict));
 *     ub_judgment_clear(&j);
 *
 * Verdicts, of a claim about groups ("systems") of which those at hand are a sample:
 *
 * - holds: the mean over systems meets the claim (two one-sided tests, p < 0.05), and so do 90% of
 *   systems or more (one-sided 95% bound), of which 75% are known by counting alone: 13 systems,
 * did all meet it
 * - holds with exceptions: the mean does, and 75% of systems or more (same bound). Called "holds,
 * few systems" where all that speak meet it: too few to say that there are no exceptions
 * - violated: the mean's 95% interval misses the claim wholly, or fewer than half of the systems
 *   meet it (one-sided 95% bound)
 * - undecided: anything else; `decide` says what would decide it
 *
 * The bound on the share of systems is the better of two, each at 97.5%: by counting, whatever the
 * population (systems that count against the claim without a value are counted, too); and where no
 * exception was found and half of the systems or more speak, of a normal population (share.h):
 * where most are silent, those that speak were selected, and no shape is known. Few values look
 * normal whatever they are drawn from: of a population that is not, every fifth system off, 4
 * values without one of these would pass in 41% of draws, which is why counting has its part.
 * Exceptions are systems beyond the margin, or against the claim without a value, with
 * false-discovery rate 5% (Benjamini and Hochberg 1995).
 *
 * Of exact claims nothing is inferred: all systems within the tolerance, at least 75%, fewer than
 * half. Of claims of sameness the systems form clusters; the spread tau between the systems of a
 * cluster, beyond their errors, is what must stay below the margin: pooled over clusters for the
 * mean's part (tau's interval by its Q profile), and for `holds` 75% of clusters by counting. */
#ifndef UB_LAWS_JUDGE_H
#define UB_LAWS_JUDGE_H

#include "report/statistics/statistics.h"

enum ub_claim_kind {
    UB_EQUAL,    /* value = prediction, within the margin */
    UB_AT_MOST,  /* value <= target */
    UB_AT_LEAST, /* value >= target */
    UB_EXACT,    /* |value - prediction| <= margin * |prediction| */
    UB_SAME      /* spread between the systems of a cluster <= margin */
};

struct ub_claim {
    enum ub_claim_kind is;
    double target; /* the prediction where a datum brings none of its own; the bound */
    double margin;
};

struct ub_datum {
    double value, se; /* se 0: exact */
    double df;        /* of se; 0 = as good as known */
    bool predicts;    /* `prediction` replaces the claim's target */
    double prediction;
    int cluster;      /* UB_SAME: which systems are compared; >= 0 */
    const char *why;  /* why there is no value; static. NULL: there is one */
    bool against;     /* with why: it counts as a system that does not meet the claim */
    double against_p; /* with against: one-sided, that it is not; 0: certain */
    /* Of a mean over runs (moderate.h): how many, and the error of it that the runs state
     * themselves, below which no spread between them is believed. 0: not such a mean. */
    size_t runs;
    double own_se, own_df;
};

/* Its value with Student's 95% interval; all NAN without a value. */
struct ub_interval ub_datum_interval(const struct ub_datum *datum);

enum ub_verdict_kind {
    UB_LAW_HOLDS,
    UB_LAW_EXCEPTIONS,
    UB_LAW_VIOLATED,
    UB_LAW_UNDECIDED,
    UB_LAW_VERDICTS
};
const char *ub_verdict_word(enum ub_verdict_kind verdict); /* "holds with exceptions" */

struct ub_judgment {
    enum ub_verdict_kind verdict;
    size_t systems; /* all data */
    size_t spoke;   /* those with a value, and those against */
    size_t within;  /* those that meet the claim */
    size_t exceptions;
    /* Over values: as they are for bounds; less their prediction, plus the target, for UB_EQUAL;
     * relative errors for UB_EXACT; for UB_SAME mean and prediction are NAN, tau is pooled. */
    struct ub_meta meta;
    double target;     /* what the mean is held against */
    double mean_p;     /* of "the mean does not meet the claim"; NAN for UB_EXACT */
    double share_low;  /* bound on the share of systems, as above */
    double share_high; /* by counting, 97.5%: the mean may say `violated`, too */
    /* Of each verdict, p of what it denies: below 5% where it is drawn (`holds` before `with
     * exceptions`, `violated` before both). NAN of `undecided`, of UB_EXACT, and without data. */
    double p[UB_LAW_VERDICTS];
    bool *meets, *exception; /* one a datum */
    double *q;    /* one a datum: adjusted p of "it meets the claim"; NAN: it says none */
    char *decide; /* undecided: what would decide it; else NULL */
};
/* ub_verdict_word, or "holds, few systems". */
const char *ub_judgment_word(const struct ub_judgment *judgment);
struct ub_judgment ub_judge(const struct ub_claim *claim, const struct ub_datum *data, size_t n);
void ub_judgment_clear(struct ub_judgment *judgment);

/* Many laws are judged in one report. q: one a judgment, the adjusted p of its verdict among all
 * judgments' p of that verdict (Benjamini and Hochberg 1995): of the verdicts with q < 5% at most
 * 5% are wrong on average. NAN where p is. */
void ub_judgments_adjust(const struct ub_judgment *const *judgments, size_t n, double *q);

/* The nearest factors below and above 1 by which all values could have been wrong and the verdict
 * would have been `violated`: how small an error these data can find. By judging scaled data,
 * within a factor of 10; 0 and INFINITY when none is found. For UB_EQUAL. */
void ub_judge_resolution(const struct ub_claim *claim, const struct ub_datum *data, size_t n,
                         double *below, double *above);

/* What meets the claim: "within 0.1 of the prediction", "at most 0.05". */
void ub_claim_text(const struct ub_claim *claim, struct ub_text *out);
/* One sentence that is true: "47 of 50 systems are within 1 +- 0.1 (mean 1.003 [0.98, 1.03]; ...)".
 * Caller frees. */
char *ub_judgment_sentence(const struct ub_claim *claim, const struct ub_judgment *judgment);

#endif
