/* Which runs of two stores belong together: systems are the groups of a frame of both stores' runs,
 * and within a system runs go by seeds. Sorted, not searched: as many steps as runs, but for a
 * logarithm. */
#include "report/compare/compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const machine_keys[] = {"openblas-core", "kernels", NULL};

/* ---- both stores as one --------------------------------------------------------------------- */

/* Its runs are copies without what was measured: what was asked of them makes a system. */
static void take_runs(struct systems *all, const struct digest *d, int side)
{
    for (size_t i = 0; i < d->count; i++) {
        if (d->runs[i].status == UB_RUN_MISSING)
            continue;
        struct ub_run *copy = &all->both->runs[all->both->count];
        *copy = d->runs[i];
        copy->n_facts = copy->n_provenance = 0;
        all->asked[all->both->count++] = (struct asked){&d->runs[i], side, 0};
    }
}

static bool take_both(struct systems *all, const struct digest *base,
                      const struct digest *new_digest, struct ub_error *err)
{
    const size_t room = base->count + new_digest->count + 1;
    all->both = ub_calloc(1, sizeof *all->both);
    all->both->path = new_digest->path;
    all->both->runs = ub_calloc(room, sizeof *all->both->runs);
    all->asked = ub_calloc(room, sizeof *all->asked);
    take_runs(all, base, 0);
    take_runs(all, new_digest, 1);
    all->frame = ub_frame_new(all->both, err);
    return all->frame != NULL;
}

/* ---- seeds ---------------------------------------------------------------------------------- */

static int compare_seeds(const struct ub_run *a, const struct ub_run *b)
{
    if (a->spec.data_seed != b->spec.data_seed)
        return a->spec.data_seed < b->spec.data_seed ? -1 : 1;
    if (a->spec.seed != b->spec.seed)
        return a->spec.seed < b->spec.seed ? -1 : 1;
    return 0;
}

