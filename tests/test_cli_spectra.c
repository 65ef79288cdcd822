/* unibench spectra, as people run it: tables and files of known weights, and bad input. */
#include "bench/arrays/export.h"
#include "tests/cli_support.h"
#include "tests/read_back.h"

/* ---- files ------------------------------------------------------------------------------ */

static void add(struct ub_npz *z, const char *name, int rank, const int64_t *shape,
                const double *values)
{
    struct ub_error err = {0};
    if (!ub_npz_add_reals(z, name, rank, shape, values, &err))
        fail_msg("%s", err.text);
}

static struct ub_npz *open_npz(const char *folder, const char *name)
{
    struct ub_error err = {0};
    char *path = ub_path(folder, name);
    struct ub_npz *z = ub_npz_new(path, &err);
    assert_non_null(z);
    ub_free(path);
    return z;
}

static void close_npz(struct ub_npz *z)
{
    struct ub_error err = {0};
    assert_true(ub_npz_close(z, &err));
}

/* A diagonal of 4, 3, 2, 1; a kernel of 2 x 2 at three positions, position k being (k + 1) times
 * the identity; and what is to be skipped. */
static void write_known(const char *folder, const char *name)
{
    double diagonal[20] = {0}, kernel[12] = {0}, infinite[4] = {1, INFINITY, 2, 3};
    for (int i = 0; i < 4; i++)
        diagonal[i * 5 + i] = 4 - i;
    for (int k = 0; k < 3; k++)
        kernel[k] = kernel[9 + k] = k + 1;
    struct ub_npz *z = open_npz(folder, name);
    add(z, "a_b.weight", 2, (int64_t[]){4, 5}, diagonal);
    add(z, "conv.weight", 3, (int64_t[]){2, 2, 3}, kernel);
    add(z, "bias", 1, (int64_t[]){4}, diagonal);
    add(z, "column", 2, (int64_t[]){4, 1}, diagonal);
    add(z, "scale", 0, NULL, diagonal);
    add(z, "inputs", 2, (int64_t[]){4, 5}, diagonal);
    add(z, "broken.weight", 2, (int64_t[]){2, 2}, infinite);
    close_npz(z);
}

/* The cell of a weight's row. */
static const char *text_cell(const struct ub_csv *csv, const char *weight, const char *column)
{
    const int at = ub_csv_column(csv, column);
    assert_true(at >= 0);
    for (size_t row = 0; row < csv->rows; row++)
        if (strcmp(ub_csv_cell(csv, row, 0), weight) == 0)
            return ub_csv_cell(csv, row, (size_t)at);
    fail_msg("no row of %s", weight);
    return NULL;
}

static double number(const struct ub_csv *csv, const char *weight, const char *column)
{
    double value = (double)NAN;
    assert_true(ub_read_real(text_cell(csv, weight, column), &value));
    return value;
}

/* ---- what comes out --------------------------------------------------------------------- */

static void known_weights(void **state)
{
    (void)state;
    char *folder = support_folder();
    write_known(folder, "known.npz");
    char *out = cli_expect(folder, "spectra --weights known.npz --out S", 0,
                           "`known.npz`: 2 weights. Skipped: 3 vectors and scalars, 1 array of "
                           "data; not finite: broken.weight.\n");
    assert_non_null(strstr(out, "| a_b.weight  | 4x5   | -            |"));
    struct ub_csv *csv = read_table(folder, "S/weights.csv");
    assert_int_equal(csv->rows, 2);
    assert_near(number(csv, "a_b.weight", "singular-value.1"), 4, 1e-14);
    assert_near(number(csv, "a_b.weight", "singular-value.3"), 2, 1e-14);
    assert_near(number(csv, "a_b.weight", "frobenius-norm"), sqrt(30), 1e-14);
    assert_near(number(csv, "a_b.weight", "stable-rank"), 30.0 / 16, 1e-14);
    assert_near(number(csv, "a_b.weight", "participation-ratio"), 900.0 / 354, 1e-14);
    assert_near(number(csv, "a_b.weight", "log-spectral-norm"), log10(16), 1e-14);
    assert_near(number(csv, "conv.weight", "slices"), 3, 0);
    assert_near(number(csv, "conv.weight", "values"), 6, 0);
    assert_near(number(csv, "conv.weight", "singular-value.1"), 3, 1e-14);
    assert_near(number(csv, "conv.weight", "singular-value.3"), 2, 1e-14);
    ub_csv_free(csv);
    char *page = cli_read(folder, "S/weights.md");
    assert_true(strncmp(page, out, strlen(out)) == 0); /* the page begins with what was printed */
    assert_non_null(strstr(page, "](weights.png)"));
    assert_true(cli_exists(folder, "S/weights.png") && cli_exists(folder, "S/weights.svg"));
    ub_free(page);
    ub_free(out);
    cli_run(folder, "spectra --weights known.npz --out S --kernels matrix", 0, "conv.weight");
    csv = read_table(folder, "S/weights.csv");
    assert_near(number(csv, "conv.weight", "columns"), 6, 0);
    assert_near(number(csv, "conv.weight", "singular-value.1"), sqrt(14), 1e-14);
    assert_near(number(csv, "conv.weight", "singular-value.2"), sqrt(14), 1e-14);
    ub_csv_free(csv);
    support_remove(folder);
}

