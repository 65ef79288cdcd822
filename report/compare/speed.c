/* Times of runs, held against those of the base's.
 *
 * Seconds tell of a machine and its load at least as much as of a program, so only partners are
 * compared, runs of equal seeds and as many steps, on one CPU model with the same libraries'
 * kernels, flags, threads and jobs; and what is judged is one part of the program against all of
 * the others in the same two stores: training a model against training the others, measuring an
 * observable against measuring the others. A faster machine or a busy neighbor changes all of them
 * alike. The change of all is stated, and charted over nights (report/history), but never judged:
 * only runs made in turns on one machine tell (ci/pair). A published base comes from another
 * machine than nightlies: they hold times against the first night on a machine of their own kind
 * (ci/nightly).
 *
 * A speed is the median over runs of the logarithm of the ratio of times, with an interval by order
 * statistics; it has drifted when the median lies beyond the floor, 10%, by the sign test, through
 * Benjamini and Hochberg's procedure over all speeds. Nothing is assumed of how times scatter, but
 * that runs do so independently. Times are advice: they do not change the exit code. */
#include "report/compare/summary.h"

#include <math.h>
#include <string.h>

static const double level = 0.05, floor_factor = 1.1;
static const double least_seconds = 0.02; /* below, starts and the clock are what is timed */
enum { ENOUGH_OTHERS = 6 };

static const char *const speed_keys[] = {"cpu",     "openblas-core", "kernels", "compiler-flags",
                                         "threads", "jobs",          NULL};

enum what { TRAINING, MEASURING, WHATS };
static const char *const what_names[WHATS] = {"training", "measuring"};
static const char *const what_facts[WHATS] = {"seconds.training", "seconds.measuring"};

struct timing { /* of one pair of partners */
    const struct system *system;
    const struct ub_run *run;
    double change[WHATS]; /* log-ratio; NAN: too short, or not known */
};
struct timings {
    size_t count, partners;
    struct timing *timing;
};

static bool comparable(const struct ub_run *a, const struct ub_run *b)
{
    bool same = a->status == UB_RUN_OK && b->status == UB_RUN_OK && *provenance_of(a, "cpu") &&
                ub_run_fact(a, "steps-done") == ub_run_fact(b, "steps-done");
    for (const char *const *key = speed_keys; *key; key++)
        same = same && strcmp(provenance_of(a, *key), provenance_of(b, *key)) == 0;
    return same;
}

static struct timings timings_of(const struct comparison *c)
{
    struct timings t = {.timing = ub_calloc(c->runs + 1, sizeof *t.timing)};
    for (size_t i = 0; i < c->systems.count; i++) {
        const struct system *s = &c->systems.system[i];
        for (size_t k = 0; k < s->n_pairs; k++) {
            const struct ub_run *a = s->run[0][k], *b = s->run[1][k];
            t.partners++;
            if (!comparable(a, b))
                continue;
            struct timing *timing = &t.timing[t.count++];
            *timing = (struct timing){.system = s, .run = b};
            for (int what = 0; what < WHATS; what++) {
                const double x = ub_run_fact(a, what_facts[what]),
                             y = ub_run_fact(b, what_facts[what]);
                timing->change[what] =
                    x >= least_seconds && y >= least_seconds ? log(y / x) : (double)NAN;
            }
        }
    }
    return t;
}

/* ---- parts of the program ------------------------------------------------------------------- */

/* Whether a run's time is one of this part's: its model, or an observable that it measures. */
static bool is_of(const struct comparison *c, const struct timing *t, enum what what,
                  const char *part)
{
    if (what == TRAINING)
        return strcmp(ub_frame_word(c->systems.frame, t->system->row, "model"), part) == 0;
    const size_t length = strlen(part);
    for (size_t i = 0; i < t->run->spec.n_measures; i++) {
        const char *call = t->run->spec.measures[i];
        if (strncmp(call, part, length) == 0 && (call[length] == ':' || call[length] == '\0'))
            return true;
    }
    return false;
}

