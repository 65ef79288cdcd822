/* Which runs of two stores belong together: by system, and within a system by seeds. Sorted, not
 * searched: as many steps as runs, but for a logarithm. */
#include "report/compare/compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const machine_keys[] = {"openblas-core", "kernels", NULL};

/* ---- sorting -------------------------------------------------------------------------------- */

struct entry {
    char *system; /* all of the spec that names the system, as one text */
    const struct ub_run *run;
    size_t place; /* over both stores: what comes first is shown first */
    int side;
};

/* The canonical text of all that is not a seed, nor about measuring and keeping. */
static char *system_key(const struct ub_run_spec *spec)
{
    struct ub_run_spec system = *spec;
    system.seed = system.data_seed = 0;
    system.n_measures = 0;
    system.save_weights = false;
    return ub_run_spec_text(&system);
}

static int compare_seeds(const struct ub_run *a, const struct ub_run *b)
{
    if (a->spec.data_seed != b->spec.data_seed)
        return a->spec.data_seed < b->spec.data_seed ? -1 : 1;
    if (a->spec.seed != b->spec.seed)
        return a->spec.seed < b->spec.seed ? -1 : 1;
    return 0;
}

static int compare_entries(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    const int system = strcmp(x->system, y->system);
    if (system != 0)
        return system;
    if (x->side != y->side)
        return x->side - y->side;
    const int seeds = compare_seeds(x->run, y->run);
    return seeds != 0 ? seeds : strcmp(x->run->id, y->run->id);
}

static size_t add_entries(struct entry *entry, size_t count, const struct digest *d, int side)
{
    for (size_t i = 0; i < d->count; i++)
        if (d->runs[i].status != UB_RUN_MISSING) {
            entry[count] = (struct entry){system_key(&d->runs[i].spec), &d->runs[i], count, side};
            count++;
        }
    return count;
}

/* ---- partners ------------------------------------------------------------------------------- */

bool same_machine(const struct ub_run *a, const struct ub_run *b)
{
    bool same = true;
    for (const char *const *key = machine_keys; *key; key++)
        same = same && strcmp(provenance_of(a, *key), provenance_of(b, *key)) == 0;
    return same;
}

/* Another stream of random numbers, or other data under the same name: seeds that only look equal.
 */
static bool began_alike(const struct ub_run *a, const struct ub_run *b)
{
    static const double rounding = 1e-4;
    const double x = ub_run_fact(a, "initial-loss"), y = ub_run_fact(b, "initial-loss");
    return !(fabs(x - y) > rounding * fmax(fabs(x), fabs(y)));
}

/* Moves runs that are not partners behind those that are; both keep their order. */
static void partners_first(const struct ub_run **run, size_t n, const bool *is_partner)
{
    const struct ub_run **others = ub_calloc(n + 1, sizeof(struct ub_run *));
    size_t n_others = 0, n_partners = 0;
    for (size_t i = 0; i < n; i++)
        if (is_partner[i])
            run[n_partners++] = run[i];
        else
            others[n_others++] = run[i];
    for (size_t i = 0; i < n_others; i++)
        run[n_partners + i] = others[i];
    ub_free(others);
}

/* Both sides are sorted by seeds, then id. Runs of equal seeds that measured other things have
 * other ids and are partners in order. */
static void find_partners(struct system *s)
{
    bool *is_partner = ub_calloc(s->n[0] + s->n[1] + 1, sizeof *is_partner);
    s->same_bytes = true;
    for (size_t i = 0, k = 0; i < s->n[0] && k < s->n[1];) {
        const int order = compare_seeds(s->run[0][i], s->run[1][k]);
        if (order == 0) {
            is_partner[i] = is_partner[s->n[0] + k] = true;
            s->same_bytes = s->same_bytes && same_machine(s->run[0][i], s->run[1][k]) &&
                            began_alike(s->run[0][i], s->run[1][k]);
            s->n_pairs++;
        }
        i += order <= 0;
        k += order >= 0;
    }
    partners_first(s->run[0], s->n[0], is_partner);
    partners_first(s->run[1], s->n[1], is_partner + s->n[0]);
    ub_free(is_partner);
}

/* ---- systems -------------------------------------------------------------------------------- */

struct found {
    struct system system;
    size_t place;
};

static int compare_found(const void *a, const void *b)
{
    const struct found *x = a, *y = b;
    return (x->place > y->place) - (x->place < y->place);
}

/* Takes the system that begins at `entry`; returns how many entries it has. */
static size_t take_system(const struct entry *entry, size_t left, const struct ub_run **run,
                          struct found *out)
{
    size_t n = 0;
    *out = (struct found){.place = entry->place};
    while (n < left && strcmp(entry[n].system, entry->system) == 0) {
        if (entry[n].place < out->place)
            out->place = entry[n].place;
        out->system.n[entry[n].side]++;
        run[n] = entry[n].run;
        n++;
    }
    out->system.run[0] = run;
    out->system.run[1] = run + out->system.n[0];
    out->system.spec = &run[0]->spec;
    out->system.label = system_label(out->system.spec);
    find_partners(&out->system);
    return n;
}

struct systems systems_of(const struct digest *base, const struct digest *new_digest)
{
    const size_t room = base->count + new_digest->count + 1;
    struct entry *entry = ub_calloc(room, sizeof *entry);
    struct found *found = ub_calloc(room, sizeof *found);
    struct systems all = {.runs = ub_calloc(room, sizeof(struct ub_run *))};
    const size_t n = add_entries(entry, add_entries(entry, 0, base, 0), new_digest, 1);
    qsort(entry, n, sizeof *entry, compare_entries);
    for (size_t i = 0; i < n;)
        i += take_system(entry + i, n - i, all.runs + i, &found[all.count++]);
    qsort(found, all.count, sizeof *found, compare_found);
    all.system = ub_calloc(all.count + 1, sizeof *all.system);
    for (size_t s = 0; s < all.count; s++)
        all.system[s] = found[s].system;
    for (size_t i = 0; i < n; i++)
        ub_free(entry[i].system);
    ub_free(entry);
    ub_free(found);
    find_repeats(&all);
    return all;
}

void systems_clear(struct systems *systems)
{
    for (size_t s = 0; s < systems->count; s++) {
        ub_free(systems->system[s].label);
        ub_free(systems->system[s].repeat);
    }
    ub_free(systems->system);
    ub_free(systems->runs);
    *systems = (struct systems){0};
}

bool in_both(const struct system *s)
{
    return s->n[0] > 0 && s->n[1] > 0;
}

bool rate_is_fixed(const struct ub_run_spec *spec)
{
    struct ub_error err = {0};
    struct ub_call *call = ub_call_parse(spec->optimizer, "optimizer", &err);
    bool is_fixed = true;
    double rate;
    for (size_t i = 0; call && i < call->count; i++)
        if (strcmp(call->keys[i], "lr") == 0)
            is_fixed = ub_read_real(call->values[i], &rate);
    ub_call_free(call);
    return is_fixed;
}
