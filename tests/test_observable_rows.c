/* No two observables of one run write the same row: the whole registry is measured in one run, each
 * under every title that its options can give it, and each alone. All rows that are written are
 * declared by who writes them, and all that are declared are written. */
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

static void check_fact(void *context, const char *name, double value)
{
    (void)context, (void)value;
    if (!ub_quantity_find(ub_run_facts, name))
        fail_msg("the fact %s is not in bench/store/facts.c", name);
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
    struct ub_record record = {.context = log, .add = log_row, .fact = check_fact};
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

/* ---- declarations ---- */

static const struct ub_observable *kind_of(const char *text)
{
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(text, ":"), text);
    return ub_observable_find(name);
}

/* Declarations of which a row was written. */
enum { DECLARED = 512 };
struct seen {
    size_t count;
    const struct ub_quantity *of[DECLARED];
};

static void see(struct seen *seen, const struct ub_quantity *q)
{
    size_t i = 0;
    while (i < seen->count && seen->of[i] != q)
        i++;
    assert_true(i < DECLARED);
    seen->of[i] = q;
    seen->count += i == seen->count;
}

static void check_row(const struct written *row, const struct calls *c, struct seen *seen)
{
    const struct ub_observable *kind = kind_of(c->texts[row->by]), *by = NULL;
    const struct ub_quantity *q = ub_observable_row(row->name, &by);
    if (!q)
        fail_msg("%s writes %s, which it does not declare", c->texts[row->by], row->name);
    if (by != kind && strcmp(row->name, "edge-ratio") == 0)
        q = ub_quantity_find(kind->rows, row->name); /* declared by both that write it */
    else if (by != kind)
        fail_msg("%s writes %s, which %s declares", c->texts[row->by], row->name, by->name);
    if (!q->index && row->index != 0)
        fail_msg("%s has index %d, and declares none", row->name, (int)row->index);
    see(seen, q);
}

static struct calls calls_of(const char *const *texts)
{
    struct calls c = {0};
    for (; *texts; texts++)
        add_call(&c, *texts);
    return c;
}

/* What no title tells of. */
static const char *const more[] = {"spectrum:every=1,ends=both", "density:every=1,deflate=2",
                                   "density:every=1,operator=ntk,shift=0.1", NULL};
/* Where there are enough singular values to fit. */
static const char *const of_wide[] = {"weight-spectrum:every=1", NULL};
/* Classes, tested and trained on mini-batches. */
static const char *const of_batches[] = {"fork-barrier:every=1", NULL};

/* About squared loss, or data of which more is known: measured in systems of their own below. */
static const char *const elsewhere[] = {
    "predicted-risk",   "excess-risk", "learnability",    "linearization",
    "order-parameters", "margin",      "max-norm-margin", NULL};
static bool is_elsewhere(const char *text)
{
    for (const char *const *name = elsewhere; *name; name++)
        if (strncmp(text, *name, strlen(*name)) == 0)
            return true;
    return false;
}

/* Some speak of few systems: here those of squared loss, diagonal networks, decay, batches, outputs
 * that are 0 at the start. */
static void observe_elsewhere(const struct calls *c, size_t call, struct log *log)
{
    static const struct {
        int64_t samples, features;
        const char *model, *optimizer; /* fast enough that modes halve in three steps */
    } others[] = {{12, 4, "mlp:widths=5x4,activation=tanh", "gd:lr=0.5"},
                  {3, 6, "diagonal-linear", "gd:lr=0.5"},
                  {12, 4, "linear", "gd:lr=0.5,l2=0.1"},
                  {12, 4, "linear", "sgd:lr=0.1,batch=2,replacement=true"},
                  {12, 4, "two-layer:width=4,activation=relu,centered=true", "gd:lr=0.1"}};
    const size_t before = log->count;
    for (size_t i = 0; log->count == before && i < sizeof others / sizeof *others; i++) {
        struct fixture f =
            fixture_of(tiny_dataset(UB_REGRESSION, others[i].samples, 7, others[i].features, 1),
                       others[i].model, "mse", others[i].optimizer);
        observe(&f, c, call, 1, log);
        fixture_free(&f);
    }
}

