/* From texts to observers, and the observers of one run. */
#include "bench/observables/shared.h"

#include <string.h>

struct observer {
    const struct ub_observable *kind;
    struct ub_call *call;
    struct ub_schedule schedule;
    void *state;
};

struct ub_observers {
    size_t count;
    struct observer *observer;
    struct ub_shared *shared;
};

/* ---- reading a call ----------------------------------------------------------------------- */

static const char *default_schedule(const struct ub_observable *kind, const char *key)
{
    if (strcmp(key, "every") == 0)
        return kind->every;
    if (strcmp(key, "at") == 0)
        return kind->at;
    return strcmp(key, "log-spaced") == 0 ? kind->log_spaced : NULL;
}

static bool is_schedule_key(const char *key)
{
    for (const struct ub_option *o = ub_schedule_options; o->key; o++)
        if (strcmp(o->key, key) == 0)
            return true;
    return false;
}

/* The options with the observable's default schedule as fallbacks, if the call gives no other. */
static void set_default_schedule(struct ub_option *options, const struct ub_observable *kind)
{
    for (struct ub_option *o = options; o->key; o++)
        if (default_schedule(kind, o->key))
            o->fallback = default_schedule(kind, o->key);
}

static bool gives_schedule(const struct ub_call *call)
{
    for (size_t i = 0; i < call->count; i++)
        if (is_schedule_key(call->keys[i]))
            return true;
    return false;
}

static bool check(struct observer *o, const struct ub_option *options, const char *where,
                  struct ub_error *err)
{
    return ub_call_check(o->call, options, where, err) &&
           ub_schedule_read(&o->schedule, o->call, where, err) &&
           (!o->kind->check || o->kind->check(o->call, where, err));
}

static void clear(struct observer *o)
{
    if (o->state && o->kind->close)
        o->kind->close(o->state);
    ub_free(o->state);
    ub_schedule_clear(&o->schedule);
    ub_call_free(o->call);
    *o = (struct observer){0};
}

static bool read_observer(struct observer *o, const char *text, const char *where,
                          struct ub_error *err)
{
    *o = (struct observer){.call = ub_call_parse(text, where, err)};
    if (!o->call)
        return false;
    o->kind = ub_registry_get(&ub_observable_registry, o->call->name, where, err);
    bool good = o->kind != NULL;
    if (good) {
        struct ub_option *options = ub_registry_options(&ub_observable_registry, o->kind);
        if (!gives_schedule(o->call))
            set_default_schedule(options, o->kind);
        good = check(o, options, where, err);
        ub_free(options);
    }
    if (!good)
        clear(o);
    return good;
}

/* ---- canonical texts ---------------------------------------------------------------------- */

static bool has_default_schedule(const struct observer *o)
{
    for (const struct ub_option *s = ub_schedule_options; s->key; s++) {
        const char *usual = default_schedule(o->kind, s->key);
        if (strcmp(ub_call_get(o->call, s->key), usual ? usual : s->fallback) != 0)
            return false;
    }
    return true;
}

/* Short forms read back as the same call: the default schedule is left out whole or not at all. */
static char *short_form(const struct observer *o)
{
    struct ub_option *options = ub_registry_options(&ub_observable_registry, o->kind);
    if (has_default_schedule(o))
        set_default_schedule(options, o->kind);
    char *text = ub_call_text(o->call, options);
    ub_free(options);
    return text;
}

char *ub_observable_canonical(const char *text, const char *where, char **label,
                              struct ub_error *err)
{
    struct observer o;
    if (!read_observer(&o, text, where, err))
        return NULL;
    char *canonical = ub_registry_text(&ub_observable_registry, o.call);
    if (label)
        *label = short_form(&o);
    clear(&o);
    return canonical;
}

enum { UB_NAME = UB_TITLE + 64 };

static void full_title(const struct observer *o, char out[UB_NAME])
{
    char title[UB_TITLE] = "";
    if (o->kind->title)
        o->kind->title(o->call, title);
    snprintf(out, UB_NAME, "%s%s%s", o->kind->name, *title ? "." : "", title);
}

char *ub_observable_title(const char *text, const char *where, struct ub_error *err)
{
    struct observer o;
    char title[UB_NAME];
    if (!read_observer(&o, text, where, err))
        return NULL;
    full_title(&o, title);
    clear(&o);
    return ub_strdup(title);
}

