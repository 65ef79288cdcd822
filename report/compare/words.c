/* A comparison in words that a maintainer can act on. */
#include "report/compare/summary.h"

#include <math.h>
#include <string.h>

/* ---- one line a subject --------------------------------------------------------------------- */

/* "+5.1% (from +4.8% to +5.4%) " */
static void add_range(struct ub_text *out, const struct summary *s)
{
    const struct ub_interval *d = &s->of_drifted;
    if (!isfinite(d->estimate))
        return;
    add_change(out, d->estimate, s->relative);
    if (isfinite(d->low) && d->high > d->low) {
        ub_text_add(out, s->kind == UB_HISTORY_SPEED ? " [" : " (from ");
        add_change(out, d->low, s->relative);
        ub_text_add(out, s->kind == UB_HISTORY_SPEED ? ", " : " to ");
        add_change(out, d->high, s->relative);
        ub_text_add(out, s->kind == UB_HISTORY_SPEED ? "]" : ")");
    }
    ub_text_add(out, " in ");
}

/* The day of "2026-11-28T20:15:57Z", and as much of a commit as tells it. */
enum { DAY = 10, COMMIT = 12 };

/* Of what the nights before tell. */
static void add_since(struct ub_text *out, const struct ub_history *history,
                      enum ub_history_kind kind, const char *name)
{
    const struct ub_since since =
        history ? ub_history_since(history, kind, name) : (struct ub_since){0};
    if (!since.first)
        return;
    if (since.nights > 1)
        ub_text_add(out, "; since %.*s, %zu nights in a row", DAY, since.first->date, since.nights);
    else
        ub_text_add(out, "; first seen tonight");
    if (!since.quiet)
        return;
    ub_text_add(out, ", quiet on %.*s", DAY, since.quiet->date);
    if (strcmp(since.quiet->commit, since.first->commit) == 0)
        ub_text_add(out, " at the same commit");
    else
        ub_text_add(out, ": `git log %.*s..%.*s`", COMMIT, since.quiet->commit, COMMIT,
                    since.first->commit);
}

static void add_subject(struct ub_text *out, const struct summary *s,
                        const struct ub_history *history, const char *indent)
{
    ub_text_add(out, "%s- `%s`: ", indent, s->name);
    add_range(out, s);
    if (s->kind == UB_HISTORY_SPEED)
        ub_text_add(out, "%zu runs, against all others", s->systems);
    else
        ub_text_add(out, "%s", s->who ? s->who : "");
    if (s->example)
        ub_text_add(out, "; %s", s->example);
    add_since(out, history, s->kind, s->name);
    ub_text_add(out, "\n");
}

/* ---- laws ----------------------------------------------------------------------------------- */

/* Columns that laws come to: "LAW.plateau". */
static bool is_of_law(const char *fact, const char *law)
{
    const size_t length = strlen(law);
    return strncmp(fact, law, length) == 0 && fact[length] == '.';
}

static bool is_of_any_law(const char *fact)
{
    for (size_t i = 0; ub_laws[i]; i++)
        if (is_of_law(fact, ub_laws[i]->name))
            return true;
    return false;
}

static const struct summary *find(const struct summaries *s, enum ub_history_kind kind,
                                  const char *name)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->item[i].kind == kind && strcmp(s->item[i].name, name) == 0)
            return &s->item[i];
    return NULL;
}

static bool has_changed(const struct summary *law)
{
    return law && (law->drifted > 0 ||
                   (law->systems > 0 && law->was && strcmp(law->was, law->verdict) != 0));
}

/* "holds, mean 1.002 [0.99, 1.01]" */
static void add_verdict(struct ub_text *out, const char *verdict, const struct ub_interval *mean)
{
    ub_text_add(out, "*%s*", verdict);
    if (isfinite(mean->estimate))
        ub_text_add(out, ", mean %.4g [%.4g, %.4g]", mean->estimate, mean->low, mean->high);
}

static void add_law(struct ub_text *out, const struct summaries *s, const char *name,
                    const struct ub_history *history)
{
    const struct summary *law = find(s, UB_HISTORY_LAW, name);
    ub_text_add(out, "- law `%s`", name);
    if (law) {
        ub_text_add(out, ": ");
        add_verdict(out, law->verdict, &law->value);
        if (law->was) {
            ub_text_add(out, "; was ");
            add_verdict(out, law->was, &law->value_was);
        }
        if (law->drifted > 0) {
            ub_text_add(out, "; its value ");
            add_range(out, law);
            ub_text_add(out, "%s", law->who);
        }
        if (law->example)
            ub_text_add(out, "; %s", law->example);
        add_since(out, history, UB_HISTORY_LAW, name);
    }
    ub_text_add(out, "\n");
    for (size_t i = 0; i < s->count; i++)
        if (s->item[i].drifted > 0 && is_of_law(s->item[i].name, name))
            add_subject(out, &s->item[i], history, "  ");
}

