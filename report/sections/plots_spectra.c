/* The report's figures of spectra: for each group of runs (dataset, loss, optimizer) eigenvalues
 * against rank, by class, by layer, densities, weights, and all of them through training. */
#include "report/sections/spectra.h"

/* Groups that are drawn; the first figure's caption names the rest. */
enum { MOST_GROUPS = 12 };

static const char ranks_text[] =
    "%s. Eigenvalues against rank at the last measurement, a row a matrix, a color a model; lines: "
    "the power law over the ranks fitted; right: its exponent; rings: outliers; C and C\u00b2: "
    "where class means and cross-class means are expected to end (Papyan 2020, arXiv:2008.11865).";
static const char classes_text[] =
    "%s. Gauss-Newton's eigenvalues at the last measurement, colored by the part that makes up "
    "most of each; rings and lines: eigenvalues of the parts alone (Papyan 2020, "
    "arXiv:2008.11865).";
static const char layers_text[] =
    "%s. Eigenvalues of each layer at the last measurement, from the first (dark) to the last "
    "(light), with the power laws fitted; rings: outliers; right: exponents. Of many layers "
    "twelve, "
    "evenly chosen.";
static const char weights_text[] =
    "%s. Share of a weight's squared singular values at or above x, at the last measurement, with "
    "the power law fitted to its tail; strokes beneath: edge of noise of a matrix of its shape and "
    "bulk (Martin and Mahoney 2018, arXiv:1810.01075); right: the density's exponent in the tail.";
static const char density_text[] =
    "%s. Density of all eigenvalues but the outliers taken out (strokes), by Lanczos quadrature; "
    "bands: 95%% interval over probes; drawn down to a millionth of the peak. The axis is linear "
    "about zero, logarithmic beyond. Of more than twelve, twelve, evenly chosen.";
static const char evolution_text[] =
    "%s. Color: eigenvalue by rank and step, empty where it is not above its error; right: "
    "exponent "
    "of the decay, with 95%% interval. Of several layers the one with most eigenvalues, the last "
    "of those.";
static const char density_time_text[] =
    "%s. Color: density by eigenvalue and step (empty beyond the spectrum), dots: outliers taken "
    "out; right: share of eigenvalues below zero, with 95%% interval over probes. Of more than "
    "twelve, twelve, evenly chosen.";

/* ---- adding ------------------------------------------------------------------------------ */

struct place { /* of a figure on the page */
    const struct spectra_group *group;
    const char *rest; /* groups without figures; NULL: none, or said before */
    struct plates *plates;
    const char *stem, *what, *caption; /* caption: with %s for the group's runs */
    const char *kind;                  /* "" = none */
    size_t page;
};

static char *title_of(const struct place *p)
{
    struct ub_text title = {0};
    ub_text_add(&title, "%s%s%s (%s%s", p->kind, *p->kind ? ": " : "", p->what, p->group->name,
                p->page > 0 ? "" : ")");
    if (p->page > 0)
        ub_text_add(&title, "; page %zu)", p->page + 1);
    return title.data;
}

/* Saves and frees a figure; none is fine, too. */
static bool add(const struct place *p, struct ub_figure *figure, struct ub_error *err)
{
    if (!figure)
        return true;
    struct ub_text name = {0}, caption = {0};
    char *title = title_of(p);
    ub_text_add(&name, "%s-%s", p->kind, p->group->name);
    char *stem = plate_stem_of(p->stem, name.data, p->page);
    ub_text_add(&caption, p->caption, p->group->who);
    if (p->rest)
        ub_text_add(&caption, " No figures of: %s.", p->rest);
    const bool good = plates_add(p->plates, figure, stem, title, caption.data, err);
    ub_text_free(&name);
    ub_text_free(&caption);
    ub_free(stem);
    ub_free(title);
    return good;
}

/* ---- by kind of figure --------------------------------------------------------------------- */

