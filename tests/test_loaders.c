/* Loaders of files: good ones come back byte for byte, bad ones give one line that says where;
 * mutated ones never crash. Real data are held against figures computed from the files elsewhere.
 */
#include "support.h"

#include "datasets/datasets.h"

#include <lapacke.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROWS = 2, COLUMNS = 3, PIXELS = ROWS * COLUMNS }; /* of the tests' IDX images */
enum { RECORD = 3073 };                                  /* bytes of a CIFAR-10 sample */

static struct ub_dataset *load(const char *text, const char *folder)
{
    struct ub_error err = {0};
    struct ub_dataset *d = ub_dataset_load(text, 0, folder, &err);
    if (!d)
        fail_msg("%s: %s", text, err.text);
    return d;
}

static void assert_load_fails(const char *text, const char *folder, const char *part)
{
    struct ub_error err = {0};
    assert_null(ub_dataset_load(text, 0, folder, &err));
    assert_null(strchr(err.text, '\n'));
    assert_input_error(&err, part);
}

/* ---- files the tests write ---- */

static unsigned char pixel(size_t i)
{
    return (unsigned char)(i * 37 % 256);
}

static void add_big_endian(unsigned char *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (unsigned char)(value >> (24 - 8 * i));
}

/* IDX images: `out` has room for 16 + count x PIXELS; returns the length. */
static size_t make_images(unsigned char *out, size_t count)
{
    add_big_endian(out, 0x803);
    add_big_endian(out + 4, (uint32_t)count);
    add_big_endian(out + 8, ROWS);
    add_big_endian(out + 12, COLUMNS);
    for (size_t i = 0; i < count * PIXELS; i++)
        out[16 + i] = pixel(i);
    return 16 + count * PIXELS;
}

/* IDX labels, image i's being 7 i mod 10. */
static size_t make_labels(unsigned char *out, size_t count)
{
    add_big_endian(out, 0x801);
    add_big_endian(out + 4, (uint32_t)count);
    for (size_t i = 0; i < count; i++)
        out[8 + i] = (unsigned char)(7 * i % 10);
    return 8 + count;
}

static char *make_folders(const char *folder, const char *name)
{
    struct ub_error err = {0};
    char *path = ub_path(folder, name);
    assert_true(ub_make_folders(path, &err));
    return path;
}

/* FOLDER/SUBFOLDER/PREFIX-..., `packed` with gzip. */
static void write_pair(const char *folder, const char *subfolder, const char *prefix, size_t count,
                       bool packed)
{
    unsigned char bytes[16 + 64 * PIXELS];
    char name[64], *path = make_folders(folder, subfolder);
    assert_true(count <= 64);
    snprintf(name, sizeof name, "%s-images-idx3-ubyte%s", prefix, packed ? ".gz" : "");
    support_write(path, name, bytes, make_images(bytes, count));
    snprintf(name, sizeof name, "%s-labels-idx1-ubyte%s", prefix, packed ? ".gz" : "");
    support_write(path, name, bytes, make_labels(bytes, count));
    ub_free(path);
}

static void make_records(unsigned char *out, size_t count, size_t first)
{
    for (size_t i = 0; i < count * RECORD; i++)
        out[i] = i % RECORD == 0 ? (unsigned char)((first + i / RECORD) % 10) : pixel(i + first);
}

static void write_batch(const char *folder, const char *name, size_t count, size_t first)
{
    unsigned char *bytes = ub_alloc(count * RECORD);
    make_records(bytes, count, first);
    support_write(folder, name, bytes, count * RECORD);
    ub_free(bytes);
}

/* ---- IDX ---- */

static void check_pair(const struct ub_dataset *d, const struct ub_split *s, int64_t count)
{
    assert_int_equal(s->count, count);
    for (int64_t i = 0; i < count * PIXELS; i++)
        assert_near(s->inputs[i], pixel((size_t)i) / 255.0, 0);
    for (int64_t i = 0; i < count; i++) {
        assert_int_equal(s->labels[i], 7 * i % 10);
        for (int64_t o = 0; o < 10; o++)
            assert_near(s->targets[i * d->outputs + o], 7 * i % 10 == o, 0);
    }
}

