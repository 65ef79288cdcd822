/* A comparison as Markdown and CSV, and its exit code. */
#include "report/compare/compare.h"
#include "report/compare/summary.h"
#include "report/frame/factor.h"
#include "report/report.h"
#include "report/tables/table.h"

#include <math.h>
#include <string.h>
#include <sys/stat.h>

/* ---- rows ----------------------------------------------------------------------------------- */

static bool is_measured(const struct drift *d)
{
    return strcmp(d->kind, "measured") == 0;
}

static bool is_relative(const struct drift *d)
{
    return d->how && d->how->scale == UB_SCALE_LOG;
}

/* "5.2%", "x3.1" where the scale is relative, else in the metric's own units. */
static void add_detectable(struct table *t, double detectable, bool relative)
{
    if (!relative || !isfinite(detectable))
        table_real(t, detectable, 2);
    else if (detectable < log(2))
        table_cell(t, "%.2g%%", 100 * expm1(detectable));
    else
        table_cell(t, "x%.2g", exp(detectable));
}

static void add_values(struct table *t, const struct drift *d)
{
    if (d->base_text) {
        table_cell(t, "%s", d->base_text);
        table_cell(t, "%s", d->new_text);
    } else if (strcmp(d->kind, "runs") == 0 || strcmp(d->kind, "presence") == 0) {
        const char *unit = *d->kind == 'r' ? "runs" : "values";
        table_cell(t, "%.0f %s", d->base, unit);
        table_cell(t, "%.0f %s", d->new_value, unit);
    } else {
        table_real(t, d->base, 5);
        table_real(t, d->new_value, 5);
    }
}

static struct table *drift_table(const struct comparison *c)
{
    static const char *const head[] = {"system", "metric", "base",       "new",
                                       "n",      "q",      "detectable", NULL};
    struct table *t = table_new(head, "llrrrrr");
    for (size_t i = 0; i < c->count; i++) {
        const struct drift *d = &c->row[i];
        if (!d->drifted)
            continue;
        table_cell(t, "%s", d->system->name);
        table_cell(t, "%s", d->metric);
        add_values(t, d);
        if (d->n_pairs)
            table_cell(t, "%zu pairs", d->n_pairs);
        else
            table_cell(t, "%zu, %zu", d->n_base, d->n_new);
        table_real(t, d->q, 2);
        add_detectable(t, d->detectable, is_relative(d));
    }
    return t;
}

static struct table *all_rows_table(const struct comparison *c)
{
    static const char *const head[] = {"system", "spec",   "metric",     "kind",     "base",
                                       "new",    "n_base", "n_new",      "pairs",    "drifted",
                                       "p",      "q",      "detectable", "relative", NULL};
    struct table *t = table_new(head, "llllrrrrrrrrrl");
    for (size_t i = 0; i < c->count; i++) {
        const struct drift *d = &c->row[i];
        table_cell(t, "%s", d->system->name);
        table_cell(t, "%s", d->system->label);
        table_cell(t, "%s", d->metric);
        table_cell(t, "%s", d->kind);
        if (d->base_text) {
            table_cell(t, "%s", d->base_text);
            table_cell(t, "%s", d->new_text);
        } else {
            table_real(t, d->base, 10);
            table_real(t, d->new_value, 10);
        }
        table_cell(t, "%zu", d->n_base);
        table_cell(t, "%zu", d->n_new);
        table_cell(t, "%zu", d->n_pairs);
        table_cell(t, "%s", d->drifted ? "true" : "false");
        table_real(t, d->p, 4);
        table_real(t, d->q, 4);
        table_real(t, d->detectable, 4);
        table_cell(t, "%s", is_relative(d) ? "true" : "false");
    }
    return t;
}

/* ---- by metric ------------------------------------------------------------------------------ */

struct sums {
    size_t count, drifted, tests, n_detectable;
    double least_q, *detectable;
    bool relative;
};

static struct sums sums_of(const struct comparison *c, const char *metric)
{
    struct sums s = {.least_q = (double)NAN, .detectable = ub_calloc(c->count + 1, sizeof(double))};
    for (size_t i = 0; i < c->count; i++) {
        const struct drift *d = &c->row[i];
        if (strcmp(d->metric, metric) != 0)
            continue;
        s.count++;
        s.drifted += d->drifted;
        s.tests += isnan(d->p) ? 0 : 1;
        s.least_q = fmin(s.least_q, d->q);
        s.relative = s.relative || is_relative(d);
        if (is_measured(d) && isfinite(d->detectable))
            s.detectable[s.n_detectable++] = d->detectable;
    }
    return s;
}

