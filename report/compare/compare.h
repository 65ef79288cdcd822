/* compare.h - two digests against each other; private to this library. The rules are stated at the
 * head of compare.c.
 *
 *     metrics.c   what is compared, and on which scale
 *     systems.c   which runs belong together
 *     repeats.c   where bytes are due
 *     values.c    the values of one metric in one system
 *     subject.c   one metric in all systems: how values spread
 *     compare.c   tests and their verdict
 *     single.c    tests of one run against all others of its system
 *     write.c     Markdown, CSV, exit code
 *     summary.h   in words: what drifted, where, by how much, since when */
#ifndef UB_REPORT_COMPARE_H
#define UB_REPORT_COMPARE_H

#include "report/digest/digest.h"
#include "report/statistics/moderated.h"

/* ---- what is compared --------------------------------------------------------------------- */

const struct ub_comparison *metric_of(const char *fact); /* NULL: not compared */
double metric_scaled(const struct ub_comparison *m, double value);
double metric_unscaled(const struct ub_comparison *m, double scaled);
/* The fact that must be 1 for `fact` to have a value; NULL when there is none. Caller frees. */
char *metric_condition(const struct ub_comparison *m, const char *fact);
/* Exact facts agree to 1 part in 1000: relative rates rest on a sharpness known to 1 in 10000. */
bool exact_values_agree(double a, double b);

/* ---- which runs belong together ----------------------------------------------------------- */

/* What partners have in common, bit by bit, of what rounding would have changed. */
struct repeat {
    bool same_machine;
    bool trace;            /* equal, and known */
    size_t equal, unequal; /* values that tell */
    /* How far rounding has come in this run: the two largest differences among these, on their
     * metrics' scales. */
    double largest, second; /* -1: none */
    const char *largest_of; /* fact */
};

/* A system of either store: side 0 is the base, side 1 the new one. Partners have equal seeds;
 * they stand first, in the same order on both sides. */
struct system {
    char *name;         /* for people; no two alike */
    char *label;        /* what it was asked to be */
    size_t row;         /* of the frame of both stores, stands for it */
    bool rate_is_fixed; /* its learning rate is given as a number */
    size_t n_pairs, n[2];
    const struct ub_run **run[2];
    bool same_bytes;       /* are due: partners began alike, on machines of one kind */
    struct repeat *repeat; /* of each pair */
    bool most_repeat;      /* of the two stores' pairs on machines of one kind */
};
struct asked { /* a row of the frame */
    const struct ub_run *run;
    int side;
    size_t system; /* its index */
};
struct systems {
    size_t count;
    struct system *system;      /* as they first appear in the base, then in the new store */
    const struct ub_run **runs; /* what systems' `run` point into */
    /* The runs of both as one store and its frame: what was asked of them, not what came out. */
    struct ub_store *both;
    struct asked *asked; /* one a row */
    struct ub_frame *frame;
};
/* Groups of the frame: all axes but the seeds are equal. False when a spec cannot be read. */
bool systems_of(const struct digest *base, const struct digest *new_digest, struct systems *out,
                struct ub_error *err);
void systems_clear(struct systems *systems);
bool in_both(const struct system *s);

/* Does this run tell, by all else that it and its partner have, or do the stores' other runs, that
 * the same program ran on the same kind of machine? Then a `fact` that differs has changed. */
bool bytes_are_due(const struct system *s, size_t pair, const struct ub_comparison *m,
                   const char *fact);
/* The largest difference in all else that this pair has; NAN when there is nothing else. */
double sensitivity_of(const struct system *s, size_t pair, const char *fact);
void find_repeats(struct systems *systems);
bool same_machine(const struct ub_run *a, const struct ub_run *b);

/* Provenance under which results agree only statistically; ends with NULL. */
extern const char *const machine_keys[];

/* ---- the values of one metric in one system ------------------------------------------------- */

enum left_out {
    OUT_ENDED,  /* partners ended in two ways, or runs ended as no other of the system */
    OUT_REGIME, /* the regime was not reached, so there is nothing to measure */
    OUT_NEW,    /* only the new store has it */
    OUT_SPREAD, /* one run of a system, and not the same run on both sides: no spread to judge by */
    N_LEFT_OUT
};

