/* Where bytes are due. A machine's kind says that they may be, not that they are: another compiler
 * or another order of sums rounds in other ways, and every trace shows it. So two stores are
 * believed to come from the same arithmetic when most of their runs repeat each other bit by bit,
 * and one run when all else it has does. What differs then is no rounding. */
#include "report/compare/compare.h"

#include <math.h>
#include <string.h>

/* Training multiplies rounding, so that no two roundings end in the same bits; what is known before
 * it, moves in steps or is zero may agree by chance. */
static bool tells(const struct ub_comparison *m, double value)
{
    return m && m->kind == UB_COMPARED_MEASURED && !m->initial && !m->counted && isfinite(value) &&
           value != 0;
}

static void add_difference(struct repeat *r, const char *fact, double difference)
{
    if (difference > r->largest) {
        r->second = r->largest;
        r->largest = difference;
        r->largest_of = fact;
    } else if (difference > r->second) {
        r->second = difference;
    }
}

static struct repeat repeat_of(const struct ub_run *a, const struct ub_run *b)
{
    const char *const trace = provenance_of(a, "trace");
    struct repeat r = {.same_machine = same_machine(a, b),
                       .largest = -1,
                       .second = -1,
                       .trace = *trace && strcmp(trace, provenance_of(b, "trace")) == 0};
    for (size_t i = 0; i < a->n_facts; i++) {
        const double x = a->facts[i].value, y = ub_run_fact(b, a->facts[i].name);
        const struct ub_comparison *m = metric_of(a->facts[i].name);
        if (!tells(m, x))
            continue;
        r.equal += x == y;
        r.unequal += x != y;
        add_difference(&r, a->facts[i].name, fabs(metric_scaled(m, y) - metric_scaled(m, x)));
    }
    return r;
}

enum { ENOUGH = 2 }; /* equal values, where no trace is known */

static bool repeats(const struct repeat *r)
{
    return r->trace || (r->unequal == 0 && r->equal >= ENOUGH);
}

void find_repeats(struct systems *systems)
{
    size_t pairs = 0, repeated = 0;
    for (size_t i = 0; i < systems->count; i++) {
        struct system *s = &systems->system[i];
        s->repeat = ub_calloc(s->n_pairs + 1, sizeof *s->repeat);
        for (size_t k = 0; k < s->n_pairs; k++) {
            s->repeat[k] = repeat_of(s->run[0][k], s->run[1][k]);
            pairs += s->repeat[k].same_machine;
            repeated += s->repeat[k].same_machine && repeats(&s->repeat[k]);
        }
    }
    for (size_t i = 0; i < systems->count; i++)
        systems->system[i].most_repeat = 2 * repeated > pairs;
}

bool bytes_are_due(const struct system *s, size_t pair, const struct ub_comparison *m,
                   const char *fact)
{
    struct repeat others = s->repeat[pair];
    const double x = ub_run_fact(s->run[0][pair], fact), y = ub_run_fact(s->run[1][pair], fact);
    if (tells(m, x)) {
        others.equal -= x == y;
        others.unequal -= x != y;
    }
    return others.same_machine && (s->most_repeat || repeats(&others));
}

double sensitivity_of(const struct system *s, size_t pair, const char *fact)
{
    const struct repeat *r = &s->repeat[pair];
    const bool own = r->largest_of && strcmp(r->largest_of, fact) == 0;
    const double largest = own ? r->second : r->largest;
    return largest < 0 ? (double)NAN : largest;
}
