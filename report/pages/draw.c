/* All figures of a report. */
#include "report/pages/page.h"
#include "report/sections/board.h"

/* Figures about all laws stand with their scoreboard, each law's own and its section's with it. */
static bool draw_board(const struct study *study, struct plates *plates, struct ub_error *err)
{
    const struct board board = {study->frame, study->n_laws, study->laws};
    plates->section = page_board;
    const bool good = plot_diagonal(&board, plates, err) && plot_matrix(&board, plates, err);
    plates->section = NULL;
    return good && plot_trends(&board, plates, err) && plot_curves(&board, plates, err) &&
           plot_forests(&board, plates, err);
}

static bool draw_sections(const struct study *study, struct plates *plates, struct ub_error *err)
{
    bool good = true;
    for (size_t i = 0; good && ub_sections[i]; i++) {
        const struct ub_law_verdict *v = section_verdict(ub_sections[i], study);
        plates->section = v ? v->law->name : NULL;
        good = !ub_sections[i]->draw || ub_sections[i]->draw(study, plates, err);
    }
    plates->section = NULL;
    return good;
}

bool page_draw(const struct study *study, struct plates *plates, struct ub_error *err)
{
    return draw_sections(study, plates, err) && draw_board(study, plates, err);
}
