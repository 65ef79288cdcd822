/* law.h - a claim about a number computed from a group of runs: one file in this folder and one
 * line in registry.c.
 *
 *     static const char *const within[] = {"model.width", NULL};
 *
 *     const struct ub_law ub_law_ntk_drift = {
 *         .name = "ntk-drift", .strand = UB_LIMITS,
 *         .claim = "in the NTK parametrization the kernel's relative change falls as 1/width",
 *         .formula = "|K(t) - K(0)|_F / |K(0)|_F ~ width^-1",
 *         .quantity = "slope of log kernel change on log width",
 *         .citation = "Jacot et al. 2018, arXiv:1806.07572",
 *         .who = "models in the NTK parametrization below their edge of stability",
 *         .within = within,
 *         .needs = {{.observable = "kernel-drift"}, {.axis = "model.width", .least = 4}},
 *         .applies = in_ntk_parametrization,
 *         .datum = slope_in_width,
 *         .is = {UB_EQUAL, .target = -1, .margin = 0.2},
 *         .because = "a slope over five widths has an error of about 0.1",
 *     };
 *
 * Groups are made by ub_frame_group: all axes but seeds and those in `within` are equal in them.
 * Each yields one datum, or says why it cannot; judge.h draws the verdict from all of them. A run
 * marked as a control, of whatever law, never enters a verdict: controls say whether the instrument
 * works. Controls of sameness are compared with each other: those that must hold within their
 * cluster, those that must fail all together. A law knows frames, never pages: its part of the
 * report is made from its verdict, and what figures and tables it has of its own are a section that
 * names it (report/sections). */
#ifndef UB_LAWS_LAW_H
#define UB_LAWS_LAW_H

#include "base/registry.h"
#include "report/frame/frame.h"
#include "report/laws/judge.h"
#include "report/laws/level.h"
#include "report/laws/plane.h"
#include "report/laws/trend.h"

enum ub_strand {
    UB_SOLVABLE,
    UB_LIMITS,
    UB_EMPIRICAL,
    UB_HYPERPARAMETERS,
    UB_UNIVERSAL,
    UB_STRANDS
};
extern const char *const ub_strand_names[UB_STRANDS]; /* "solvable settings", ... */

/* What a datum needs of its group's runs: an observable (its name in `measure`), or so many
 * different words of an axis. Checked before a suite is run. */
struct ub_need {
    const char *observable, *axis;
    size_t least;
};
enum { UB_NEEDS = 4 };

struct ub_law {
    const char *name;
    enum ub_strand strand;
    const char *claim;
    const char *formula; /* the claim in plain text: "|K(t) - K(0)| / |K(0)| ~ width^-1" */
    const char *quantity, *citation;
    const char *who;           /* of whom it speaks, for people */
    const char *because;       /* why the margin is what it is; set before a suite is run */
    const char *const *within; /* NULL: only seeds vary */
    struct ub_need needs[UB_NEEDS];
    bool (*applies)(const struct ub_frame *frame, size_t row);
    /* Whether a group of such runs has what the law compares, a sweep or partners; NULL: every one
     * has. Those that do not are other suites' runs, and none of the law's systems. */
    bool (*concerns)(const struct ub_frame *frame, const struct ub_rows *group);
    struct ub_datum (*datum)(const struct ub_frame *frame, const struct ub_rows *group);
    /* Instead of `datum`, of laws about the level that a series of single runs settles at
     * (level.h): the observable, and where in it the law speaks. */
    const char *series;
    ub_law_window *window;
    /* Of theories without a free parameter: what they say of one run beside what was measured;
     * NULL: the law is of another kind. */
    ub_law_plane *plane;
    /* How a number goes with another, where the datum is fitted to that; NULL: it is not. */
    const struct ub_law_trend *trend;
    const struct ub_law_curves *curves; /* that are one, in the law's units; NULL: of other kinds */
    bool moderate; /* groups help each other to know their spread from seed to seed: moderate.h */
    struct ub_claim is;
    const char *across; /* UB_SAME: groups that differ in nothing but this axis form a cluster */
};

extern const struct ub_law *const ub_laws[]; /* NULL-terminated; registry.c */
extern const struct ub_registry ub_law_registry;
const struct ub_law *ub_law_find(const char *name);

/* ---- verdicts ------------------------------------------------------------------------------- */

struct ub_law_share { /* of the scatter of data between groups, by an axis of the frame */
    const char *axis; /* the frame's */
    struct ub_interval share;
};

struct ub_law_verdict {
    const struct ub_law *law;
    struct ub_groups groups; /* one datum each; controls left out */
    struct ub_datum *data;
    char **names; /* of groups, for people: no two alike */
    struct ub_judgment judgment;
    double below, above; /* ub_judge_resolution; NAN but of UB_EQUAL with a target that is not 0 */
    size_t n_shares;
    struct ub_law_share *shares; /* of axes in which groups differ */
    /* Laws about levels: of each row of the frame, what its run came to; only of rows of groups
     * and controls. Else NULL. */
    struct ub_level *level;
    struct ub_interval between_seeds; /* likewise: share of their variance that is within groups */
    struct ub_groups controls;        /* one control a group */
    char **control_names;             /* for people: no two alike */
    enum ub_control *control;         /* what each is to come out as */
    struct ub_datum *control_data;
    bool *control_right, *control_silent; /* one that said nothing is neither right nor wrong */
    size_t n_right, n_silent;
    bool at_fault; /* some control spoke and came out wrong: the verdict is not to be believed */
    /* Adjusted p of the verdict over all laws that are judged together (ub_laws_adjust); NAN
     * before, and where nothing is inferred. */
    double q;
};
/* NULL when no run of the frame is one that the law applies to or a control of it. */
struct ub_law_verdict *ub_law_verdict_new(const struct ub_law *law, const struct ub_frame *frame);
void ub_law_verdict_free(struct ub_law_verdict *verdict);

/* "holds", ..., or "instrument at fault". */
const char *ub_law_word(const struct ub_law_verdict *verdict);

/* Sets their q; those of instruments at fault are no part of it. */
void ub_laws_adjust(struct ub_law_verdict *const *verdicts, size_t n);
/* Not where the verdict would be drawn by itself, but not over all laws (5%). */
bool ub_law_stands(const struct ub_law_verdict *verdict);

/* Whether one datum meets a claim (not UB_SAME), and false for one without value. */
bool ub_datum_meets(const struct ub_claim *claim, const struct ub_datum *datum);

/* What the runs lack for this law's data: "2 different model.width in a group, needs 4;
 * kernel-drift is not measured". NULL when the law can be decided by some group, or applies to none
 * (`*applies` says which). `measured` tells whether a run measures an observable. Caller frees. */
char *ub_law_lacks(const struct ub_law *law, const struct ub_frame *frame, bool *applies);

/* The law's controls among these runs: how many groups must hold, how many fail, and what the first
 * that could not speak lacks, as above (NULL: all could; caller frees). */
struct ub_law_controls {
    size_t hold, fail;
    char *lacks;
};
struct ub_law_controls ub_law_controls(const struct ub_law *law, const struct ub_frame *frame);

#endif
