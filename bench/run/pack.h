/* pack.h - runs packed into one program: what runs have in common is made once.
 *
 *     struct ub_pack *pack = ub_pack_new();
 *     for (...)                                            // runs in any order
 *         ub_pack_open(pack, &spec[i], &setting, &err) ... // their data, their problem
 *     ub_pack_free(pack);
 *
 * Runs of one dataset, model, loss, init and precision that measure the same evaluate the same
 * programs, whatever their optimizers, rates, lengths and seeds. One process makes them one after
 * another with one copy of the data and one compilation of each program: a run then costs its steps
 * and its files, and each result is bitwise that of a run by itself, which runs the same program.
 *
 * They do not train side by side under ub_vmap: on a CPU that gains nothing. Measured on AVX-512
 * (MLP 32x32 on 500 digits): a gradient of 16 runs at once takes 0.98 to 1.04 times as long a run
 * as one by itself (the products have the lone run's shapes and are at their rate), one of MLP
 * 256x256 1.3 times (sixteen runs' activations leave the cache), and sums come in another order. */
#ifndef UB_PACK_H
#define UB_PACK_H

#include "bench/suite/identity.h"

struct ub_dataset;
struct ub_problem;

/* Whether two runs may be in one pack. */
bool ub_pack_takes(const struct ub_run_spec *a, const struct ub_run_spec *b);

struct ub_pack *ub_pack_new(void);
void ub_pack_free(struct ub_pack *pack);

struct ub_pack_setting {
    const char *data;          /* folder of data files or NULL */
    struct ub_contents *known; /* of data files; may be NULL */
    int threads;
};
/* Makes ready for the run: data and problem are those of the run before where ub_pack_takes it, as
 * if new (ub_problem_restart), else they are loaded. False leaves an empty pack. */
bool ub_pack_open(struct ub_pack *pack, const struct ub_run_spec *spec,
                  const struct ub_pack_setting *setting, struct ub_error *err);
/* Borrowed, until the next ub_pack_open. */
struct ub_dataset *ub_pack_data(const struct ub_pack *pack);
struct ub_problem *ub_pack_problem(const struct ub_pack *pack);

#endif
