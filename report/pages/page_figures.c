/* Figures on a page, those of a section together. */
#include "report/pages/page.h"

#include <string.h>

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static void add_plate(struct ub_text *out, const struct plate *p, const char *depth)
{
    ub_text_add(out, "\n%s %s\n\n![%s](%s.png)\n\n%s ([SVG](%s.svg))\n", depth, p->title, p->title,
                p->stem, p->caption, p->stem);
}

static bool is_folded(const struct plate *p)
{
    return p->fold && !p->open;
}

static void add_fold(struct ub_text *out, const struct plates *plates, const char *section,
                     const char *name, bool folded, const char *depth)
{
    struct ub_text inside = {0}, summary = {0};
    size_t count = 0;
    for (size_t i = 0; i < plates->count; i++) {
        const struct plate *p = &plates->plate[i];
        if (!is_folded(p) || !same_text(p->section, section) || !same_text(p->fold, name))
            continue;
        add_plate(&inside, p, depth);
        count++;
    }
    ub_text_add(&summary, "%s: %zu figure%s", name, count, count == 1 ? "" : "s");
    if (folded && count > 0)
        add_fold_begin(out, summary.data);
    ub_text_add(out, "%s", count ? inside.data : "");
    if (folded && count > 0)
        add_fold_end(out);
    ub_text_free(&inside);
    ub_text_free(&summary);
}

/* Folds are closed when there is much in all of them. */
void page_figures(struct ub_text *out, const struct plates *plates, const char *section,
                  const char *depth)
{
    enum { MOST_UNFOLDED = 4 };
    struct labels folds = {0};
    size_t folded = 0;
    for (size_t i = 0; i < plates->count; i++) {
        const struct plate *p = &plates->plate[i];
        if (!same_text(p->section, section))
            continue;
        if (!is_folded(p))
            add_plate(out, p, depth);
        if (p->fold)
            labels_add(&folds, p->fold);
        folded += is_folded(p);
    }
    for (size_t i = 0; i < folds.count; i++)
        add_fold(out, plates, section, folds.text[i], folded > MOST_UNFOLDED, depth);
    labels_free(&folds);
}

void page_first_figure(struct ub_text *out, const struct plates *plates, const char *section)
{
    for (size_t i = 0; i < plates->count; i++) {
        const struct plate *p = &plates->plate[i];
        if (!same_text(p->section, section) || is_folded(p))
            continue;
        ub_text_add(out, "\n![%s](%s.png)\n", p->title, p->stem);
        return;
    }
}
