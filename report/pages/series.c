#include "report/pages/series.h"

#include "base/gzip.h"
#include "base/team.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

const struct column series_columns[] = {
    {"run", COLUMN_TEXT, "", "as in runs.csv"},
    {"system", COLUMN_TEXT, "", "as in runs.csv"},
    {"step", COLUMN_WHOLE, "steps", "when it was measured: after so many steps"},
    {"observable", COLUMN_TEXT, "",
     "what was measured: the rows of a trace, which the dictionary has as trace.csv.gz"},
    {"index", COLUMN_WHOLE, "1", "which of the observable's numbers: a rank, a layer, ..."},
    {"value", COLUMN_NUMBER, "the observable's", "the number"},
    {"error", COLUMN_NUMBER, "the observable's", "its error bar, where it has one"},
    {.name = NULL},
};

/* Runs that follow one another are packed as one member of the gzip file, so many members at a
 * time: memory for the traces of RUNS x MEMBERS runs at most. */
enum {
    QUICK = 2 /* zlib level: a tenth larger, in a third of the time */,
    RUNS = 16,
    MEMBERS = 16
};

struct member {
    unsigned char *bytes;
    size_t length, rows;
    struct ub_error err;
};

struct window {
    const struct study *study;
    size_t first; /* run */
    struct member member[MEMBERS];
};

static void add_head(struct ub_text *out)
{
    for (const struct column *c = series_columns; c->name; c++)
        ub_csv_add(out, c->name);
    ub_csv_end_row(out);
}

static bool is_due(const struct ub_run *run)
{
    return run->status != UB_RUN_MISSING && run->status != UB_RUN_FAILED;
}

/* A trace's lines behind the run's keys, as they are. */
static size_t add_lines(struct ub_text *out, const struct ub_text *keys, const char *trace,
                        size_t length)
{
    const char *at = memchr(trace, '\n', length);
    const char *const end = trace + length;
    size_t rows = 0;
    for (at = at ? at + 1 : end; at < end; rows++) {
        const char *next = memchr(at, '\n', (size_t)(end - at));
        const size_t line = (size_t)((next ? next + 1 : end) - at);
        ub_text_append(out, keys->data, keys->length);
        ub_text_append(out, at, line);
        at += line;
    }
    return rows;
}

static bool add_run(struct ub_text *out, const struct study *study, size_t row, struct member *m)
{
    const struct ub_run *run = &study->store->runs[row];
    struct ub_text keys = {0};
    size_t length = 0;
    char *trace = is_due(run) ? ub_trace_text(study->store, run, &length, &m->err) : NULL;
    ub_csv_add(&keys, run->id);
    ub_csv_add(&keys, study->system_name[study->system_of[row]]);
    ub_text_append(&keys, ",", 1);
    if (trace)
        m->rows += add_lines(out, &keys, trace, length);
    ub_text_free(&keys);
    ub_free(trace);
    return m->err.code == UB_OK;
}

static void pack_member(void *context, int64_t task, int worker)
{
    struct window *w = context;
    struct member *m = &w->member[task];
    struct ub_text text = {0};
    const size_t first = w->first + RUNS * (size_t)task, count = w->study->store->count;
    bool good = true;
    (void)worker;
    *m = (struct member){0};
    if (first == 0)
        add_head(&text);
    for (size_t i = first; good && i < first + RUNS && i < count; i++)
        good = add_run(&text, w->study, i, m);
    if (good && text.length)
        m->bytes = ub_gzip(text.data, text.length, QUICK, &m->length, &m->err);
    ub_text_free(&text);
}

/* Returns whether all is well; `rows` counts those written. */
static bool write_members(struct window *w, FILE *file, const char *path, size_t *rows,
                          struct ub_error *err)
{
    bool good = true;
    for (size_t k = 0; k < MEMBERS; k++) {
        struct member *m = &w->member[k];
        if (good && m->err.code != UB_OK)
            good = ub_fail(err, m->err.code, "%s", m->err.text);
        if (good && m->length && fwrite(m->bytes, 1, m->length, file) != m->length)
            good = ub_fail(err, UB_INPUT, "%s: cannot write: %s", path, strerror(errno));
        *rows += m->rows;
        ub_free(m->bytes);
        *m = (struct member){0};
    }
    return good;
}

static bool write_series(const struct study *study, FILE *file, const char *path, size_t *rows,
                         struct ub_error *err)
{
    struct window *w = ub_calloc(1, sizeof *w);
    const size_t count = study->store->count;
    struct ub_team *team = ub_team_for((int64_t)count);
    bool good = true;
    w->study = study;
    for (; good && w->first < count; w->first += (size_t)RUNS * MEMBERS) {
        const size_t left = (count - w->first + RUNS - 1) / RUNS;
        ub_team_run(team, (int64_t)(left < MEMBERS ? left : MEMBERS), pack_member, w);
        good = write_members(w, file, path, rows, err);
    }
    ub_team_free(team);
    ub_free(w);
    return good;
}

bool series_write(const struct study *study, const char *folder, struct ub_error *err)
{
    char *path = ub_path(folder, "series.csv.gz"),
         *partial = ub_path(folder, "series.csv.gz.partial");
    size_t rows = 0;
    FILE *file = fopen(partial, "wbe");
    bool good = file || ub_fail(err, UB_INPUT, "%s: cannot write: %s", partial, strerror(errno));
    good = good && write_series(study, file, path, &rows, err);
    if (file && fclose(file) != 0 && good)
        good = ub_fail(err, UB_INPUT, "%s: cannot write: %s", path, strerror(errno));
    if (good && rows > 0 && rename(partial, path) != 0)
        good = ub_fail(err, UB_INPUT, "%s: cannot write: %s", path, strerror(errno));
    if (file && (!good || rows == 0))
        unlink(partial);
    ub_free(path);
    ub_free(partial);
    return good;
}
