/* unibench spectra: the spectra of anyone's weights. */
#include "bench/arrays.h"
#include "bench/build_info.h"
#include "bench/cli/cli.h"
#include "report/weights.h"

#include <string.h>

enum { WEIGHTS = 256, KERNELS };

static const struct argp_option options[] = {
    {"weights", WEIGHTS, "FILE", 0, "the weights: .npz or .safetensors", 0},
    {"out", 'o', "FOLDER", 0, "write weights.md, weights.csv and figures there, too", 0},
    {"kernels", KERNELS, "HOW", 0,
     "arrays of more than two axes: pooled (default), an out x in matrix at each position of the "
     "kernel, their eigenvalues together, as WeightWatcher does; or matrix, the first axis x all "
     "others, as the observable weight-spectrum does",
     0},
    {0},
};

struct arguments {
    struct ub_error *err;
    const char *weights, *out;
    bool matrix;
};

static bool read_kernels(struct arguments *a, const char *text)
{
    a->matrix = strcmp(text, "matrix") == 0;
    return a->matrix || strcmp(text, "pooled") == 0 ||
           ub_fail(a->err, UB_INPUT, "--kernels: '%s'; expected pooled or matrix", text);
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *a = state->input;
    switch (key) {
    case WEIGHTS:
        a->weights = text;
        return 0;
    case 'o':
        a->out = text;
        return 0;
    case KERNELS:
        return read_kernels(a, text) ? 0 : EINVAL;
    case ARGP_KEY_ARG:
        return cli_positional(text, NULL, 0, a->err) ? 0 : EINVAL;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "--weights FILE",
    .doc = "Prints, as Markdown, the spectrum of every weight in a file: norms, ranks, outliers "
           "from noise, the exponent alpha of its tail with interval, goodness of fit and rival "
           "forms, alpha-hat."
           "\v"
           "Every array of floating-point numbers (16, 32 or 64 bits) with two axes or more is "
           "analyzed; vectors, scalars, other types, and the data sets that 'unibench export' puts "
           "beside the weights are skipped and counted. From PyTorch:\n\n"
           "  numpy.savez('model.npz', **{k: v.float().cpu().numpy()\n"
           "                              for k, v in model.state_dict().items()})\n\n"
           "Example:\n"
           "  unibench spectra --weights model.npz --out out/model\n",
};

/* ---- analysis --------------------------------------------------------------------------- */

struct analysis {
    struct ub_weights *weights;
    size_t vectors, others, data;
    struct ub_text infinite; /* names */
};

/* What 'unibench export' writes beside the weights; of its trace there are vectors and texts. */
static bool is_data(const char *name)
{
    static const char *const names[] = {"inputs", "targets", "test.inputs", "test.targets"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

/* False: a vector, in any number of axes. */
static bool as_weight(const struct ub_array *a, bool pooled, struct ub_weight *out)
{
    if (a->rank < 2 || a->size == 0)
        return false;
    const int64_t rows = a->shape[0], columns = pooled ? a->shape[1] : a->size / rows;
    *out = (struct ub_weight){rows, columns, a->size / rows / columns, a->values};
    return rows > 1 && columns > 1;
}

static char *shape_text(const struct ub_array *a)
{
    struct ub_text text = {0};
    for (int i = 0; i < a->rank; i++)
        ub_text_add(&text, "%s%lld", i ? "x" : "", (long long)a->shape[i]);
    return text.data;
}

static bool analyze(void *context, const struct ub_array *a, struct ub_error *err)
{
    (void)err;
    struct analysis *analysis = context;
    struct ub_weights *w = analysis->weights;
    struct ub_weight_row row = {0};
    if (!a->values) {
        analysis->others++;
    } else if (is_data(a->name)) {
        analysis->data++;
    } else if (!as_weight(a, w->pooled, &row.weight)) {
        analysis->vectors++;
    } else if (!ub_weight_spectrum(&row.weight, &row.spectrum)) {
        ub_text_add(&analysis->infinite, "%s%s", analysis->infinite.length ? ", " : "", a->name);
    } else {
        row.name = ub_strdup(a->name);
        row.shape = shape_text(a);
        row.weight.entries = NULL;
        w->rows = ub_realloc(w->rows, (w->count + 1) * sizeof *w->rows);
        w->rows[w->count++] = row;
    }
    return true;
}

static void describe_skipped(const struct analysis *a, struct ub_text *out)
{
    const struct {
        size_t count;
        const char *one, *many;
    } kinds[] = {{a->vectors, "vector or scalar", "vectors and scalars"},
                 {a->others, "array of another type", "arrays of other types"},
                 {a->data, "array of data", "arrays of data"}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].count > 0)
            ub_text_add(out, "%s%zu %s", out->length ? ", " : "Skipped: ", kinds[i].count,
                        kinds[i].count == 1 ? kinds[i].one : kinds[i].many);
    if (a->infinite.length)
        ub_text_add(out, "%s not finite: %s", out->length ? ";" : "Skipped:", a->infinite.data);
    if (out->length)
        ub_text_add(out, ".");
}

static bool analyze_file(const struct arguments *a, struct ub_weights *w)
{
    struct analysis analysis = {.weights = w};
    bool good = ub_arrays_each(a->weights, analyze, &analysis, a->err);
    describe_skipped(&analysis, &w->skipped);
    if (good && w->count == 0)
        good = ub_fail(a->err, UB_INPUT,
                       "%s: no weights; expected floating-point arrays of two axes or more. %s",
                       a->weights, w->skipped.length ? w->skipped.data : "It is empty.");
    ub_text_free(&analysis.infinite);
    return good;
}

int cli_spectra(int argc, char **argv)
{
    struct ub_error err = {0};
    struct arguments a = {.err = &err};
    bool good = cli_parse(&argp, argc, argv, &a, &err);
    if (good && !a.weights)
        good =
            ub_fail(&err, UB_INPUT, "no --weights given; expected unibench spectra --weights FILE");
    struct ub_weights w = {.source = a.weights,
                           .version = ub_build_version,
                           .commit = ub_build_commit,
                           .pooled = !a.matrix};
    good = good && analyze_file(&a, &w) && (!a.out || ub_weights_write(&w, a.out, &err));
    if (good) {
        struct ub_text text = {0};
        ub_weights_markdown(&w, &text);
        cli_print(&text);
    }
    ub_weights_free(&w);
    return good ? UB_OK : ub_report(&err);
}
