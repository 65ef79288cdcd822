/* What became of runs: by law, optimizer, dataset and loss. */
#include "report/pages/page.h"

/* Systems of one optimizer, dataset and loss: a row for those of a law's groups whose first rows
 * are these. */
static void add_summary_row(struct table *t, const struct study *study,
                            const struct ub_law_verdict *v, const size_t *group_of,
                            const struct ub_rows *firsts)
{
    double *rho = ub_calloc(firsts->count + 1, sizeof *rho);
    size_t reached = 0, runs = 0, runs_reached = 0, agree = 0, judged = 0;
    for (size_t k = 0; k < firsts->count; k++) {
        const size_t g = group_of[firsts->row[k]];
        const struct ub_rows *rows = &v->groups.group[g];
        runs += rows->count;
        for (size_t i = 0; i < rows->count; i++)
            runs_reached += v->level[rows->row[i]].window.reached;
        agree += v->judgment.meets[g];
        judged += !v->data[g].why || v->data[g].against;
        if (!v->data[g].why)
            rho[reached++] = v->data[g].value;
    }
    const size_t first = firsts->row[0];
    table_cell(t, "%s", ub_frame_word(study->frame, first, "optimizer"));
    table_cell(t, "%s", dataset_label(&study->store->runs[first].spec));
    table_cell(t, "%s", study->store->runs[first].spec.loss);
    table_cell(t, "%zu of %zu", reached, firsts->count);
    table_cell(t, "%zu of %zu", runs_reached, runs);
    table_fixed(t, ub_median(rho, reached), 3);
    table_cell(t, "%zu of %zu", agree, judged);
    ub_free(rho);
}

struct table *summary_table(const struct study *study, const struct ub_law_verdict *v)
{
    static const char *const head[] = {
        "optimizer", "dataset",    "loss",          "systems with a level",
        "runs",      "median rho", "within margin", NULL};
    static const char *const within[] = {"optimizer.*", "model", "init",    "steps",
                                         "precision",   "data",  "control", NULL};
    struct table *t = table_new(head, "lllrrrr");
    size_t *group_of = ub_calloc(study->store->count + 1, sizeof *group_of);
    struct ub_rows firsts = {.row = ub_calloc(v->groups.count + 1, sizeof *firsts.row)};
    for (size_t g = 0; g < v->groups.count; g++) {
        const size_t first = v->groups.group[g].row[0];
        firsts.row[firsts.count++] = first;
        group_of[first] = g;
    }
    struct ub_groups rows = ub_frame_group(study->frame, &firsts, within);
    for (size_t r = 0; r < rows.count; r++)
        add_summary_row(t, study, v, group_of, &rows.group[r]);
    ub_groups_clear(&rows);
    ub_rows_clear(&firsts);
    ub_free(group_of);
    return t;
}

void page_summary(struct ub_text *out, const struct study *study, const struct ub_law_verdict *v)
{
    if (!v->level || v->groups.count == 0)
        return;
    struct table *t = summary_table(study, v);
    ub_text_add(out, "\n## Summary\n\n");
    table_markdown(t, out);
    table_free(t);
}
