/* Splits, and data files found in a folder. */
#include "datasets/source.h"

int64_t ub_positions(const struct ub_dataset *d)
{
    return d->positions > 1 ? d->positions : 1;
}

int64_t ub_target_width(const struct ub_dataset *d)
{
    if (ub_positions(d) == 1)
        return d->outputs;
    return d->task == UB_CLASSIFICATION ? d->positions : d->positions * d->outputs;
}

bool ub_split_new(const struct ub_dataset *d, int64_t count, const char *where,
                  struct ub_split *split, struct ub_error *err)
{
    const int64_t target = ub_target_width(d), positions = ub_positions(d);
    int64_t width;
    if (__builtin_add_overflow(d->features, target, &width) ||
        !ub_size_fits(count, width, sizeof(double), UB_DATA_BYTES))
        return ub_fail(err, UB_INPUT,
                       "%s: %lld samples of %lld numbers are too many; expected less than %llu GiB",
                       where, (long long)count, (long long)d->features,
                       (unsigned long long)(UB_DATA_BYTES >> 30));
    *split = (struct ub_split){.count = count};
    split->inputs = ub_calloc((size_t)(count * d->features) + 1, sizeof *split->inputs);
    split->targets = ub_calloc((size_t)(count * target) + 1, sizeof *split->targets);
    if (d->task == UB_CLASSIFICATION)
        split->labels = ub_calloc((size_t)(count * positions) + 1, sizeof *split->labels);
    return true;
}

void ub_planted_free(struct ub_planted *population)
{
    if (!population)
        return;
    ub_free(population->variance);
    ub_free(population->deviation);
    ub_free(population->coefficient);
    ub_free(population);
}

bool ub_split_new_test(struct ub_dataset *d, const struct ub_call *call, int64_t otherwise,
                       struct ub_error *err)
{
    const int64_t asked = ub_call_int(call, "test-samples"), count = asked > 0 ? asked : otherwise;
    return count == 0 || ub_split_new(d, count, call->name, &d->test, err);
}

void ub_split_draw(struct ub_dataset *d, const struct ub_call *call, uint64_t seed, ub_draw *draw)
{
    struct ub_random inputs = ub_random_stream(seed, "data.inputs"),
                     noise = ub_random_stream(seed, "data.noise"),
                     test = ub_random_stream(seed, "data.test"),
                     test_noise = ub_random_stream(seed, "data.test-noise");
    draw(d, &inputs, &noise, &d->train);
    draw(d, &test, &test_noise, &d->test);
    if (ub_call_flag(call, "online"))
        d->fresh = draw;
}

void ub_split_clear(struct ub_split *split)
{
    ub_free(split->inputs);
    ub_free(split->targets);
    ub_free(split->labels);
    *split = (struct ub_split){0};
}

void ub_split_label_at(const struct ub_dataset *d, struct ub_split *split, int64_t i,
                       int64_t position, int32_t label)
{
    const int64_t at = i * ub_positions(d) + position;
    split->labels[at] = label;
    split->targets[at] = label;
}

void ub_split_label(const struct ub_dataset *d, struct ub_split *split, int64_t i, int32_t label)
{
    split->labels[i] = label;
    split->targets[i * d->outputs + label] = 1;
}

unsigned char *ub_data_bytes(const char *path, uint64_t limit, size_t *length, struct ub_error *err)
{
    return ub_read_file(path, limit, length, err);
}

char *ub_data_text(const char *path, uint64_t limit, size_t *length, struct ub_error *err)
{
    char *data = (char *)ub_data_bytes(path, limit, length, err);
    if (data && !ub_utf8(data, length, path, err)) {
        ub_free(data);
        return NULL;
    }
    return data;
}

char *ub_data_file(const char *folder, const char *name)
{
    char *plain = ub_path(folder, name);
    if (ub_exists(plain))
        return plain;
    struct ub_text packed = {0};
    ub_text_add(&packed, "%s.gz", plain);
    ub_free(plain);
    if (ub_exists(packed.data))
        return packed.data;
    ub_text_free(&packed);
    return NULL;
}

char *ub_data_folder(const char *folder, const char *const *subfolders, const char *const *names)
{
    for (; *subfolders; subfolders++) {
        char *path = **subfolders ? ub_path(folder, *subfolders) : ub_strdup(folder);
        for (size_t i = 0; names[i]; i++) {
            char *file = ub_data_file(path, names[i]);
            ub_free(file);
            if (file)
                return path;
        }
        ub_free(path);
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
    if (!ub_exists(folder))
        return ub_fail(
            err, UB_INPUT,
            "%s: %s: no such folder; expected the data folder of --data or UNIBENCH_DATA "
            "(datasets/fetch %s downloads the files)",
            dataset, folder, dataset);
    return ub_fail(err, UB_INPUT,
                   "%s: no file '%s' in %s; expected it there or in a subfolder of the dataset's "
                   "name (datasets/fetch %s downloads the files; --data or UNIBENCH_DATA says "
                   "where they are)",
                   dataset, name, folder, dataset);
}
