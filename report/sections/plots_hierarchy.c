/* Samples to learn a hierarchy: test error against samples over n_c m^L, where curves of all m fall
 * on one if that is what it takes. */
#include "report/laws/group.h"
#include "report/sections/sections.h"

#include <math.h>

enum { COLORS = 8, MOST_SIZES = 64, MOST_PANELS = 4 };
static const char law_name[] = "hierarchy-samples";
static const char *const over_sizes[] = {"dataset.size", "steps", NULL};

extern const struct ub_section ub_section_hierarchy;

struct picture {
    const struct ub_frame *frame;
    size_t panels, colors;
    struct ub_panel *panel[MOST_PANELS];
    double layers[MOST_PANELS];
    bool shallow[MOST_PANELS];
    double synonyms[COLORS];
    bool named[MOST_PANELS][COLORS];
};

/* ---- curves --------------------------------------------------------------------------------- */

struct curve {
    size_t n;
    double samples[MOST_SIZES], error[MOST_SIZES], runs[MOST_SIZES];
};

static size_t place_of(struct curve *c, double samples)
{
    size_t k = 0;
    while (k < c->n && c->samples[k] < samples)
        k++;
    if ((k < c->n && c->samples[k] == samples) || c->n == MOST_SIZES)
        return k;
    for (size_t j = c->n++; j > k; j--) {
        c->samples[j] = c->samples[j - 1];
        c->error[j] = c->error[j - 1];
        c->runs[j] = c->runs[j - 1];
    }
    c->samples[k] = samples;
    c->error[k] = c->runs[k] = 0;
    return k;
}

/* Mean test error over draws by size, ascending. */
static struct curve curve_of(const struct ub_frame *frame, const struct ub_rows *rows)
{
    struct curve c = {0};
    for (size_t i = 0; i < rows->count; i++) {
        const double error = 1 - ub_run_last(frame, rows->row[i], "test-accuracy");
        if (!isfinite(error))
            continue;
        const size_t k = place_of(&c, ub_frame_number(frame, rows->row[i], "dataset.size"));
        if (k == MOST_SIZES)
            continue;
        c.error[k] += error;
        c.runs[k]++;
    }
    for (size_t k = 0; k < c.n; k++)
        c.error[k] /= c.runs[k];
    return c;
}

/* ---- panels --------------------------------------------------------------------------------- */

/* The panel of so many levels, deep or shallow; MOST_PANELS: there are too many. */
static size_t panel_of(struct picture *p, double layers, bool shallow)
{
    size_t k = 0;
    while (k < p->panels && (p->layers[k] != layers || p->shallow[k] != shallow))
        k++;
    if (k < p->panels || k == MOST_PANELS)
        return k;
    p->layers[k] = layers;
    p->shallow[k] = shallow;
    return p->panels++;
}

static size_t color_of(struct picture *p, double synonyms)
{
    size_t k = 0;
    while (k < p->colors && p->synonyms[k] != synonyms)
        k++;
    if (k == p->colors && k < COLORS)
        p->synonyms[p->colors++] = synonyms;
    return k % COLORS;
}

static size_t panel_of_group(struct picture *p, const struct ub_rows *rows)
{
    const size_t row = rows->row[0];
    return panel_of(p, ub_frame_number(p->frame, row, "dataset.layers"),
                    ub_frame_control(p->frame, row, law_name) == UB_CONTROL_FAILS);
}

static void plot_curve(struct picture *p, size_t panel, const struct ub_rows *rows)
{
    const size_t row = rows->row[0];
    const double m = ub_frame_number(p->frame, row, "dataset.synonyms");
    const double unit = ub_frame_number(p->frame, row, "dataset.roots") *
                        pow(m, ub_frame_number(p->frame, row, "dataset.layers"));
    struct curve c = curve_of(p->frame, rows);
    for (size_t k = 0; k < c.n; k++)
        c.samples[k] /= unit;
    const size_t color = color_of(p, m);
    char label[32];
    snprintf(label, sizeof label, "m = %g", m);
    struct ub_style style = {.color = (int)color,
                             .width = 1.2,
                             .alpha = 0.8,
                             .label = p->named[panel][color] ? NULL : label};
    p->named[panel][color] = true;
    ub_panel_line(p->panel[panel], c.samples, c.error, c.n, style);
    style.label = NULL;
    style.points = true;
    style.point_size = 4;
    ub_panel_line(p->panel[panel], c.samples, c.error, c.n, style);
}

static void plot_groups(struct picture *p, const struct ub_groups *groups)
{
    for (size_t g = 0; g < groups->count; g++) {
        const size_t panel = panel_of_group(p, &groups->group[g]);
        if (panel == MOST_PANELS)
            continue;
        struct ub_groups curves = ub_frame_group(p->frame, &groups->group[g], over_sizes);
        for (size_t k = 0; k < curves.count; k++)
            plot_curve(p, panel, &curves.group[k]);
        ub_groups_clear(&curves);
    }
}

static void set_panel(struct picture *p, struct ub_figure *f, size_t k)
{
    char title[64];
    p->panel[k] = ub_figure_panel(f, 0, (int)k);
    snprintf(title, sizeof title, "%s, %g levels", p->shallow[k] ? "shallow (control)" : "deep",
             p->layers[k]);
    ub_panel_title(p->panel[k], title);
    ub_panel_axes(p->panel[k], "samples / (n_c m^L)", UB_LOG, "test error", UB_LINEAR);
}

static bool plot_hierarchy(const struct study *study, struct plates *plates, struct ub_error *err)
{
    struct picture p = {.frame = study->frame};
    const struct ub_law_verdict *v = section_verdict(&ub_section_hierarchy, study);
    if (!v)
        return true;
    for (size_t g = 0; g < v->groups.count; g++)
        panel_of_group(&p, &v->groups.group[g]);
    for (size_t g = 0; g < v->controls.count; g++)
        panel_of_group(&p, &v->controls.group[g]);
    struct ub_figure *f = ub_figure_new("Samples to learn a hierarchy", 1, (int)p.panels);
    ub_figure_share(f, true, true);
    for (size_t k = 0; k < p.panels; k++)
        set_panel(&p, f, k);
    plot_groups(&p, &v->groups);
    plot_groups(&p, &v->controls);
    ub_figure_caption(f, "Means over draws; a line a system and number of synonyms m.");
    return plates_add(plates, f, "hierarchy", "Samples to learn a hierarchy",
                      "Test error against training samples over n_c m^L: curves of all m are one "
                      "where the law holds, and move to the right with m where it takes more.",
                      err);
}

static const char *const laws[] = {law_name, NULL};
const struct ub_section ub_section_hierarchy = {
    .name = "hierarchy",
    .laws = laws,
    .draw = plot_hierarchy,
};