bool ub_observables_follow_sharpness(const char *const *texts, size_t count)
{
    struct ub_error ignored = {0};
    bool any = false;
    for (size_t i = 0; i < count && !any; i++) {
        struct observer o;
        if (!read_observer(&o, texts[i], "measure", &ignored))
            continue;
        any = o.kind->follows_sharpness;
        clear(&o);
    }
    return any;
}

bool ub_observables_spare_inputs(const char *const *texts, size_t count)
{
    struct ub_error ignored = {0};
    bool all = true;
    for (size_t i = 0; i < count && all; i++) {
        struct observer o;
        all = read_observer(&o, texts[i], "measure", &ignored) && o.kind->spares_inputs;
        clear(&o);
    }
    return all;
}

bool ub_observables_bytes(const char *const *texts, size_t count, const struct ub_problem *problem,
                          int64_t *bytes, struct ub_error *err)
{
    *bytes = 0;
    for (size_t i = 0; i < count; i++) {
        struct observer o;
        if (!read_observer(&o, texts[i], "measure", err))
            return false;
        *bytes += o.kind->bytes ? o.kind->bytes(o.call, problem) : 0;
        clear(&o);
    }
    return true;
}

/* ---- the observers of a run ---------------------------------------------------------------- */

static bool is_new(const struct ub_observers *o, size_t last, const char *where,
                   struct ub_error *err)
{
    char title[UB_NAME], other[UB_NAME];
    full_title(&o->observer[last], title);
    for (size_t i = 0; i < last; i++) {
        full_title(&o->observer[i], other);
        if (strcmp(title, other) == 0)
            return ub_fail(err, UB_INPUT, "%s: '%s' is measured twice; expected it once", where,
                           title);
    }
    return true;
}

struct ub_observers *ub_observers_new(const char *const *texts, size_t count, const char *where,
                                      struct ub_error *err)
{
    struct ub_observers *o = ub_calloc(1, sizeof *o);
    o->observer = ub_calloc(count + 1, sizeof *o->observer);
    o->shared = ub_shared_new();
    for (size_t i = 0; i < count; i++) {
        struct observer *one = &o->observer[i];
        if (!read_observer(one, texts[i], where, err) || !is_new(o, o->count++, where, err)) {
            ub_observers_free(o);
            return NULL;
        }
        one->state = ub_calloc(1, one->kind->state_bytes + 1);
        if (one->kind->join)
            one->kind->join(one->call, o->shared);
    }
    return o;
}

void ub_observers_free(struct ub_observers *o)
{
    if (!o)
        return;
    for (size_t i = 0; i < o->count; i++)
        clear(&o->observer[i]);
    ub_free(o->observer);
    ub_shared_free(o->shared);
    ub_free(o);
}

static bool any_due(const struct ub_observers *o, int64_t step, int64_t steps)
{
    for (size_t i = 0; i < o->count; i++)
        if (ub_schedule_due(&o->observer[i].schedule, step, steps))
            return true;
    return false;
}

bool ub_observers_due(const struct ub_observers *o, int64_t step, int64_t steps)
{
    const struct ub_path *path = ub_shared_path(o->shared);
    bool due = path->every_loss || path->timed;
    for (int64_t ahead = 0; ahead <= path->kept && step + ahead <= steps; ahead++)
        due = due || any_due(o, step + ahead, steps);
    return due;
}

bool ub_observers_measure(struct ub_observers *o, const struct ub_moment *moment, int64_t steps,
                          struct ub_record *record, struct ub_error *err)
{
    struct ub_moment with_shared = *moment;
    with_shared.shared = o->shared;
    ub_shared_renew(o->shared);
    ub_path_note_loss(ub_shared_path(o->shared), moment);
    ub_path_note_time(ub_shared_path(o->shared), moment);
    for (size_t i = 0; i < o->count; i++) {
        const struct observer *one = &o->observer[i];
        if (ub_schedule_due(&one->schedule, moment->step, steps) &&
            !one->kind->measure(one->state, one->call, &with_shared, record, err))
            return false;
    }
    ub_path_keep(ub_shared_path(o->shared), moment);
    return true;
}
