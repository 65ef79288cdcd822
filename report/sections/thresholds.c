/* What each optimizer's threshold is, as its runs recorded it. */
#include "report/frame/factor.h"
#include "report/sections/sections.h"

static bool knows_its_edge(const struct ub_frame *frame, size_t row, const void *context)
{
    (void)context;
    return *provenance_of(&frame->store->runs[row], "edge.threshold");
}

/* One row for each formula of an optimizer: options may change it. */
static void add_rows(struct table *t, const struct ub_frame *frame, const struct ub_rows *rows)
{
    struct labels formulas = {0};
    for (size_t i = 0; i < rows->count; i++) {
        const struct ub_run *run = &frame->store->runs[rows->row[i]];
        const size_t before = formulas.count;
        if (labels_add(&formulas, provenance_of(run, "edge.threshold")) != before)
            continue;
        table_cell(t, "%s", ub_frame_word(frame, rows->row[i], "optimizer"));
        table_cell(t, "%s", provenance_of(run, "edge.quantity"));
        table_cell(t, "%s", provenance_of(run, "edge.threshold"));
        table_cell(t, "%s", provenance_of(run, "edge.citation"));
    }
    labels_free(&formulas);
}

struct table *thresholds_table(const struct study *study)
{
    static const char *const head[] = {"optimizer", "what sits at the edge", "threshold",
                                       "citation", NULL};
    static const char *const by_optimizer[] = {"optimizer", NULL};
    struct table *t = table_new(head, "llll");
    struct ub_rows rows = ub_frame_where(study->frame, NULL, knows_its_edge, NULL);
    struct ub_groups optimizers = ub_frame_group_by(study->frame, &rows, by_optimizer);
    for (size_t g = 0; g < optimizers.count; g++)
        add_rows(t, study->frame, &optimizers.group[g]);
    ub_groups_clear(&optimizers);
    ub_rows_clear(&rows);
    return t;
}

static const char *const laws[] = {"edge-of-stability", NULL};
const struct ub_section ub_section_thresholds = {
    .name = "thresholds",
    .laws = laws,
    .table = thresholds_table,
    .title = "Thresholds",
    .text = "The edge of each optimizer, rho = 1: H is the Hessian of the training loss, coupled "
            "decay included, P the optimizer's metric.",
};
