/* Arrays of others' files: written by our own npz.c, and built byte by byte as the zip (PKWARE
 * APPNOTE), .npy (NEP 1) and safetensors formats say, whole, cut short and corrupt. */
#include "tests/array_files.h"

/* ---- building --------------------------------------------------------------------------- */

/* A .npy file. */
static void build_npy(struct bytes *b, int version, const char *dict, const void *numbers,
                      size_t length)
{
    *b = (struct bytes){0};
    put(b, "\x93NUMPY", 6);
    put_number(b, (uint64_t)version, 2);
    put_number(b, strlen(dict) + 1, version == 1 ? 2 : 4);
    put(b, dict, strlen(dict));
    put(b, "\n", 1);
    put(b, numbers, length);
}

struct zip_options {
    bool deflated, zip64;  /* zip64: both headers give their sizes in the extra field */
    bool local64;          /* as numpy does: the local header alone */
    uint64_t claimed_size; /* 0: the true one */
    int method, flags;     /* 0: as they are */
};

struct archive {
    struct bytes file, directory;
    int count;
};

static size_t deflate_raw(const struct bytes *plain, unsigned char *out, size_t room)
{
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (unsigned char *)plain->data;
    z.avail_in = (unsigned)plain->length;
    z.next_out = out;
    z.avail_out = (unsigned)room;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    deflateEnd(&z);
    return room - z.avail_out;
}

/* From "version needed" to the extra field's length. */
static void put_common(struct bytes *b, const struct zip_options *o, const char *name, uint32_t crc,
                       uint64_t packed, uint64_t size, bool wide, size_t extra)
{
    put_number(b, wide ? 45 : 20, 2);
    put_number(b, (uint64_t)o->flags, 2);
    put_number(b, (uint64_t)(o->method ? o->method : o->deflated ? 8 : 0), 2);
    put_number(b, 0x00210000, 4);
    put_number(b, crc, 4);
    put_number(b, wide ? UINT32_MAX : packed, 4);
    put_number(b, wide ? UINT32_MAX : size, 4);
    put_number(b, strlen(name), 2);
    put_number(b, extra, 2);
}

static void put_extra(struct bytes *b, uint64_t packed, uint64_t size)
{
    put_number(b, 1, 2);
    put_number(b, 16, 2);
    put_number(b, size, 8);
    put_number(b, packed, 8);
}

static void add_member(struct archive *z, const char *name, const struct bytes *plain,
                       struct zip_options o)
{
    unsigned char packed[1 << 13];
    const uint32_t crc = (uint32_t)crc32(0, plain->data, (unsigned)plain->length);
    const size_t start = z->file.length;
    const size_t length = o.deflated ? deflate_raw(plain, packed, sizeof packed) : plain->length;
    const uint64_t size = o.claimed_size ? o.claimed_size : plain->length;
    const bool local = o.zip64 || o.local64;
    put_number(&z->file, 0x04034b50, 4);
    put_common(&z->file, &o, name, crc, length, size, local, local ? 20 : 0);
    put(&z->file, name, strlen(name));
    if (local)
        put_extra(&z->file, length, size);
    put(&z->file, o.deflated ? packed : plain->data, length);
    put_number(&z->directory, 0x02014b50, 4);
    put_number(&z->directory, 20, 2);
    put_common(&z->directory, &o, name, crc, length, size, o.zip64, o.zip64 ? 20 : 0);
    put_number(&z->directory, 0, 2); /* comment */
    put_number(&z->directory, 0, 8); /* disk, attributes */
    put_number(&z->directory, start, 4);
    put(&z->directory, name, strlen(name));
    if (o.zip64)
        put_extra(&z->directory, length, size);
    z->count++;
}

static void end_archive(struct archive *z)
{
    const size_t start = z->file.length;
    put(&z->file, z->directory.data, z->directory.length);
    put_number(&z->file, 0x06054b50, 4);
    put_number(&z->file, 0, 4);
    put_number(&z->file, (uint64_t)z->count, 2);
    put_number(&z->file, (uint64_t)z->count, 2);
    put_number(&z->file, z->directory.length, 4);
    put_number(&z->file, start, 4);
    put_number(&z->file, 0, 2);
}

/* ---- .npz ------------------------------------------------------------------------------- */

