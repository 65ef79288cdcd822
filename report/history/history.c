/* The file of nightlies. */
#include "report/history/history.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

const char *const ub_history_kind_names[UB_HISTORY_KINDS] = {"law", "observable", "speed"};

enum column {
    DATE,
    COMMIT,
    BASE,
    CPU,
    KIND,
    NAME,
    SCALE,
    VALUE,
    LOW,
    HIGH,
    FLOOR,
    SYSTEMS,
    DRIFTED,
    VERDICT,
    COLUMNS
};
static const char *const heads[COLUMNS] = {"date",  "commit",  "base",    "cpu",    "kind",
                                           "name",  "scale",   "value",   "low",    "high",
                                           "floor", "systems", "drifted", "verdict"};
static const char *const scales[] = {"absolute", "relative"};

/* ---- rows ----------------------------------------------------------------------------------- */

static struct ub_night copy_of(const struct ub_night *n)
{
    struct ub_night copy = *n;
    char **const texts[] = {&copy.date, &copy.commit, &copy.base,
                            &copy.cpu,  &copy.name,   &copy.verdict};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        *texts[i] = ub_strdup(*texts[i] ? *texts[i] : "");
    return copy;
}

static void clear_night(struct ub_night *n)
{
    ub_free(n->date);
    ub_free(n->commit);
    ub_free(n->base);
    ub_free(n->cpu);
    ub_free(n->name);
    ub_free(n->verdict);
}

void ub_history_clear(struct ub_history *h)
{
    for (size_t i = 0; i < h->count; i++)
        clear_night(&h->night[i]);
    ub_free(h->night);
    *h = (struct ub_history){0};
}

static bool same_row(const struct ub_night *a, const struct ub_night *b)
{
    return a->kind == b->kind && strcmp(a->date, b->date) == 0 && strcmp(a->name, b->name) == 0;
}

/* Behind all rows of its date or earlier: files are in order, so it is mostly the end. */
void ub_history_add(struct ub_history *h, const struct ub_night *night)
{
    size_t at = h->count;
    while (at > 0 && strcmp(h->night[at - 1].date, night->date) > 0)
        at--;
    for (size_t i = at; i > 0 && strcmp(h->night[i - 1].date, night->date) == 0; i--)
        if (same_row(&h->night[i - 1], night)) {
            const struct ub_night copy = copy_of(night);
            clear_night(&h->night[i - 1]);
            h->night[i - 1] = copy;
            return;
        }
    if ((h->count & (h->count - 1)) == 0)
        h->night = ub_realloc(h->night, (2 * h->count + 1) * sizeof *h->night);
    memmove(&h->night[at + 1], &h->night[at], (h->count - at) * sizeof *h->night);
    h->night[at] = copy_of(night);
    h->count++;
}

/* ---- reading -------------------------------------------------------------------------------- */

struct reader {
    const struct ub_csv *csv;
    size_t row;
    int at[COLUMNS];
    struct ub_error *err;
};

static const char *cell(const struct reader *r, enum column c)
{
    return ub_csv_cell(r->csv, r->row, (size_t)r->at[c]);
}

static bool bad(const struct reader *r, enum column c, const char *expected)
{
    return ub_fail(r->err, UB_INPUT, "%s:%d: %s is '%s'; expected %s", r->csv->path,
                   r->csv->lines[r->row], heads[c], cell(r, c), expected);
}

static bool read_word(const struct reader *r, enum column c, const char *const *words, int n,
                      const char *expected, int *out)
{
    for (*out = 0; *out < n; ++*out)
        if (strcmp(cell(r, c), words[*out]) == 0)
            return true;
    return bad(r, c, expected);
}

static bool read_number(const struct reader *r, enum column c, double *out)
{
    *out = (double)NAN;
    return !*cell(r, c) || ub_read_real(cell(r, c), out) || bad(r, c, "a number or nothing");
}

static bool read_count(const struct reader *r, enum column c, int64_t *out)
{
    return (ub_read_int(cell(r, c), out) && *out >= 0) || bad(r, c, "a count");
}