/* Weights whose squares no double holds, and none at all. */
static void weights_of_any_size(void **state)
{
    (void)state;
    char *folder = support_folder();
    double huge[6] = {3e300, 0, 0, 0, 4e300, 0}, tiny[6] = {3e-300, 0, 0, 0, 4e-300, 0},
           none[6] = {0};
    struct ub_npz *z = open_npz(folder, "w.npz");
    add(z, "huge", 2, (int64_t[]){2, 3}, huge);
    add(z, "tiny", 2, (int64_t[]){2, 3}, tiny);
    add(z, "none", 2, (int64_t[]){2, 3}, none);
    close_npz(z);
    char *out = cli_expect(folder, "spectra --weights w.npz --out S", 0, "`w.npz`: 3 weights.\n");
    assert_non_null(strstr(out, "| none   | 2x3   | -     |      0 |         0 |"));
    ub_free(out);
    struct ub_csv *csv = read_table(folder, "S/weights.csv");
    assert_near(number(csv, "huge", "singular-value.1"), 4e300, 1e286);
    assert_near(number(csv, "huge", "singular-value.2"), 3e300, 1e286);
    assert_near(number(csv, "huge", "frobenius-norm"), 5e300, 1e286);
    assert_near(number(csv, "huge", "stable-rank"), 25.0 / 16, 1e-14);
    assert_near(number(csv, "huge", "log-spectral-norm"), 600 + log10(16), 1e-10);
    assert_near(number(csv, "tiny", "singular-value.1"), 4e-300, 1e-314);
    assert_near(number(csv, "tiny", "frobenius-norm"), 5e-300, 1e-314);
    assert_near(number(csv, "tiny", "stable-rank"), 25.0 / 16, 1e-14);
    assert_true(number(csv, "none", "singular-value.1") == 0);
    assert_true(number(csv, "none", "frobenius-norm") == 0);
    assert_string_equal(text_cell(csv, "none", "stable-rank"), "");
    ub_csv_free(csv);
    support_remove(folder);
}

