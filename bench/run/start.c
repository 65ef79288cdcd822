#include "bench/run/start.h"
#include "bench/arrays/arrays.h"

#include <inttypes.h>
#include <string.h>

struct reading {
    const char *path;
    char prefix[32]; /* with its dot */
    const struct ub_layout *layout, *frozen;
    double *theta, *values; /* trained, frozen */
    double *multiplier;     /* one a parameter */
    bool *found, *found_frozen;
    struct ub_text steps; /* that the file holds */
    bool any;
};

/* ---- names ---- */

static bool set_prefix(struct reading *r, const char *at, struct ub_error *err)
{
    int64_t step;
    if (strcmp(at, "start") == 0)
        snprintf(r->prefix, sizeof r->prefix, "init.");
    else if (strcmp(at, "end") == 0)
        snprintf(r->prefix, sizeof r->prefix, "final.");
    else if (ub_read_int(at, &step) && step >= 0)
        snprintf(r->prefix, sizeof r->prefix, "step%" PRId64 ".", step);
    else
        return ub_fail(err, UB_INPUT, "init 'from-run': at=%s; expected a step, start or end", at);
    return true;
}

/* What follows PREFIX; NULL when `name` does not begin with it. */
static const char *after(const char *name, const char *prefix)
{
    const size_t n = strlen(prefix);
    return strncmp(name, prefix, n) == 0 ? name + n : NULL;
}

/* The place of a parameter; count when there is none. */
static int64_t place_of(const struct ub_layout *layout, const char *name)
{
    int64_t i = 0;
    while (i < layout->count && strcmp(layout->params[i].name, name) != 0)
        i++;
    return i;
}

/* As `at` would name it, each once: arrays of one step follow each other. */
static void note_step(struct reading *r, const char *name)
{
    char word[32] = "";
    const char *step = after(name, "step");
    if (after(name, "init."))
        snprintf(word, sizeof word, "start");
    else if (after(name, "final."))
        snprintf(word, sizeof word, "end");
    else if (step && strspn(step, "0123456789") > 0)
        snprintf(word, sizeof word, "%.*s", (int)strspn(step, "0123456789"), step);
    const size_t n = strlen(word);
    const bool last = r->steps.length >= n && r->steps.data &&
                      strcmp(r->steps.data + r->steps.length - n, word) == 0 &&
                      (r->steps.length == n || r->steps.data[r->steps.length - n - 1] == ' ');
    if (n > 0 && !last)
        ub_text_add(&r->steps, "%s%s", r->steps.length ? ", " : "", word);
}

/* ---- arrays ---- */

static void add_shape(struct ub_text *out, int rank, const int64_t *shape)
{
    ub_text_add(out, "(");
    for (int i = 0; i < rank; i++)
        ub_text_add(out, "%s%" PRId64, i ? ", " : "", shape[i]);
    ub_text_add(out, ")");
}

static bool same_shape(const struct reading *r, const struct ub_param *param,
                       const struct ub_array *a, struct ub_error *err)
{
    bool same = a->values && a->rank == param->rank;
    for (int i = 0; same && i < a->rank; i++)
        same = a->shape[i] == param->shape[i];
    if (same)
        return true;
    struct ub_text text = {0};
    ub_text_add(&text, "%s: '%s' is ", r->path, a->name);
    add_shape(&text, a->rank, a->shape);
    ub_text_add(&text, "; expected ");
    add_shape(&text, param->rank, param->shape);
    ub_text_add(&text, ", the model's");
    ub_fail(err, UB_INPUT, "%s", text.data);
    ub_text_free(&text);
    return false;
}

static bool take(const struct reading *r, const struct ub_layout *layout, const char *name,
                 const struct ub_array *a, double *values, bool *found, struct ub_error *err)
{
    const int64_t i = place_of(layout, name);
    if (i == layout->count)
        return ub_fail(err, UB_INPUT,
                       "%s: '%s' is none of the model's parameters; expected its own", r->path,
                       a->name);
    if (!same_shape(r, &layout->params[i], a, err))
        return false;
    memcpy(values + layout->params[i].offset, a->values, (size_t)a->size * sizeof *values);
    found[i] = true;
    return true;
}

static bool visit(void *context, const struct ub_array *a, struct ub_error *err)
{
    struct reading *r = context;
    const char *own = after(a->name, r->prefix), *frozen = after(a->name, "frozen.");
    const char *multiplier = after(a->name, "multiplier.");
    note_step(r, a->name);
    if (own) {
        r->any = true;
        return take(r, r->layout, own, a, r->theta, r->found, err);
    }
    if (frozen)
        return take(r, r->frozen, frozen, a, r->values, r->found_frozen, err);
    const int64_t i = multiplier ? place_of(r->layout, multiplier) : r->layout->count;
    if (i < r->layout->count && a->values && a->size == 1)
        r->multiplier[i] = a->values[0];
    return true;
}

static bool is_whole(const struct reading *r, const struct ub_layout *layout, const bool *found,
                     const char *prefix, struct ub_error *err)
{
    for (int64_t i = 0; i < layout->count; i++)
        if (!found[i])
            return ub_fail(err, UB_INPUT, "%s: there is no '%s%s'; expected all of the model's",
                           r->path, prefix, layout->params[i].name);
    return true;
}

static bool is_the_models(const struct reading *r, struct ub_error *err)
{
    if (!r->any)
        return ub_fail(err, UB_INPUT,
                       "%s: no weights '%s*'; expected one of the steps that it holds: %s", r->path,
                       r->prefix, r->steps.data ? r->steps.data : "none");
    if (!is_whole(r, r->layout, r->found, r->prefix, err) ||
        !is_whole(r, r->frozen, r->found_frozen, "frozen.", err))
        return false;
    for (int64_t i = 0; i < r->layout->count; i++)
        if (r->multiplier[i] != r->layout->params[i].multiplier)
            return ub_fail(err, UB_INPUT,
                           "%s: '%s' counts times %g there; expected times %g, the model's "
                           "parametrization",
                           r->path, r->layout->params[i].name, r->multiplier[i],
                           r->layout->params[i].multiplier);
    return true;
}

bool ub_start_read(struct ub_problem *p, struct ub_error *err)
{
    const double *drawn;
    const struct ub_call *call = ub_problem_init_call(p);
    struct reading r = {.layout = ub_problem_layout(p), .frozen = ub_problem_frozen(p, &drawn)};
    if (!ub_problem_awaits(p))
        return true;
    if (!set_prefix(&r, ub_call_get(call, "at"), err))
        return false;
    const size_t n = (size_t)r.layout->count, m = (size_t)r.frozen->count;
    r.path = ub_call_get(call, "file");
    r.theta = ub_calloc((size_t)r.layout->size, sizeof *r.theta);
    r.values = ub_calloc((size_t)r.frozen->size + 1, sizeof *r.values);
    r.multiplier = ub_calloc(n, sizeof *r.multiplier);
    r.found = ub_calloc(n, sizeof *r.found);
    r.found_frozen = ub_calloc(m + 1, sizeof *r.found_frozen);
    for (size_t i = 0; i < n; i++)
        r.multiplier[i] = 1;
    const bool good = ub_arrays_each(r.path, visit, &r, err) && is_the_models(&r, err);
    if (good)
        ub_problem_give(p, r.theta, r.values);
    ub_free(r.theta);
    ub_free(r.values);
    ub_free(r.multiplier);
    ub_free(r.found);
    ub_free(r.found_frozen);
    ub_text_free(&r.steps);
    return good;
}