/* Alone, each writes rows of names that no other writes; edge-ratio comes with sharpness. */
static void check_alone(struct fixture *f, const struct calls *c, bool all_write, struct seen *seen)
{
    struct log log = {0};
    for (size_t i = 0; i < c->count; i++) {
        const size_t before = log.count;
        log.by = i;
        assert_true(observe(f, c, i, 1, &log));
        if (all_write && log.count == before && !is_elsewhere(c->texts[i]))
            observe_elsewhere(c, i, &log);
        if (all_write && log.count == before && !is_elsewhere(c->texts[i]))
            fail_msg("%s wrote nothing", c->texts[i]);
    }
    for (size_t i = 0; i < log.count; i++)
        check_row(&log.rows[i], c, seen);
    qsort(log.rows, log.count, sizeof *log.rows, by_row);
    for (size_t i = 1; i < log.count; i++) {
        const struct written *a = &log.rows[i - 1], *b = &log.rows[i];
        if (a->by != b->by && strcmp(a->name, b->name) == 0 && strcmp(a->name, "edge-ratio") != 0)
            fail_msg("%s and %s both write %s", c->titles[a->by], c->titles[b->by], a->name);
    }
    ub_free(log.rows);
}

static void check_more(const char *model, const char *optimizer, const char *const *texts,
                       struct seen *seen)
{
    struct calls c = calls_of(texts);
    struct fixture f =
        fixture_of(tiny_dataset(UB_CLASSIFICATION, 12, 7, 4, 3), model, "ce", optimizer);
    check_alone(&f, &c, true, seen);
    fixture_free(&f);
    calls_clear(&c);
}

/* A model on generated data, from zero where it is linear. */
static void check_known(const char *dataset, const char *model, const char *text, struct seen *seen)
{
    struct ub_error err = {0};
    struct ub_dataset *data = ub_dataset_load(dataset, 1, NULL, &err);
    assert_non_null(data);
    const char *const texts[] = {text, NULL};
    struct calls c = calls_of(texts);
    struct fixture f = fixture_of(data, model, "mse", "gd:lr=0.5");
    if (strncmp(model, "linear", strlen("linear")) == 0)
        memset(f.theta0, 0, (size_t)f.size * sizeof *f.theta0);
    check_alone(&f, &c, true, seen);
    fixture_free(&f);
    calls_clear(&c);
}

static void all_are_written(const struct seen *seen)
{
    for (size_t i = 0; ub_observables[i]; i++)
        for (const struct ub_quantity *q = ub_observables[i]->rows; q->name; q++) {
            bool found = false;
            for (size_t k = 0; k < seen->count; k++)
                found = found || seen->of[k] == q;
            if (!found)
                fail_msg("%s declares %s, and writes none", ub_observables[i]->name, q->name);
        }
}

/* ---- tests ---- */

/* Declarations are whole, one is the headline, and no two observables have the same. */
static void declarations_are_whole(void **state)
{
    (void)state;
    for (size_t i = 0; ub_observables[i]; i++) {
        const struct ub_observable *o = ub_observables[i];
        size_t headlines = 0;
        if (!o->rows)
            fail_msg("%s declares no rows", o->name);
        for (const struct ub_quantity *q = o->rows; q && q->name; q++) {
            if (!q->units || !q->meaning || strlen(q->meaning) < 8)
                fail_msg("%s of %s lacks units or meaning", q->name, o->name);
            if ((q->headline || q->compared.kind) && !q->column)
                fail_msg("%s of %s has no column", q->name, o->name);
            if (q->compared.kind == UB_COMPARED_MEASURED && !(q->compared.floor > 0))
                fail_msg("%s of %s is compared without a floor", q->name, o->name);
            if ((q->compared.scale == UB_SCALE_LOG) != (q->compared.zero > 0))
                fail_msg("%s of %s: a log scale, and only one, has a zero", q->name, o->name);
            headlines += q->headline;
            for (size_t k = 0; k < i; k++) {
                const struct ub_quantity *r = ub_observables[k]->rows;
                for (; r && r->name && strcmp(q->name, "edge-ratio") != 0; r++)
                    if (strcmp(q->name, r->name) == 0)
                        fail_msg("%s and %s both declare %s", ub_observables[k]->name, o->name,
                                 q->name);
            }
        }
        if (headlines != 1)
            fail_msg("%s has %zu headlines", o->name, headlines);
    }
}

