/* npz.h - NumPy's .npz: a zip archive of .npy arrays, here stored without compression.
 *
 *     struct ub_npz *z = ub_npz_new("run.npz", &err);
 *     ub_npz_add_reals(z, "final.fc1.weight", 2, (int64_t[]){64, 784}, weights, &err);
 *     ub_npz_close(z, &err);                  // numpy.load("run.npz")["final.fc1.weight"]
 *
 * The file appears whole at ub_npz_close or not at all (a pipe, device or link is
 * written to as it is). The same arrays make the same bytes. The
 * archive and each array must stay below 4 GiB (no zip64). */
#ifndef UB_NPZ_H
#define UB_NPZ_H

#include "base/base.h"

struct ub_npz;
struct ub_npz *ub_npz_new(const char *path, struct ub_error *err);
/* '<f8', C order. */
bool ub_npz_add_reals(struct ub_npz *z, const char *name, int rank, const int64_t *shape,
                      const double *values, struct ub_error *err);
/* One axis of texts, '<U..': UTF-8 in, UCS-4 out. */
bool ub_npz_add_texts(struct ub_npz *z, const char *name, size_t count, char *const *texts,
                      struct ub_error *err);
/* Every array of another archive that this writer made; checks its CRCs. */
bool ub_npz_add_all(struct ub_npz *z, const char *path, struct ub_error *err);
/* Both free z. */
bool ub_npz_close(struct ub_npz *z, struct ub_error *err);
void ub_npz_abandon(struct ub_npz *z);

#endif