/* Two positions, k + 1 times the identity, in either order; what was taken for what is said. */
static void the_order_of_axes_is_said(void **state)
{
    (void)state;
    enum { SIDE = 20, SITES = 2 };
    char *folder = support_folder();
    double *torch = ub_calloc(SIDE * SIDE * SITES, sizeof *torch), deep[32 * 9] = {0};
    double *keras = ub_calloc(SIDE * SIDE * SITES, sizeof *keras);
    for (int i = 0; i < SIDE; i++)
        for (int k = 0; k < SITES; k++)
            torch[(i * SIDE + i) * SITES + k] = keras[(k * SIDE + i) * SIDE + i] = k + 1;
    for (int i = 0; i < 32 * 9; i++)
        deep[i] = i / 9 == i % 9 ? 1 + i / 9 : 0;
    struct ub_npz *z = open_npz(folder, "w.npz");
    add(z, "torch", 4, (int64_t[]){SIDE, SIDE, 1, SITES}, torch);
    add(z, "keras", 4, (int64_t[]){SITES, 1, SIDE, SIDE}, keras);
    add(z, "deep", 4, (int64_t[]){32, 1, 3, 3}, deep);
    close_npz(z);
    cli_run(folder, "spectra --weights w.npz --out S", 0,
            "Skipped: kernels of one channel, whose matrices at a position are vectors (--kernels "
            "matrix takes all positions together): deep.");
    struct ub_csv *csv = read_table(folder, "S/weights.csv");
    assert_string_equal(text_cell(csv, "torch", "order"), "OIHW");
    assert_string_equal(text_cell(csv, "keras", "order"), "HWIO");
    static const char *const names[] = {"torch", "keras"};
    for (int k = 0; k < 2; k++) {
        assert_near(number(csv, names[k], "singular-value.1"), 2, 1e-14);
        assert_near(number(csv, names[k], "frobenius-norm"), sqrt(SIDE * 5), 1e-13);
        assert_near(number(csv, names[k], "slices"), SITES, 0);
        assert_near(number(csv, names[k], "rows"), SIDE, 0);
    }
    ub_csv_free(csv);
    cli_run(folder, "spectra --weights w.npz --out S --kernels matrix", 0,
            "Files do not tell the order of their axes.");
    csv = read_table(folder, "S/weights.csv");
    assert_near(number(csv, "torch", "singular-value.1"), sqrt(5), 1e-14);
    assert_near(number(csv, "keras", "singular-value.1"), sqrt(5), 1e-14);
    assert_near(number(csv, "deep", "singular-value.1"), 9, 1e-14); /* 32 x 9 */
    ub_csv_free(csv);
    cli_run(folder, "spectra --weights w.npz --out S --layout k*=hwio/2 --layout t*=oihw/4", 0, "");
    csv = read_table(folder, "S/weights.csv");
    assert_string_equal(text_cell(csv, "torch", "order"), "OIHW/4, given");
    assert_near(number(csv, "torch", "slices"), SITES * 4, 0);
    assert_near(number(csv, "torch", "rows"), SIDE / 4, 0);
    assert_string_equal(text_cell(csv, "keras", "order"), "HWIO/2, given");
    assert_near(number(csv, "keras", "columns"), SIDE / 2, 0);
    ub_csv_free(csv);
    ub_free(torch);
    ub_free(keras);
    support_remove(folder);
}

/* A .npy, and 8 bits: [[1, 2], [3, 4]] has the singular values sqrt(15 +- sqrt(221)). */
static void other_formats(void **state)
{
    (void)state;
    static const char dict[] = "{'descr': '>f8', 'fortran_order': True, 'shape': (2, 2), }\n";
    static const double by_columns[] = {1, 3, 2, 4};
    char *folder = support_folder();
    unsigned char npy[256] = "\x93NUMPY\1\0";
    const double largest = sqrt(15 + sqrt(221));
    npy[8] = sizeof dict - 1;
    memcpy(npy + 10, dict, sizeof dict - 1);
    for (int i = 0; i < 4; i++) {
        uint64_t bits;
        memcpy(&bits, &by_columns[i], sizeof bits);
        bits = __builtin_bswap64(bits);
        memcpy(npy + 10 + sizeof dict - 1 + 8 * i, &bits, 8);
    }
    support_write(folder, "layer.1.npy", npy, 10 + sizeof dict - 1 + 32);
    cli_run(folder, "spectra --weights layer.1.npy --out S", 0, "`layer.1.npy`: 1 weight.");
    struct ub_csv *csv = read_table(folder, "S/weights.csv");
    assert_near(number(csv, "layer.1", "singular-value.1"), largest, 1e-14);
    ub_csv_free(csv);
    static const char header[] =
        "{\"a.weight\":{\"dtype\":\"I8\",\"shape\":[2,2],\"data_offsets\":[0,4]},"
        "\"a.weight_scale\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[4,12]},"
        "\"b.weight\":{\"dtype\":\"I8\",\"shape\":[2,2],\"data_offsets\":[12,16]},"
        "\"c\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[16,24]}}";
    static const float scale[] = {2, 1};
    unsigned char file[600] = {(unsigned char)(sizeof header - 1), (sizeof header - 1) >> 8};
    static const unsigned char codes[] = {0, 2, 1, 4}; /* times (2, 1): 0 2; 2 4 */
    memcpy(file + 8, header, sizeof header - 1);
    memcpy(file + 8 + sizeof header - 1, codes, 4);
    memcpy(file + 8 + sizeof header - 1 + 4, scale, 8);
    support_write(folder, "q.safetensors", file, 8 + sizeof header - 1 + 24);
    cli_run(folder, "spectra --weights q.safetensors --out S", 0,
            "1 weight. Skipped: 1 vector or scalar; other types: I64 (1); not read: b.weight is of "
            "8-bit integers without a scale (b.weight_scale). Numbers of 8 bits: times "
            "weight_scale, blocks of 2 x 1 (1).");
    csv = read_table(folder, "S/weights.csv");
    assert_near(number(csv, "a.weight", "singular-value.1"), 2 + 2 * sqrt(2), 1e-14);
    ub_csv_free(csv);
    support_remove(folder);
}