static void idx_comes_back(void **state)
{
    (void)state;
    for (int packed = 0; packed < 2; packed++) {
        char *folder = support_folder();
        write_pair(folder, "fashion-mnist", "train", 12, packed);
        write_pair(folder, "fashion-mnist", "t10k", 5, !packed);
        struct ub_dataset *d = load("fashion-mnist", folder);
        assert_int_equal(d->rank, 3);
        assert_int_equal(d->shape[0], 1);
        assert_int_equal(d->shape[1], ROWS);
        assert_int_equal(d->shape[2], COLUMNS);
        assert_int_equal(d->features, PIXELS);
        assert_int_equal(d->outputs, 10);
        check_pair(d, &d->train, 12);
        check_pair(d, &d->test, 5);
        ub_dataset_free(d);
        assert_load_fails("mnist", folder, "mnist: no file 'train-images-idx3-ubyte' in ");
        support_remove(folder);
    }
}

static void idx_part_chooses_files(void **state)
{
    static const struct {
        const char *text;
        int64_t train, test;
    } cases[] = {{"mnist", 12, 5},           {"mnist:part=train", 12, 5},
                 {"mnist:part=test", 5, 0},  {"mnist:part=test,test=0.4", 3, 2},
                 {"mnist:size=6", 6, 5},     {"mnist:size=6,test=0.5", 3, 3},
                 {"mnist:classes=0x7", 4, 2}}; /* 0, 7 at 0, 1, 10, 11; in test 0, 1 */
    (void)state;
    char *folder = support_folder();
    write_pair(folder, "", "train", 12, false);
    write_pair(folder, "", "t10k", 5, true);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ub_dataset *d = load(cases[i].text, folder);
        assert_int_equal(d->train.count, cases[i].train);
        assert_int_equal(d->test.count, cases[i].test);
        ub_dataset_free(d);
    }
    assert_load_fails("mnist:part=t10k", folder, "part=t10k; expected one of auto, train, test");
    support_remove(folder);

    folder = support_folder(); /* t10k only */
    write_pair(folder, "mnist", "t10k", 5, true);
    struct ub_dataset *d = load("mnist", folder);
    check_pair(d, &d->train, 5);
    assert_int_equal(d->test.count, 0);
    ub_dataset_free(d);
    assert_load_fails("mnist:part=train", folder, "no file 'train-images-idx3-ubyte'");
    assert_load_fails("mnist:classes=0x6", folder, "mnist: no sample is of class 6");
    assert_load_fails("mnist:size=6", folder, "mnist: size=6; expected at most 5");
    support_remove(folder);
}

/* Files of two copies are never put together. */
static void one_folder_serves_a_dataset(void **state)
{
    (void)state;
    char *folder = support_folder();
    write_pair(folder, "mnist", "train", 12, false);
    write_pair(folder, "", "t10k", 5, false);
    struct ub_dataset *d = load("mnist", folder);
    assert_int_equal(d->train.count, 12);
    assert_int_equal(d->test.count, 0);
    ub_dataset_free(d);
    char *labels = ub_path(folder, "mnist/train-labels-idx1-ubyte");
    assert_int_equal(unlink(labels), 0);
    ub_free(labels);
    write_pair(folder, "", "train", 12, false);
    assert_load_fails("mnist", folder, "no file 'train-labels-idx1-ubyte' in ");
    support_remove(folder);
}

struct damage {
    const char *file;    /* a good one of 12 samples, to be changed */
    long at;             /* this byte... */
    unsigned char value; /* ...gets this value; at < 0: none does */
    long length; /* -1: cut the last byte; 1: one more; 0: as it is; else this many are left */
    const char *part;
};

