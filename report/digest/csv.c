/* runs.csv, written and read back. */
#include "bench/store/axes.h"
#include "report/digest/digest.h"
#include "report/digest/options.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Axes, then labels of those that have them, stand where the table of axes says. */
enum spec_column {
    RUN,
    SYSTEM,
    STATUS,
    AXES,
    MEASURE = AXES + UB_RUN_AXES,
    LABELS,
    MESSAGE = LABELS + UB_RUN_AXES,
    COMMAND,
    FILES,
    CONTROL,
    COLUMNS
};

static bool is_axis(int c)
{
    return c >= AXES && c < MEASURE;
}

static bool is_label(int c)
{
    return c >= LABELS && c < MESSAGE;
}

const struct column digest_spec_columns[] = {
    {"run", COLUMN_TEXT, "", "id: hash of all that determines the run, its folder in runs/"},
    {"system", COLUMN_TEXT, "", "name of what was trained, for people; alike for all seeds of it"},
    {"status", COLUMN_TEXT, "", "ok, diverged, timeout, failed or missing"},
    {"measure", COLUMN_TEXT, "", "observables measured: canonical calls, joined by ;"},
    {"message", COLUMN_TEXT, "", "why a run ended early"},
    {"command", COLUMN_TEXT, "", "command line that makes the run again"},
    {"files", COLUMN_TEXT, "", "SHA-256 of the data files read, joined by ;"},
    {"control", COLUMN_TEXT, "",
     "laws of which the run is a control: LAW=holds or LAW=fails, joined by ;"},
    {.name = NULL},
};

/* NULL where there is no such column: an axis without a label. */
static const char *column_name(int c, char room[UB_LABEL_COLUMN])
{
    if (is_axis(c))
        return ub_run_axes[c - AXES].name;
    if (is_label(c))
        return ub_run_axes[c - LABELS].label ? ub_label_column(&ub_run_axes[c - LABELS], room)
                                             : NULL;
    const int at = c <= STATUS ? c : c == MEASURE ? STATUS + 1 : c - MESSAGE + STATUS + 2;
    return digest_spec_columns[at].name;
}

static const char provenance_prefix[] = "provenance.";

/* ---- writing -------------------------------------------------------------------------------- */

static void add_real(struct ub_text *text, double value)
{
    if (isinf(value))
        ub_csv_add(text, value > 0 ? "inf" : "-inf");
    else
        ub_csv_add_real(text, value);
}

static void add_measures(struct ub_text *text, const struct ub_run_spec *spec)
{
    struct ub_text joined = {0};
    ub_text_add(&joined, "%s", "");
    for (size_t i = 0; i < spec->n_measures; i++)
        ub_text_add(&joined, "%s%s", i ? ";" : "", spec->measures[i]);
    ub_csv_add(text, joined.data);
    ub_text_free(&joined);
}

static void add_axes(struct ub_text *text, const struct ub_run_spec *spec)
{
    for (size_t i = 0; i < UB_RUN_AXES; i++) {
        struct ub_text value = {0};
        ub_run_axis_text(spec, &ub_run_axes[i], &value);
        ub_csv_add(text, value.data);
        ub_text_free(&value);
    }
}

static void add_labels(struct ub_text *text, const struct ub_run_spec *spec)
{
    struct ub_run_spec alias = *spec;
    for (size_t i = 0; i < UB_RUN_AXES; i++) {
        char *const *label = ub_run_axis_label(&alias, &ub_run_axes[i]);
        if (label)
            ub_csv_add(text, *label ? *label : "");
    }
}

static void add_spec(struct ub_text *text, const struct ub_run *run, const char *system)
{
    ub_csv_add(text, run->id);
    ub_csv_add(text, system);
    ub_csv_add(text, ub_run_status_name(run->status));
    add_axes(text, &run->spec);
    add_measures(text, &run->spec);
    add_labels(text, &run->spec);
    ub_csv_add(text, run->message ? run->message : "");
    char *command = train_command(&run->spec);
    ub_csv_add(text, command);
    ub_free(command);
    char *files = ub_run_spec_files(&run->spec);
    ub_csv_add(text, files);
    ub_free(files);
    ub_csv_add(text, run->control ? run->control : "");
}

