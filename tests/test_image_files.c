/* Files of images are found under the names they are distributed by, and what is not found is said.
 */
#include "tests/image_files.h"

/* ---- names ---- */

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
        cmocka_unit_test(files_are_found_as_distributed),
        cmocka_unit_test(one_of_several_copies_is_chosen),
        cmocka_unit_test(one_dataset_is_not_taken_for_another),
        cmocka_unit_test(what_was_looked_for_is_said),
        cmocka_unit_test(classes_have_names),
        cmocka_unit_test(missing_data_say_how_to_get_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