static void check_damage(const struct damage *c)
{
    struct ub_error err = {0};
    size_t length;
    char *folder = support_folder();
    write_pair(folder, "mnist", "train", 12, false);
    char *path = ub_path(folder, c->file);
    unsigned char *bytes = ub_read_file(path, 1 << 20, &length, &err);
    assert_non_null(bytes);
    bytes = ub_realloc(bytes, length + 1);
    bytes[length] = 0;
    if (c->at >= 0)
        bytes[c->at] = c->value;
    if (c->length == -1 || c->length == 1)
        length += (size_t)c->length;
    else if (c->length > 1)
        length = (size_t)c->length;
    assert_true(ub_write_file(path, bytes, length, &err));
    assert_load_fails("mnist", folder, c->part);
    assert_null(ub_dataset_load("mnist", 0, folder, &err));
    assert_input_error(&err, path); /* the message names the file */
    ub_free(bytes);
    ub_free(path);
    support_remove(folder);
}

static void bad_idx_says_where(void **state)
{
    static const char images[] = "mnist/train-images-idx3-ubyte";
    static const char labels[] = "mnist/train-labels-idx1-ubyte";
    static const struct damage cases[] = {
        {images, 3, 1, 0, "magic number 0x00000801; expected 0x00000803 (IDX, 3 axes)"},
        {images, 2, 0x0d, 0, "magic number 0x00000d03; expected 0x00000803"},
        {labels, 0, 9, 0, "magic number 0x09000801; expected 0x00000801 (IDX, 1 axes)"},
        {images, -1, 0, 10, ": 10 bytes; expected an IDX header of 16"},
        {labels, -1, 0, 7, ": 7 bytes; expected an IDX header of 8"},
        {images, -1, 0, -1, ": 87 bytes; expected 88 (header 16, values 72)"},
        {images, -1, 0, 1, ": 89 bytes; expected 88"},
        {labels, -1, 0, -1, ": 19 bytes; expected 20 (header 8, values 12)"},
        {labels, -1, 0, 1, ": 21 bytes; expected 20"},
        {labels, 8 + 4, 10, 0, ": label 10 at byte 12; expected 0 to 9"},
        {labels, 8 + 11, 255, 0, ": label 255 at byte 19; expected 0 to 9"},
        {images, 11, 0, 0, ": axis 2 has size 0; expected 1 or more"},
        {images, 4, 255, 0, ": axis 1 has size 4278190092; expected"},
        {images, 8, 255, 0, ": axis 2 has size 4278190082; expected"},
        {images, 13, 255, 0, "bytes; expected"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_damage(&cases[i]);
}

/* 2^32 - 1 in every axis: the product overflows 64 bits. */
static void absurd_dimensions_do_not_overflow(void **state)
{
    unsigned char bytes[16 + PIXELS];
    (void)state;
    char *folder = support_folder(), *mnist = make_folders(folder, "mnist");
    write_pair(folder, "mnist", "train", 1, false);
    size_t length = make_images(bytes, 1);
    memset(bytes + 4, 255, 12);
    support_write(mnist, "train-images-idx3-ubyte", bytes, length);
    assert_load_fails("mnist", folder, "axis 1 has size 4294967295; expected");
    memcpy(bytes + 4, "\0\1\0\0\0\1\0\0\0\1\0\0", 12); /* 2^16 each */
    support_write(mnist, "train-images-idx3-ubyte", bytes, length);
    assert_load_fails("mnist", folder, "axis 2 has size 65536; expected");
    ub_free(mnist);
    support_remove(folder);
}

static void disagreeing_idx_files_are_refused(void **state)
{
    unsigned char bytes[256];
    (void)state;
    char *folder = support_folder(), *mnist = make_folders(folder, "mnist");
    write_pair(folder, "mnist", "train", 12, false);
    support_write(mnist, "train-labels-idx1-ubyte", bytes, make_labels(bytes, 11));
    assert_load_fails("mnist", folder, "train-labels-idx1-ubyte: 11 labels; expected 12, one for");
    write_pair(folder, "mnist", "train", 12, false);
    write_pair(folder, "mnist", "t10k", 5, false);
    size_t length = make_images(bytes, 5);
    add_big_endian(bytes + 8, COLUMNS); /* 3 x 2, where train has 2 x 3 */
    add_big_endian(bytes + 12, ROWS);
    support_write(mnist, "t10k-images-idx3-ubyte", bytes, length);
    assert_load_fails("mnist", folder, "t10k-images-idx3-ubyte: images of 3 x 2; expected 2 x 3");
    ub_free(mnist);
    support_remove(folder);
}

/* Every proper prefix of a gzipped file, and some changed bytes of it. */
static void damaged_gzip_is_refused(void **state)
{
    struct ub_error err = {0};
    (void)state;
    char *folder = support_folder();
    write_pair(folder, "mnist", "train", 12, true);
    char *path = ub_path(folder, "mnist/train-images-idx3-ubyte.gz");
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    unsigned char bytes[512];
    const size_t length = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    ub_free(path);
    path = ub_path(folder, "mnist/train-images-idx3-ubyte"); /* as it is: not packed once more */
    for (size_t n = 2; n < length; n++) {
        assert_true(ub_write_file(path, bytes, n, &err));
        assert_load_fails("mnist", folder, "truncated gzip stream");
    }
    bytes[length - 8] ^= 1; /* the CRC's first byte */
    assert_true(ub_write_file(path, bytes, length, &err));
    assert_load_fails("mnist", folder, "corrupt gzip stream");
    ub_free(path);
    support_remove(folder);
}

/* ---- CIFAR-10 ---- */

static void cifar10_comes_back(void **state)
{
    static const char *const subfolders[] = {"cifar10", "cifar-10-batches-bin", "cifar10-subset",
                                             ""};
    (void)state;
    for (int f = 0; f < 4; f++) {
        char *folder = support_folder(), *path = make_folders(folder, subfolders[f]);
        write_batch(path, "data_batch_2.bin", 7, 0); /* the first is absent */
        write_batch(path, "data_batch_4.bin.gz", 3, 7);
        write_batch(path, "test_batch.bin", 2, 4);
        struct ub_dataset *d = load("cifar10", folder);
        assert_int_equal(d->train.count, 10);
        assert_int_equal(d->test.count, 2);
        assert_int_equal(d->shape[0] * 10000 + d->shape[1] * 100 + d->shape[2], 33232);
        assert_int_equal(d->features, 3072);
        for (int64_t i = 0; i < 10; i++)
            assert_int_equal(d->train.labels[i], i);
        assert_int_equal(d->test.labels[1], 5);
        assert_near(d->train.inputs[0], pixel(1) / 255.0, 0);
        assert_near(d->train.inputs[6 * 3072 + 3071], pixel(7 * RECORD - 1) / 255.0, 0);
        assert_near(d->train.inputs[8 * 3072 + 5], pixel(RECORD + 6 + 7) / 255.0, 0);
        ub_dataset_free(d);
        ub_free(path);
        support_remove(folder);
    }
}

static void bad_cifar10_says_where(void **state)
{
    (void)state;
    char *folder = support_folder();
    unsigned char *bytes = ub_alloc(2 * RECORD + 1);
    bytes[2 * RECORD] = 0;
    make_records(bytes, 2, 0);
    support_write(folder, "data_batch_1.bin", bytes, 2 * RECORD - 1);
    assert_load_fails("cifar10", folder, "data_batch_1.bin: 6145 bytes; expected records of 3073");
    support_write(folder, "data_batch_1.bin", bytes, 2 * RECORD + 1);
    assert_load_fails("cifar10", folder, "data_batch_1.bin: 6147 bytes; expected records of 3073");
    support_write(folder, "data_batch_1.bin", bytes, 0);
    assert_load_fails("cifar10", folder, "data_batch_1.bin: 0 bytes; expected records of 3073");
    bytes[RECORD] = 10;
    support_write(folder, "data_batch_1.bin", bytes, 2 * RECORD);
    assert_load_fails("cifar10", folder,
                      "data_batch_1.bin: label 10 at byte 3073; expected 0 to 9");
    bytes[RECORD] = 9;
    support_write(folder, "data_batch_1.bin", bytes, 2 * RECORD);
    bytes[0] = 200;
    support_write(folder, "test_batch.bin", bytes, 2 * RECORD);
    assert_load_fails("cifar10", folder, "test_batch.bin: label 200 at byte 0; expected 0 to 9");
    ub_free(bytes);
    support_remove(folder);
}

/* ---- names ---- */

enum { MOST_FILES = 5 };

struct layout {
    const char *dataset;
    const char *files[MOST_FILES]; /* images, labels, then those of the test set */
    int64_t test;
};

static void write_at(const char *folder, const char *file, const void *bytes, size_t length)
{
    struct ub_error err = {0};
    char *path = ub_path(folder, file), *slash = strrchr(path, '/');
    *slash = '\0';
    assert_true(ub_make_folders(path, &err));
    *slash = '/';
    assert_true(ub_write_file(path, bytes, length, &err));
    ub_free(path);
}

/* Six images or records in the first files, four in the others. */
static void write_layout(const char *folder, const struct layout *l)
{
    unsigned char *bytes = ub_alloc(6 * RECORD);
    for (int i = 0; i < MOST_FILES && l->files[i]; i++) {
        const bool binary = strcmp(l->dataset, "cifar10") == 0;
        const size_t count = i < (binary ? 1 : 2) ? 6 : 4;
        size_t length = count * RECORD;
        if (binary)
            make_records(bytes, count, 0);
        else
            length = i % 2 ? make_labels(bytes, count) : make_images(bytes, count);
        write_at(folder, l->files[i], bytes, length);
    }
    ub_free(bytes);
}

/* The names and folders that these data come in: their authors' pages, torchvision, TensorFlow,
 * Kaggle's archives. */
static void files_are_found_as_distributed(void **state)
{
    (void)state;
    static const struct layout layouts[] = {
        {"mnist", {"mnist/train-images-idx3-ubyte.gz", "mnist/train-labels-idx1-ubyte.gz"}, 0},
        {"mnist",
         {"train-images.idx3-ubyte", "train-labels.idx1-ubyte", "t10k-images.idx3-ubyte",
          "t10k-labels.idx1-ubyte"},
         4},
        {"mnist",
         {"MNIST/raw/train-images-idx3-ubyte", "MNIST/raw/train-labels-idx1-ubyte.gz",
          "MNIST/raw/t10k-images-idx3-ubyte.gz", "MNIST/raw/t10k-labels-idx1-ubyte"},
         4},
        {"mnist", {"raw/train-images-idx3-ubyte", "raw/train-labels-idx1-ubyte"}, 0},
        {"mnist",
         {"mnist_dataset/train-images-idx3-ubyte/train-images-idx3-ubyte",
          "mnist_dataset/train-labels-idx1-ubyte/train-labels-idx1-ubyte",
          "mnist_dataset/t10k-images-idx3-ubyte/t10k-images-idx3-ubyte",
          "mnist_dataset/t10k-labels-idx1-ubyte/t10k-labels-idx1-ubyte"},
         4},
        {"mnist", {"Mnist/TRAIN-IMAGES.IDX3-UBYTE.GZ", "Mnist/train_labels_idx1_ubyte"}, 0},
        {"mnist",
         {"mnist/data/train-images.idx3-ubyte.gz", "mnist/data/train-labels.idx1-ubyte"},
         0},
        {"fashion-mnist",
         {"FashionMNIST/raw/train-images-idx3-ubyte", "FashionMNIST/raw/train-labels-idx1-ubyte"},
         0},
        {"fashion-mnist",
         {"fashion-mnist/data/fashion/train-images-idx3-ubyte.gz",
          "fashion-mnist/data/fashion/train-labels-idx1-ubyte.gz",
          "fashion-mnist/data/fashion/t10k-images-idx3-ubyte.gz",
          "fashion-mnist/data/fashion/t10k-labels-idx1-ubyte.gz"},
         4},
        {"fashion-mnist",
         {"fashion_mnist/train-images.idx3-ubyte", "fashion_mnist/train-labels.idx1-ubyte"},
         0},
        {"cifar10", {"data_batch_1.bin", "test_batch.bin"}, 4},
        {"cifar10",
         {"cifar-10-batches-bin/data_batch_1.bin", "cifar-10-batches-bin/test_batch.bin"},
         4},
        {"cifar10",
         {"cifar10/cifar-10-batches-bin/data_batch_1.bin.gz",
          "cifar10/cifar-10-batches-bin/test_batch.bin.gz"},
         4},
        {"cifar10", {"CIFAR-10/cifar-10-batches-bin/data-batch-1.bin"}, 0},
        {"cifar10", {"cifar-10-binary/cifar-10-batches-bin/data_batch_1.bin"}, 0},
        {"cifar10", {"CIFAR10/raw/data_batch_3.bin"}, 0},
    };
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++) {
        struct ub_error err = {0};
        char *folder = support_folder();
        write_layout(folder, &layouts[i]);
        assert_true(ub_dataset_present(layouts[i].dataset, folder));
        struct ub_paths paths = {0};
        assert_true(ub_dataset_files(layouts[i].dataset, folder, &paths, &err));
        size_t files = 0; /* all of them are part of what a run is */
        while (files < MOST_FILES && layouts[i].files[files])
            files++;
        assert_int_equal(paths.count, files);
        for (size_t k = 0; k < files; k++)
            assert_true(ub_exists(paths.path[k]));
        ub_paths_clear(&paths);
        struct ub_dataset *d = ub_dataset_load(layouts[i].dataset, 0, folder, &err);
        if (!d)
            fail_msg("case %zu, %s: %s", i, layouts[i].files[0], err.text);
        assert_int_equal(d->train.count, 6);
        assert_int_equal(d->test.count, layouts[i].test);
        assert_int_equal(d->train.labels[1], d->features == PIXELS ? 7 : 1);
        ub_dataset_free(d);
        support_remove(folder);
    }
}

/* Of several copies one is chosen, always the same: the dataset's own folder before the data
 * folder, the plain name before the packed one before names alike. */
static void one_of_several_copies_is_chosen(void **state)
{
    (void)state;
    static const char *const images[] = {"train-images-idx3-ubyte", "mnist/train-images.idx3-ubyte",
                                         "mnist/train-images-idx3-ubyte.gz",
                                         "mnist/train-images-idx3-ubyte"};
    unsigned char bytes[16 + 9 * PIXELS];
    char *folder = support_folder();
    for (size_t i = 0; i < 4; i++) { /* each is better than those before */
        write_at(folder, images[i], bytes, make_images(bytes, 6 + i));
        write_at(folder, i ? "mnist/train-labels-idx1-ubyte" : "train-labels-idx1-ubyte", bytes,
                 make_labels(bytes, 6 + i));
        struct ub_dataset *d = load("mnist", folder);
        assert_int_equal(d->train.count, 6 + i);
        ub_dataset_free(d);
    }
    support_remove(folder);
}

/* MNIST and Fashion-MNIST name their files alike: neither is taken for the other. */
static void one_dataset_is_not_taken_for_another(void **state)
{
    (void)state;
    char *root = support_folder();
    const struct layout digits = {
        "mnist", {"MNIST/raw/train-images-idx3-ubyte", "MNIST/raw/train-labels-idx1-ubyte"}, 0};
    write_layout(root, &digits);
    static const char *const folders[] = {"MNIST", "MNIST/raw", "MNIST/raw/", "."};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        char *folder = ub_path(root, folders[i]);
        assert_load_fails("fashion-mnist", folder,
                          "fashion-mnist: no file 'train-images-idx3-ubyte' in ");
        assert_false(ub_dataset_present("fashion-mnist", folder));
        struct ub_dataset *d = load("mnist", folder);
        assert_int_equal(d->train.count, 6);
        ub_dataset_free(d);
        ub_free(folder);
    }
    support_remove(root);
}