static struct labels provenance_names(const struct digest *digest)
{
    struct labels names = {0};
    for (size_t i = 0; i < digest->count; i++)
        for (size_t k = 0, next = 0; k < digest->runs[i].n_provenance; k++)
            labels_add_next(&names, &next, digest->runs[i].provenance[k].name);
    return names;
}

static void add_heads(struct ub_text *text, const struct option_columns *options,
                      const struct labels *facts, const struct labels *provenance)
{
    char room[UB_LABEL_COLUMN];
    for (int c = 0; c < COLUMNS; c++)
        if (column_name(c, room))
            ub_csv_add(text, column_name(c, room));
    option_heads(text, options);
    for (size_t i = 0; i < facts->count; i++)
        ub_csv_add(text, facts->text[i]);
    for (size_t i = 0; i < provenance->count; i++) {
        struct ub_text name = {0};
        ub_text_add(&name, "%s%s", provenance_prefix, provenance->text[i]);
        ub_csv_add(text, name.data);
        ub_text_free(&name);
    }
    ub_csv_end_row(text);
}

struct ub_text digest_csv(const struct digest *digest, const struct study *study)
{
    struct ub_text text = {0};
    struct labels facts = fact_names(digest), provenance = provenance_names(digest);
    struct option_columns options = {0};
    if (study)
        options = option_columns_of(study->frame);
    add_heads(&text, &options, &facts, &provenance);
    for (size_t r = 0; r < digest->count; r++) {
        const struct ub_run *run = &digest->runs[r];
        add_spec(&text, run, study ? study->system_name[study->system_of[r]] : "");
        option_cells(&text, &options, &(struct ub_rows){1, &r});
        for (size_t i = 0; i < facts.count; i++)
            add_real(&text, ub_run_fact(run, facts.text[i]));
        for (size_t i = 0; i < provenance.count; i++)
            ub_csv_add(&text, provenance_of(run, provenance.text[i]));
        ub_csv_end_row(&text);
    }
    option_columns_clear(&options);
    labels_free(&facts);
    labels_free(&provenance);
    return text;
}

bool digest_write(const struct digest *digest, const struct study *study, const char *path,
                  struct ub_error *err)
{
    struct ub_text text = digest_csv(digest, study);
    const bool good =
        ub_frame_good(study->frame, err) && ub_write_file(path, text.data, text.length, err);
    ub_text_free(&text);
    return good;
}

/* ---- reading -------------------------------------------------------------------------------- */

struct source {
    const struct ub_csv *csv;
    size_t row;
    int column[COLUMNS];
    struct ub_error *err;
};

static const char *cell(const struct source *s, enum spec_column c)
{
    return s->column[c] < 0 ? "" : ub_csv_cell(s->csv, s->row, (size_t)s->column[c]);
}

static bool bad(const struct source *s, const char *name, const char *text, const char *expected)
{
    return ub_fail(s->err, UB_INPUT, "%s:%d: %s '%s'; expected %s", s->csv->path,
                   s->csv->lines[s->row], name, text, expected);
}

static char *label_or_null(const char *text)
{
    return *text ? ub_strdup(text) : NULL;
}

static void read_measures(struct ub_run_spec *spec, const char *joined)
{
    while (*joined) {
        const size_t length = strcspn(joined, ";");
        spec->measures =
            ub_realloc(spec->measures, (spec->n_measures + 1) * sizeof *spec->measures);
        char *one = ub_strdup(joined);
        one[length] = '\0';
        spec->measures[spec->n_measures++] = one;
        joined += length + (joined[length] == ';');
    }
}

