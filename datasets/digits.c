/* UCI handwritten digits (Alpaydin and Kaynak 1998): 1,797 images of 8 x 8 pixels, bundled. */
#include "datasets/source.h"

#include <string.h>

enum { SIDE = 8, PIXELS = SIDE * SIDE, GREATEST = 16, CLASSES = 10 };

static bool read_number(const struct ub_csv *csv, size_t row, size_t column, int64_t most,
                        int64_t *out, struct ub_error *err)
{
    const char *text = ub_csv_cell(csv, row, column);
    if (ub_read_int(text, out) && *out >= 0 && *out <= most)
        return true;
    return ub_fail(err, UB_INPUT, "%s:%d: '%s' in column %zu; expected 0 to %lld", csv->path,
                   csv->lines[row], text, column + 1, (long long)most);
}

static bool fill(struct ub_dataset *d, const struct ub_csv *csv, struct ub_error *err)
{
    if (csv->columns != PIXELS + 1)
        return ub_fail(err, UB_INPUT, "%s: %zu columns; expected %d", csv->path, csv->columns,
                       PIXELS + 1);
    if (!ub_split_new(d, (int64_t)csv->rows, csv->path, &d->train, err))
        return false;
    for (size_t row = 0; row < csv->rows; row++) {
        int64_t value;
        for (size_t k = 0; k < PIXELS; k++) {
            if (!read_number(csv, row, k, GREATEST, &value, err))
                return false;
            d->train.inputs[row * PIXELS + k] = (double)value / GREATEST;
        }
        if (!read_number(csv, row, PIXELS, CLASSES - 1, &value, err))
            return false;
        ub_split_label(d, &d->train, (int64_t)row, (int32_t)value);
    }
    return true;
}

/* A run's id does not name the contents of a file that comes with the program: it must be that
 * file. The digest is sha256sum's of datasets/data/digits.csv.gz. */
static bool is_bundled(const char *path, struct ub_error *err)
{
    static const char expected[] =
        "46abec6b12486ad9e51943373abcf22bbea1b5a51a1619b361570d8893f1464a";
    char sum[UB_SHA256_TEXT];
    return ub_sha256_file(path, sum, err) &&
           (strcmp(sum, expected) == 0 ||
            ub_fail(err, UB_INPUT,
                    "%s: not the file that comes with unibench; expected SHA-256 %.16s... (other "
                    "data are read by 'csv')",
                    path, expected));
}

static bool load(struct ub_dataset *d, const struct ub_call *call, uint64_t seed,
                 const char *folder, struct ub_error *err)
{
    (void)call, (void)seed, (void)folder;
    d->task = UB_CLASSIFICATION;
    d->rank = 3;
    d->shape[0] = 1;
    d->shape[1] = d->shape[2] = SIDE;
    d->features = PIXELS;
    d->outputs = CLASSES;
    char *path = ub_share_path("data/digits.csv.gz", UNIBENCH_BUNDLED "/digits.csv.gz");
    struct ub_csv *csv = is_bundled(path, err) ? ub_csv_read(path, false, err) : NULL;
    bool good = csv && fill(d, csv, err);
    ub_csv_free(csv);
    ub_free(path);
    return good;
}

const struct ub_dataset_source ub_dataset_digits = {
    .name = "digits",
    .summary = "UCI handwritten digits: 1,797 images of 8x8 pixels in [0, 1], 10 classes (bundled)",
    .citation = "Alpaydin and Kaynak 1998, doi:10.24432/C50P49, CC BY 4.0",
    .load = load,
};