static void what_was_looked_for_is_said(void **state)
{
    (void)state;
    char *folder = support_folder();
    assert_load_fails("mnist", folder,
                      "looked for that name, in any case, with -, _ or . alike, .gz or not, there "
                      "and in mnist, mnist-dataset, or their raw, data (datasets/fetch mnist");
    assert_load_fails("mnist:part=test", folder, "mnist: no file 't10k-images-idx3-ubyte' in ");
    assert_load_fails("cifar10", folder, "no file 'data_batch_1.bin' or 'data_batch_2.bin' or ");
    write_at(folder, "cifar-10-batches-py/data_batch_1", "\x80\x02", 2);
    assert_load_fails("cifar10", folder,
                      "cifar-10-batches-py/data_batch_1: the version for Python; expected the "
                      "binary version, cifar-10-binary.tar.gz");
    support_remove(folder);
    folder = support_folder();
    write_at(folder, "cifar10/cifar-10-binary.tar.gz", "", 0);
    assert_load_fails("cifar10", folder, "cifar-10-binary.tar.gz: packed; expected its files");
    support_remove(folder);
}

static void classes_have_names(void **state)
{
    (void)state;
    char *folder = support_folder();
    write_batch(folder, "data_batch_1.bin", 20, 0);
    struct ub_dataset *d = load("cifar10:classes=dog+cat", folder);
    assert_int_equal(d->train.count, 4);
    assert_int_equal(d->train.labels[0], 1); /* record 3: a cat */
    assert_int_equal(d->train.labels[1], 0);
    ub_dataset_free(d);
    d = load("cifar10:classes=5x3", folder);
    assert_string_equal(d->class_names[0], "dog");
    assert_int_equal(d->train.labels[0], 1);
    ub_dataset_free(d);
    assert_load_fails("cifar10:classes=cat+dgo", folder, "class dgo; expected one of airplane");
    assert_load_fails("cifar10:classes=10", folder, "class 10; expected one of airplane");
    support_remove(folder);
}

