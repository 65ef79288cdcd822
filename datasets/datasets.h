/* datasets.h - real and generated data as plain arrays.
 *
 *     struct ub_error err = {0};
 *     struct ub_dataset *d = ub_dataset_load("digits:size=1797", 0, NULL, &err);
 *     printf("%lld samples of %lld numbers\n", d->train.count, d->features);
 *     ub_dataset_free(d);
 *
 * A dataset is one descriptor in the registry: a file in this folder and a line in registry.c. */
#ifndef UB_DATASETS_H
#define UB_DATASETS_H

#include "base/base.h"
#include "base/registry.h"

enum ub_task { UB_CLASSIFICATION, UB_REGRESSION };

struct ub_split {
    int64_t count;   /* samples; 0 if there is no such split */
    double *inputs;  /* count x features, row-major */
    double *targets; /* count x ub_target_width: see struct ub_dataset */
    int32_t *labels; /* count x positions class indices, -1 = not asked for; NULL for regression */
};

/* What a generator planted: inputs N(0, diag(variance)), and targets
 * y_o = sum_k coefficient[k, o] x_k + noise of its own for each. */
struct ub_planted {
    int64_t features, outputs;
    double *variance;    /* features */
    double *coefficient; /* features x outputs, row-major */
    double *deviation;   /* features: the root of variance */
};

/* A teacher of normal inputs, y = sum_n erf(weight[n] . x / sqrt(2)) (committee.c). */
struct ub_committee {
    int64_t units, features;
    double *weight; /* units x features, row-major */
};
double ub_committee_answer(const struct ub_committee *committee, const double *x);

struct ub_dataset {
    char *name; /* canonical call text */
    enum ub_task task;
    int rank; /* of one input: 1 (vector, or tokens), 2 (steps, numbers a step), 3 (channels,
                 height, width) */
    int64_t shape[3];
    int64_t features; /* product of shape */
    int64_t outputs;  /* classes, or regression targets; at each position */
    /* Sequences. `tokens` > 0: inputs are the indices 0..tokens-1 of a vocabulary. `positions` > 1:
     * a sample has a target at each of that many positions (next-token prediction); 0 or 1: one
     * target a sample. Targets of one position are one-hot (classification) or values
     * (regression), `outputs` numbers. Targets of several are values, positions x outputs, for
     * regression, and for classification the labels themselves, `positions` numbers. */
    int64_t tokens, positions;
    char *
        *class_names; /* `outputs` texts, what the source calls its classes; NULL: by their index */
    bool missing;     /* of raw data: inputs that the source lacks are NAN, see `missing` of csv */
    double entropy;   /* known floor of the cross-entropy in nats a position; NaN when unknown */
    /* What the cross-entropy of the test samples is, each of their labels taken at its true
     * probability given its sequence so far: `entropy` but for the samples drawn. Subtracted from
     * a test loss it takes that part of the loss's sampling error with it. NaN when unknown. */
    double test_entropy;
    double entropy_given_one; /* floor of who sees the present token alone; NaN when unknown */
    double noise; /* standard deviation of each target given its input, 0 where the targets are
                     a function of the inputs: noise^2/2 an output is the floor of the squared
                     loss. NaN when unknown */
    struct ub_split train, test;
    struct ub_planted *population;  /* of the inputs and targets as they are; NULL: unknown */
    struct ub_committee *committee; /* the teacher of the targets, noise apart; NULL: none such */
    /* Of data that are asked for `online`: fills out->count samples by the law of the training set,
     * drawn from the two streams. Mini-batches are such samples, none seen twice; what is measured
     * on the training set is measured on samples that are never trained on. NULL: others. */
    void (*fresh)(const struct ub_dataset *dataset, struct ub_random *inputs,
                  struct ub_random *noise, struct ub_split *out);
    double theory_exponent; /* planted covariance exponent, NaN when unknown */
};

/* Numbers in a sample's target, and its positions (at least 1). */
int64_t ub_target_width(const struct ub_dataset *d);
int64_t ub_positions(const struct ub_dataset *d);

/* Paths in a list: free with ub_paths_clear. */
struct ub_paths {
    size_t count;
    char **path;
};
void ub_paths_add(struct ub_paths *paths, char *path); /* takes it over; NULL adds nothing */
void ub_paths_clear(struct ub_paths *paths);

