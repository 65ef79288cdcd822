/* runs_table.h - a runs.csv written by hand, or read and relabelled: stores whose truth is known,
 * for comparisons by the hundred. */
#ifndef UB_TEST_RUNS_TABLE_H
#define UB_TEST_RUNS_TABLE_H

#include "report/report.h"
#include "support.h"

#include <inttypes.h>
#include <math.h>

enum { TABLE_METRICS = 12 };

struct table_run {
    int system;
    int64_t seed;
    const char *status;          /* NULL: ok */
    const char *core;            /* openblas-core; NULL: "A" */
    double value[TABLE_METRICS]; /* NAN: left empty */
};
struct runs_table {
    const char *metrics[TABLE_METRICS + 1]; /* ends with NULL */
    const char *rate;                       /* NULL: 0.1 */
    size_t count;
    struct table_run *run;
};

static inline void table_add_value(struct ub_text *text, double value)
{
    char number[UB_REAL_TEXT];
    ub_real_text(value, number);
    ub_text_add(text, ",%s", isnan(value) ? "" : number);
}

static inline void table_write(const struct runs_table *t, const char *path)
{
    struct ub_text text = {0};
    struct ub_error err = {0};
    ub_text_add(&text,
                "id,status,dataset,model,loss,init,optimizer,steps,seed,data-seed,precision");
    for (int m = 0; t->metrics[m]; m++)
        ub_text_add(&text, ",%s", t->metrics[m]);
    ub_text_add(&text, ",provenance.openblas-core\n");
    for (size_t i = 0; i < t->count; i++) {
        const struct table_run *r = &t->run[i];
        ub_text_add(
            &text,
            "%016zx,%s,digits,mlp:widths=%d,mse,pytorch:gain=1,gd:lr=%s,100,%" PRId64 ",0,f32", i,
            r->status ? r->status : "ok", r->system + 1, t->rate ? t->rate : "0.1", r->seed);
        for (int m = 0; t->metrics[m]; m++)
            table_add_value(&text, r->value[m]);
        ub_text_add(&text, ",%s\n", r->core ? r->core : "A");
    }
    if (!ub_write_file(path, text.data, text.length, &err))
        fail_msg("%s", err.text);
    ub_text_free(&text);
}

/* A runs.csv as a table of text; free it with ub_csv_free. */
static inline struct ub_csv *open_csv(const char *path)
{
    struct ub_error err = {0};
    struct ub_csv *csv = ub_csv_read(path, true, &err);
    if (!csv)
        fail_msg("%s", err.text);
    return csv;
}

static inline int64_t seed_of(const struct ub_csv *csv, size_t row)
{
    int64_t seed = -1;
    assert_true(ub_read_int(ub_csv_cell(csv, row, (size_t)ub_csv_column(csv, "seed")), &seed));
    return seed;
}

/* Seeds 0, 1, ... of the system that begins at a row; 1 where it is the only one. */
static inline int64_t seeds_from(const struct ub_csv *csv, size_t row)
{
    int64_t n = 1;
    while (row + (size_t)n < csv->rows && seed_of(csv, row + (size_t)n) == n)
        n++;
    return n;
}

struct outcome {
    int code;
    char *page;
    struct ub_error err;
};

static inline struct outcome compare_paths(const char *base, const char *new_store)
{
    struct outcome o = {0};
    size_t length;
    FILE *out = open_memstream(&o.page, &length);
    o.code = ub_report_compare(base, new_store, &(struct ub_comparing){.out = out}, &o.err);
    fclose(out);
    return o;
}

static inline struct outcome compare_tables(const struct runs_table *base,
                                            const struct runs_table *new_table)
{
    char *folder = support_folder(), *a = ub_path(folder, "a.csv"), *b = ub_path(folder, "b.csv");
    table_write(base, a);
    table_write(new_table, b);
    struct outcome o = compare_paths(a, b);
    ub_free(a);
    ub_free(b);
    support_remove(folder);
    return o;
}

/* Frees the page. */
static inline void expect(struct outcome o, int code, const char *part, const char *absent)
{
    if (o.code != code || (part && !strstr(o.page, part)) || (absent && strstr(o.page, absent)))
        fail_msg("exit %d (%s), expected %d with '%s' and without '%s' in:\n%s", o.code, o.err.text,
                 code, part ? part : "", absent ? absent : "", o.page);
    free(o.page);
}

static inline void expect_error(struct outcome o, int code, const char *part)
{
    if (o.code != code || !strstr(o.err.text, part))
        fail_msg("exit %d (%s), expected %d with '%s'\n%s", o.code, o.err.text, code, part, o.page);
    free(o.page);
}

#endif
