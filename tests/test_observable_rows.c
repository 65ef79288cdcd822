/* No two observables of one run write the same row: the whole registry is measured in one run, each
 * under every title that its options can give it, and each alone. */
#include "observing.h"

/* ---- calls: all names, flags and layers, once for each title ---- */

struct calls {
    size_t count;
    char **texts, **titles;
};

/* Adds a call unless it is refused, or one of its title is there. */
static void add_call(struct calls *c, const char *text)
{
    struct ub_error err = {0};
    char *title = ub_observable_title(text, "test", &err);
    bool known = !title;
    for (size_t i = 0; !known && i < c->count; i++)
        known = strcmp(c->titles[i], title) == 0;
    if (known) {
        ub_free(title);
        return;
    }
    c->texts = ub_realloc(c->texts, (c->count + 1) * sizeof *c->texts);
    c->titles = ub_realloc(c->titles, (c->count + 1) * sizeof *c->titles);
    c->texts[c->count] = ub_strdup(text);
    c->titles[c->count++] = title;
}

static const char *const flags[] = {"false", "true", NULL};
static const char *const layers[] = {"all", "inputs", "hidden1", "fc2", "fc1.weight", NULL};

static const char *const *choices_of(const struct ub_option *o)
{
    if (o->kind == UB_OPTION_NAME)
        return o->choices;
    if (o->kind == UB_OPTION_FLAG)
        return flags;
    return strcmp(o->key, "layer") == 0 ? layers : NULL;
}

/* Every way to give the options from `o` on, after what is given already. */
static void add_calls(struct calls *c, const struct ub_option *o, const char *text)
{
    while (o && o->key && !choices_of(o))
        o++;
    if (!o || !o->key) {
        add_call(c, text);
        return;
    }
    for (const char *const *choice = choices_of(o); *choice; choice++) {
        char longer[512];
        snprintf(longer, sizeof longer, "%s,%s=%s", text, o->key, *choice);
        add_calls(c, o + 1, longer);
    }
}

static struct calls all_calls(void)
{
    struct calls c = {0};
    for (size_t i = 0; ub_observables[i]; i++) {
        const struct ub_observable *kind = ub_observables[i];
        char text[64];
        snprintf(text, sizeof text, "%s:every=1", kind->name);
        if (kind->title)
            add_calls(&c, kind->options, text);
        else
            add_call(&c, text);
    }
    return c;
}

static void calls_clear(struct calls *c)
{
    for (size_t i = 0; i < c->count; i++) {
        ub_free(c->texts[i]);
        ub_free(c->titles[i]);
    }
    ub_free(c->texts);
    ub_free(c->titles);
}

/* ---- rows ---- */

struct written {
    char name[192];
    int64_t step, index;
    size_t by; /* which call */
};
struct log {
    size_t count, room, by;
    struct written *rows;
};

static void log_row(void *context, const struct ub_row *row)
{
    struct log *log = context;
    if (log->count == log->room) {
        log->room = 2 * log->room + 64;
        log->rows = ub_realloc(log->rows, log->room * sizeof *log->rows);
    }
    struct written *w = &log->rows[log->count++];
    assert_true(strlen(row->observable) < sizeof w->name);
    snprintf(w->name, sizeof w->name, "%s", row->observable);
    w->step = row->step;
    w->index = row->index;
    w->by = log->by;
}

static void ignore_fact(void *context, const char *name, double value)
{
    (void)context, (void)name, (void)value;
}

