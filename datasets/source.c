/* Splits, and data files found in a folder. */
#include "datasets/source.h"

bool ub_split_new(const struct ub_dataset *d, int64_t count, const char *where,
                  struct ub_split *split, struct ub_error *err)
{
    int64_t width;
    if (__builtin_add_overflow(d->features, d->outputs, &width) ||
        !ub_size_fits(count, width, sizeof(double), UB_DATA_BYTES))
        return ub_fail(err, UB_INPUT,
                       "%s: %lld samples of %lld numbers are too many; expected less than %llu GiB",
                       where, (long long)count, (long long)d->features,
                       (unsigned long long)(UB_DATA_BYTES >> 30));
    *split = (struct ub_split){.count = count};
    split->inputs = ub_calloc((size_t)(count * d->features) + 1, sizeof *split->inputs);
    split->targets = ub_calloc((size_t)(count * d->outputs) + 1, sizeof *split->targets);
    if (d->task == UB_CLASSIFICATION)
        split->labels = ub_calloc((size_t)count + 1, sizeof *split->labels);
    return true;
}

void ub_split_clear(struct ub_split *split)
{
    ub_free(split->inputs);
    ub_free(split->targets);
    ub_free(split->labels);
    *split = (struct ub_split){0};
}

void ub_split_label(const struct ub_dataset *d, struct ub_split *split, int64_t i, int32_t label)
{
    split->labels[i] = label;
    split->targets[i * d->outputs + label] = 1;
}

char *ub_data_find(const char *folder, const char *const *folders, const char *name)
{
    for (size_t i = 0; folders[i]; i++)
        for (int packed = 0; packed < 2; packed++) {
            struct ub_text path = {0};
            ub_text_add(&path, "%s/%s%s%s%s", folder, folders[i], *folders[i] ? "/" : "", name,
                        packed ? ".gz" : "");
            if (ub_exists(path.data))
                return path.data;
            ub_text_free(&path);
        }
    return NULL;
}

bool ub_data_missing(const char *folder, const char *dataset, const char *name,
                     struct ub_error *err)
{
    if (!folder)
        return ub_fail(err, UB_INPUT,
                       "%s: no data folder; expected one in --data or UNIBENCH_DATA "
                       "(datasets/fetch %s downloads the files)",
                       dataset, dataset);
    return ub_fail(err, UB_INPUT,
                   "%s: no file '%s' in %s; expected it there or in a subfolder of the dataset's "
                   "name (datasets/fetch %s downloads the files)",
                   dataset, name, folder, dataset);
}
