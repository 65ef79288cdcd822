/* CIFAR-10 in its binary version: records of a label byte and 3 x 32 x 32 pixel bytes, channel by
 * channel. */
#include "datasets/source.h"

enum { SIDE = 32, CHANNELS = 3, PIXELS = CHANNELS * SIDE * SIDE, RECORD = 1 + PIXELS };
enum { CLASSES = 10, BATCHES = 5 };

static const char *const batches[] = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                                      "data_batch_4.bin", "data_batch_5.bin", NULL};
static const char *const folders[] = {"cifar10",
                                      "cifar-10-batches-bin",
                                      "cifar-10-binary",
                                      "cifar10-subset",
                                      "cifar-10",
                                      "cifar-10-batches-py",
                                      NULL};
static const char *const inner[] = {"cifar-10-batches-bin", "raw", "data", NULL};
static const struct ub_data_hint hints[] = {
    {"data_batch_1", "the version for Python; expected the binary version, cifar-10-binary.tar.gz"},
    {"cifar-10-python.tar.gz",
     "the version for Python; expected the binary version, cifar-10-binary.tar.gz"},
    {"cifar-10-binary.tar.gz", "packed; expected its files (tar -xzf)"},
    {NULL, NULL},
};
static const struct ub_data_places places = {
    .files = batches, .folders = folders, .inner = inner, .hints = hints};

/* batches.meta.txt, which comes with the files. */
static const char *const objects[CLASSES] = {"airplane", "automobile", "bird",  "cat",  "deer",
                                             "dog",      "frog",       "horse", "ship", "truck"};

struct batch {
    char *path;
    unsigned char *bytes;
    int64_t count;
};

/* An absent file is an empty batch. */
static bool read_batch(const char *folder, const char *name, struct batch *b, struct ub_error *err)
{
    size_t length;
    b->path = ub_data_like(folder, name);
    if (!b->path)
        return true;
    b->bytes = ub_data_bytes(b->path, UB_FILE_BYTES, &length, err);
    if (!b->bytes)
        return false;
    b->count = (int64_t)(length / RECORD);
    if (length == 0 || length % RECORD != 0)
        return ub_fail(err, UB_INPUT, "%s: %zu bytes; expected records of %d (CIFAR-10 binary)",
                       b->path, length, RECORD);
    return true;
}

static bool fill(struct ub_dataset *d, struct ub_split *split, const struct batch *b, int n,
                 struct ub_error *err)
{
    int64_t count = 0, at = 0;
    for (int i = 0; i < n; i++)
        count += b[i].count;
    if (!ub_split_new(d, count, "cifar10", split, err))
        return false;
    for (int i = 0; i < n; i++)
        for (int64_t k = 0; k < b[i].count; k++, at++) {
            const unsigned char *record = b[i].bytes + k * RECORD;
            if (record[0] >= CLASSES)
                return ub_fail(err, UB_INPUT, "%s: label %d at byte %lld; expected 0 to %d",
                               b[i].path, record[0], (long long)(k * RECORD), CLASSES - 1);
            for (int64_t j = 0; j < PIXELS; j++)
                split->inputs[at * PIXELS + j] = record[1 + j] / 255.0;
            ub_split_label(d, split, at, record[0]);
        }
    return true;
}

static bool load_batches(struct ub_dataset *d, const char *folder, struct ub_error *err)
{
    struct batch train[BATCHES] = {0}, test = {0};
    bool good = true;
    for (int i = 0; good && i < BATCHES; i++)
        good = read_batch(folder, batches[i], &train[i], err);
    good = good && read_batch(folder, "test_batch.bin", &test, err);
    good = good && fill(d, &d->train, train, BATCHES, err);
    if (good && test.count > 0)
        good = fill(d, &d->test, &test, 1, err);
    for (int i = 0; i < BATCHES; i++) {
        ub_free(train[i].path);
        ub_free(train[i].bytes);
    }
    ub_free(test.path);
    ub_free(test.bytes);
    return good;
}

static bool present(const struct ub_call *call, const char *folder)
{
    (void)call;
    char *found = folder ? ub_data_place(folder, &places) : NULL;
    const bool there = found != NULL;
    ub_free(found);
    return there;
}

/* As load_batches reads them. */
static bool files(const struct ub_call *call, const char *folder, struct ub_paths *out,
                  struct ub_error *err)
{
    char *found = folder ? ub_data_place(folder, &places) : NULL;
    if (!found)
        return ub_data_absent(folder, call->name, &places, err);
    for (int i = 0; i < BATCHES; i++)
        ub_paths_add(out, ub_data_like(found, batches[i]));
    ub_paths_add(out, ub_data_like(found, "test_batch.bin"));
    ub_free(found);
    return true;
}

static bool load(struct ub_dataset *d, const struct ub_call *call, uint64_t seed,
                 const char *folder, struct ub_error *err)
{
    (void)seed;
    d->task = UB_CLASSIFICATION;
    d->rank = 3;
    d->shape[0] = CHANNELS;
    d->shape[1] = d->shape[2] = SIDE;
    d->features = PIXELS;
    d->outputs = CLASSES;
    ub_class_names_set(d, objects);
    char *found = folder ? ub_data_place(folder, &places) : NULL;
    const bool good =
        found ? load_batches(d, found, err) : ub_data_absent(folder, call->name, &places, err);
    ub_free(found);
    return good;
}

const struct ub_dataset_source ub_dataset_cifar10 = {
    .name = "cifar10",
    .title = "CIFAR-10",
    .summary = "CIFAR-10: 3x32x32 pixels in [0, 1], 10 classes (the batches that are there)",
    .citation = "Krizhevsky 2009, Learning multiple layers of features from tiny images",
    .needs_files = true,
    .present = present,
    .files = files,
    .load = load,
};