/* A kernel that no reading makes a matrix is said to be so, without advice that would not help. */
static void advice_is_about_what_helps(void **state)
{
    (void)state;
    static const char sideless[] =
        "kernels whose matrices are vectors, all positions together, too: ";
    static const struct {
        const char *arguments, *said, *unsaid;
    } cases[] = {
        {"", "(--kernels matrix takes all positions together): dw; kernels whose", "): dwk"},
        {"", "too: dwk.", "too: dw."},
        {" --kernels matrix", "too: dwk.", "--kernels matrix"},
        {" --layout dw=oihw/16", "too: dw, dwk.", "--kernels matrix"},
        {" --kernels matrix --layout dw=oihw/16", "too: dw, dwk.", "--kernels matrix"},
    };
    char *folder = support_folder();
    double values[16 * 9];
    for (int i = 0; i < 16 * 9; i++)
        values[i] = sin(1 + 3.7 * i);
    struct ub_npz *z = open_npz(folder, "w.npz");
    add(z, "dw", 4, (int64_t[]){16, 1, 3, 3}, values);
    add(z, "dwk", 4, (int64_t[]){3, 3, 16, 1}, values);
    add(z, "fc", 2, (int64_t[]){9, 16}, values);
    close_npz(z);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ub_text line = {0};
        ub_text_add(&line, "spectra --weights w.npz%s", cases[i].arguments);
        char *out = cli_expect(folder, line.data, 0, cases[i].said);
        assert_non_null(strstr(out, sideless));
        if (strstr(out, cases[i].unsaid))
            fail_msg("%s: '%s' in\n%s", line.data, cases[i].unsaid, out);
        ub_free(out);
        ub_text_free(&line);
    }
    support_remove(folder);
}

/* As GPTQ writes a layer: eight weights in an integer, and scales that are no weight. */
static void packed_weights_are_not_their_scales(void **state)
{
    (void)state;
    static const char header[] =
        "{\"fc.weight\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]},"
        "\"l.g_idx\":{\"dtype\":\"I32\",\"shape\":[2],\"data_offsets\":[16,24]},"
        "\"l.qweight\":{\"dtype\":\"I32\",\"shape\":[2,2],\"data_offsets\":[24,40]},"
        "\"l.scales\":{\"dtype\":\"F16\",\"shape\":[2,2],\"data_offsets\":[40,48]}}";
    static const float numbers[] = {1, 2, 3, 4};
    char *folder = support_folder();
    unsigned char file[600] = {(unsigned char)(sizeof header - 1), (sizeof header - 1) >> 8};
    memcpy(file + 8, header, sizeof header - 1);
    memcpy(file + 8 + sizeof header - 1, numbers, sizeof numbers);
    support_write(folder, "gptq.safetensors", file, 8 + sizeof header - 1 + 48);
    char *out = cli_expect(folder, "spectra --weights gptq.safetensors --out S", 0,
                           "1 weight. Skipped: 1 scale; other types: I32 (2); among them packed "
                           "weights, to be unpacked by the scales beside them first: I32 (1).");
    assert_null(strstr(out, "l.scales"));
    ub_free(out);
    struct ub_csv *csv = read_table(folder, "S/weights.csv");
    assert_int_equal(csv->rows, 1);
    assert_near(number(csv, "fc.weight", "frobenius-norm"), sqrt(30), 1e-14);
    ub_csv_free(csv);
    support_remove(folder);
}