static void own_archives_read_back(void **state)
{
    (void)state;
    struct ub_error err = {0};
    char *folder = support_folder(), *path = ub_path(folder, "own.npz");
    char *const texts[] = {(char *)"a", (char *)"b"};
    struct ub_npz *z = ub_npz_new(path, &err);
    assert_true(z && ub_npz_add_reals(z, "final.fc1.weight", 2, (int64_t[]){2, 3}, six, &err) &&
                ub_npz_add_reals(z, "multiplier", 0, NULL, six, &err) &&
                ub_npz_add_texts(z, "trace.observable", 2, texts, &err) &&
                ub_npz_add_reals(z, "none", 3, (int64_t[]){2, 0, 3}, six, &err) &&
                ub_npz_close(z, &err));
    struct seen seen = {0};
    assert_true(ub_arrays_each(path, note, &seen, &err));
    assert_int_equal(seen.count, 4);
    expect_array(&seen, 0, "final.fc1.weight", 2, (int64_t[]){2, 3}, six);
    expect_array(&seen, 1, "multiplier", 0, NULL, six);
    expect_array(&seen, 2, "trace.observable", 1, (int64_t[]){2}, NULL);
    expect_array(&seen, 3, "none", 3, (int64_t[]){2, 0, 3}, six);
    ub_free(path);
    support_remove(folder);
}

static void build_variety(struct archive *z)
{
    struct bytes npy, swapped = {0}, columns = {0}, single = {0}, half = {0};
    static const int order[] = {0, 3, 1, 4, 2, 5};
    for (int i = 0; i < 6; i++) {
        const float f = (float)floats[i], c = (float)floats[order[i]];
        uint64_t bits;
        uint32_t word;
        memcpy(&bits, &floats[i], sizeof bits);
        for (int k = 7; k >= 0; k--)
            put_number(&swapped, bits >> 8 * k & 0xff, 1);
        memcpy(&word, &f, sizeof word);
        put_number(&single, word, 4);
        memcpy(&word, &c, sizeof word);
        put_number(&columns, word, 4);
        put_number(&half, halves[i], 2);
    }
    *z = (struct archive){0};
    build_npy(&npy, 1, "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }", floats, 48);
    add_member(z, "f8.npy", &npy, (struct zip_options){0});
    add_member(z, "deflated.npy", &npy, (struct zip_options){.deflated = true});
    add_member(z, "numpy's.npy", &npy, (struct zip_options){.local64 = true});
    add_member(z, "zip64.npy", &npy, (struct zip_options){.zip64 = true, .deflated = true});
    add_member(z, "readme.txt", &npy, (struct zip_options){0});
    build_npy(&npy, 2, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", single.data,
              24);
    add_member(z, "f4.npy", &npy, (struct zip_options){0});
    build_npy(&npy, 3, "{'descr': '<f2', 'fortran_order': False, 'shape': (2, 3), }", half.data,
              12);
    add_member(z, "f2.npy", &npy, (struct zip_options){0});
    build_npy(&npy, 1, "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }", columns.data,
              24);
    add_member(z, "columns.npy", &npy, (struct zip_options){0});
    build_npy(&npy, 1, "{'shape':(2,3),'descr':'>f8','fortran_order':False}", swapped.data, 48);
    add_member(z, "swapped.npy", &npy, (struct zip_options){0});
    build_npy(&npy, 1, "{'descr': '<i8', 'fortran_order': False, 'shape': (2, 3), }", floats, 48);
    add_member(z, "whole.npy", &npy, (struct zip_options){0});
    build_npy(&npy, 1,
              "{'descr': [('a', '<f4'), ('b', '<f4')], 'fortran_order': False, 'shape': ()}",
              floats, 8);
    add_member(z, "record.npy", &npy, (struct zip_options){0});
    end_archive(z);
}

static void every_npz_that_numpy_writes_is_read(void **state)
{
    (void)state;
    static struct archive z;
    char *folder = support_folder();
    struct ub_error err;
    struct seen seen;
    static const char *const names[] = {"f8", "deflated", "numpy's", "zip64",
                                        "f4", "f2",       "columns", "swapped"};
    build_variety(&z);
    if (!read_bytes(folder, z.file.data, z.file.length, &seen, &err))
        fail_msg("%s", err.text);
    assert_int_equal(seen.count, 10);
    for (size_t i = 0; i < 8; i++)
        expect_array(&seen, i, names[i], 2, (int64_t[]){2, 3}, floats);
    expect_array(&seen, 8, "whole", 2, (int64_t[]){2, 3}, NULL);
    expect_array(&seen, 9, "record", 0, NULL, NULL);
    support_remove(folder);
}

/* Element (i, j, k) of an array of three axes in Fortran order is at i + 2 j + 6 k. */
static void fortran_order_of_three_axes(void **state)
{
    (void)state;
    static struct archive z;
    char *folder = support_folder();
    struct ub_error err;
    struct seen seen;
    struct bytes npy;
    double stored[24];
    for (int i = 0; i < 24; i++)
        stored[i] = i;
    build_npy(&npy, 1, "{'descr': '<f8', 'fortran_order': True, 'shape': (2, 3, 4), }", stored,
              sizeof stored);
    z = (struct archive){0};
    add_member(&z, "a.npy", &npy, (struct zip_options){0});
    end_archive(&z);
    assert_true(read_bytes(folder, z.file.data, z.file.length, &seen, &err));
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 3; j++)
            for (int k = 0; k < 4; k++)
                assert_true(seen.array[0].values[(i * 3 + j) * 4 + k] == i + 2 * j + 6 * k);
    support_remove(folder);
}

