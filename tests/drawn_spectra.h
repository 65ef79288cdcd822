/* drawn_spectra.h - figures of the planted spectra, and what is in them. */
#ifndef UB_TEST_DRAWN_SPECTRA_H
#define UB_TEST_DRAWN_SPECTRA_H

#include "planted_spectra.h"

#include "report/figure/private.h"
#include "report/sections/spectra.h"
#include "report/sections/spectra_map.h"

/* The group of a dataset and optimizer; close it. */
static inline struct spectra_group group_of(const struct fixture *x, const char *dataset,
                                            const char *optimizer)
{
    struct spectra_groups all = spectra_groups_of(x->study, SIZE_MAX);
    struct ub_text name = {0};
    ub_text_add(&name, "%s, MSE, %s", optimizer, dataset);
    for (size_t i = 0; i < all.count; i++) {
        const struct spectra_group found = all.group[i];
        if (strcmp(found.name, name.data) != 0)
            continue;
        all.group[i] = all.group[--all.count];
        spectra_groups_clear(&all);
        ub_text_free(&name);
        return found;
    }
    fail_msg("no group %s, %s", dataset, optimizer);
    return (struct spectra_group){0};
}

static inline struct ub_panel *titled(const struct ub_figure *f, const char *title)
{
    assert_non_null(f);
    for (int i = 0; i < f->rows * f->columns; i++)
        if (f->panels[i] && f->panels[i]->title && strcmp(f->panels[i]->title, title) == 0)
            return f->panels[i];
    fail_msg("no panel '%s'", title);
    return NULL;
}

/* The n-th mark of a kind, and color where it is not -2. */
static inline const struct ub_mark *mark_of(const struct ub_panel *p, enum ub_mark_kind kind,
                                            int color, size_t n)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->marks[i].kind == kind && (color == -2 || p->marks[i].style.color == color) &&
            n-- == 0)
            return &p->marks[i];
    fail_msg("no such mark");
    return NULL;
}

#endif
