/* .npz files, read back byte by byte as the zip and .npy formats define them (PKWARE APPNOTE; NumPy
 * format 1.0), with a CRC-32 of the test's own; and by NumPy where it is installed. */
#include "bench/arrays/export.h"
#include "tests/support.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static uint32_t get(const unsigned char *at, int bytes)
{
    uint32_t value = 0;
    for (int i = bytes - 1; i >= 0; i--)
        value = value << 8 | at[i];
    return value;
}

/* Bitwise, from the polynomial: no table to share an error with zlib's. */
static uint32_t crc_of(const unsigned char *data, size_t length)
{
    uint32_t crc = 0xffffffffu;
    for (size_t i = 0; i < length; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

struct member {
    char name[64];
    const unsigned char *data; /* the .npy file */
    size_t size;
};

/* Members by the central directory, each checked against its local header. */
static size_t read_zip(const unsigned char *zip, size_t length, struct member *out, size_t room)
{
    const unsigned char *end = zip + length - 22;
    assert_int_equal(get(end, 4), 0x06054b50);
    size_t count = get(end + 10, 2), size = get(end + 12, 4), start = get(end + 16, 4);
    assert_true(count <= room);
    assert_int_equal(start + size, length - 22);
    const unsigned char *at = zip + start;
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(get(at, 4), 0x02014b50);
        assert_int_equal(get(at + 10, 2), 0); /* stored */
        size_t n = get(at + 28, 2);
        const unsigned char *local = zip + get(at + 42, 4);
        assert_int_equal(get(local, 4), 0x04034b50);
        assert_memory_equal(local + 6, at + 8, 20); /* flags to uncompressed size */
        assert_int_equal(get(local + 26, 2), n);
        assert_memory_equal(local + 30, at + 46, n);
        snprintf(out[i].name, sizeof out[i].name, "%.*s", (int)n, (const char *)at + 46);
        out[i].data = local + 30 + n;
        out[i].size = get(at + 24, 4);
        assert_int_equal(get(at + 16, 4), crc_of(out[i].data, out[i].size));
        at += 46 + n + get(at + 30, 2) + get(at + 32, 2);
    }
    assert_ptr_equal(at, end);
    return count;
}

/* The numbers of a .npy whose header must be exactly this dict. */
static const unsigned char *npy_numbers(const struct member *m, const char *dict)
{
    assert_memory_equal(m->data, "\x93NUMPY\x01\x00", 8);
    size_t header = get(m->data + 8, 2);
    assert_int_equal((10 + header) % 64, 0);
    assert_int_equal(m->data[10 + header - 1], '\n');
    assert_memory_equal(m->data + 10, dict, strlen(dict));
    for (size_t i = strlen(dict); i < header - 1; i++)
        assert_int_equal(m->data[10 + i], ' ');
    return m->data + 10 + header;
}

static const double reals[] = {1.5, -2, 0.1, 1e300, 5e-324, -0.0};

static void write_sample(const char *path)
{
    struct ub_error err = {0};
    struct ub_npz *z = ub_npz_new(path, &err);
    assert_non_null(z);
    char *texts[] = {"loss", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "", "\xff!"};
    assert_true(ub_npz_add_reals(z, "w", 2, (int64_t[]){2, 3}, reals, &err));
    assert_true(ub_npz_add_reals(z, "empty", 1, (int64_t[]){0}, reals, &err));
    assert_true(ub_npz_add_reals(z, "scalar", 0, NULL, reals, &err));
    assert_true(ub_npz_add_texts(z, "names", 4, texts, &err));
    assert_true(ub_npz_close(z, &err));
}

static void test_bytes(void **state)
{
    (void)state;
    struct ub_error err = {0};
    char *folder = support_folder(), *path = ub_path(folder, "a.npz");
    write_sample(path);
    size_t length;
    unsigned char *zip = ub_read_file(path, 1 << 20, &length, &err);
    struct member m[8];
    assert_int_equal(read_zip(zip, length, m, 8), 4);
    assert_string_equal(m[0].name, "w.npy");
    const unsigned char *numbers =
        npy_numbers(&m[0], "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }");
    assert_memory_equal(numbers, reals, sizeof reals);
    numbers = npy_numbers(&m[1], "{'descr': '<f8', 'fortran_order': False, 'shape': (0,), }");
    assert_ptr_equal(numbers, m[1].data + m[1].size);
    numbers = npy_numbers(&m[2], "{'descr': '<f8', 'fortran_order': False, 'shape': (), }");
    assert_memory_equal(numbers, reals, 8);
    numbers = npy_numbers(&m[3], "{'descr': '<U4', 'fortran_order': False, 'shape': (4,), }");
    const uint32_t codes[4][4] = {
        {'l', 'o', 's', 's'}, {0xe9, 0x20ac, 0x1f600, 0}, {0}, {0xfffd, '!', 0, 0}};
    assert_memory_equal(numbers, codes, sizeof codes);
    ub_free(zip);
    ub_free(path);
    support_remove(folder);
}

static void test_same_bytes_each_time(void **state)
{
    (void)state;
    struct ub_error err = {0};
    char *folder = support_folder(), *a = ub_path(folder, "a.npz"), *b = ub_path(folder, "b.npz");
    write_sample(a);
    write_sample(b);
    size_t n, m;
    unsigned char *x = ub_read_file(a, 1 << 20, &n, &err), *y = ub_read_file(b, 1 << 20, &m, &err);
    assert_int_equal(n, m);
    assert_memory_equal(x, y, n);
    ub_free(x);
    ub_free(y);
    ub_free(a);
    ub_free(b);
    support_remove(folder);
}

static void test_copies(void **state)
{
    (void)state;
    struct ub_error err = {0};
    char *folder = support_folder(), *a = ub_path(folder, "a.npz"), *b = ub_path(folder, "b.npz");
    write_sample(a);
    struct ub_npz *z = ub_npz_new(b, &err);
    assert_true(ub_npz_add_all(z, a, &err));
    assert_true(ub_npz_add_reals(z, "more", 1, (int64_t[]){1}, reals, &err));
    assert_true(ub_npz_close(z, &err));
    size_t n, m;
    unsigned char *x = ub_read_file(a, 1 << 20, &n, &err), *y = ub_read_file(b, 1 << 20, &m, &err);
    struct member in[8], out[8];
    assert_int_equal(read_zip(x, n, in, 8), 4);
    assert_int_equal(read_zip(y, m, out, 8), 5);
    for (int i = 0; i < 4; i++) {
        assert_string_equal(in[i].name, out[i].name);
        assert_int_equal(in[i].size, out[i].size);
        assert_memory_equal(in[i].data, out[i].data, in[i].size);
    }
    ub_free(x);
    ub_free(y);
    ub_free(a);
    ub_free(b);
    support_remove(folder);
}

/* Whatever byte is lost or changed, copying says so or keeps what it checked. */
static void test_copy_of_broken(void **state)
{
    (void)state;
    struct ub_error err = {0};
    char *folder = support_folder(), *a = ub_path(folder, "a.npz"), *b = ub_path(folder, "b.npz");
    write_sample(a);
    size_t n;
    unsigned char *bytes = ub_read_file(a, 1 << 20, &n, &err);
    struct member m[8];
    read_zip(bytes, n, m, 8);
    size_t inside = (size_t)(m[0].data - bytes) + m[0].size - 3;
    bytes[inside] ^= 1;
    support_write(folder, "a.npz", bytes, n);
    struct ub_npz *z = ub_npz_new(b, &err);
    assert_false(ub_npz_add_all(z, a, &err));
    assert_input_error(&err, "broken at byte 0");
    bytes[inside] ^= 1;
    for (size_t cut = 0; cut < (size_t)(m[3].data - bytes); cut += 37) {
        support_write(folder, "a.npz", bytes, cut);
        assert_false(ub_npz_add_all(z, a, &err));
        assert_input_error(&err, "a.npz: broken at byte");
    }
    ub_npz_abandon(z);
    assert_false(ub_exists(b));
    ub_free(bytes);
    ub_free(a);
    ub_free(b);
    support_remove(folder);
}

static void test_whole_or_absent(void **state)
{
    (void)state;
    struct ub_error err = {0};
    char *folder = support_folder(), *path = ub_path(folder, "a.npz");
    struct ub_npz *z = ub_npz_new(path, &err);
    assert_true(ub_npz_add_reals(z, "w", 1, (int64_t[]){6}, reals, &err));
    assert_false(ub_exists(path));
    ub_npz_abandon(z);
    assert_int_equal(rmdir(folder), 0); /* nothing is left in it */
    assert_null(ub_npz_new(path, &err));
    assert_input_error(&err, "cannot write");
    ub_free(path);
    ub_free(folder);
}

static void test_full_disk(void **state)
{
    (void)state;
    struct ub_error err = {0};
    struct stat before, after;
    if (stat("/dev/full", &before) != 0)
        skip();
    struct ub_npz *z = ub_npz_new("/dev/full", &err);
    assert_non_null(z);
    double *many = ub_calloc(1 << 14, sizeof *many);
    bool good = ub_npz_add_reals(z, "w", 1, (int64_t[]){1 << 14}, many, &err);
    good = ub_npz_close(z, &err) && good;
    assert_false(good);
    assert_input_error(&err, "No space left");
    assert_int_equal(stat("/dev/full", &after), 0);
    assert_true(before.st_ino == after.st_ino && before.st_mode == after.st_mode);
    ub_free(many);
}

/* A link stays a link. */
static void test_link(void **state)
{
    (void)state;
    struct stat s;
    char *folder = support_folder(), *path = ub_path(folder, "link.npz");
    assert_int_equal(symlink("there.npz", path), 0);
    support_write(folder, "there.npz", "", 0);
    write_sample(path);
    assert_int_equal(lstat(path, &s), 0);
    assert_true(S_ISLNK(s.st_mode));
    ub_free(path);
    support_remove(folder);
}

static void test_numpy(void **state)
{
    (void)state;
    if (system("/usr/bin/python3 -c 'import numpy' 2>/dev/null") != 0) {
        print_message("skipped: no NumPy\n");
        skip();
    }
    char *folder = support_folder(), *path = ub_path(folder, "a.npz");
    write_sample(path);
    struct ub_text command = {0};
    ub_text_add(&command,
                "/usr/bin/python3 -c \"import numpy; z = numpy.load('%s'); "
                "assert z['w'].tolist() == [[1.5, -2, 0.1], [1e300, 5e-324, 0]]; "
                "assert z['empty'].shape == (0,) and z['scalar'] == 1.5; "
                "assert z['names'].tolist()[0] == 'loss' and ord(z['names'][1][1]) == 0x20ac\"",
                path);
    assert_int_equal(system(command.data), 0);
    ub_text_free(&command);
    ub_free(path);
    support_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_same_bytes_each_time),
        cmocka_unit_test(test_copies),
        cmocka_unit_test(test_copy_of_broken),
        cmocka_unit_test(test_whole_or_absent),
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_link),
        cmocka_unit_test(test_numpy),
    };
    return cmocka_run_group_tests_name("npz", tests, NULL, NULL);
}