/* Makes a run in S, measured at its end, and run.npz of it; its trace's path. */
static char *make_run(const char *folder)
{
    struct ub_text line = {0}, trace = {0};
    cli_run(folder,
            "train --dataset digits --model cnn:channels=6x12 --loss ce --optimizer gd:lr=0.05 "
            "--steps 5 --precision f64 --save-weights --measure weight-spectrum:at=end --out S",
            0, "");
    char *path = ub_path(folder, "S/runs");
    DIR *runs = opendir(path);
    assert_non_null(runs);
    for (const struct dirent *e; (e = readdir(runs));)
        if (e->d_name[0] != '.') {
            ub_text_add(&line, "export S/runs/%s --out run.npz", e->d_name);
            ub_text_add(&trace, "S/runs/%s/trace.csv.gz", e->d_name);
        }
    closedir(runs);
    cli_run(folder, line.data, 0, "");
    ub_text_free(&line);
    ub_free(path);
    return trace.data;
}

/* Compares one row of a trace with the table, when it is of what both have. */
static size_t compare_row(const struct ub_csv *csv, const char *observable, double expected)
{
    static const char *const same[] = {"stable-rank", "participation-ratio", "entropy-rank",
                                       "alpha-hat", "noise-outliers"};
    const char *dot = strchr(observable, '.');
    for (size_t k = 0; dot && k <= sizeof same / sizeof *same; k++) {
        const bool tail = k == sizeof same / sizeof *same; /* its index 0 is alpha */
        const char *kind = tail ? "tail" : same[k];
        if (strlen(kind) != (size_t)(dot - observable) ||
            strncmp(kind, observable, strlen(kind)) != 0)
            continue;
        struct ub_text weight = {0};
        ub_text_add(&weight, "final%s", dot);
        assert_near(number(csv, weight.data, tail ? "alpha" : kind), expected,
                    1e-12 * fabs(expected));
        ub_text_free(&weight);
        return 1;
    }
    return 0;
}

/* The weights of a run, exported, have the spectra that its observable measured. */
static void a_run_has_the_spectra_it_measured(void **state)
{
    (void)state;
    char *folder = support_folder(), *trace = make_run(folder);
    cli_run(folder, "spectra --weights run.npz --kernels matrix --out T", 0, "2 arrays of data");
    struct ub_csv *csv = read_table(folder, "T/weights.csv"), *measured = read_table(folder, trace);
    const int name = ub_csv_column(measured, "observable"),
              index = ub_csv_column(measured, "index");
    const int value = ub_csv_column(measured, "value");
    size_t compared = 0;
    for (size_t row = 0; row < measured->rows; row++) {
        double expected;
        assert_true(ub_read_real(ub_csv_cell(measured, row, (size_t)value), &expected));
        if (strcmp(ub_csv_cell(measured, row, (size_t)index), "0") == 0)
            compared += compare_row(csv, ub_csv_cell(measured, row, (size_t)name), expected);
    }
    assert_true(compared >= 3 * 4);
    ub_csv_free(measured);
    ub_csv_free(csv);
    ub_free(trace);
    support_remove(folder);
}

static void many_weights_make_several_figures(void **state)
{
    (void)state;
    char *folder = support_folder();
    struct ub_npz *z = open_npz(folder, "many.npz");
    double *w = ub_calloc(40 * 30, sizeof *w);
    for (int k = 0; k < 14; k++) {
        struct ub_random r = ub_random_stream((uint64_t)k, "weights");
        char name[16];
        snprintf(name, sizeof name, "layer.%d", k);
        for (int i = 0; i < 40 * 30; i++)
            w[i] = ub_random_normal(&r) + (i / 30 % 2 ? 2 : -2) * (k == 13);
        add(z, name, 2, (int64_t[]){40, 30}, w);
    }
    close_npz(z);
    cli_run(folder, "spectra --weights many.npz --out S", 0, "layer.13");
    assert_true(cli_exists(folder, "S/weights-1.png") && cli_exists(folder, "S/weights-2.svg"));
    assert_false(cli_exists(folder, "S/weights.png") || cli_exists(folder, "S/weights-3.png"));
    struct ub_csv *csv = read_table(folder, "S/weights.csv");
    assert_near(number(csv, "layer.13", "noise-outliers"), 1, 0);
    const double alpha = number(csv, "layer.13", "alpha");
    assert_true(number(csv, "layer.13", "alpha.low") < alpha &&
                alpha < number(csv, "layer.13", "alpha.high"));
    ub_csv_free(csv);
    static const char *const files[] = {"weights.csv", "weights.md", "weights-1.png",
                                        "weights-2.svg"};
    cli_run(folder, "spectra --weights many.npz --out T", 0, "");
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct ub_text a = {0}, b = {0};
        ub_text_add(&a, "S/%s", files[i]);
        ub_text_add(&b, "T/%s", files[i]);
        char *first = cli_read(folder, a.data), *second = cli_read(folder, b.data);
        assert_true(*first && strcmp(first, second) == 0);
        ub_free(first);
        ub_free(second);
        ub_text_free(&a);
        ub_text_free(&b);
    }
    ub_free(w);
    support_remove(folder);
}