static void add_laws(struct ub_text *out, const struct summaries *s,
                     const struct ub_history *history)
{
    for (size_t l = 0; ub_laws[l]; l++) {
        const char *name = ub_laws[l]->name;
        bool changed = has_changed(find(s, UB_HISTORY_LAW, name));
        for (size_t i = 0; i < s->count && !changed; i++)
            changed = s->item[i].drifted > 0 && is_of_law(s->item[i].name, name);
        if (changed)
            add_law(out, s, name, history);
    }
}

/* ---- everything else ------------------------------------------------------------------------ */

static void add_observables(struct ub_text *out, const struct summaries *s, bool before,
                            const struct ub_history *history)
{
    for (size_t i = 0; i < s->count; i++) {
        const struct summary *o = &s->item[i];
        if (o->kind == UB_HISTORY_OBSERVABLE && o->drifted > 0 && o->before == before &&
            !is_of_any_law(o->name))
            add_subject(out, o, history, "");
    }
}

static void add_speeds(struct ub_text *out, const struct summaries *s,
                       const struct ub_history *history)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->item[i].kind == UB_HISTORY_SPEED && s->item[i].drifted > 0)
            add_subject(out, &s->item[i], history, "");
}

/* What did not drift from the base, and yet is beyond limits that the nights before give. */
static void add_signals(struct ub_text *out, const struct ub_history *history)
{
    struct ub_charts charts = history ? ub_history_charts(history) : (struct ub_charts){0};
    const char *last = charts.count ? history->night[history->count - 1].date : "";
    for (size_t i = 0; i < charts.count; i++) {
        const struct ub_chart *c = &charts.chart[i];
        const size_t k = c->count - 1;
        if (strcmp(c->night[k]->date, last) != 0 || !c->signal[k] || c->night[k]->drifted > 0)
            continue;
        ub_text_add(out, "- %s `%s`: ", ub_history_kind_names[c->kind], c->name);
        add_change(out, c->night[k]->value, c->night[k]->relative);
        ub_text_add(out, ", where the nights before give ");
        add_change(out, c->low[k], c->night[k]->relative);
        ub_text_add(out, " to ");
        add_change(out, c->high[k], c->night[k]->relative);
        ub_text_add(out, "\n");
    }
    ub_charts_clear(&charts);
}

/* ---- the page's part ------------------------------------------------------------------------ */

static void print_part(FILE *out, const char *head, struct ub_text *lines)
{
    if (lines->length > 0)
        fprintf(out, "\n%s\n\n%s", head, lines->data);
    ub_text_free(lines);
}

/* "training: +1.2% [-0.5%, +3.1%] over 212 runs" */
static void print_all_speeds(const struct summaries *s, FILE *out)
{
    struct ub_text text = {0};
    for (size_t i = 0; i < s->count; i++) {
        const struct summary *speed = &s->item[i];
        if (speed->kind != UB_HISTORY_SPEED || strcmp(speed->verdict, "not judged") != 0)
            continue;
        ub_text_add(&text, "%s%s ", text.length ? ", " : "", speed->name);
        add_change(&text, speed->value.estimate, true);
        if (isfinite(speed->value.low)) {
            ub_text_add(&text, " [");
            add_change(&text, speed->value.low, true);
            ub_text_add(&text, ", ");
            add_change(&text, speed->value.high, true);
            ub_text_add(&text, "]");
        }
        ub_text_add(&text, " (%zu runs)", speed->systems);
    }
    if (s->no_speed)
        fprintf(out, "\nTimes were not compared: %s.\n", s->no_speed);
    else if (text.length)
        fprintf(out,
                "\nTime of all, not judged, for it is the machine's and its load's as well: %s.\n",
                text.data);
    ub_text_free(&text);
}

void print_words(const struct summaries *s, const struct ub_history *history, FILE *out)
{
    struct ub_text before = {0}, laws = {0}, observables = {0}, speeds = {0}, signals = {0};
    add_observables(&before, s, true, history);
    add_laws(&laws, s, history);
    add_observables(&observables, s, false, history);
    add_speeds(&speeds, s, history);
    add_signals(&signals, history);
    print_part(out,
               "Set or known before training; look here first, for the rest may follow:", &before);
    print_part(out, "Laws:", &laws);
    print_part(out, "Observables:", &observables);
    print_part(out,
               "Times, of one part of the program against all others (advice: they are no drift):",
               &speeds);
    print_part(out, "Beyond the spread between nights:", &signals);
    print_all_speeds(s, out);
    if (s->no_laws)
        fprintf(out, "\nValues of laws were not compared: %s.\n", s->no_laws);
}