/* What has a fallback may be left out. */
static bool read_axis(const struct source *s, const struct ub_run_axis *axis,
                      struct ub_run_spec *spec)
{
    const int at = (int)(axis - ub_run_axes);
    const enum spec_column c = (enum spec_column)(AXES + at);
    const char *text = s->column[c] < 0 && axis->fallback ? axis->fallback : cell(s, c);
    char **label = ub_run_axis_label(spec, axis);
    if (label)
        *label = label_or_null(cell(s, (enum spec_column)(LABELS + at)));
    return ub_run_axis_set(spec, axis, text) ||
           bad(s, axis->name, text, axis->expected ? axis->expected : "a name");
}

static bool read_spec(const struct source *s, struct ub_run_spec *spec)
{
    for (size_t i = 0; i < UB_RUN_AXES; i++)
        if (!read_axis(s, &ub_run_axes[i], spec))
            return false;
    read_measures(spec, cell(s, MEASURE));
    return ub_run_spec_set_files(spec, cell(s, FILES)) ||
           bad(s, "files", cell(s, FILES), "SHA-256 joined by ';'");
}

static bool read_number(const struct source *s, const char *name, const char *text, double *out)
{
    if (strcmp(text, "inf") == 0 || strcmp(text, "-inf") == 0) {
        *out = *text == '-' ? -HUGE_VAL : HUGE_VAL;
        return true;
    }
    return ub_read_real(text, out) || bad(s, name, text, "a number or nothing");
}

static bool is_known(const struct source *s, size_t column)
{
    for (int c = 0; c < COLUMNS; c++)
        if (s->column[c] == (int)column)
            return true;
    return false;
}

/* All other columns: texts of provenance by their prefix, numbers else. Names of systems and
 * columns of options say again what the axes say. */
static bool read_rest(const struct source *s, struct ub_run *run)
{
    const size_t prefix = strlen(provenance_prefix), n = s->csv->columns;
    run->facts = ub_calloc(n, sizeof *run->facts);
    run->provenance = ub_calloc(n, sizeof *run->provenance);
    for (size_t c = 0; c < n; c++) {
        const char *name = s->csv->header[c], *text = ub_csv_cell(s->csv, s->row, c);
        double value;
        if (is_known(s, c) || !*text || option_column_named(name))
            continue;
        if (strncmp(name, provenance_prefix, prefix) == 0) {
            run->provenance[run->n_provenance++] =
                (struct ub_pair){ub_strdup(name + prefix), ub_strdup(text)};
            continue;
        }
        if (!read_number(s, name, text, &value))
            return false;
        run->facts[run->n_facts++] = (struct ub_fact){ub_strdup(name), value};
    }
    return true;
}

static bool read_row(const struct source *s, struct ub_run *run)
{
    const char *id = cell(s, RUN);
    if (strlen(id) != 16 || strspn(id, "0123456789abcdef") != 16)
        return bad(s, "run", id, "16 hexadecimal digits");
    memcpy(run->id, id, sizeof run->id);
    if (!ub_run_status_find(cell(s, STATUS), &run->status))
        return bad(s, "status", cell(s, STATUS), "ok, diverged, timeout, failed or missing");
    run->message = ub_strdup(cell(s, MESSAGE));
    run->control = label_or_null(cell(s, CONTROL));
    if (run->control && !ub_control_reads(run->control))
        return bad(s, "control", run->control, "LAW=holds or LAW=fails, joined by ';'");
    if (!read_spec(s, &run->spec))
        return false;
    run->label = ub_run_spec_label(&run->spec);
    return read_rest(s, run);
}

/* What is left in a table of what its store had to say. */
static char *notice_of(const struct digest *digest)
{
    struct ub_text text = {0};
    size_t edited = 0;
    for (size_t i = 0; i < digest->count; i++)
        edited += *provenance_of(&digest->runs[i], "edited") != '\0';
    if (edited)
        ub_text_add(&text, "Edited by hand, and sealed: %zu of %zu runs.\n", edited, digest->count);
    return text.data;
}

static int compare_ids(const void *a, const void *b)
{
    const struct ub_run *const *x = a, *const *y = b;
    const int order = strcmp((*x)->id, (*y)->id);
    return order != 0 ? order : (*x > *y) - (*x < *y);
}