static void expect_npz_refused(const char *folder, int version, const char *dict, size_t numbers,
                               struct zip_options o, const char *part)
{
    static struct archive z;
    static const double zeros[512];
    struct bytes npy;
    build_npy(&npy, version, dict, zeros, numbers);
    z = (struct archive){0};
    add_member(&z, "a\nb.npy", &npy, o);
    end_archive(&z);
    expect_refused(folder, &z.file, part);
}

#define DICT(descr, shape) "{'descr': '" descr "', 'fortran_order': False, 'shape': (" shape "), }"

static void absurd_npz_are_refused(void **state)
{
    (void)state;
    char *folder = support_folder();
    static struct archive none;
    const struct zip_options plain = {0};
    expect_npz_refused(folder, 1, DICT("<f8", "2, 3"), 40, plain,
                       "a?b: 40 bytes of numbers; expected 48 by its shape");
    expect_npz_refused(folder, 1, DICT("<f8", "2, 3"), 56, plain, "expected 48 by its shape");
    expect_npz_refused(folder, 1, DICT("<f4", "4294967296, 4294967296"), 8, plain, "sane shape");
    expect_npz_refused(folder, 1, DICT("<f4", "65536, 65536"), 8, plain,
                       "4294967296 numbers; expected at most 1073741824");
    expect_npz_refused(folder, 1, DICT("<f4", "-2, 3"), 24, plain, "no header of a NumPy array");
    expect_npz_refused(folder, 1, DICT("<f4", "99999999999999999999"), 24, plain, "no header");
    expect_npz_refused(folder, 1, "{'descr': '<f4', 'shape': (2, 3)}", 24, plain, "no header");
    expect_npz_refused(folder, 4, DICT("<f4", "2, 3"), 24, plain, "expected .npy version 1 to 3");
    expect_npz_refused(folder, 1, DICT("<f8", "2, 3"), 48,
                       (struct zip_options){.claimed_size = 1 << 20},
                       "expected what the file holds");
    expect_npz_refused(folder, 1, DICT("<f8", "1000000, 1000000"), 48,
                       (struct zip_options){.claimed_size = UINT64_C(8000000000000) + 72,
                                            .zip64 = true,
                                            .deflated = true},
                       "expected what the file holds");
    expect_npz_refused(folder, 1, DICT("<f8", "60"), 480,
                       (struct zip_options){.claimed_size = 600, .deflated = true}, "a?b: ");
    expect_npz_refused(folder, 1, DICT("<f8", "2, 3"), 48, (struct zip_options){.method = 93},
                       "expected a stored or deflated member");
    expect_npz_refused(folder, 1, DICT("<f8", "2, 3"), 48, (struct zip_options){.flags = 1},
                       "encrypted");
    add_member(&none, "data.pkl", &(struct bytes){.length = 3}, plain);
    end_archive(&none);
    expect_refused(folder, &none.file, "without .npy members; expected what numpy.savez writes");
    support_remove(folder);
}

/* ---- .npy ------------------------------------------------------------------------------- */

static void a_file_of_one_array(void **state)
{
    (void)state;
    /* 1e-300 to 1e300: as they are, in either byte order and in either order of the axes */
    static const double wide[] = {1e-300,
                                  -1e300,
                                  2.2250738585072014e-308,
                                  1.7976931348623157e308,
                                  5e-324,
                                  0x1.fffffffffffffp-1};
    static const struct {
        const char *dict;
        bool swapped, columns;
        int rank;
        int64_t shape[3];
    } cases[] = {
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }", false, false, 2, {2, 3}},
        {"{'descr': '>f8', 'fortran_order': False, 'shape': (2, 3), }", true, false, 2, {2, 3}},
        {"{'descr': '<f8', 'fortran_order': True, 'shape': (2, 3), }", false, true, 2, {2, 3}},
        {"{'descr': '=f8', 'fortran_order': False, 'shape': (6,), }", false, false, 1, {6}},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (6L,), }", false, false, 1, {6}},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (1, 6, 1), }",
         false,
         false,
         3,
         {1, 6, 1}},
    };
    static const int order[] = {0, 3, 1, 4, 2, 5};
    char *folder = support_folder();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes numbers = {0}, npy;
        struct seen seen;
        struct ub_error err;
        for (int k = 0; k < 6; k++) {
            uint64_t bits;
            memcpy(&bits, &wide[cases[i].columns ? order[k] : k], sizeof bits);
            put_number(&numbers, cases[i].swapped ? __builtin_bswap64(bits) : bits, 8);
        }
        build_npy(&npy, 1 + (int)i % 3, cases[i].dict, numbers.data, numbers.length);
        if (!read_bytes(folder, npy.data, npy.length, &seen, &err))
            fail_msg("case %zu: %s", i, err.text);
        assert_int_equal(seen.count, 1);
        expect_array(&seen, 0, "arrays", cases[i].rank, cases[i].shape, wide);
        assert_int_equal(seen.array[0].kind, UB_ARRAY_REAL);
    }
    support_remove(folder);
}

