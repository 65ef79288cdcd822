/* unibench spectra: the spectra of anyone's weights. */
#include "bench/arrays/arrays.h"
#include "bench/arrays/packed.h"
#include "bench/arrays/quantized.h"
#include "bench/arrays/weight_axes.h"
#include "bench/run/build_info.h"
#include "cli/cli.h"
#include "report/sections/weights.h"

#include <string.h>

enum { WEIGHTS = 256, KERNELS, LAYOUT, MOST_RULES = 64, MOST_NAMED = 12 };

static const struct argp_option options[] = {
    {"weights", WEIGHTS, "FILE", 0, "the weights: .npz, .npy or .safetensors", 0},
    {"out", 'o', "FOLDER", 0, "write weights.md, weights.csv and figures there, too", 0},
    {"kernels", KERNELS, "HOW", 0,
     "arrays of more than two axes: pooled (default), an out x in matrix at each position of the "
     "kernel, their eigenvalues together, as WeightWatcher does; or matrix, out x (in, positions), "
     "as the observable weight-spectrum does",
     0},
    {"layout", LAYOUT, "[NAME=]HOW", 0,
     "order of the axes of arrays of more than two, which files do not tell: oihw, out x in x "
     "positions (PyTorch); hwio, positions x in x out (Keras, JAX; stacked experts); auto "
     "(default), "
     "by the shape. With /GROUPS, of grouped convolutions: 'features.*=oihw/32'. NAME may be a "
     "pattern, and must fit an array; may be given again, the last that fits counts",
     0},
    {0},
};

struct arguments {
    struct ub_error *err;
    const char *weights, *out;
    bool matrix;
    size_t n_rules;
    struct ub_axes_rule rules[MOST_RULES];
};

static bool read_kernels(struct arguments *a, const char *text)
{
    a->matrix = strcmp(text, "matrix") == 0;
    return a->matrix || strcmp(text, "pooled") == 0 ||
           ub_fail(a->err, UB_INPUT, "--kernels: '%s'; expected pooled or matrix", text);
}

