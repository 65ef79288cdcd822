/* Loaders of files: good ones come back byte for byte, bad ones give one line that says where;
 * mutated ones never crash. Real data are held against figures computed from the files elsewhere.
 */
#include "tests/image_files.h"

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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