static int compare_asked(const void *a, const void *b)
{
    const struct asked *x = a, *y = b;
    if (x->side != y->side)
        return x->side - y->side;
    const int seeds = compare_seeds(x->run, y->run);
    return seeds != 0 ? seeds : strcmp(x->run->id, y->run->id);
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

/* Partners of a system, side by side, while they are found. */
struct matching {
    size_t n;
    const struct ub_run **partner[2];
    bool *taken[2]; /* one a run of the system */
};

static void match(struct system *s, struct matching *m, size_t i, size_t k)
{
    const struct ub_run *a = s->run[0][i], *b = s->run[1][k];
    m->partner[0][m->n] = a;
    m->partner[1][m->n++] = b;
    m->taken[0][i] = m->taken[1][k] = true;
    s->same_bytes = s->same_bytes && same_machine(a, b) && began_alike(a, b);
}

/* Runs i..i_end and k..k_end have equal seeds, and differ in what they measured, by which they have
 * other ids: equal ids are partners, then those that are left, in order. */
static void match_seeds(struct system *s, struct matching *m, size_t i, size_t i_end, size_t k,
                        size_t k_end)
{
    for (size_t a = i, b = k; a < i_end && b < k_end;) {
        const int order = strcmp(s->run[0][a]->id, s->run[1][b]->id);
        if (order == 0)
            match(s, m, a, b);
        a += order <= 0;
        b += order >= 0;
    }
    for (; i < i_end; i++) {
        while (k < k_end && m->taken[1][k])
            k++;
        if (!m->taken[0][i] && k < k_end)
            match(s, m, i, k);
    }
}

static size_t end_of_seeds(const struct system *s, int side, size_t first)
{
    size_t end = first + 1;
    while (end < s->n[side] && compare_seeds(s->run[side][first], s->run[side][end]) == 0)
        end++;
    return end;
}

/* Partners first, then the others in the order they had. */
static void set_order(struct system *s, const struct matching *m, int side)
{
    size_t n_others = 0;
    const struct ub_run **others = ub_calloc(s->n[side] + 1, sizeof *others);
    for (size_t i = 0; i < s->n[side]; i++)
        if (!m->taken[side][i])
            others[n_others++] = s->run[side][i];
    for (size_t i = 0; i < m->n; i++)
        s->run[side][i] = m->partner[side][i];
    for (size_t i = 0; i < n_others; i++)
        s->run[side][m->n + i] = others[i];
    ub_free(others);
}

/* Both sides are sorted by seeds, then id. */
static void find_partners(struct system *s)
{
    const size_t room = s->n[0] + s->n[1] + 1;
    struct matching m = {0};
    for (int side = 0; side < 2; side++) {
        m.partner[side] = ub_calloc(room, sizeof(struct ub_run *));
        m.taken[side] = ub_calloc(room, sizeof(bool));
    }
    s->same_bytes = true;
    for (size_t i = 0, k = 0; i < s->n[0] && k < s->n[1];) {
        const int order = compare_seeds(s->run[0][i], s->run[1][k]);
        const size_t i_end = end_of_seeds(s, 0, i), k_end = end_of_seeds(s, 1, k);
        if (order == 0)
            match_seeds(s, &m, i, i_end, k, k_end);
        i = order <= 0 ? i_end : i;
        k = order >= 0 ? k_end : k;
    }
    s->n_pairs = m.n;
    for (int side = 0; side < 2; side++) {
        set_order(s, &m, side);
        ub_free(m.partner[side]);
        ub_free(m.taken[side]);
    }
}

/* ---- systems -------------------------------------------------------------------------------- */

/* `run` has room for the group's runs. */
static struct system system_of(const struct systems *all, const struct ub_rows *rows,
                               const struct ub_run **run)
{
    struct asked *asked = ub_calloc(rows->count, sizeof *asked);
    struct system s = {.row = rows->row[0]};
    double rate;
    for (size_t i = 0; i < rows->count; i++) {
        asked[i] = all->asked[rows->row[i]];
        s.n[asked[i].side]++;
    }
    qsort(asked, rows->count, sizeof *asked, compare_asked);
    for (size_t i = 0; i < rows->count; i++)
        run[i] = asked[i].run;
    ub_free(asked);
    s.run[0] = run;
    s.run[1] = run + s.n[0];
    s.label = system_label(&run[0]->spec);
    s.rate_is_fixed = ub_read_real(ub_frame_word(all->frame, s.row, "optimizer.lr"), &rate);
    find_partners(&s);
    return s;
}

static void set_names(struct systems *all, const struct ub_groups *groups)
{
    char **names = ub_frame_system_names(all->frame, groups);
    for (size_t s = 0; s < groups->count; s++) {
        all->system[s].name = names[s];
        for (size_t i = 0; i < groups->group[s].count; i++)
            all->asked[groups->group[s].row[i]].system = s;
    }
    ub_free(names); /* the list alone */
}

bool systems_of(const struct digest *base, const struct digest *new_digest, struct systems *out,
                struct ub_error *err)
{
    struct systems all = {0};
    const bool good = take_both(&all, base, new_digest, err);
    if (good) {
        struct ub_groups groups = ub_frame_group(all.frame, NULL, NULL);
        all.runs = ub_calloc(all.both->count + 1, sizeof(struct ub_run *));
        all.system = ub_calloc(groups.count + 1, sizeof *all.system);
        for (size_t n = 0; all.count < groups.count; n += groups.group[all.count++].count)
            all.system[all.count] = system_of(&all, &groups.group[all.count], all.runs + n);
        set_names(&all, &groups);
        ub_groups_clear(&groups);
        find_repeats(&all);
    }
    *out = all;
    if (!good)
        systems_clear(out);
    return good;
}

void systems_clear(struct systems *systems)
{
    for (size_t s = 0; s < systems->count; s++) {
        ub_free(systems->system[s].name);
        ub_free(systems->system[s].label);
        ub_free(systems->system[s].repeat);
    }
    ub_frame_free(systems->frame);
    if (systems->both)
        ub_free(systems->both->runs);
    ub_free(systems->both);
    ub_free(systems->asked);
    ub_free(systems->system);
    ub_free(systems->runs);
    *systems = (struct systems){0};
}

bool in_both(const struct system *s)
{
    return s->n[0] > 0 && s->n[1] > 0;
}