static bool each_run_once(struct source *s, const struct digest *digest)
{
    bool once = true;
    const struct ub_run **sorted = ub_calloc(digest->count + 1, sizeof(struct ub_run *));
    for (size_t i = 0; i < digest->count; i++)
        sorted[i] = &digest->runs[i];
    qsort(sorted, digest->count, sizeof *sorted, compare_ids);
    for (size_t i = 1; i < digest->count && once; i++)
        if (strcmp(sorted[i - 1]->id, sorted[i]->id) == 0) {
            s->row = (size_t)(sorted[i] - digest->runs);
            once = bad(s, "run", sorted[i]->id, "each run once");
        }
    ub_free(sorted);
    return once;
}

struct spec_row {
    char *spec;
    size_t row;
};

static int compare_specs(const void *a, const void *b)
{
    const struct spec_row *x = a, *y = b;
    const int order = strcmp(x->spec, y->spec);
    return order != 0 ? order : (x->row > y->row) - (x->row < y->row);
}

/* Under another id, too: rows that repeat each other are no replicates. */
static bool each_spec_once(struct source *s, const struct digest *digest)
{
    bool once = true;
    struct spec_row *sorted = ub_calloc(digest->count + 1, sizeof *sorted);
    for (size_t i = 0; i < digest->count; i++)
        sorted[i] = (struct spec_row){ub_run_spec_text(&digest->runs[i].spec), i};
    qsort(sorted, digest->count, sizeof *sorted, compare_specs);
    for (size_t i = 1; i < digest->count && once; i++)
        if (strcmp(sorted[i - 1].spec, sorted[i].spec) == 0) {
            s->row = sorted[i].row;
            const ptrdiff_t seed = ub_run_axis_find("seed") - ub_run_axes;
            once = bad(s, "seed", cell(s, (enum spec_column)(AXES + seed)),
                       "each system's seeds once");
        }
    for (size_t i = 0; i < digest->count; i++)
        ub_free(sorted[i].spec);
    ub_free(sorted);
    return once;
}

static bool is_needed(int c)
{
    return c == RUN || c == STATUS || (is_axis(c) && !ub_run_axes[c - AXES].fallback);
}

static bool find_columns(struct source *s)
{
    char room[UB_LABEL_COLUMN];
    for (int c = 0; c < COLUMNS; c++) {
        const char *name = column_name(c, room);
        s->column[c] = name ? ub_csv_column(s->csv, name) : -1;
        if (c == RUN && s->column[c] < 0)
            s->column[c] = ub_csv_column(s->csv, "id"); /* as earlier versions called it */
        if (s->column[c] < 0 && is_needed(c))
            return ub_fail(s->err, UB_INPUT, "%s:1: no column '%s'; expected a store's runs.csv",
                           s->csv->path, name);
    }
    return true;
}

static struct digest *read_csv(const char *path, struct ub_error *err)
{
    struct ub_csv *csv = ub_csv_read(path, true, err);
    if (!csv)
        return NULL;
    struct source s = {.csv = csv, .err = err};
    struct digest *digest = ub_calloc(1, sizeof *digest);
    digest->path = ub_strdup(path);
    digest->runs = ub_calloc(csv->rows + 1, sizeof *digest->runs);
    bool good = find_columns(&s);
    for (s.row = 0; good && s.row < csv->rows; s.row++) {
        struct ub_run *run = &digest->runs[digest->count];
        good = read_row(&s, run);
        digest->count++;
    }
    good = good && each_run_once(&s, digest) && each_spec_once(&s, digest);
    ub_csv_free(csv);
    if (good)
        digest->notice = notice_of(digest);
    if (good)
        return digest;
    digest_free(digest);
    return NULL;
}

struct digest *digest_open(const char *path, struct ub_error *err)
{
    struct stat status;
    if (stat(path, &status) == 0 && !S_ISDIR(status.st_mode))
        return read_csv(path, err);
    struct ub_store *store = ub_store_open(path, err);
    return store ? digest_of_store(store, err) : NULL;
}
