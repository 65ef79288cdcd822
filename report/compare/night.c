/* A comparison as rows of the history of nightlies. */
#include "report/compare/summary.h"

#include <math.h>
#include <string.h>

/* The value of a provenance key that all runs have, or "mixed", or "". */
static const char *common(const struct digest *d, const char *key)
{
    const char *found = "";
    for (size_t i = 0; i < d->count; i++) {
        const char *text = provenance_of(&d->runs[i], key);
        if (!*text)
            continue;
        if (*found && strcmp(found, text) != 0)
            return "mixed";
        found = text;
    }
    return found;
}

/* The run that was made last: a store that was resumed is what its last program left. */
static const struct ub_run *last_run(const struct digest *d)
{
    const struct ub_run *last = NULL;
    for (size_t i = 0; i < d->count; i++)
        if (!last || strcmp(provenance_of(&d->runs[i], "date"), provenance_of(last, "date")) > 0)
            last = &d->runs[i];
    return last;
}

static const char *of_last(const struct digest *d, const char *key)
{
    const struct ub_run *last = last_run(d);
    return last ? provenance_of(last, key) : "";
}

void commits_text(const struct digest *base, const struct digest *new_digest, struct ub_text *out)
{
    const char *from = of_last(base, "commit"), *to = of_last(new_digest, "commit");
    if (!*from || !*to)
        return;
    if (strcmp(from, to) == 0)
        ub_text_add(out, "Both are of commit %.12s", from);
    else
        ub_text_add(out, "Between the base and this: `git log %.12s..%.12s`", from, to);
    if (strcmp(of_last(new_digest, "commit-changed"), "true") == 0)
        ub_text_add(out, ", and what was changed and not committed");
}

bool add_tonight(const struct summaries *s, const struct digest *base,
                 const struct digest *new_digest, struct ub_history *history, struct ub_error *err)
{
    struct ub_night night = {.date = (char *)of_last(new_digest, "date"),
                             .commit = (char *)of_last(new_digest, "commit"),
                             .base = (char *)of_last(base, "commit"),
                             .cpu = (char *)common(new_digest, "cpu")};
    if (!*night.date)
        return ub_fail(err, UB_INPUT, "%s: no run says when it was made; expected provenance.date",
                       new_digest->path);
    for (size_t i = 0; i < s->count; i++) {
        const struct summary *item = &s->item[i];
        night.kind = item->kind;
        night.name = item->name;
        night.relative = item->relative;
        night.value = item->value.estimate;
        night.low = item->value.low;
        night.high = item->value.high;
        night.floor = item->floor;
        night.systems = (int64_t)item->systems;
        night.drifted = (int64_t)item->drifted;
        night.verdict = (char *)item->verdict;
        ub_history_add(history, &night);
    }
    return true;
}
