/* arrays_private.h - between arrays.c and the formats. */
#ifndef UB_ARRAYS_PRIVATE_H
#define UB_ARRAYS_PRIVATE_H

#include "bench/arrays/arrays.h"

struct ub_array_file {
    const char *path;
    FILE *stream; /* at its start */
    uint64_t length;
    ub_array_visit *visit;
    void *context;
};

enum ub_number {
    UB_NUMBER_OTHER,
    UB_NUMBER_F16,
    UB_NUMBER_BF16,
    UB_NUMBER_F32,
    UB_NUMBER_F64,
    UB_NUMBER_E4M3, /* 8-bit floats: OCP 8-bit floating point 1.0; E4M3 has no infinity */
    UB_NUMBER_E5M2,
    UB_NUMBER_E8M0, /* a power of two: OCP microscaling formats 1.0 */
    UB_NUMBER_I8,
    UB_NUMBER_U8
};
size_t ub_number_width(enum ub_number kind); /* bytes; 0 of UB_NUMBER_OTHER */

struct ub_encoding {
    enum ub_number kind;
    bool big_endian, fortran;
};

/* A .npy as bytes from somewhere. */
struct ub_npy {
    const struct ub_array_file *file;
    const char *name;
    uint64_t left; /* bytes not yet read */
    void *context;
    /* Exactly so many bytes, which `left` loses. */
    bool (*read)(struct ub_npy *npy, void *out, uint64_t bytes, struct ub_error *err);
    bool (*end)(struct ub_npy *npy, struct ub_error *err); /* after the numbers; may be NULL */
};
bool ub_npy_give(struct ub_npy *npy, struct ub_error *err);

bool ub_npy_each(const struct ub_array_file *file, struct ub_error *err);
bool ub_npz_each(const struct ub_array_file *file, struct ub_error *err);
bool ub_safetensors_each(const struct ub_array_file *file, struct ub_error *err);

/* A copy with control characters replaced: one line on a terminal, whatever the file says. */
char *ub_array_name(const char *name, size_t length);
/* array->size from rank and shape; of numbers, `bytes` must be what they take. */
bool ub_array_measure(const struct ub_array_file *file, struct ub_array *array, enum ub_number kind,
                      uint64_t bytes, struct ub_error *err);
/* Converts the numbers at `raw` (unused for UB_NUMBER_OTHER) and visits. */
bool ub_array_give(const struct ub_array_file *file, struct ub_array *array,
                   struct ub_encoding encoding, const unsigned char *raw, struct ub_error *err);

#endif
