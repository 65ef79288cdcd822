/* What a column of runs.csv is: a fact of the run, what its trace comes to, or a row's last value.
 */
#include "report/digest/digest.h"

#include <string.h>

/* Of runs that measured what a law is about. */
const struct ub_quantity digest_law_facts[] = {
    {.name = "LAW.reached",
     .units = "1",
     .meaning = "whether the run reached the regime that the law is about: 1 or 0",
     .whole = true,
     .compared = {.kind = UB_COMPARED_SHARE}},
    {.name = "LAW.plateau",
     .units = "1",
     .meaning = "median of the law's quantity over the window of that regime",
     .compared = {.kind = UB_COMPARED_MEASURED, .floor = 0.01, .given = "reached"}},
    {.name = "LAW.plateau-se", .units = "1", .meaning = "standard error of the mean there"},
    {.name = "LAW.first-step",
     .units = "steps",
     .meaning = "first step of that window",
     .whole = true},
    {.name = "LAW.last-step",
     .units = "steps",
     .meaning = "last step of that window",
     .whole = true},
    {.name = "LAW.peak", .units = "1", .meaning = "largest value of the law's quantity"},
    {.name = NULL},
};

char *digest_row_column(const char *row)
{
    const struct ub_quantity *q = ub_observable_row(row, NULL);
    struct ub_text name = {0};
    if (q && q->column)
        ub_text_add(&name, "%s%s", q->column, row);
    return name.data;
}

const struct ub_quantity *digest_quantity(const char *column)
{
    static const char *const prefixes[] = {"final-", ""};
    const struct ub_quantity *q = ub_quantity_find(ub_run_facts, column);
    q = q ? q : ub_quantity_find(digest_law_facts, column);
    for (size_t i = 0; !q && i < sizeof prefixes / sizeof *prefixes; i++) {
        const size_t length = strlen(prefixes[i]);
        if (strncmp(column, prefixes[i], length) != 0)
            continue;
        q = ub_observable_row(column + length, NULL);
        if (q && (!q->column || strcmp(q->column, prefixes[i]) != 0))
            q = NULL;
    }
    return q;
}
