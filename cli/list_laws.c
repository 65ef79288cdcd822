/* What a law says, of whom, and what a suite must have for it to be decided. */
#include "cli/list.h"
#include "report/laws/law.h"

/* "optimizer.lr and model.width" after `before`; nothing without any. */
static void add_names(struct ub_text *text, const char *before, const char *const *names)
{
    for (size_t i = 0; names && names[i]; i++)
        ub_text_add(text, "%s%s", i == 0 ? before : names[i + 1] ? ", " : " and ", names[i]);
}

/* "runs equal in all but seeds, optimizer.lr and model.width" */
static struct ub_text group_text(const struct ub_law *law)
{
    struct ub_text text = {0};
    ub_text_add(&text, "runs equal in all but seeds");
    add_names(&text, law->within && law->within[1] ? ", " : " and ", law->within);
    if (law->across)
        ub_text_add(&text, "; compared with those that differ in nothing but %s", law->across);
    return text;
}

/* "measure kernel-drift; in a group 4 different model.width" */
static struct ub_text needs_text(const struct ub_law *law)
{
    struct ub_text text = {0};
    const char *before = "measure ";
    for (size_t i = 0; i < UB_NEEDS; i++)
        if (law->needs[i].observable) {
            ub_text_add(&text, "%s%s", before, law->needs[i].observable);
            before = " and ";
        }
    if (text.length == 0 && law->series)
        ub_text_add(&text, "rows of %s", law->series);
    before = text.length ? "; in a group " : "in a group ";
    for (size_t i = 0; i < UB_NEEDS; i++)
        if (law->needs[i].axis) {
            ub_text_add(&text, "%s%zu different %s", before, law->needs[i].least,
                        law->needs[i].axis);
            before = ", ";
        }
    if (law->across)
        ub_text_add(&text, "; two groups or more that differ in nothing but %s", law->across);
    return text;
}

static struct ub_text margin_text(const struct ub_law *law)
{
    struct ub_text text = {0};
    ub_claim_text(&law->is, &text);
    ub_text_add(&text, "; %s", law->because);
    return text;
}

void list_describe_law(const void *entry, struct list_entry *out)
{
    const struct ub_law *law = entry;
    struct ub_text group = group_text(law), needs = needs_text(law), margin = margin_text(law);
    out->summary = law->claim;
    list_detail(out, "formula", law->formula);
    list_detail(out, "quantity", law->quantity);
    list_detail(out, "speaks of", law->who);
    list_detail(out, "a group", group.data);
    list_detail(out, "a suite must have", needs.data);
    list_detail(out, "margin", margin.data);
    list_detail(out, "citation", law->citation);
    ub_text_free(&group);
    ub_text_free(&needs);
    ub_text_free(&margin);
}