struct ub_dataset_source {
    const char *name, *summary, *citation;
    const char *title;               /* what people call it; NULL: its name */
    const struct ub_option *options; /* its own; the common ones are added by ub_dataset_load */
    bool needs_files;                /* reads from the data folder (not bundled, not generated) */
    /* Whether its files are there, good or bad; NULL where none are needed. */
    bool (*present)(const struct ub_call *call, const char *folder);
    /* Names the files that `load` reads, in its order: their contents are part of what a run is.
     * Fails as `load` does when one that is needed is not there. NULL where none are needed. */
    bool (*files)(const struct ub_call *call, const char *folder, struct ub_paths *out,
                  struct ub_error *err);
    /* Fills dataset->train (and test, if the source has a test file) with raw data. `folder` is the
     * data folder or NULL; `seed` picks generated data, never anything else. */
    bool (*load)(struct ub_dataset *dataset, const struct ub_call *call, uint64_t seed,
                 const char *folder, struct ub_error *err);
};

extern const struct ub_dataset_source *const ub_dataset_sources[]; /* NULL-terminated */
extern const struct ub_registry ub_dataset_registry;
const struct ub_dataset_source *ub_dataset_find(const char *name);

/* Options that every dataset takes, applied in this order:
 *   classes  e.g. 0x3x7, cat+dog: only these are kept, renumbered 0, 1, 2 in the order given (train
 *            and test); "none" = all. By the names that the source has for them; where those are
 *            numbers, by value; where they are not, or there are none, numbers are indices
 *   size     samples kept of the source's training set: the first `size` of a permutation by the
 *            data seed; 0 = all, in the source's order. A source's own test set stays whole
 *   test     fraction of those held out at random, by the data seed; 0 = the source's own test set,
 *            if it has one. Else the samples held out take its place
 *   scale    none; center: each feature minus its mean; standardize: then divided by its standard
 *            deviation (1/n), 0 for a constant feature; global: minus one mean and divided by one
 *            deviation, those of all features together; whiten: centered, then the covariance made
 *            I (modes.h). Statistics of train, applied to test, too
 *   target   labels: what the source gives; inputs: a regression of the inputs on themselves;
 *            basis: of M samples, train and test together, a regression of M outputs that are an
 *            orthonormal basis of the functions on them (mean square 1): cosines in the order of
 *            the samples, sqrt(2) cos(pi j (i + 1/2)/M); shuffled: what the source gives, but in
 *            training each sample's is another's, by the data seed: nothing to learn of the test
 *            set, which keeps its own (Zhang et al. 2016, arXiv:1611.03530). What was planted, and
 *            the noise, are said of the test set then
 *   clone    none; gaussian (before target): training inputs become normal ones whose mean and
 *            covariance over each class are the data's, exactly; labels and the test set stay
 *            (Refinetti et al. 2023, arXiv:2211.11567). Classes of more samples than features
 *
 * Generated data take `test-samples` beside their own: the size of a test set that is drawn anew by
 * the same law, noise included, from a random stream of its own, so that it is the same whatever
 * number of samples is trained on. Some take `online`: each mini-batch has fresh samples; with
 * inputs and targets as the source gives them only. */
extern const struct ub_option ub_dataset_common_options[];

/* Checks `text` against the source's and the common options; returns the canonical call text
 * (caller frees) and, when `label` is not NULL, the short form without defaults. */
char *ub_dataset_canonical(const char *text, const char *where, char **label, struct ub_error *err);

/* `data_seed` feeds the "data" random stream (generated values, subset choice, split). `folder`
 * is the data folder (--data); NULL means $UNIBENCH_DATA. Bad files fail with file and place. */
struct ub_dataset *ub_dataset_load(const char *text, uint64_t data_seed, const char *folder,
                                   struct ub_error *err);
void ub_dataset_free(struct ub_dataset *dataset);
void ub_planted_free(struct ub_planted *population);
void ub_committee_free(struct ub_committee *committee);

/* Whether the files that a checked call's dataset needs are in the folder (NULL: $UNIBENCH_DATA),
 * good or bad; true where none are needed. */
bool ub_dataset_present(const char *text, const char *folder);

/* The files that a dataset is read from (not those bundled with the program), in the order of
 * reading; none for generated ones. Clear in any case. */
bool ub_dataset_files(const char *text, const char *folder, struct ub_paths *out,
                      struct ub_error *err);

#endif