static void npy_without_matrices(void **state)
{
    (void)state;
    static const struct {
        const char *dict;
        size_t bytes;
        int rank;
        int64_t shape[2];
        bool numbers;
        const char *type;
    } cases[] = {
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (), }", 8, 0, {0}, true, "<f8"},
        {"{'descr': '<f8', 'fortran_order': True, 'shape': (0, 4), }", 0, 2, {0, 4}, true, "<f8"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (0,), }", 0, 1, {0}, true, "<f4"},
        {"{'descr': '<i8', 'fortran_order': False, 'shape': (3,), }", 24, 1, {3}, false, "<i8"},
        {"{'descr': '|b1', 'fortran_order': False, 'shape': (3,), }", 3, 1, {3}, false, "|b1"},
        {"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", 9, 1, {1}, false, "|O"},
        {"{'descr': '<f16', 'fortran_order': False, 'shape': (1,), }", 16, 1, {1}, false, "<f16"},
        {"{'descr': '<c16', 'fortran_order': False, 'shape': (1,), }", 16, 1, {1}, false, "<c16"},
        {"{'descr': '|V2', 'fortran_order': False, 'shape': (2,), }", 4, 1, {2}, false, "|V2"},
        {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }",
         4,
         1,
         {1},
         false,
         "record"},
    };
    static const double zeros[3];
    char *folder = support_folder();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes npy;
        struct seen seen;
        struct ub_error err;
        build_npy(&npy, 1, cases[i].dict, zeros, cases[i].bytes);
        if (!read_bytes(folder, npy.data, npy.length, &seen, &err))
            fail_msg("case %zu: %s", i, err.text);
        expect_array(&seen, 0, "arrays", cases[i].rank, cases[i].shape,
                     cases[i].numbers ? zeros : NULL);
        assert_string_equal(seen.array[0].type, cases[i].type);
    }
    struct bytes npy;
    build_npy(&npy, 1, "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }", zeros, 24);
    expect_refused(folder, &npy, "24 bytes of numbers; expected 16 by its shape");
    build_npy(&npy, 1, "{'descr': '<f8', 'fortran_order': False, 'shape': (4,), }", zeros, 24);
    expect_refused(folder, &npy, "24 bytes of numbers; expected 32 by its shape");
    npy.length = 9;
    expect_refused(folder, &npy, "no header of a NumPy array");
    expect_refused(folder, &(struct bytes){.length = 8, .data = "\x89HDF\r\n\x1a\n"},
                   "an HDF5 file (Keras, MATLAB); expected .npy, .npz or .safetensors");
    expect_refused(folder, &(struct bytes){.length = 12, .data = "GGUF\3"}, "a GGUF file");
    support_remove(folder);
}

/* ---- safetensors ------------------------------------------------------------------------ */

static void other_files_are_refused(void **state)
{
    (void)state;
    struct ub_error err = {0};
    struct seen seen = {0};
    char *folder = support_folder(), *path = ub_path(folder, "none.npz");
    assert_false(ub_arrays_each(path, note, &seen, &err));
    assert_input_error(&err, "none.npz: cannot read: No such file");
    assert_false(ub_arrays_each(folder, note, &seen, &err));
    assert_input_error(&err, "not a file");
    ub_free(path);
    support_remove(folder);
}

/* ---- damage ----------------------------------------------------------------------------- */

static void damaged_npz_are_refused(void **state)
{
    (void)state;
    static struct archive z;
    build_variety(&z);
    damage(&z.file, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(own_archives_read_back),
        cmocka_unit_test(every_npz_that_numpy_writes_is_read),
        cmocka_unit_test(fortran_order_of_three_axes),
        cmocka_unit_test(absurd_npz_are_refused),
        cmocka_unit_test(a_file_of_one_array),
        cmocka_unit_test(npy_without_matrices),
        cmocka_unit_test(other_files_are_refused),
        cmocka_unit_test(damaged_npz_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
