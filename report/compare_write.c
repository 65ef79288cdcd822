/* A comparison as Markdown and CSV, and its exit code. */
#include "report/compare.h"
#include "report/table.h"

#include <math.h>
#include <string.h>

/* Provenance under which results agree only statistically. */
static const char *const classes[] = {"openblas-core", "kernels"};

static void add_row(struct table *t, const struct drift *d)
{
    table_cell(t, "%s", d->system);
    table_cell(t, "%s", d->metric);
    if (d->base_status) {
        table_cell(t, "%s", d->base_status);
        table_cell(t, "%s", d->new_status);
    } else {
        table_real(t, d->base, 5);
        table_real(t, d->new_value, 5);
    }
    if (d->n_base || d->n_new)
        table_cell(t, "%zu, %zu", d->n_base, d->n_new);
    else
        table_cell(t, "-");
    table_real(t, d->q, 2);
    table_real(t, d->detectable, 2);
}

static struct table *drift_table(const struct comparison *c)
{
    static const char *const head[] = {"system", "metric", "base",       "new",
                                       "n",      "q",      "detectable", NULL};
    struct table *t = table_new(head, "llrrrrr");
    for (size_t i = 0; i < c->count; i++)
        if (c->row[i].drifted)
            add_row(t, &c->row[i]);
    return t;
}

/* "heavy-ball: 12 drifted comparisons (threshold, ...)", one line an optimizer. */
static void print_optimizers(const struct comparison *c, FILE *out)
{
    struct labels optimizers = {0};
    for (size_t i = 0; i < c->count; i++)
        if (c->row[i].drifted)
            labels_add(&optimizers, c->row[i].optimizer);
    for (size_t k = 0; k < optimizers.count; k++) {
        struct labels found = {0};
        size_t n = 0;
        for (size_t i = 0; i < c->count; i++)
            if (c->row[i].drifted && strcmp(c->row[i].optimizer, optimizers.text[k]) == 0) {
                labels_add(&found, c->row[i].metric);
                n++;
            }
        fprintf(out, "- %s: %zu drifted (", optimizers.text[k], n);
        for (size_t i = 0; i < found.count; i++)
            fprintf(out, "%s%s", i ? ", " : "", found.text[i]);
        fprintf(out, ")\n");
        labels_free(&found);
    }
    labels_free(&optimizers);
}

static const char *first_value(const struct digest *d, const char *name)
{
    for (size_t i = 0; i < d->count; i++)
        if (d->runs[i].status != UB_RUN_MISSING)
            return provenance_of(&d->runs[i], name);
    return "";
}

static void print_classes(const struct digest *base, const struct digest *new_digest, FILE *out)
{
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        const char *a = first_value(base, classes[i]), *b = first_value(new_digest, classes[i]);
        if (strcmp(a, b) != 0)
            fprintf(out,
                    "\nOther %s: `%s`, was `%s`. Trajectories are not comparable; what follows "
                    "compares statistics over seeds.\n",
                    classes[i], b, a);
    }
}

static void print_page(const struct comparison *c, const struct digest *base,
                       const struct digest *new_digest, FILE *out)
{
    fprintf(out, "# Comparison\n\n`%s` (base) with `%s` (new): ", base->path, new_digest->path);
    if (c->drifted)
        fprintf(out, "**drift** in %zu of %zu comparisons, %zu of %zu runs found.\n\n", c->drifted,
                c->count, c->runs - c->missing, c->runs);
    else
        fprintf(out, "no drift in %zu comparisons, %zu of %zu runs found.\n", c->count,
                c->runs - c->missing, c->runs);
    print_optimizers(c, out);
    if (c->added)
        fprintf(out, "\n%zu runs are new and compared with nothing.\n", c->added);
    print_classes(base, new_digest, out);
    struct ub_text text = {0};
    struct table *t = drift_table(c);
    table_markdown(t, &text);
    fprintf(out, "\n%s", text.data);
    fprintf(out,
            "\nn: runs behind each mean. q: false-discovery rate of the difference, against the "
            "spread from seed to seed. detectable: smallest true difference that this "
            "comparison finds with 80%% power (logarithms for loss and sharpness).\n");
    table_free(t);
    ub_text_free(&text);
}

/* What is damaged or edited in either comes before all numbers. */
static void print_notice(const struct digest *digest, FILE *out)
{
    char *notice = digest->notice ? ub_strdup(digest->notice) : NULL, *rest = NULL;
    for (char *line = notice ? strtok_r(notice, "\n", &rest) : NULL; line;
         line = strtok_r(NULL, "\n", &rest))
        fprintf(out, "> **Note.** `%s`: %s\n\n", digest->path, line);
    ub_free(notice);
}

static bool write_csv(const struct comparison *c, const char *path, struct ub_error *err)
{
    struct ub_text text = {0};
    struct table *t = drift_table(c);
    table_csv(t, &text);
    const bool good = ub_write_file(path, text.data, text.length, err);
    table_free(t);
    ub_text_free(&text);
    return good;
}

static int code_of(const struct comparison *c, struct ub_error *err)
{
    if (c->runs == 0 || c->runs == c->missing)
        ub_fail(err, UB_INCOMPARABLE, "nothing compared: the stores have no run in common");
    else if (c->missing)
        ub_fail(err, UB_INCOMPARABLE, "%zu of the base's %zu runs are missing, first '%s'",
                c->missing, c->runs, c->first_missing);
    if (err->code != UB_OK)
        return (int)err->code;
    return c->drifted ? UB_DRIFT : UB_OK;
}

int ub_report_compare(const char *base_path, const char *new_store, FILE *out, const char *csv_path,
                      struct ub_error *err)
{
    if (!ub_exists(base_path)) {
        ub_fail(err, UB_INCOMPARABLE, "%s: no such baseline; expected a store or a runs.csv",
                base_path);
        return (int)err->code;
    }
    struct digest *base = digest_open(base_path, err);
    struct digest *new_digest = base ? digest_open(new_store, err) : NULL;
    int code = (int)err->code;
    if (new_digest) {
        struct comparison *c = compare_digests(base, new_digest);
        print_notice(base, out);
        print_notice(new_digest, out);
        print_page(c, base, new_digest, out);
        if (!csv_path || write_csv(c, csv_path, err))
            code = code_of(c, err);
        else
            code = (int)err->code;
        comparison_free(c);
    }
    digest_free(base);
    digest_free(new_digest);
    return code;
}