static void add_metric(struct table *t, const struct comparison *c, const char *metric)
{
    struct sums s = sums_of(c, metric);
    if (s.count > 0) {
        table_cell(t, "%s", metric);
        table_cell(t, "%zu", s.count);
        table_cell(t, "%zu", s.tests);
        table_cell(t, "%zu", s.drifted);
        table_real(t, s.least_q, 2);
        for (int k = 0; k < 3; k++)
            add_detectable(t, ub_quantile(s.detectable, s.n_detectable, 0.5 * k), s.relative);
    }
    ub_free(s.detectable);
}

static struct table *metric_table(const struct comparison *c)
{
    static const char *const head[] = {"metric",  "compared", "tested", "drifted", "least q",
                                       "detects", "median",   "worst",  NULL};
    struct table *t = table_new(head, "lrrrrrrr");
    add_metric(t, c, "runs");
    add_metric(t, c, "status");
    for (size_t i = 0; i < c->facts.count; i++)
        if (metric_of(c->facts.text[i]))
            add_metric(t, c, c->facts.text[i]);
    return t;
}

/* ---- the page ------------------------------------------------------------------------------- */

/* "heavy-ball: 12 drifted (threshold, ...)" of the rows of some systems. */
static void print_optimizer(const struct comparison *c, const struct ub_rows *systems, FILE *out)
{
    const struct ub_frame *frame = c->systems.frame;
    struct labels found = {0};
    size_t n = 0;
    bool *wanted = ub_calloc(frame->rows + 1, sizeof *wanted);
    for (size_t i = 0; i < systems->count; i++)
        wanted[systems->row[i]] = true;
    for (size_t i = 0; i < c->count; i++)
        if (c->row[i].drifted && wanted[c->row[i].system->row]) {
            labels_add(&found, c->row[i].metric);
            n++;
        }
    fprintf(out, "- %s: %zu drifted (", ub_frame_word(frame, systems->row[0], "optimizer"), n);
    for (size_t i = 0; i < found.count; i++)
        fprintf(out, "%s%s", i ? ", " : "", found.text[i]);
    fprintf(out, ")\n");
    ub_free(wanted);
    labels_free(&found);
}

/* One line an optimizer, in order of the rows that drifted. */
static void print_optimizers(const struct comparison *c, FILE *out)
{
    static const char *const by[] = {"optimizer", NULL};
    struct ub_rows drifted = {.row = ub_calloc(c->count + 1, sizeof *drifted.row)};
    for (size_t i = 0; i < c->count; i++)
        if (c->row[i].drifted)
            drifted.row[drifted.count++] = c->row[i].system->row;
    struct ub_groups optimizers = ub_frame_group_by(c->systems.frame, &drifted, by);
    for (size_t k = 0; k < optimizers.count; k++)
        print_optimizer(c, &optimizers.group[k], out);
    ub_groups_clear(&optimizers);
    ub_rows_clear(&drifted);
}

/* "`SkylakeX`, `Haswell`": every value that runs of this store have. */
static char *values_of_key(const struct digest *d, const char *key)
{
    struct labels found = {0};
    struct ub_text text = {0};
    for (size_t i = 0; i < d->count; i++)
        if (d->runs[i].status != UB_RUN_MISSING && *provenance_of(&d->runs[i], key))
            labels_add(&found, provenance_of(&d->runs[i], key));
    ub_text_add(&text, "%s", "");
    for (size_t i = 0; i < found.count; i++)
        ub_text_add(&text, "%s`%s`", i ? ", " : "", found.text[i]);
    labels_free(&found);
    return text.data;
}

static void print_machines(const struct digest *base, const struct digest *new_digest, FILE *out)
{
    for (const char *const *key = machine_keys; *key; key++) {
        char *a = values_of_key(base, *key), *b = values_of_key(new_digest, *key);
        if (*a && *b && strcmp(a, b) != 0)
            fprintf(
                out,
                "\nOther %s: %s, was %s. Bytes are not comparable: runs of equal seeds differ by "
                "rounding, and at the edge of stability by as much as two seeds do.\n",
                *key, b, a);
        ub_free(a);
        ub_free(b);
    }
}

