/* source.h - what the files of this folder share; private to this library. */
#ifndef UB_DATASETS_SOURCE_H
#define UB_DATASETS_SOURCE_H

#include "datasets/datasets.h"

/* Limits on what files and options may ask for. */
#define UB_DATA_BYTES   ((uint64_t)8 << 30)
#define UB_DATA_CLASSES 10000

/* Allocates a split of `count` samples, for the dataset's features and outputs; labels too for
 * classification. Fails when it would exceed UB_DATA_BYTES. */
bool ub_split_new(const struct ub_dataset *d, int64_t count, const char *where,
                  struct ub_split *split, struct ub_error *err);
void ub_split_clear(struct ub_split *split);
/* Sets sample i's label and its one-hot target. */
void ub_split_label(const struct ub_dataset *d, struct ub_split *split, int64_t i, int32_t label);

/* Path of the first FOLDER/SUBFOLDER/NAME or ...NAME.gz that exists ("" = FOLDER itself); NULL when
 * there is none. Caller frees. `folders` ends with NULL. */
char *ub_data_find(const char *folder, const char *const *folders, const char *name);
/* Fails for data that are not there, saying how to get them. */
bool ub_data_missing(const char *folder, const char *dataset, const char *name,
                     struct ub_error *err);

/* The options common to all datasets, applied to loaded raw data: classes, size, test, scale. */
bool ub_dataset_prepare(struct ub_dataset *d, const struct ub_call *call, uint64_t seed,
                        const char *where, struct ub_error *err);

#endif