/* ---- bad input -------------------------------------------------------------------------- */

/* Exit code 2, one line that says what, and nothing written. */
static void expect_bad(const char *folder, const char *arguments, const char *part)
{
    struct cli_outcome o = cli_finish(folder, arguments);
    const size_t length = strlen(o.err);
    const bool one_line = length > 0 && strchr(o.err, '\n') == o.err + length - 1;
    if (o.code != 2 || !one_line || *o.out || !strstr(o.err, part))
        fail_msg("unibench %s\n  code %d; expected 2 and one line with '%s':\n%s%s", arguments,
                 o.code, part, o.out, o.err);
    assert_false(cli_exists(folder, "S"));
    cli_clear(&o);
}

static void bad_input(void **state)
{
    (void)state;
    char *folder = support_folder();
    const double row[3] = {1, 2, 3};
    write_known(folder, "known.npz");
    struct ub_npz *z = open_npz(folder, "vectors.npz");
    add(z, "bias", 1, (int64_t[]){3}, row);
    close_npz(z);
    size_t length;
    struct ub_error err = {0};
    char *path = ub_path(folder, "known.npz");
    unsigned char *whole = ub_read_file(path, 1 << 20, &length, &err);
    support_write(folder, "short.npz", whole, length / 2);
    whole[300] ^= 1;
    support_write(folder, "flipped.npz", whole, length);
    support_write(folder, "words.txt", "Dear reader, no weights here.", 29);
    static const char *const cases[][2] = {
        {"spectra --out S", "no --weights given; expected unibench spectra --weights FILE"},
        {"spectra --weights known.npz --out S more", "'more' is one argument too many"},
        {"spectra --weights known.npz --out S --kernels fft", "expected pooled or matrix"},
        {"spectra --weights known.npz --out S --layout chw", "expected oihw, hwio or auto"},
        {"spectra --weights known.npz --out S --layout conv.weight=oihw/3",
         "conv.weight has 2 output channels; expected a multiple of its 3 groups"},
        {"spectra --weights none.npz --out S", "none.npz: cannot read: No such file"},
        {"spectra --weights known.npz --out S --layout nope=hwio",
         "--layout: 'nope' fits no array of more than two axes; expected a name or pattern of "
         "conv.weight"},
        {"spectra --weights known.npz --out S --layout conv*=oihw --layout a_b.weight=hwio",
         "--layout: 'a_b.weight' fits no array of more than two axes"},
        {"spectra --weights vectors.npz --out S --layout x*=hwio",
         "--layout: 'x*' fits no array of more than two axes; expected no NAME, as there is none"},
        {"spectra --weights . --out S", "not a file"},
        {"spectra --weights short.npz --out S", "short.npz: "},
        {"spectra --weights flipped.npz --out S", "flipped.npz: a_b.weight: CRC error"},
        {"spectra --weights words.txt --out S",
         "words.txt: neither .npy, .npz nor whole safetensors"},
        {"spectra --weights vectors.npz --out S",
         "vectors.npz: no weights; expected floating-point arrays of two axes or more. Skipped: 1 "
         "vector or scalar."},
        {"spectra --weights known.npz --out known.npz/S", "known.npz"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_bad(folder, cases[i][0], cases[i][1]);
    ub_free(whole);
    ub_free(path);
    support_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_weights),
        cmocka_unit_test(weights_of_any_size),
        cmocka_unit_test(the_order_of_axes_is_said),
        cmocka_unit_test(other_formats),
        cmocka_unit_test(advice_is_about_what_helps),
        cmocka_unit_test(packed_weights_are_not_their_scales),
        cmocka_unit_test(a_run_has_the_spectra_it_measured),
        cmocka_unit_test(many_weights_make_several_figures),
        cmocka_unit_test(bad_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
