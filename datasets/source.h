/* source.h - what the files of this folder share; private to this library. */
#ifndef UB_DATASETS_SOURCE_H
#define UB_DATASETS_SOURCE_H

#include "base/option_units.h"
#include "datasets/datasets.h"

/* Limits on what files and options may ask for. */
#define UB_DATA_BYTES   ((uint64_t)8 << 30)
#define UB_FILE_BYTES   (UB_DATA_BYTES / sizeof(double)) /* of a file whose bytes become doubles */
#define UB_DATA_CLASSES 10000

/* Allocates a split of `count` samples, for the dataset's features and outputs; labels too for
 * classification. Fails when it would exceed UB_DATA_BYTES. */
bool ub_split_new(const struct ub_dataset *d, int64_t count, const char *where,
                  struct ub_split *split, struct ub_error *err);
void ub_split_clear(struct ub_split *split);

/* The option `test-samples` of generated data; `otherwise` says what 0 comes to. */
#define UB_TEST_SAMPLES_NONE                                                                       \
    {                                                                                              \
        .key = "test-samples", .kind = UB_OPTION_INT | UB_OPTION_OF_SAMPLES, .fallback = "0",      \
        .min = 0, .max = 1e8,                                                                      \
        .help = "samples of a test set drawn anew by the same law; 0 = no such set"                \
    }
#define UB_TEST_SAMPLES_SAME                                                                       \
    {                                                                                              \
        .key = "test-samples", .kind = UB_OPTION_INT | UB_OPTION_OF_SAMPLES, .fallback = "0",      \
        .min = 0, .max = 1e8,                                                                      \
        .help = "samples of the test set, drawn by the same law; 0 = as many as for training"      \
    }
/* The option `online`, of sources that can draw fresh samples (struct ub_dataset). LATER is 0, or
 * UB_OPTION_LATER of sources that had no such option at first. */
#define UB_ONLINE(LATER)                                                                           \
    {                                                                                              \
        .key = "online", .kind = UB_OPTION_FLAG | (LATER), .fallback = "false",                    \
        .help = "mini-batches of samples drawn anew, in place of the training set's"               \
    }
/* Allocates d->test of so many samples; of `otherwise` where the option is 0 (0: none). */
bool ub_split_new_test(struct ub_dataset *d, const struct ub_call *call, int64_t otherwise,
                       struct ub_error *err);
/* Draws both splits, each from streams of its own, and where `online` is asked for keeps the draw
 * for fresh samples. */
typedef void ub_draw(const struct ub_dataset *d, struct ub_random *inputs, struct ub_random *noise,
                     struct ub_split *out);
void ub_split_draw(struct ub_dataset *d, const struct ub_call *call, uint64_t seed, ub_draw *draw);
/* Sets sample i's label and its one-hot target. */
void ub_split_label(const struct ub_dataset *d, struct ub_split *split, int64_t i, int32_t label);

/* The same at one of several positions (-1: not asked for). */
void ub_split_label_at(const struct ub_dataset *d, struct ub_split *split, int64_t i,
                       int64_t position, int32_t label);

/* Copies `names`, one for each of d->outputs classes, into d->class_names; what frees them. */
void ub_class_names_set(struct ub_dataset *d, const char *const *names);
void ub_class_names_free(struct ub_dataset *d);
/* The classes that the call's `classes` names, as indices into `out` (room for UB_CLASSES_KEPT),
 * how many: 0 = all. -1 with err set: unknown, given twice, too many. */
enum { UB_CLASSES_KEPT = 64 };
int ub_classes_wanted(const struct ub_dataset *d, const struct ub_call *call, const char *where,
                      int64_t *out, struct ub_error *err);

/* What a file of data holds: ub_read_file and ub_read_text. Every source reads through these two.
 */
unsigned char *ub_data_bytes(const char *path, uint64_t limit, size_t *length,
                             struct ub_error *err);
char *ub_data_text(const char *path, uint64_t limit, size_t *length, struct ub_error *err);

/* FOLDER/NAME or FOLDER/NAME.gz, whichever is there; NULL when neither is. Caller frees. */
char *ub_data_file(const char *folder, const char *name);
/* The first FOLDER/SUBFOLDER ("" = FOLDER itself) that holds one of `names`; NULL when none does.
 * All files of a dataset are taken from the folder so found: copies never mix. Both lists end with
 * NULL. Caller frees. */
char *ub_data_folder(const char *folder, const char *const *subfolders, const char *const *names);

/* Where a dataset's files may be, by the names that they are distributed by. Lists end with NULL.
 * Names are alike in any case, with or without -, _, ., spaces and .gz. */
struct ub_data_hint {
    const char *file, *why; /* a file that will not do, and what to do about it */
};
struct ub_data_places {
    const char *const *files;   /* one of these makes a folder the place */
    const char *const *folders; /* within the data folder, the first that is there first */
    const char *const *inner;   /* within those, and within a data folder that is one of those */
    const char *const
        *others; /* names of other datasets, whose files are named alike; may be NULL */
    const struct ub_data_hint *hints; /* may be NULL; ends with an empty one */
};
/* The file in FOLDER whose name is like `name`, the name itself and NAME.gz before others; or in a
 * folder of that name there. NULL when there is none. Caller frees. */
char *ub_data_like(const char *folder, const char *name);
/* The folder that holds the files; NULL when none does. Subfolders of the dataset's name come
 * before the data folder itself. All files of a dataset are taken from the folder so found: copies
 * never mix. Caller frees. */
char *ub_data_place(const char *folder, const struct ub_data_places *places);
/* Fails, with what was looked for and what was found instead. */
bool ub_data_absent(const char *folder, const char *dataset, const struct ub_data_places *places,
                    struct ub_error *err);

/* Fails for data that are not there, saying how to get them. */
bool ub_data_missing(const char *folder, const char *dataset, const char *name,
                     struct ub_error *err);

/* The options common to all datasets, applied to loaded raw data: classes, size, test, scale. */
bool ub_dataset_prepare(struct ub_dataset *d, const struct ub_call *call, uint64_t seed,
                        const char *where, struct ub_error *err);

/* Replaces the training inputs, class by class, by normal ones whose mean and covariance over the
 * class are the same: clone.c. Fails where a class has no more samples than features. */
bool ub_clone_classes(struct ub_dataset *d, uint64_t seed, const char *where, struct ub_error *err);

#endif