static void add_parts(const struct comparison *c, const struct timing *t, enum what what,
                      struct labels *parts)
{
    if (what == TRAINING)
        labels_add(parts, ub_frame_word(c->systems.frame, t->system->row, "model"));
    for (size_t i = 0; what == MEASURING && i < t->run->spec.n_measures; i++) {
        char *name = ub_strdup(t->run->spec.measures[i]);
        name[strcspn(name, ":")] = '\0';
        labels_add(parts, name);
        ub_free(name);
    }
}

/* The changes of a part's runs first, then those of all others; returns how many are the part's.
 * part NULL: all are. */
static size_t split(const struct comparison *c, const struct timings *t, enum what what,
                    const char *part, double *change, size_t *n)
{
    size_t own = 0;
    *n = 0;
    for (int others = 0; others < 2; others++)
        for (size_t i = 0; i < t->count; i++) {
            const bool mine = !part || is_of(c, &t->timing[i], what, part);
            if (isnan(t->timing[i].change[what]) || mine == (others == 1))
                continue;
            change[(*n)++] = t->timing[i].change[what];
            own += mine;
        }
    return own;
}

static struct summary *add_speed(struct summaries *out, enum what what, const char *part,
                                 const double *change, size_t n)
{
    struct ub_text name = {0};
    ub_text_add(&name, part ? "%s %s" : "%s", what_names[what], part ? part : "");
    struct summary *s = summaries_add(out, UB_HISTORY_SPEED, name.data);
    ub_text_free(&name);
    s->relative = true;
    s->floor = log(floor_factor);
    s->value = ub_median_interval(change, n);
    s->systems = n;
    s->verdict = "not judged";
    return s;
}

/* Speeds that are judged, and their p. */
struct judged {
    size_t count, *item;
    double *p;
};

static void summarize_part(const struct comparison *c, const struct timings *t, enum what what,
                           const char *part, struct judged *judged, struct summaries *out)
{
    size_t n = 0;
    double *change = ub_calloc(t->count + 1, sizeof *change);
    const size_t own = split(c, t, what, part, change, &n);
    if (own > 0 && n - own >= ENOUGH_OTHERS) {
        const double others = ub_median(change + own, n - own);
        for (size_t i = 0; i < own; i++)
            change[i] -= others;
        judged->p[judged->count] = ub_sign_p(change, own, log(floor_factor));
        judged->item[judged->count++] = out->count;
        add_speed(out, what, part, change, own);
    }
    ub_free(change);
}

static void summarize_what(const struct comparison *c, const struct timings *t, enum what what,
                           struct judged *judged, struct summaries *out)
{
    struct labels parts = {0};
    size_t n = 0;
    double *change = ub_calloc(t->count + 1, sizeof *change);
    const size_t all = split(c, t, what, NULL, change, &n);
    if (all > 0)
        add_speed(out, what, NULL, change, all);
    ub_free(change);
    for (size_t i = 0; i < t->count; i++)
        add_parts(c, &t->timing[i], what, &parts);
    judged->item = ub_realloc(judged->item, (judged->count + parts.count + 1) * sizeof(size_t));
    judged->p = ub_realloc(judged->p, (judged->count + parts.count + 1) * sizeof(double));
    for (size_t i = 0; i < parts.count; i++)
        summarize_part(c, t, what, parts.text[i], judged, out);
    labels_free(&parts);
}

void summarize_speed(const struct comparison *c, struct summaries *out)
{
    struct timings t = timings_of(c);
    struct judged judged = {0};
    for (int what = 0; what < WHATS; what++)
        summarize_what(c, &t, (enum what)what, &judged, out);
    double *q = ub_calloc(judged.count + 1, sizeof *q);
    ub_benjamini_hochberg(judged.p, judged.count, q);
    for (size_t i = 0; i < judged.count; i++) {
        struct summary *s = &out->item[judged.item[i]];
        s->drifted = q[i] < level ? s->systems : 0;
        s->verdict = s->drifted ? "drift" : "quiet";
        s->of_drifted = s->value;
    }
    if (t.count == 0) {
        struct ub_text why = {0};
        ub_text_add(&why, t.partners ? "no two runs of equal seeds were made on one CPU model with "
                                       "the same kernels, flags, threads and jobs"
                                     : "no seed in common");
        out->no_speed = why.data;
    }
    ub_free(q);
    ub_free(judged.item);
    ub_free(judged.p);
    ub_free(t.timing);
}
