/* image_files.h - small IDX and CIFAR-10 files, and loading them. */
#ifndef UB_TEST_IMAGE_FILES_H
#define UB_TEST_IMAGE_FILES_H

#include "datasets/datasets.h"
#include "support.h"

#include <sys/stat.h>
#include <unistd.h>

enum { ROWS = 2, COLUMNS = 3, PIXELS = ROWS * COLUMNS }; /* of the tests' IDX images */
enum { RECORD = 3073 };                                  /* bytes of a CIFAR-10 sample */

static inline struct ub_dataset *load(const char *text, const char *folder)
{
    struct ub_error err = {0};
    struct ub_dataset *d = ub_dataset_load(text, 0, folder, &err);
    if (!d)
        fail_msg("%s: %s", text, err.text);
    return d;
}

static inline void assert_load_fails(const char *text, const char *folder, const char *part)
{
    struct ub_error err = {0};
    assert_null(ub_dataset_load(text, 0, folder, &err));
    assert_null(strchr(err.text, '\n'));
    assert_input_error(&err, part);
}

/* ---- files the tests write ---- */

static inline unsigned char pixel(size_t i)
{
    return (unsigned char)(i * 37 % 256);
}

static inline void add_big_endian(unsigned char *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (unsigned char)(value >> (24 - 8 * i));
}

/* IDX images: `out` has room for 16 + count x PIXELS; returns the length. */
static inline size_t make_images(unsigned char *out, size_t count)
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
static inline size_t make_labels(unsigned char *out, size_t count)
{
    add_big_endian(out, 0x801);
    add_big_endian(out + 4, (uint32_t)count);
    for (size_t i = 0; i < count; i++)
        out[8 + i] = (unsigned char)(7 * i % 10);
    return 8 + count;
}

static inline char *make_folders(const char *folder, const char *name)
{
    struct ub_error err = {0};
    char *path = ub_path(folder, name);
    assert_true(ub_make_folders(path, &err));
    return path;
}

/* FOLDER/SUBFOLDER/PREFIX-..., `packed` with gzip. */
static inline void write_pair(const char *folder, const char *subfolder, const char *prefix,
                              size_t count, bool packed)
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

static inline void make_records(unsigned char *out, size_t count, size_t first)
{
    for (size_t i = 0; i < count * RECORD; i++)
        out[i] = i % RECORD == 0 ? (unsigned char)((first + i / RECORD) % 10) : pixel(i + first);
}

static inline void write_batch(const char *folder, const char *name, size_t count, size_t first)
{
    unsigned char *bytes = ub_alloc(count * RECORD);
    make_records(bytes, count, first);
    support_write(folder, name, bytes, count * RECORD);
    ub_free(bytes);
}

/* ---- names ---- */

enum { MOST_FILES = 5 };

#endif
