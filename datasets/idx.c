/* MNIST and Fashion-MNIST: pairs of IDX files (big-endian header, then bytes), gzipped or not. */
#include "datasets/source.h"

#include <string.h>

enum { CLASSES = 10, MOST_DIMENSIONS = 3, UNSIGNED_BYTES = 8 };

static const char *const parts[] = {"auto", "train", "test", NULL};

static const struct ub_option options[] = {
    {.key = "part",
     .kind = UB_OPTION_NAME,
     .fallback = "auto",
     .choices = parts,
     .help = "files trained on: train (the t10k files are the test set), test (the t10k files, no "
             "test set), auto (train where its files are there, else test)"},
    {.key = NULL},
};

/* github.com/zalandoresearch/fashion-mnist, "Labels". */
static const char *const garments[CLASSES] = {"T-shirt/top", "Trouser",   "Pullover", "Dress",
                                              "Coat",        "Sandal",    "Shirt",    "Sneaker",
                                              "Bag",         "Ankle boot"};

struct idx {
    char *path;
    unsigned char *bytes; /* of the file */
    const unsigned char *values;
    int64_t dim[MOST_DIMENSIONS];
};

static void idx_clear(struct idx *f)
{
    ub_free(f->path);
    ub_free(f->bytes);
    *f = (struct idx){0};
}