static void print_left_out(const struct comparison *c, FILE *out)
{
    static const char *const reasons[N_LEFT_OUT] = {
        [OUT_ENDED] = "ended in two ways",
        [OUT_REGIME] = "regime not reached on one side",
        [OUT_NEW] = "only the new store has it",
        [OUT_SPREAD] = "one run against one of another seed",
    };
    bool any = false;
    for (int i = 0; i < N_LEFT_OUT; i++)
        if (c->left_out[i]) {
            fprintf(out, "%s%zu (%s)", any ? ", " : "; values left out in ", c->left_out[i],
                    reasons[i]);
            any = true;
        }
}

static bool nothing_compared(const struct comparison *c)
{
    size_t values = 0;
    for (size_t i = 0; i < c->count; i++)
        values += is_measured(&c->row[i]) || strcmp(c->row[i].kind, "share") == 0;
    return c->systems_both == 0 || (values == 0 && c->left_out[OUT_SPREAD] > 0 && !c->drifted);
}

/* Runs that the base should have: in its manifest and not there, or damaged. */
static size_t lost_runs(const struct digest *base)
{
    size_t missing = 0, damaged = 0;
    for (size_t i = 0; i < base->count; i++) {
        missing += base->runs[i].status == UB_RUN_MISSING;
        damaged += base->runs[i].damaged;
    }
    const size_t all_damaged = base->store ? base->store->n_damaged_runs : 0;
    return missing + (all_damaged > damaged ? all_damaged - damaged : 0);
}

/* Rows about runs that both have: what is missing is no comparison. */
static size_t count_compared(const struct comparison *c, bool drifted)
{
    size_t n = 0;
    for (size_t i = 0; i < c->count; i++)
        n += strcmp(c->row[i].kind, "runs") != 0 && (!drifted || c->row[i].drifted);
    return n;
}

/* Who the runs are that the new store lacks. */
static void print_missing(const struct comparison *c, const char *new_path, FILE *out)
{
    size_t *row = ub_calloc(c->systems.count + 1, sizeof *row), n = 0;
    bool *hit = ub_calloc(c->systems.count + 1, sizeof *hit);
    for (size_t i = 0; i < c->systems.count; i++) {
        const struct system *s = &c->systems.system[i];
        if (s->n[0] == 0)
            continue;
        row[n] = s->row;
        hit[n] = false;
        for (size_t k = 0; k < c->count && !hit[n]; k++)
            hit[n] = c->row[k].system == s && strcmp(c->row[k].kind, "runs") == 0;
        n++;
    }
    char *who = who_text(c, row, hit, n);
    if (c->missing > 0)
        fprintf(out, "\n**Missing** in `%s`: %zu of the base's %zu runs, of %s.\n", new_path,
                c->missing, c->runs, who ? who : "no system");
    ub_free(who);
    ub_free(row);
    ub_free(hit);
}

static void print_first_line(const struct comparison *c, const struct digest *base,
                             const struct digest *new_digest, FILE *out)
{
    const size_t compared = count_compared(c, false), drifted = count_compared(c, true);
    fprintf(out, "# Comparison\n\n`%s` (base) with `%s` (new): ", base->path, new_digest->path);
    if (nothing_compared(c))
        fprintf(out, "**nothing compared**");
    else if (drifted)
        fprintf(out, "**drift** in %zu of %zu comparisons", drifted, compared);
    else
        fprintf(out, "no drift in %zu comparisons", compared);
    const size_t lost = lost_runs(base);
    fprintf(out, ", %zu of %zu runs found", c->runs - c->missing, c->runs + lost);
    if (lost)
        fprintf(out, " (the base itself lacks %zu)", lost);
    print_left_out(c, out);
    fprintf(out, ".\n");
    print_missing(c, new_digest->path, out);
    if (c->reseeded)
        fprintf(out,
                "\n%zu of %zu systems have no seed in common: their statistics over seeds are "
                "compared, not runs.\n",
                c->reseeded, c->systems_both);
    if (c->added)
        fprintf(out, "\n%zu %s new and compared with nothing.\n", c->added,
                c->added == 1 ? "run is" : "runs are");
}

static void print_table(struct table *t, FILE *out)
{
    struct ub_text text = {0};
    table_markdown(t, &text);
    fprintf(out, "\n%s", text.data);
    ub_text_free(&text);
    table_free(t);
}

