/* Where laws hold: the share of groups that meet each, by model, optimizer and dataset. */
#include "report/sections/board.h"
#include "report/sections/shown.h"

#include <math.h>
#include <string.h>

struct cell {
    size_t meet, beyond, unclear; /* as tables answer */
};

static bool speaks(const struct cell *c)
{
    return c->meet + c->beyond + c->unclear > 0;
}

/* A group alone in its cluster says nothing of sameness. */
static bool speaks_of(const struct ub_law_verdict *v, size_t g)
{
    const bool alone = v->law->is.is == UB_SAME && isnan(v->judgment.q[g]);
    return *shown_group(v, g).meets && !alone;
}

/* Of one law: the groups whose runs all have this word of the axis. */
static struct cell cell_of(const struct ub_law_verdict *v, const struct ub_column *axis, int word)
{
    struct cell c = {0};
    for (size_t g = 0; g < v->groups.count; g++) {
        const struct ub_rows *rows = &v->groups.group[g];
        size_t same = 0;
        while (same < rows->count && axis->level[rows->row[same]] == word)
            same++;
        const char *meets = shown_group(v, g).meets;
        if (same < rows->count || !speaks_of(v, g))
            continue;
        c.meet += strcmp(meets, "yes") == 0;
        c.beyond += strcmp(meets, "no") == 0;
        c.unclear += strcmp(meets, "unclear") == 0;
    }
    return c;
}

/* Words of the axis of which some law speaks. */
static size_t words_of(const struct board *board, const struct ub_column *axis, int *word)
{
    size_t n = 0;
    for (size_t w = 0; w < axis->n_words; w++) {
        bool some = false;
        for (size_t i = 0; i < board->count && !some; i++) {
            const struct cell c = cell_of(board->verdict[i], axis, (int)w);
            some = speaks(&c);
        }
        if (some)
            word[n++] = (int)w;
    }
    return n;
}

/* What a color cannot say: gray where none meets it and none is beyond it past doubt. */
static void draw_doubt(struct ub_panel *p, const struct cell *c, double x, double y)
{
    const double left = x - 0.5, right = x + 0.5, top = y - 0.5, bottom = y + 0.5;
    if (c->unclear == 0)
        return;
    if (c->meet + c->beyond == 0)
        ub_panel_band(p, (double[]){left, right}, (double[]){top, top}, (double[]){bottom, bottom},
                      2, (struct ub_style){.color = -1, .alpha = 0.45, .label = "all unclear"});
    ub_panel_text(p, x, y, "?");
}

static void draw_cells(struct ub_panel *p, const struct board *board, const struct ub_column *axis,
                       const int *word, size_t n)
{
    const size_t laws = board->count;
    double *shade = ub_calloc(n * laws + 1, sizeof *shade);
    double *x = ub_calloc(n + 1, sizeof *x), *y = ub_calloc(laws + 1, sizeof *y);
    struct cell *cell = ub_calloc(n * laws + 1, sizeof *cell);
    for (size_t k = 0; k <= n; k++)
        x[k] = (double)k - 0.5;
    for (size_t i = 0; i <= laws; i++)
        y[i] = (double)i - 0.5;
    for (size_t k = 0; k < n; k++)
        for (size_t i = 0; i < laws; i++) {
            struct cell *c = &cell[k * laws + i];
            *c = cell_of(board->verdict[i], axis, word[k]);
            shade[k * laws + i] = c->meet + c->beyond > 0
                                      ? (double)c->meet / (double)(c->meet + c->beyond + c->unclear)
                                      : (double)NAN;
        }
    ub_panel_heat(p, x, n, y, laws, shade);
    for (size_t k = 0; k < n; k++)
        for (size_t i = 0; i < laws; i++)
            draw_doubt(p, &cell[k * laws + i], (double)k, (double)i);
    ub_free(shade);
    ub_free(x);
    ub_free(y);
    ub_free(cell);
}

static void draw_axis(struct ub_panel *p, const struct board *board, const struct ub_column *axis,
                      const char *title)
{
    int *word = ub_calloc(axis->n_words + 1, sizeof *word);
    const size_t n = words_of(board, axis, word);
    const char **words = ub_calloc(n + 1, sizeof *words),
               **laws = ub_calloc(board->count + 1, sizeof *laws);
    for (size_t k = 0; k < n; k++)
        words[k] = axis->words[word[k]];
    for (size_t i = 0; i < board->count; i++)
        laws[i] = board->verdict[i]->law->name;
    ub_panel_title(p, title);
    ub_panel_axes(p, "", UB_LINEAR, "", UB_LINEAR);
    ub_panel_range(p, UB_HORIZONTAL, -0.5, (double)n - 0.5);
    ub_panel_range(p, UB_VERTICAL, -0.5, (double)board->count - 0.5);
    draw_cells(p, board, axis, word, n);
    ub_panel_categories(p, UB_HORIZONTAL, words, n);
    ub_panel_categories(p, UB_VERTICAL, laws, board->count);
    ub_free(word);
    ub_free(words);
    ub_free(laws);
}

static bool speaks_at_all(const struct ub_law_verdict *v)
{
    for (size_t g = 0; g < v->groups.count; g++)
        if (speaks_of(v, g))
            return true;
    return false;
}

/* Laws that have a system to speak of, in their order; those of controls alone have none. */
static struct board speaking(const struct board *board)
{
    struct ub_law_verdict **verdict = ub_calloc(board->count + 1, sizeof(struct ub_law_verdict *));
    struct board some = {board->frame, 0, verdict};
    for (size_t i = 0; i < board->count; i++)
        if (speaks_at_all(board->verdict[i]))
            verdict[some.count++] = board->verdict[i];
    return some;
}

static bool draw_matrix(const struct board *board, struct plates *plates, struct ub_error *err)
{
    static const char *const axes[] = {"model", "optimizer", "dataset"};
    static const char *const titles[] = {"by model", "by optimizer", "by dataset"};
    struct ub_figure *f = ub_figure_new("Where laws hold", 3, 1);
    for (int k = 0; k < 3; k++)
        draw_axis(ub_figure_panel(f, k, 0), board, ub_frame_column(board->frame, axes[k]),
                  titles[k]);
    ub_figure_size(f, 1000, 3 * (170 + 22 * (double)board->count));
    ub_figure_colors(f, "share of systems that meet the law", 0, 1, UB_LINEAR);
    return plates_add(plates, f, "matrix", "Where laws hold",
                      "The share of systems that meet each law, by model, optimizer and dataset, "
                      "controls left out; ?: of those that do not meet it, some or all are "
                      "unclear, off the claim but not past doubt; gray: all are; empty: the law "
                      "does not speak there.",
                      err);
}

bool plot_matrix(const struct board *board, struct plates *plates, struct ub_error *err)
{
    struct board some = speaking(board);
    const bool good = some.count < 2 || draw_matrix(&some, plates, err);
    ub_free((void *)some.verdict);
    return good;
}