/* Which kinds of matrices have a figure each. */
enum kinds { TOGETHER, OF_WHOLE, OF_LAYERS, OF_WEIGHTS, OF_DENSITIES };
static const struct {
    const char *stem, *what, *caption, *fold;
    enum kinds kinds;
    bool open; /* the first group's is not folded away */
    spectra_figure *draw;
} figures[] = {
    {"spectra", "Spectra by rank", ranks_text, "Spectra by rank", TOGETHER, true, draw_ranks},
    {"classes", "Spectra by class", classes_text, "Spectra by class", TOGETHER, true, draw_classes},
    {"density", "density of eigenvalues", density_text, "Densities", OF_DENSITIES, false,
     draw_density},
    {"layers", "spectra by layer", layers_text, "Spectra by layer", OF_LAYERS, false, draw_layers},
    {"weights", "tails of spectra", weights_text, "Weights", OF_WEIGHTS, false, draw_weights},
    {"evolution", "spectrum through training", evolution_text, "Spectra through training", OF_WHOLE,
     false, draw_evolution},
    {"evolution", "spectrum through training", evolution_text, "Spectra through training",
     OF_LAYERS, false, draw_evolution},
    {"evolution", "spectrum through training", evolution_text, "Spectra through training",
     OF_WEIGHTS, false, draw_evolution},
    {"density-evolution", "density through training", density_time_text,
     "Densities through training", OF_DENSITIES, false, draw_density_evolution},
};

static struct labels kinds_of(const struct spectra_group *g, enum kinds kinds)
{
    struct labels none = {0};
    switch (kinds) {
    case TOGETHER:
        labels_add(&none, "");
        return none;
    case OF_WHOLE:
        return group_kinds(g, OF_SPECTRUM, false);
    case OF_LAYERS:
        return group_kinds(g, OF_SPECTRUM, true);
    case OF_WEIGHTS:
        return group_kinds(g, OF_WEIGHT, true);
    case OF_DENSITIES:
        return group_titles(g, "density.");
    }
    return none;
}

static bool add_pages(struct place place, spectra_figure *draw, struct ub_error *err)
{
    for (place.page = 0;; place.page++) {
        char *title = title_of(&place);
        struct ub_figure *f = draw(place.group, title, place.kind, place.page);
        ub_free(title);
        if (!f)
            return true;
        if (!add(&place, f, err))
            return false;
    }
}

/* `rest`: what the first of all figures says of groups without any; NULL in later groups. */
static bool plot_group(const struct spectra_group *g, struct plates *plates, bool first,
                       const char *rest, struct ub_error *err)
{
    bool good = true;
    for (size_t i = 0; good && i < sizeof figures / sizeof *figures; i++) {
        struct labels kinds = kinds_of(g, figures[i].kinds);
        plates->fold = figures[i].fold;
        plates->open = first && figures[i].open;
        for (size_t k = 0; good && k < kinds.count; k++) {
            const size_t before = plates->count;
            good = add_pages((struct place){.group = g,
                                            .rest = rest,
                                            .plates = plates,
                                            .stem = figures[i].stem,
                                            .what = figures[i].what,
                                            .caption = figures[i].caption,
                                            .kind = kinds.text[k]},
                             figures[i].draw, err);
            rest = plates->count > before ? NULL : rest;
        }
        labels_free(&kinds);
    }
    return good;
}

bool plot_spectra(const struct study *study, struct plates *plates, struct ub_error *err)
{
    struct spectra_groups groups = spectra_groups_of(study, MOST_GROUPS);
    bool good = true;
    plates->section = "Spectra";
    for (size_t i = 0; good && i < groups.count; i++)
        good = plot_group(&groups.group[i], plates, i == 0, i == 0 ? groups.rest : NULL, err);
    spectra_groups_clear(&groups);
    plates->section = NULL;
    plates->fold = NULL;
    plates->open = false;
    return good;
}

static const char *const draws[] = {
    "hessian-spectrum",
    "covariance-spectrum.LAYER",
    "weight-spectrum.WEIGHT",
    "kernel-spectrum.OPERATOR",
    "spectrum.OPERATOR",
    "density.OPERATOR",
    "negative-fraction.OPERATOR",
    "class-structure.gauss-newton",
    "class-structure.class",
    "class-structure.cross-class",
    "class-structure.same-mean",
    "class-share.PART",
    NULL,
};
const struct ub_section ub_section_spectra = {
    .name = "spectra", .draw = plot_spectra, .draws = draws};