struct values {
    size_t n_pairs, n[2]; /* finite values; those of partners that both have one stand first */
    double *x[2];         /* on the metric's scale; raw where the metric is exact */
    double *sensitivity;  /* of each pair: sensitivity_of */
    size_t eligible[2], present[2];      /* runs that should have a value, that have a finite one */
    size_t partners, vanished, infinite; /* partners compared; lost their value; in infinity */
    bool left_out[N_LEFT_OUT];
    size_t changed;                  /* partners that no longer agree, where bytes are due */
    double changed_from, changed_to; /* the first of these */
};
/* `work` has room for twice the runs of both sides; the values point into it. */
struct values values_of(const struct system *s, const struct ub_comparison *m, const char *fact,
                        double *work);

/* ---- comparisons ---------------------------------------------------------------------------- */

struct drift { /* one comparison */
    const struct system *system;
    const char *metric;
    const char *kind; /* "status", "runs", "presence", "exact", "measured" or "share" */
    const struct ub_comparison *how;  /* of exact, measured and share */
    const char *base_text, *new_text; /* of status */
    double base, new_value;           /* values, counts, shares */
    size_t n_base, n_new, n_pairs;    /* runs behind them; partners among them */
    double p, q;                      /* NAN where nothing had to be tested */
    double se[2], df[2], detectable;  /* of measured: by partners, by seeds */
    size_t views; /* of measured: p that `p` is the least of, times their number */
    bool drifted;
};

struct comparison {
    size_t count, drifted;
    struct drift *row;
    size_t runs, missing,
        added; /* runs of the base; those without a counterpart; the new store's own */
    size_t reseeded, systems_both; /* systems compared over other seeds; systems in both */
    size_t left_out[N_LEFT_OUT];   /* systems x metrics in which some values were left out */
    size_t tests;                  /* rows with a p */
    struct systems systems;        /* point into the digests, which must outlive the comparison */
    struct labels facts;
};
/* ---- one metric in all systems ------------------------------------------------------------------
 */

/* How often two runs of one system disagree in something that each has or has not. */
struct disagreement {
    double differ, pairs;
};
void add_disagreement(struct disagreement *d, size_t k, size_t n); /* k of n have it */
/* Its upward estimate: one more than was seen. No share has more than 1/2. */
double disagreement_of(const struct disagreement *d);

struct spread { /* of one system; df = 0: none is known */
    double variance, df;
};
struct subject {
    const struct ub_comparison *m;
    const char *fact;
    size_t count; /* of systems: one of each of these */
    struct values *v;
    bool *measured; /* tested as a mean; what is exact may be, over other seeds */
    struct spread *pairs, *seeds;
    double *work;                                                     /* holds the values */
    struct ub_variance_prior pairs_prior, seeds_prior, side_prior[2]; /* of seeds, in one store */
    struct disagreement presence, share;
    size_t present[2], eligible[2]; /* runs of all systems */
    bool lost;                      /* by the whole new store */
};
struct subject subject_new(const struct comparison *c, const struct ub_comparison *m,
                           const char *fact);
void subject_clear(struct subject *t);
double sum_of(const double *x, size_t n);
double mean_difference(const struct values *v);              /* of partners, new less base */
struct spread side_spread(const struct values *v, int side); /* from seed to seed */
enum { ALL_SYSTEMS = -1 };
struct ub_variance_prior pairs_prior(const struct subject *t, ptrdiff_t without);

/* ---- one run against all others -------------------------------------------------------------- */

/* p of "no pair of system `i` differs by more than the floor but for the noise of pairs like it":
 * its distance by the others' scale, or by that of seeds. NAN where there is none. */
double single_by_pairs_p(const struct subject *t, size_t i);
double single_by_seeds_p(const struct subject *t, size_t i);

/* NULL when a run's spec cannot be read. */
struct comparison *compare_digests(const struct digest *base, const struct digest *new_digest,
                                   struct ub_error *err);
void comparison_free(struct comparison *c);

#endif
