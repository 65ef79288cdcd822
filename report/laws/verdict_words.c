/* A verdict in words that are true as they stand: what is known of the mean, of how many systems,
 * which are the exceptions, and, where nothing is decided, what would decide it. */
#include "report/laws/verdict.h"
#include "report/statistics/share.h"

#include <math.h>

enum { NAMED = 5, MOST_SYSTEMS = 10000 };

static void add_mean(struct ub_text *text, const struct ub_law_result *r)
{
    const struct ub_meta *m = &r->meta;
    const double margin = r->law->margin;
    const char *where = r->equivalence_p < 0.01 * LAW_LEVEL_PERCENT ? "within"
                        : m->mean.low > r->target + margin || m->mean.high < r->target - margin
                            ? "outside"
                            : "neither surely within nor outside";
    if (!isfinite(m->mean.estimate)) {
        ub_text_add(text, "no system has come to a level");
        return;
    }
    ub_text_add(text,
                "the mean over %zu system%s is %.3f, 95%% interval [%.3f, %.3f], %s %.3g +- %.3g",
                r->n_systems_reached, r->n_systems_reached == 1 ? "" : "s", m->mean.estimate,
                m->mean.low, m->mean.high, where, r->target, margin);
}

static void add_share(struct ub_text *text, const struct ub_law_result *r)
{
    ub_text_add(text, "; %zu of %zu system%s judged %s within it (at least %.0f%%, at most %.0f%%)",
                r->n_within, r->n_judged, r->n_judged == 1 ? "" : "s",
                r->n_judged == 1 ? "is" : "are", 100 * r->share_low, 100 * r->share_high);
}

static void add_exceptions(struct ub_text *text, const struct ub_law_result *r)
{
    size_t named = 0;
    if (r->n_violate == 0) {
        ub_text_add(text, "; none is beyond it past doubt");
        if (r->verdict == UB_HOLDS_WITH_EXCEPTIONS)
            ub_text_add(text,
                        ": without exceptions, but %zu systems are too few to say that 90%% "
                        "are within",
                        r->n_judged);
        return;
    }
    ub_text_add(text, "; beyond it past doubt: ");
    for (size_t s = 0; s < r->n_systems && named < NAMED; s++) {
        const struct ub_law_system *system = &r->systems[s];
        if (!system->violates)
            continue;
        ub_text_add(text, "%s%s (", named++ ? ", " : "", system->label);
        if (system->levelless)
            ub_text_add(text, "%s)", system->why);
        else
            ub_text_add(text, "%.3g)", system->plateau.estimate);
    }
    if (r->n_violate > named)
        ub_text_add(text, " and %zu more", r->n_violate - named);
}

/* ---- what would decide it ---------------------------------------------------------------- */

/* Systems after which the mean's interval, as wide as theirs, would lie on one side of the margin
 * that it now crosses. */
static double systems_for_mean(const struct ub_law_result *r)
{
    const double off = fabs(r->meta.mean.estimate - r->target) - r->law->margin;
    const double half = 0.5 * (r->meta.mean.high - r->meta.mean.low);
    return ceil((double)r->n_systems_reached * pow(half / off, 2.0));
}

/* The fewest systems that would settle shares like these, of those within and of those not beyond
 * past doubt; 0 when none would. */
static size_t systems_for_share(const struct ub_law_result *r)
{
    const double within = (double)r->n_within / (double)r->n_judged;
    const double open = 1.0 - (double)r->n_violate / (double)r->n_judged;
    for (size_t n = r->n_judged + 1; n <= MOST_SYSTEMS; n++) {
        const size_t k = (size_t)lround(within * (double)n), m = (size_t)lround(open * (double)n);
        if (ub_share_low(k, n, 0.95) >= 0.75 || ub_share_high(m, n, 0.95) < 0.5)
            return n;
    }
    return 0;
}

static void add_deciding(struct ub_text *text, const struct ub_law_result *r)
{
    const double least = (double)r->law->least_systems;
    if ((double)r->n_judged < least) {
        ub_text_add(text, ". It would take %.0f more systems that can be judged",
                    least - (double)r->n_judged);
        return;
    }
    const bool mean_open = !(r->equivalence_p < 0.01 * LAW_LEVEL_PERCENT);
    if (mean_open) {
        const double n = systems_for_mean(r);
        if (n <= MOST_SYSTEMS)
            ub_text_add(text, ". About %.0f systems in all like these would decide on the mean",
                        fmax(n, (double)r->n_systems_reached + 1));
        else
            ub_text_add(text, ". The mean lies at the margin: no number of systems would decide");
        return;
    }
    const size_t n = systems_for_share(r), beyond = r->n_judged - r->n_within;
    if (n > 0)
        ub_text_add(text, ". About %zu systems in all like these would decide on the share", n);
    else if (r->n_violate < beyond)
        ub_text_add(text, ". %zu of those not within it may be: longer runs would decide on them",
                    beyond - r->n_violate);
    else
        ub_text_add(text, ". With a share like this it is true of some systems only, however many");
}

void law_word(struct ub_law_result *r)
{
    struct ub_text text = {0};
    if (r->n_judged == 0) {
        ub_text_add(&text, "no system can be judged");
    } else {
        add_mean(&text, r);
        add_share(&text, r);
        add_exceptions(&text, r);
    }
    if (r->verdict == UB_UNDECIDED)
        add_deciding(&text, r);
    r->why = text.data;
}