static bool read_layout(struct arguments *a, const char *text)
{
    if (a->n_rules == MOST_RULES)
        return ub_fail(a->err, UB_INPUT, "--layout: more than %d; expected at most as many",
                       MOST_RULES);
    return ub_axes_rule_parse(text, &a->rules[a->n_rules++], a->err);
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *a = state->input;
    const struct cli_text texts[] = {{WEIGHTS, &a->weights}, {'o', &a->out}, {0, NULL}};
    switch (key) {
    case KERNELS:
        return read_kernels(a, text) ? 0 : EINVAL;
    case LAYOUT:
        return read_layout(a, text) ? 0 : EINVAL;
    default:
        return cli_parse_texts(key, text, texts, a->err);
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
           "Every array of floating-point numbers (8, 16, 32 or 64 bits) with two axes or more is "
           "analyzed, 8-bit floats and integers times the scales beside them; vectors, scalars, "
           "other types (packed weights, and their scales, too), and the data sets that 'unibench "
           "export' puts beside the weights are "
           "skipped and counted. From PyTorch:\n\n"
           "  numpy.savez('model.npz', **{k: v.float().cpu().numpy()\n"
           "                              for k, v in model.state_dict().items()})\n\n"
           "Example:\n"
           "  unibench spectra --weights model.npz --out out/model\n",
};

/* ---- analysis --------------------------------------------------------------------------- */

/* Texts with how often each was said. */
struct remarks {
    size_t count;
    struct {
        char *text;
        size_t times;
    } * list;
};

static void remark(struct remarks *r, const char *text)
{
    size_t i = 0;
    while (i < r->count && strcmp(r->list[i].text, text) != 0)
        i++;
    if (i == r->count) {
        r->list = ub_realloc(r->list, (r->count + 1) * sizeof *r->list);
        r->list[r->count].text = ub_strdup(text);
        r->list[r->count++].times = 0;
    }
    r->list[i].times++;
}

static void list_remarks(const struct remarks *r, bool counted, struct ub_text *out)
{
    for (size_t i = 0; i < r->count; i++) {
        ub_text_add(out, "%s%s", i ? ", " : "", r->list[i].text);
        if (counted)
            ub_text_add(out, " (%zu)", r->list[i].times);
    }
}

static void remarks_clear(struct remarks *r)
{
    for (size_t i = 0; i < r->count; i++)
        ub_free(r->list[i].text);
    ub_free(r->list);
    *r = (struct remarks){0};
}

struct analysis {
    const struct arguments *arguments;
    struct ub_weights *weights;
    struct ub_scales *scales; /* read when the first array of 8 bits needs them */
    struct ub_packed packed;
    bool fits[MOST_RULES];  /* rules of --layout that some array fits */
    struct remarks kernels; /* names, of those that rules could fit */
    size_t vectors, data, n_scales;
    struct remarks others;    /* by type */
    struct remarks unpacked;  /* by type: packed weights */
    struct remarks one_sided; /* names, of kernels of one channel: matrices in all positions */
    struct remarks sideless;  /* names, of kernels that are vectors in all positions, too */
    struct remarks infinite;  /* names */
    struct remarks refused;   /* reasons */
    struct remarks scaled;    /* how */
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

/* A vector, in any number of axes. */
static bool is_vector(const struct ub_array *a)
{
    int sides = 0;
    for (int i = 0; i < a->rank; i++)
        sides += a->shape[i] > 1;
    return sides < 2 || a->size == 0;
}

static char *shape_text(const struct ub_array *a)
{
    struct ub_text text = {0};
    for (int i = 0; i < a->rank; i++)
        ub_text_add(&text, "%s%lld", i ? "x" : "", (long long)a->shape[i]);
    return text.data;
}

static void add_row(struct analysis *s, const struct ub_array *a, const struct ub_axes *axes,
                    const struct ub_weight *weight)
{
    struct ub_weights *w = s->weights;
    struct ub_weight_row row = {.weight = *weight};
    if (!ub_weight_spectrum(weight, &row.spectrum)) {
        remark(&s->infinite, a->name);
        return;
    }
    row.name = ub_strdup(a->name);
    row.shape = shape_text(a);
    row.order = ub_axes_text(axes);
    row.weight.entries = NULL;
    w->rows = ub_realloc(w->rows, (w->count + 1) * sizeof *w->rows);
    w->rows[w->count++] = row;
}

static bool analyze_matrix(struct analysis *s, const struct ub_array *a, struct ub_error *err)
{
    const struct arguments *g = s->arguments;
    const struct ub_axes axes = ub_axes_of(a, g->rules, g->n_rules);
    struct ub_weight weight;
    double *own;
    if (!ub_axes_weight(a, &axes, s->weights->pooled, &weight, &own, err))
        return false;
    if (weight.rows > 1 && weight.columns > 1)
        add_row(s, a, &axes, &weight);
    else if (ub_axes_two_sided(a, &axes, false))
        remark(&s->one_sided, a->name);
    else
        remark(&s->sideless, a->name);
    ub_free(own);
    return true;
}

/* Numbers of 8 bits times their scale. */
static bool analyze_scaled(struct analysis *s, const struct ub_array *a, struct ub_error *err)
{
    struct ub_text said = {0};
    if (!s->scales && !(s->scales = ub_scales_read(s->arguments->weights, err)))
        return false;
    double *values = ub_scales_apply(s->scales, a, &said);
    struct ub_array scaled = *a;
    scaled.values = values;
    remark(values ? &s->scaled : &s->refused, said.data);
    const bool good = !values || analyze_matrix(s, &scaled, err);
    ub_free(values);
    ub_text_free(&said);
    return good;
}

/* Which rules of --layout are about it, and that one could be. */
static void note_rules(struct analysis *s, const struct ub_array *a)
{
    const struct arguments *g = s->arguments;
    for (size_t i = 0; i < g->n_rules; i++)
        s->fits[i] = s->fits[i] || ub_axes_rule_fits(&g->rules[i], a);
    if (a->rank > 2 && g->n_rules > 0 && s->kernels.count < MOST_NAMED)
        remark(&s->kernels, a->name);
}

static bool analyze(void *context, const struct ub_array *a, struct ub_error *err)
{
    struct analysis *s = context;
    const bool small = a->kind == UB_ARRAY_FLOAT8 || a->kind == UB_ARRAY_INTEGER8;
    note_rules(s, a);
    ub_packed_note(&s->packed, a);
    if (a->kind == UB_ARRAY_OTHER)
        remark(&s->others, a->type);
    else if (small && ub_is_scale(a->name))
        s->n_scales++;
    else if (is_data(a->name))
        s->data++;
    else if (is_vector(a))
        s->vectors++;
    else
        return small ? analyze_scaled(s, a, err) : analyze_matrix(s, a, err);
    return true;
}

/* Scales with a row a block look like weights; beside weights of 8 bits, or packed ones, they are
 * none. */
static void leave_out_scales(struct analysis *s)
{
    struct ub_weights *w = s->weights;
    size_t kept = 0;
    ub_packed_match(&s->packed);
    for (size_t i = 0; i < s->packed.count; i++)
        if (s->packed.list[i].packed)
            remark(&s->unpacked, s->packed.list[i].type);
    for (size_t i = 0; i < w->count; i++) {
        const char *name = w->rows[i].name;
        if (!(s->scales && ub_is_scale(name)) && !ub_packed_scale(&s->packed, name)) {
            w->rows[kept++] = w->rows[i];
            continue;
        }
        ub_weight_row_clear(&w->rows[i]);
        s->n_scales++;
    }
    w->count = kept;
}

/* A rule that is about nothing is a misspelled name, or one of an array that has no order. */
static bool check_rules(const struct analysis *s, struct ub_error *err)
{
    const struct arguments *g = s->arguments;
    for (size_t i = 0; i < g->n_rules; i++) {
        const char *pattern = g->rules[i].pattern;
        if (s->fits[i] || strcmp(pattern, "*") == 0)
            continue;
        struct ub_text known = {0};
        list_remarks(&s->kernels, false, &known);
        ub_fail(err, UB_INPUT,
                "--layout: '%s' fits no array of more than two axes; expected %s%s%s", pattern,
                known.length ? "a name or pattern of " : "no NAME, as there is none",
                known.length ? known.data : "", s->kernels.count == MOST_NAMED ? ", ..." : "");
        ub_text_free(&known);
        return false;
    }
    return true;
}

/* ---- what to say of it ---- */

static void count_kinds(const struct analysis *a, struct ub_text *out)
{
    const struct {
        size_t count;
        const char *one, *many;
    } kinds[] = {{a->vectors, "vector or scalar", "vectors and scalars"},
                 {a->data, "array of data", "arrays of data"},
                 {a->n_scales, "scale", "scales"}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].count > 0)
            ub_text_add(out, "%s%zu %s", out->length ? ", " : "Skipped: ", kinds[i].count,
                        kinds[i].count == 1 ? kinds[i].one : kinds[i].many);
}

static void describe_skipped(const struct analysis *a, struct ub_text *out)
{
    const struct {
        const struct remarks *what;
        bool counted;
        const char *title;
    } lists[] = {
        {&a->others, true, "other types"},
        {&a->unpacked, true,
         "among them packed weights, to be unpacked by the scales beside them first"},
        {&a->one_sided, false,
         "kernels of one channel, whose matrices at a position are vectors (--kernels "
         "matrix takes all positions together)"},
        {&a->sideless, false, "kernels whose matrices are vectors, all positions together, too"},
        {&a->infinite, false, "not finite"},
        {&a->refused, false, "not read"}};
    count_kinds(a, out);
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        if (lists[i].what->count == 0)
            continue;
        ub_text_add(out, "%s %s: ", out->length ? ";" : "Skipped:", lists[i].title);
        list_remarks(lists[i].what, lists[i].counted, out);
    }
    if (out->length)
        ub_text_add(out, ".");
    if (a->scaled.count > 0) {
        ub_text_add(out, "%sNumbers of 8 bits: ", out->length ? " " : "");
        list_remarks(&a->scaled, true, out);
        ub_text_add(out, ".");
    }
}