static void print_page(const struct comparison *c, const struct summaries *s,
                       const struct ub_history *history, const struct digest *base,
                       const struct digest *new_digest, FILE *out)
{
    struct ub_text commits = {0};
    print_first_line(c, base, new_digest, out);
    if (nothing_compared(c))
        return;
    print_machines(base, new_digest, out);
    print_words(s, history, out);
    commits_text(base, new_digest, &commits);
    if (commits.length)
        fprintf(out, "\n%s.\n", commits.data);
    ub_text_free(&commits);
    if (c->drifted) {
        fprintf(out, "\n");
        print_optimizers(c, out);
        print_table(drift_table(c), out);
    }
    print_table(metric_table(c), out);
    fprintf(
        out,
        "\nn: runs behind each mean, or pairs of equal seeds. q: false-discovery rate over all "
        "%zu tests; drift is q < 0.05, and with no drift at all 5%% of comparisons show some. "
        "Bitwise equal values are compared and not tested; where all else repeats bit by bit, nor "
        "are different ones: they have changed. detectable: smallest true difference "
        "that this row alone would show with 80%% power (in percent, or as a factor, where the "
        "scale is logarithmic); by metric its least, its median and its worst.\n",
        c->tests);
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
    struct table *t = all_rows_table(c);
    table_csv(t, &text);
    const bool good = ub_write_file(path, text.data, text.length, err);
    table_free(t);
    ub_text_free(&text);
    return good;
}

static int code_of(const struct comparison *c, struct ub_error *err)
{
    if (c->systems_both == 0)
        ub_fail(err, UB_INCOMPARABLE, "nothing compared: the stores have no system in common");
    else if (nothing_compared(c))
        ub_fail(err, UB_INCOMPARABLE,
                "nothing compared: no seed in common, and no system with two seeds in one store");
    if (err->code != UB_OK)
        return (int)err->code;
    return c->drifted ? UB_DRIFT : UB_OK;
}

/* The history with this night, which is NULL where none is kept. */
static bool keep_night(const struct summaries *s, const struct digest *base,
                       const struct digest *new_digest, const char *path,
                       struct ub_history *history, struct ub_error *err)
{
    return !path ||
           (ub_history_read(path, history, err) && add_tonight(s, base, new_digest, history, err) &&
            ub_history_write(path, history, err));
}

/* What times are held against where that is not the base. */
struct reference {
    struct digest *digest;
    struct comparison *c;
};

static bool open_reference(const char *path, const struct digest *new_digest, struct reference *out,
                           struct ub_error *err)
{
    if (!path)
        return true;
    out->digest = digest_open(path, err);
    out->c = out->digest ? compare_digests(out->digest, new_digest, err) : NULL;
    return out->c != NULL;
}

/* Returns the exit code. */
static int write_comparison(const struct comparison *c, const struct digest *base,
                            const struct digest *new_digest, const struct ub_comparing *how,
                            struct ub_error *err)
{
    struct summaries s = {0};
    struct ub_history history = {0};
    struct reference times = {0};
    bool good =
        open_reference(how->times_path, new_digest, &times, err) &&
        summarize(c, base, new_digest, times.c ? times.c : c, &s, err) &&
        (nothing_compared(c) || keep_night(&s, base, new_digest, how->history_path, &history, err));
    if (good) {
        print_notice(base, how->out);
        print_notice(new_digest, how->out);
        print_page(c, &s, how->history_path ? &history : NULL, base, new_digest, how->out);
        good = !how->csv_path || write_csv(c, how->csv_path, err);
    }
    ub_history_clear(&history);
    summaries_clear(&s);
    comparison_free(times.c);
    digest_free(times.digest);
    return good ? code_of(c, err) : (int)err->code;
}

static bool is_same_file(const char *a, const char *b)
{
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

int ub_report_compare(const char *base_path, const char *new_store, const struct ub_comparing *how,
                      struct ub_error *err)
{
    if (!ub_exists(base_path)) {
        ub_fail(err, UB_INCOMPARABLE, "%s: no such baseline; expected a store or a runs.csv",
                base_path);
        return (int)err->code;
    }
    struct digest *base = digest_open(base_path, err);
    const bool itself = is_same_file(base_path, new_store); /* is read once */
    struct digest *other = base && !itself ? digest_open(new_store, err) : NULL;
    const struct digest *new_digest = itself ? base : other;
    int code = (int)err->code;
    if (new_digest) {
        struct comparison *c = compare_digests(base, new_digest, err);
        code = c ? write_comparison(c, base, new_digest, how, err) : (int)err->code;
        comparison_free(c);
    }
    digest_free(base);
    digest_free(other);
    return code;
}
