/* Verdicts and tables in words: what the terminal and the report's first page show. */
#include "report/sections/board.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* ---- how runs ended ----------------------------------------------------------------------- */

static bool has_run(const struct ub_store *store, const struct ub_rows *rows,
                    enum ub_run_status status, bool damaged)
{
    for (size_t i = 0; i < rows->count; i++) {
        const struct ub_run *run = &store->runs[rows->row[i]];
        if (run->status == status && run->damaged == damaged)
            return true;
    }
    return false;
}

/* Systems of the runs that are damaged, or that have the status and are not: the first three. */
static void add_systems(const struct study *study, enum ub_run_status status, bool damaged,
                        struct table *t)
{
    enum { NAMED = 3 };
    struct ub_text some = {0};
    size_t n = 0;
    for (size_t s = 0; status != UB_RUN_OK && s < study->systems.count; s++) {
        if (!has_run(study->store, &study->systems.group[s], status, damaged) || n++ >= NAMED)
            continue;
        ub_text_add(&some, "%s%s", some.length ? "; " : "", study->system_name[s]);
    }
    if (n > NAMED)
        ub_text_add(&some, "; and %zu more system%s", n - NAMED, n == NAMED + 1 ? "" : "s");
    table_cell(t, "%s", some.data ? some.data : "");
    ub_text_free(&some);
}

/* A damaged run was made: it is not missing. */
struct table *status_table(const struct study *study)
{
    const struct ub_store *store = study->store;
    static const char *const head[] = {"status", "runs", "of which", NULL};
    struct table *t = table_new(head, "lrl");
    for (int status = UB_RUN_OK; status <= UB_RUN_MISSING; status++) {
        size_t n = 0;
        for (size_t i = 0; i < store->count; i++)
            n += (int)store->runs[i].status == status && !store->runs[i].damaged;
        if (n == 0)
            continue;
        table_cell(t, "%s", ub_run_status_name((enum ub_run_status)status));
        table_cell(t, "%zu", n);
        add_systems(study, (enum ub_run_status)status, false, t);
    }
    if (store->n_damaged_runs) {
        table_cell(t, "damaged");
        table_cell(t, "%zu", store->n_damaged_runs);
        add_systems(study, UB_RUN_MISSING, true, t);
    }
    return t;
}

/* ---- terminal --------------------------------------------------------------------------- */

enum { TERMINAL_WIDTH = 100 };

/* Breaks a paragraph at blanks. */
static void add_wrapped(struct ub_text *out, const char *text)
{
    size_t column = 0;
    while (*text) {
        const size_t n = strcspn(text, " ");
        if (column > 0 && column + 1 + n > TERMINAL_WIDTH) {
            ub_text_add(out, "\n");
            column = 0;
        }
        ub_text_add(out, "%s%.*s", column ? " " : "", (int)n, text);
        column += n + (column > 0);
        text += n;
        text += strspn(text, " ");
    }
    ub_text_add(out, "\n");
}

static void add_scoreboard(struct ub_text *out, const struct study *study)
{
    const struct board board = {study->frame, study->n_laws, study->laws};
    struct table *t = scoreboard_table(&board, false);
    if (table_rows(t) > 0) {
        ub_text_add(out, "\n");
        table_plain(t, TERMINAL_WIDTH, out);
    }
    table_free(t);
}

char *ub_report_summary(const struct ub_store *store, struct ub_error *err)
{
    struct study *study = study_new(store, err);
    if (!study)
        return NULL;
    struct ub_text out = {0};
    char *notice = ub_store_notice(store), *rest = NULL;
    for (char *line = notice ? strtok_r(notice, "\n", &rest) : NULL; line;
         line = strtok_r(NULL, "\n", &rest))
        add_wrapped(&out, line);
    ub_text_add(&out, "%s", notice ? "\n" : "");
    ub_free(notice);
    for (size_t i = 0; i < study->n_laws; i++) {
        struct ub_text verdict = {0};
        if (study->laws[i]->level) {
            struct table *t = group_table(study->laws[i], false);
            table_plain(t, TERMINAL_WIDTH, &out);
            table_free(t);
        }
        add_verdict(&verdict, study->laws[i], false);
        add_verdict_details(&verdict, study->laws[i]);
        ub_text_add(&out, "\n");
        add_wrapped(&out, verdict.data);
        ub_text_add(&out, "%s", i + 1 < study->n_laws ? "\n" : "");
        ub_text_free(&verdict);
    }
    add_scoreboard(&out, study);
    study_free(study);
    return out.data ? out.data : ub_strdup("");
}