/* The word in capitals stands for something; the most exact declaration counts. */
static void names_are_matched(void **state)
{
    (void)state;
    const struct ub_quantity q = {.name = "LAW.reached"}, plain = {.name = "loss"};
    const char *word;
    size_t length;
    assert_true(ub_quantity_fits(&q, "a-law.reached", &word, &length));
    assert_int_equal(length, 5);
    assert_false(ub_quantity_fits(&q, ".reached", NULL, NULL));
    assert_false(ub_quantity_fits(&q, "reached", NULL, NULL));
    assert_false(ub_quantity_fits(&q, "a.reached-late", NULL, NULL));
    assert_true(ub_quantity_fits(&plain, "loss", NULL, &length));
    assert_int_equal(length, 0);
    assert_false(ub_quantity_fits(&plain, "losses", NULL, NULL));
    static const char *const of[][2] = {{"exponent.hidden1", "covariance-spectrum"},
                                        {"exponent.fc1.weight", "weight-spectrum"},
                                        {"exponent.hessian", "spectrum"},
                                        {"exponent.gauss-newton.fc1", "spectrum"},
                                        {"exponent.kernel.ntk", "kernel-spectrum"},
                                        {"stable-rank.ntk", "kernel-spectrum"}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        const struct ub_observable *by = NULL;
        assert_non_null(ub_observable_row(of[i][0], &by));
        assert_string_equal(by->name, of[i][1]);
    }
    assert_null(ub_observable_row("no-such", NULL));
}

static void rows_are_written_once_and_as_declared(void **state)
{
    (void)state;
    struct calls c = all_calls();
    struct seen seen = {0};
    struct fixture classes = fixture_of(tiny_dataset(UB_CLASSIFICATION, 12, 7, 4, 3),
                                        "mlp:widths=5x4,activation=tanh", "ce", "gd:lr=0.1");
    drop_unknown_layers(&classes, &c);
    assert_true(c.count > 100);
    check_together(&classes, &c);
    check_alone(&classes, &c, true, &seen);
    fixture_free(&classes);
    struct fixture scalars = fixture_of(tiny_dataset(UB_REGRESSION, 12, 7, 4, 1),
                                        "mlp:widths=5x4,activation=tanh", "mse", "gd:lr=0.1");
    check_together(&scalars, &c); /* where the kernel is its mean over outputs */
    check_alone(&scalars, &c, false, &seen);
    fixture_free(&scalars);
    check_more("mlp:widths=5x4,activation=tanh", "gd:lr=0.1", more, &seen);
    check_more("mlp:widths=40x40,activation=tanh", "gd:lr=0.1", of_wide, &seen);
    check_more("mlp:widths=5x4,activation=tanh", "sgd:lr=0.1,batch=2", of_batches, &seen);
    check_known("gaussian:samples=9,features=12,test-samples=7,alpha=0", "linear:bias=false",
                "predicted-risk:every=1", &seen);
    check_known("gaussian:samples=9,features=12,test-samples=7,alpha=0", "linear:bias=false",
                "excess-risk:every=1", &seen);
    check_known("gaussian:samples=9,features=12,test-samples=7,target=basis", "linear:bias=false",
                "learnability:every=1", &seen);
    check_known("digits:classes=0x1,size=9", "linear:bias=false", "margin:every=1", &seen);
    check_known("digits:classes=0x1,size=9", "linear:bias=false", "max-norm-margin:every=1", &seen);
    check_known("committee:samples=9,features=5", "committee", "order-parameters:every=1", &seen);
    all_are_written(&seen);
    calls_clear(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_written_once_and_as_declared),
        cmocka_unit_test(declarations_are_whole),
        cmocka_unit_test(names_are_matched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