static bool read_row(const struct reader *r, struct ub_history *out)
{
    struct ub_night n = {0};
    int kind = 0, scale = 0;
    if (!*cell(r, DATE) || !*cell(r, NAME))
        return bad(r, *cell(r, DATE) ? NAME : DATE, "some text");
    const bool good = read_word(r, KIND, ub_history_kind_names, UB_HISTORY_KINDS,
                                "law, observable or speed", &kind) &&
                      read_word(r, SCALE, scales, 2, "absolute or relative", &scale) &&
                      read_number(r, VALUE, &n.value) && read_number(r, LOW, &n.low) &&
                      read_number(r, HIGH, &n.high) && read_number(r, FLOOR, &n.floor) &&
                      read_count(r, SYSTEMS, &n.systems) && read_count(r, DRIFTED, &n.drifted);
    n.kind = (enum ub_history_kind)kind;
    n.relative = scale == 1;
    n.date = (char *)cell(r, DATE);
    n.commit = (char *)cell(r, COMMIT);
    n.base = (char *)cell(r, BASE);
    n.cpu = (char *)cell(r, CPU);
    n.name = (char *)cell(r, NAME);
    n.verdict = (char *)cell(r, VERDICT);
    if (good)
        ub_history_add(out, &n);
    return good;
}

static bool find_columns(struct reader *r)
{
    for (int c = 0; c < COLUMNS; c++) {
        r->at[c] = ub_csv_column(r->csv, heads[c]);
        if (r->at[c] < 0)
            return ub_fail(r->err, UB_INPUT,
                           "%s:1: no column '%s'; expected a history of nightlies", r->csv->path,
                           heads[c]);
    }
    return true;
}

bool ub_history_read(const char *path, struct ub_history *out, struct ub_error *err)
{
    *out = (struct ub_history){0};
    if (!ub_exists(path))
        return true;
    struct ub_csv *csv = ub_csv_read(path, true, err);
    if (!csv)
        return false;
    struct reader r = {.csv = csv, .err = err};
    bool good = find_columns(&r);
    for (r.row = 0; good && r.row < csv->rows; r.row++)
        good = read_row(&r, out);
    ub_csv_free(csv);
    if (!good)
        ub_history_clear(out);
    return good;
}

/* ---- writing -------------------------------------------------------------------------------- */

static void add_count(struct ub_text *out, int64_t count)
{
    char text[32];
    snprintf(text, sizeof text, "%" PRId64, count);
    ub_csv_add(out, text);
}

static void add_night(struct ub_text *out, const struct ub_night *n)
{
    const char *const texts[] = {
        n->date, n->commit,          n->base, n->cpu, ub_history_kind_names[n->kind],
        n->name, scales[n->relative]};
    const double numbers[] = {n->value, n->low, n->high, n->floor};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        ub_csv_add(out, texts[i]);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        ub_csv_add_real(out, isfinite(numbers[i]) ? numbers[i] : (double)NAN);
    add_count(out, n->systems);
    add_count(out, n->drifted);
    ub_csv_add(out, n->verdict);
    ub_csv_end_row(out);
}

bool ub_history_write(const char *path, const struct ub_history *h, struct ub_error *err)
{
    struct ub_text text = {0};
    for (int c = 0; c < COLUMNS; c++)
        ub_csv_add(&text, heads[c]);
    ub_csv_end_row(&text);
    for (size_t i = 0; i < h->count; i++)
        add_night(&text, &h->night[i]);
    const bool good = ub_write_file(path, text.data, text.length, err);
    ub_text_free(&text);
    return good;
}

/* ---- since when ----------------------------------------------------------------------------- */

struct ub_since ub_history_since(const struct ub_history *h, enum ub_history_kind kind,
                                 const char *name)
{
    struct ub_since since = {0};
    for (size_t i = h->count; i > 0; i--) {
        const struct ub_night *n = &h->night[i - 1];
        if (n->kind != kind || strcmp(n->name, name) != 0)
            continue;
        if (n->drifted == 0) {
            since.quiet = n;
            break;
        }
        since.first = n;
        since.nights++;
    }
    return since;
}