/* ---- no data ---- */

static void missing_data_say_how_to_get_them(void **state)
{
    static const char *const names[] = {"mnist", "fashion-mnist", "cifar10"};
    (void)state;
    const char *before = getenv("UNIBENCH_DATA");
    char *kept = before ? ub_strdup(before) : NULL, fetch[64];
    char *folder = support_folder(), *absent = ub_path(folder, "absent");
    for (int i = 0; i < 3; i++) {
        snprintf(fetch, sizeof fetch, "(datasets/fetch %s downloads the files", names[i]);
        unsetenv("UNIBENCH_DATA");
        assert_load_fails(names[i], NULL,
                          "no data folder; expected one in --data or UNIBENCH_DATA");
        assert_load_fails(names[i], NULL, fetch);
        assert_load_fails(names[i], absent, "absent: no such folder; expected the data folder of");
        assert_load_fails(names[i], absent, fetch);
        assert_load_fails(names[i], folder, fetch);
        assert_load_fails(names[i], folder, "--data or UNIBENCH_DATA");
        setenv("UNIBENCH_DATA", folder, 1);
        assert_load_fails(names[i], NULL, folder);
    }
    write_pair(folder, "mnist", "train", 4, false);
    struct ub_dataset *d = load("mnist", NULL); /* from UNIBENCH_DATA */
    assert_int_equal(d->train.count, 4);
    ub_dataset_free(d);
    assert_load_fails("csv:file=no.csv,label=y", folder, "csv: no file 'no.csv', nor in ");
    if (kept)
        setenv("UNIBENCH_DATA", kept, 1);
    else
        unsetenv("UNIBENCH_DATA");
    ub_free(kept);
    ub_free(absent);
    support_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(idx_comes_back),
        cmocka_unit_test(idx_part_chooses_files),
        cmocka_unit_test(one_folder_serves_a_dataset),
        cmocka_unit_test(bad_idx_says_where),
        cmocka_unit_test(absurd_dimensions_do_not_overflow),
        cmocka_unit_test(disagreeing_idx_files_are_refused),
        cmocka_unit_test(damaged_gzip_is_refused),
        cmocka_unit_test(cifar10_comes_back),
        cmocka_unit_test(bad_cifar10_says_where),
        cmocka_unit_test(files_are_found_as_distributed),
        cmocka_unit_test(one_of_several_copies_is_chosen),
        cmocka_unit_test(one_dataset_is_not_taken_for_another),
        cmocka_unit_test(what_was_looked_for_is_said),
        cmocka_unit_test(classes_have_names),
        cmocka_unit_test(missing_data_say_how_to_get_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
