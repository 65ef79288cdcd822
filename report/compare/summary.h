/* summary.h - a comparison in words: what one law, one metric or one speed came to over all
 * systems, who it is about and by how much. */
#ifndef UB_REPORT_COMPARE_SUMMARY_H
#define UB_REPORT_COMPARE_SUMMARY_H

#include "report/compare/compare.h"
#include "report/history/history.h"

struct summary {
    enum ub_history_kind kind;
    char *name;    /* of a law, a column of runs.csv, or "training cnn" */
    bool relative; /* changes are log-ratios; else in the metric's units */
    bool before;   /* set or known before training */
    /* Of laws the mean over systems, else the change over systems: both with their intervals. */
    struct ub_interval value;
    double floor;                  /* a change to which nobody objects */
    size_t systems, drifted;       /* compared, and of these */
    struct ub_interval of_drifted; /* their changes: median, least, most */
    char *who;                     /* "all 8 systems with optimizer nesterov, ..."; NULL: nobody */
    char *example;                 /* "0.07 -> 0.08 in `...`"; NULL */
    const char *verdict;           /* of a law; else "quiet", "drift", or "not judged" */
    char *word;                    /* holds it where it is a law's */
    char *was;                     /* what the base's verdict on a law was; NULL: not known */
    struct ub_interval value_was;  /* and its mean */
};
struct summaries {
    size_t count;
    struct summary *item; /* in the order of the comparison's columns, laws first, speeds last */
    char *no_laws;        /* why laws' values were not compared; NULL: they were */
    char *no_speed;       /* why times were not; NULL: they were */
};

/* Of a published base laws.csv and data.csv are looked for beside it. `times`: the comparison that
 * times are of. */
bool summarize(const struct comparison *c, const struct digest *base,
               const struct digest *new_digest, const struct comparison *times,
               struct summaries *out, struct ub_error *err);
void summaries_clear(struct summaries *s);
struct summary *summaries_add(struct summaries *s, enum ub_history_kind kind, const char *name);

/* Which of these rows of the frame are hit, by the axis and word that fit them best. Caller frees;
 * NULL when none is. */
char *who_text(const struct comparison *c, const size_t *row, const bool *hit, size_t n);

/* "+5.1%" of a log-ratio, "+0.012" else. */
void add_change(struct ub_text *out, double change, bool relative);

/* Values of laws (laws.c) and times (speed.c) of both sides. */
bool summarize_laws(const struct comparison *c, const struct digest *base,
                    const struct digest *new_digest, struct summaries *out, struct ub_error *err);
void summarize_speed(const struct comparison *c, struct summaries *out);

/* Adds this comparison to the history, as the night of the new store's last run. */
bool add_tonight(const struct summaries *s, const struct digest *base,
                 const struct digest *new_digest, struct ub_history *history, struct ub_error *err);
/* "Between the base and this: `git log ...`"; nothing where commits are not known. */
void commits_text(const struct digest *base, const struct digest *new_digest, struct ub_text *out);

/* The page's part: what drifted, since when, where to look. `history` may be NULL; it has this
 * night, too. */
void print_words(const struct summaries *s, const struct ub_history *history, FILE *out);

#endif
