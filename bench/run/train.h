/* train.h - one run: a spec in, a folder of the store out.
 *
 * The spec of a dataset that is read from files has their contents (ub_spec_identify); a run whose
 * files are others by the time they are read fails.
 *
 * Training for `steps` steps, full-batch unless the optimizer takes mini-batches (then the whole
 * set's loss and gradient are evaluated only where an observable is due, and a batch's loss can
 * end the run, too); each observable is measured before the update of the steps
 * that it is due at, and once more at the end. A run is `diverged` when its loss is no longer
 * finite or exceeds 1e6 times the initial loss: growth that large never came back in practice, and
 * ratios of Hessians at such points measure rounding. The trace up to there is kept.
 *
 * Facts: lr and threshold, both before the schedule (NaN when no edge is known or measured),
 * parameters, samples, classes (or outputs of a regression), initial-loss, final-loss,
 * initial-sharpness and its residual when it was needed, timeout (seconds, when there was one),
 * steps-done, gradients (of the training set or of a batch), hvps, seconds
 * (.training, .measuring), peak-rss (bytes; its process's so far: of runs of a pack, that of all up
 * to this one). */
#ifndef UB_TRAIN_H
#define UB_TRAIN_H

#include "bench/suite/identity.h"

#include <stdatomic.h>

struct ub_pack;

struct ub_train_setting {
    const char *store, *data;  /* data: folder of data files or NULL */
    struct ub_contents *known; /* of data files (identity.h); may be NULL */
    struct ub_pack *pack; /* what runs before it have made ready (pack.h); NULL: a run by itself */
    int threads;
    double timeout;          /* seconds, 0 = none: checked at each step */
    atomic_llong *progress;  /* steps done, for whoever watches; may be NULL */
    const atomic_bool *stop; /* when it turns true the run is given up at its next step; or NULL */
    const struct ub_pair *provenance;
    size_t n_provenance;
};

enum ub_train_result {
    UB_TRAIN_STORED,     /* *status is ok, diverged or timeout */
    UB_TRAIN_FAILED,     /* nothing stored; err says why */
    UB_TRAIN_UNWRITABLE, /* the store cannot be written; nothing stored; err says why */
    UB_TRAIN_STOPPED     /* by setting->stop; nothing stored */
};
enum ub_train_result ub_train(const struct ub_run_spec *spec,
                              const struct ub_train_setting *setting, enum ub_run_status *status,
                              struct ub_error *err);

/* Weights as arrays PREFIX.PARAMETER of an .npz. */
struct ub_npz;
struct ub_layout;
struct ub_problem;
bool ub_npz_add_weights(struct ub_npz *z, const char *prefix, const struct ub_layout *layout,
                        const double *theta, struct ub_error *err);
/* What else the model's function needs: frozen.PARAMETER, drawn but not trained, and
 * multiplier.PARAMETER, a scalar, where the parametrization's is not 1. */
bool ub_npz_add_model(struct ub_npz *z, const struct ub_problem *p, struct ub_error *err);

#endif