static int by_row(const void *a, const void *b)
{
    const struct written *x = a, *y = b;
    const int names = strcmp(x->name, y->name);
    if (names != 0)
        return names;
    if (x->step != y->step)
        return x->step < y->step ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

/* Three steps of a run; rows are added to the log. False where one names a layer that is none. */
static bool observe(struct fixture *f, const struct calls *c, size_t first, size_t count,
                    struct log *log)
{
    enum { LENGTH = 3 };
    struct ub_error err = {0};
    struct ub_record record = {.context = log, .add = log_row, .fact = ignore_fact};
    struct ub_observers *o =
        ub_observers_new((const char *const *)c->texts + first, count, "test", &err);
    if (!o)
        fail_msg("%s", err.text);
    memcpy(f->theta, f->theta0, (size_t)f->size * sizeof *f->theta);
    for (int64_t step = 0; step <= LENGTH; step++) {
        const double loss = ub_problem_gradient(f->problem, f->theta, f->grad);
        const struct ub_moment moment = {.step = step,
                                         .theta = f->theta,
                                         .grad = f->grad,
                                         .loss = loss,
                                         .problem = f->problem,
                                         .optimizer = f->optimizer,
                                         .theta0 = f->theta0};
        if (!ub_observers_measure(o, &moment, LENGTH, &record, &err)) {
            ub_observers_free(o);
            if (!strstr(err.text, "unknown layer") && !strstr(err.text, "unknown weight"))
                fail_msg("%s: %s", c->texts[first], err.text);
            return false;
        }
        ub_optimizer_step(f->optimizer, f->theta, f->grad);
    }
    ub_observers_free(o);
    return true;
}

/* Drops calls of layers that the run's model does not have. */
static void drop_unknown_layers(struct fixture *f, struct calls *c)
{
    struct log log = {0};
    size_t kept = 0;
    for (size_t i = 0; i < c->count; i++) {
        char *text = c->texts[i], *title = c->titles[i];
        if (observe(f, c, i, 1, &log)) {
            c->texts[kept] = text;
            c->titles[kept++] = title;
            continue;
        }
        ub_free(text);
        ub_free(title);
    }
    c->count = kept;
    ub_free(log.rows);
}

/* In one run no row is there twice. */
static void check_together(struct fixture *f, const struct calls *c)
{
    struct log log = {0};
    assert_true(observe(f, c, 0, c->count, &log));
    qsort(log.rows, log.count, sizeof *log.rows, by_row);
    for (size_t i = 1; i < log.count; i++)
        if (by_row(&log.rows[i - 1], &log.rows[i]) == 0)
            fail_msg("%s %d at step %d is written twice", log.rows[i].name, (int)log.rows[i].index,
                     (int)log.rows[i].step);
    assert_true(log.count > 1000);
    ub_free(log.rows);
}

/* Alone, each writes rows of names that no other writes; edge-ratio comes with sharpness. */
static void check_alone(struct fixture *f, const struct calls *c, bool all_write)
{
    struct log log = {0};
    for (size_t i = 0; i < c->count; i++) {
        const size_t before = log.count;
        log.by = i;
        assert_true(observe(f, c, i, 1, &log));
        if (all_write && log.count == before)
            fail_msg("%s wrote nothing", c->texts[i]);
    }
    qsort(log.rows, log.count, sizeof *log.rows, by_row);
    for (size_t i = 1; i < log.count; i++) {
        const struct written *a = &log.rows[i - 1], *b = &log.rows[i];
        if (a->by != b->by && strcmp(a->name, b->name) == 0 && strcmp(a->name, "edge-ratio") != 0)
            fail_msg("%s and %s both write %s", c->titles[a->by], c->titles[b->by], a->name);
    }
    ub_free(log.rows);
}

static void no_two_observables_write_the_same_row(void **state)
{
    (void)state;
    struct calls c = all_calls();
    struct fixture classes = fixture_of(tiny_dataset(UB_CLASSIFICATION, 12, 7, 4, 3),
                                        "mlp:widths=5x4,activation=tanh", "ce", "gd:lr=0.1");
    drop_unknown_layers(&classes, &c);
    assert_true(c.count > 100);
    check_together(&classes, &c);
    check_alone(&classes, &c, true);
    fixture_free(&classes);
    struct fixture scalars = fixture_of(tiny_dataset(UB_REGRESSION, 12, 7, 4, 1),
                                        "mlp:widths=5x4,activation=tanh", "mse", "gd:lr=0.1");
    check_together(&scalars, &c); /* where the kernel is its mean over outputs */
    check_alone(&scalars, &c, false);
    fixture_free(&scalars);
    calls_clear(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_two_observables_write_the_same_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