static uint32_t big_endian(const unsigned char *b)
{
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* Takes over f->path. */
static bool idx_read(struct idx *f, int dimensions, struct ub_error *err)
{
    size_t length, header = 4 + 4 * (size_t)dimensions;
    const uint32_t magic = UNSIGNED_BYTES << 8 | (uint32_t)dimensions;
    f->bytes = ub_data_bytes(f->path, UB_FILE_BYTES, &length, err);
    if (!f->bytes)
        return false;
    if (length < header)
        return ub_fail(err, UB_INPUT, "%s: %zu bytes; expected an IDX header of %zu", f->path,
                       length, header);
    if (big_endian(f->bytes) != magic)
        return ub_fail(err, UB_INPUT, "%s: magic number 0x%08x; expected 0x%08x (IDX, %d axes)",
                       f->path, big_endian(f->bytes), magic, dimensions);
    int64_t total = 1;
    for (int i = 0; i < dimensions; i++) {
        f->dim[i] = big_endian(f->bytes + 4 + (ptrdiff_t)4 * i);
        if (f->dim[i] < 1 || !ub_size_fits(total, f->dim[i], 1, UB_FILE_BYTES))
            return ub_fail(err, UB_INPUT,
                           "%s: axis %d has size %lld; expected 1 or more, and less "
                           "than %llu bytes in all",
                           f->path, i + 1, (long long)f->dim[i], (unsigned long long)UB_FILE_BYTES);
        total *= f->dim[i];
    }
    if (length != header + (size_t)total)
        return ub_fail(err, UB_INPUT, "%s: %zu bytes; expected %zu (header %zu, values %lld)",
                       f->path, length, header + (size_t)total, header, (long long)total);
    f->values = f->bytes + header;
    return true;
}

static bool fill(struct ub_dataset *d, struct ub_split *split, const struct idx *images,
                 const struct idx *labels, struct ub_error *err)
{
    if (images->dim[0] != labels->dim[0])
        return ub_fail(err, UB_INPUT, "%s: %lld labels; expected %lld, one for each image of %s",
                       labels->path, (long long)labels->dim[0], (long long)images->dim[0],
                       images->path);
    if (d->features > 0 && (d->shape[1] != images->dim[1] || d->shape[2] != images->dim[2]))
        return ub_fail(err, UB_INPUT, "%s: images of %lld x %lld; expected %lld x %lld",
                       images->path, (long long)images->dim[1], (long long)images->dim[2],
                       (long long)d->shape[1], (long long)d->shape[2]);
    d->shape[1] = images->dim[1];
    d->shape[2] = images->dim[2];
    d->features = images->dim[1] * images->dim[2];
    if (!ub_split_new(d, images->dim[0], images->path, split, err))
        return false;
    for (int64_t i = 0; i < split->count * d->features; i++)
        split->inputs[i] = images->values[i] / 255.0;
    for (int64_t i = 0; i < split->count; i++) {
        if (labels->values[i] >= CLASSES)
            return ub_fail(err, UB_INPUT, "%s: label %d at byte %lld; expected 0 to %d",
                           labels->path, labels->values[i], (long long)(8 + i), CLASSES - 1);
        ub_split_label(d, split, i, labels->values[i]);
    }
    return true;
}

/* Reads PREFIX-images-idx3-ubyte and its labels, both in `folder`. When `optional`, neither need be
 * there: the split then stays empty. */
static bool load_pair(struct ub_dataset *d, struct ub_split *split, const char *prefix,
                      const char *folder, const char *dataset, bool optional, struct ub_error *err)
{
    struct ub_text images_name = {0}, labels_name = {0};
    ub_text_add(&images_name, "%s-images-idx3-ubyte", prefix);
    ub_text_add(&labels_name, "%s-labels-idx1-ubyte", prefix);
    struct idx images = {.path = ub_data_like(folder, images_name.data)};
    struct idx labels = {.path = ub_data_like(folder, labels_name.data)};
    bool good;
    if (!images.path && !labels.path && optional)
        good = true;
    else if (!images.path)
        good = ub_data_missing(folder, dataset, images_name.data, err);
    else if (!labels.path)
        good = ub_data_missing(folder, dataset, labels_name.data, err);
    else
        good = idx_read(&images, 3, err) && idx_read(&labels, 1, err) &&
               fill(d, split, &images, &labels, err);
    idx_clear(&images);
    idx_clear(&labels);
    ub_text_free(&images_name);
    ub_text_free(&labels_name);
    return good;
}

/* torchvision's MNIST/raw and FashionMNIST/raw, the authors' data/fashion, archives of others. */
static const char *const train[] = {"train-images-idx3-ubyte", NULL};
static const char *const test[] = {"t10k-images-idx3-ubyte", NULL};
static const char *const inner[] = {"raw", "data", NULL};
static const char *const mnist_folders[] = {"mnist", "mnist-dataset", NULL};
static const char *const fashion_folders[] = {"fashion-mnist", "fashion", NULL};

static struct ub_data_places places_of(const struct ub_call *call, const char *const *files)
{
    const bool digits = strcmp(call->name, "mnist") == 0;
    return (struct ub_data_places){.files = files,
                                   .folders = digits ? mnist_folders : fashion_folders,
                                   .inner = inner,
                                   .others = digits ? fashion_folders : mnist_folders};
}

/* Where the part's images are; NULL when they are nowhere. Caller frees. */
static char *folder_of(const char *folder, const struct ub_call *call, const char *const *files)
{
    const char *unwanted = files == train ? "test" : "train";
    const struct ub_data_places places = places_of(call, files);
    if (!folder || strcmp(ub_call_get(call, "part"), unwanted) == 0)
        return NULL;
    return ub_data_place(folder, &places);
}

static bool present(const struct ub_call *call, const char *folder)
{
    char *of_train = folder_of(folder, call, train), *of_test = folder_of(folder, call, test);
    const bool found = of_train || of_test;
    ub_free(of_train);
    ub_free(of_test);
    return found;
}

/* The pair of a prefix, as load_pair reads it; what is not there adds nothing. */
static void add_pair(struct ub_paths *out, const char *prefix, const char *folder)
{
    struct ub_text images = {0}, labels = {0};
    ub_text_add(&images, "%s-images-idx3-ubyte", prefix);
    ub_text_add(&labels, "%s-labels-idx1-ubyte", prefix);
    ub_paths_add(out, ub_data_like(folder, images.data));
    ub_paths_add(out, ub_data_like(folder, labels.data));
    ub_text_free(&images);
    ub_text_free(&labels);
}

static bool files(const struct ub_call *call, const char *folder, struct ub_paths *out,
                  struct ub_error *err)
{
    char *of_train = folder_of(folder, call, train);
    char *of_test = of_train ? NULL : folder_of(folder, call, test);
    if (of_train)
        add_pair(out, "train", of_train);
    if (of_train || of_test)
        add_pair(out, "t10k", of_train ? of_train : of_test);
    const bool only_test = strcmp(ub_call_get(call, "part"), "test") == 0;
    const struct ub_data_places places = places_of(call, only_test ? test : train);
    const bool found = of_train || of_test;
    ub_free(of_train);
    ub_free(of_test);
    return found || ub_data_absent(folder, call->name, &places, err);
}

static bool load(struct ub_dataset *d, const struct ub_call *call, uint64_t seed,
                 const char *folder, struct ub_error *err)
{
    const char *dataset = call->name;
    (void)seed;
    d->task = UB_CLASSIFICATION;
    d->rank = 3;
    d->shape[0] = 1;
    d->outputs = CLASSES;
    if (strcmp(dataset, "fashion-mnist") == 0)
        ub_class_names_set(d, garments);
    const bool only_test = strcmp(ub_call_get(call, "part"), "test") == 0;
    const struct ub_data_places places = places_of(call, only_test ? test : train);
    char *of_train = folder_of(folder, call, train);
    char *of_test = of_train ? NULL : folder_of(folder, call, test);
    bool good;
    if (of_train)
        good = load_pair(d, &d->train, "train", of_train, dataset, false, err) &&
               load_pair(d, &d->test, "t10k", of_train, dataset, true, err);
    else if (of_test)
        good = load_pair(d, &d->train, "t10k", of_test, dataset, false, err);
    else
        good = ub_data_absent(folder, dataset, &places, err);
    ub_free(of_train);
    ub_free(of_test);
    return good;
}

const struct ub_dataset_source ub_dataset_mnist = {
    .name = "mnist",
    .title = "MNIST",
    .summary = "MNIST handwritten digits: 28x28 pixels in [0, 1], 10 classes (IDX files)",
    .citation = "LeCun, Bottou, Bengio and Haffner 1998, doi:10.1109/5.726791",
    .options = options,
    .needs_files = true,
    .present = present,
    .files = files,
    .load = load,
};

const struct ub_dataset_source ub_dataset_fashion_mnist = {
    .name = "fashion-mnist",
    .title = "Fashion-MNIST",
    .summary = "Fashion-MNIST: 28x28 pixels in [0, 1], 10 classes (IDX files)",
    .citation = "Xiao, Rasul and Vollgraf 2017, arXiv:1708.07747",
    .options = options,
    .needs_files = true,
    .present = present,
    .files = files,
    .load = load,
};