static void analysis_clear(struct analysis *a)
{
    struct remarks *const all[] = {&a->kernels,  &a->others,   &a->unpacked, &a->one_sided,
                                   &a->sideless, &a->infinite, &a->refused,  &a->scaled};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        remarks_clear(all[i]);
    ub_packed_clear(&a->packed);
    ub_scales_free(a->scales);
}

static bool analyze_file(const struct arguments *a, struct ub_weights *w)
{
    struct analysis analysis = {.arguments = a, .weights = w};
    bool good =
        ub_arrays_each(a->weights, analyze, &analysis, a->err) && check_rules(&analysis, a->err);
    leave_out_scales(&analysis);
    describe_skipped(&analysis, &w->skipped);
    if (good && w->count == 0)
        good = ub_fail(a->err, UB_INPUT,
                       "%s: no weights; expected floating-point arrays of two axes or more. %s",
                       a->weights, w->skipped.length ? w->skipped.data : "It is empty.");
    analysis_clear(&analysis);
    return good;
}

static int spectra(int argc, char **argv)
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
    for (size_t i = 0; i < a.n_rules; i++)
        ub_axes_rule_free(&a.rules[i]);
    return good ? UB_OK : ub_report(&err);
}

const struct cli_command cli_spectra = {
    .name = "spectra",
    .summary = "spectra of the weights in a file, anyone's: tails, ranks, outliers",
    .argp = &argp,
    .run = spectra,
};
