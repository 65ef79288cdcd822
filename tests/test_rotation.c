/* Weights without a scale under decay: the schedule that takes its place against plain loops of
 * both trainings, the angle and norm at rest against simulated random walks on the sphere's
 * tangents, and the laws about them on small runs. */
#include "law_suite.h"
#include "tiny.h"

extern const struct ub_law ub_law_decay_as_schedule, ub_law_rotation, ub_law_rotation_norm;

/* ---- decay as a schedule ---- */

/* Decay at a constant rate, and eta c^(-2t-1) without, both in plain loops: after each step the
 * second's weights are c^-t times the first's and their outputs are the same; how far they are not
 * is returned, over all steps. */
static double parted(const char *model, double eta, double l2, int steps)
{
    struct ub_dataset *d = tiny_dataset(UB_REGRESSION, 16, 4, 4, 3);
    struct ub_problem *p = tiny_problem(d, model, "mse");
    const int64_t n = ub_problem_size(p), outputs = d->train.count * d->outputs;
    double *w = ub_calloc((size_t)n, sizeof *w), *u = ub_calloc((size_t)n, sizeof *u),
           *g = ub_calloc((size_t)n, sizeof *g), *scaled = ub_calloc((size_t)n, sizeof *scaled),
           *f = ub_calloc((size_t)outputs, sizeof *f), *h = ub_calloc((size_t)outputs, sizeof *h);
    const double c = 1 - eta * l2;
    double most = 0;
    ub_problem_init(p, 3, w);
    memcpy(u, w, (size_t)n * sizeof *u);
    for (int t = 0; t < steps; t++) {
        ub_problem_gradient(p, w, g);
        for (int64_t i = 0; i < n; i++)
            w[i] -= eta * (g[i] + l2 * w[i]);
        ub_problem_gradient(p, u, g);
        for (int64_t i = 0; i < n; i++) {
            u[i] -= eta * pow(c, -2 * t - 1) * g[i];
            scaled[i] = pow(c, t + 1) * u[i];
        }
        ub_problem_outputs(p, w, f);
        ub_problem_outputs(p, u, h);
        most = fmax(most, fmax(tiny_error(outputs, f, h), tiny_error(n, w, scaled)));
    }
    print_message("%s: %.1e\n", model, most);
    double *all[] = {w, u, g, scaled, f, h};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        ub_free(all[i]);
    ub_problem_free(p);
    tiny_free(d);
    return most;
}

#define WITHOUT_SCALE "affine=false,fixed-readout=true,epsilon=1e-14"

static void the_schedule_takes_the_place_of_decay(void **state)
{
    (void)state;
    static const char *const models[] = {
        "mlp:widths=6x5,activation=tanh,norm=layer," WITHOUT_SCALE,
        "mlp:widths=6x5,activation=relu,norm=rms," WITHOUT_SCALE,
        "mlp:widths=6x5,activation=gelu,norm=batch," WITHOUT_SCALE};
    double worst = 0;
    for (int i = 0; i < 3; i++)
        worst = fmax(worst, parted(models[i], 0.01, 1, 100));
    assert_oracle("law decay-as-schedule", "both recursions written out, functions and weights",
                  worst, 1e-9);
    /* One layer without norm, one offset, the usual epsilon. */
    assert_true(parted("mlp:widths=6x5,norm=layer,affine=false,epsilon=1e-14", 0.01, 1, 100) >
                1e-2);
    assert_true(parted("mlp:widths=6x5,norm=layer,fixed-readout=true,epsilon=1e-14", 0.01, 1, 100) >
                1e-2);
    assert_true(parted("mlp:widths=6x5,norm=layer,affine=false,fixed-readout=true", 0.01, 1, 100) >
                1e-7);
}

static const char pairs[] =
    "name: pairs\n"
    "defaults:\n"
    "  precision: f64\n"
    "  steps: 200\n"
    "  loss: ce\n"
    "  dataset: {digits: {size: 32, scale: center}}\n"
    "  measure: {loss: {every: 1}}\n"
    "runs:\n"
    "  - model: {mlp: {widths: 8, norm: layer, affine: false, fixed-readout: true, epsilon: "
    "1e-12}}\n"
    "    optimizer: [{gd: {lr: 0.01, l2: [0.25, 0.5]}}, {gd: {lr: 0.01, schedule: exponential, "
    "instead-of-l2: [0.25, 0.5]}}]\n"
    "  - model: {mlp: {widths: 9, norm: rms, affine: false, fixed-readout: true, epsilon: 1e-12}}\n"
    "    optimizer: [{sgd: {lr: 0.01, batch: 8, l2: 0.5}}, {sgd: {lr: 0.01, batch: 8, schedule: "
    "exponential, instead-of-l2: 0.5}}]\n"
    "  - model: {mlp: {widths: 10, norm: layer, affine: false, epsilon: 1e-12}}\n"
    "    optimizer: [{gd: {lr: 0.01, l2: 0.5}}, {gd: {lr: 0.01, schedule: exponential, "
    "instead-of-l2: 0.5}}]\n"
    "  - model: {mlp: {widths: 11, norm: layer, affine: false, fixed-readout: true, epsilon: "
    "1e-12}}\n"
    "    optimizer: [{gd: {lr: 0.01, l2: 0.5}}, {gd: {lr: 0.01, schedule: exponential, "
    "instead-of-l2: 0.4}}]\n";

static void the_law_of_decay_needs_pairs(void **state)
{
    (void)state;
    const struct ub_law *law = &ub_law_decay_as_schedule;
    struct law_suite r = law_suite_run(pairs);
    const struct ub_datum two = law_suite_datum(&r, law, "model.width", "8"),
                          batches = law_suite_datum(&r, law, "model.width", "9"),
                          readout = law_suite_datum(&r, law, "model.width", "10"),
                          unpaired = law_suite_datum(&r, law, "model.width", "11");
    assert_true(ub_datum_meets(&law->is, &two));
    assert_true(ub_datum_meets(&law->is, &batches));
    assert_null(readout.why);
    assert_true(readout.value > 1e-2);
    assert_non_null(unpaired.why);
    assert_true(law_suite_takes(&r, law, "model.width", "8"));
    assert_int_equal(law_suite_applies(&r, law), 4 + 2 + 0 + 2);
    law_suite_free(&r);
}

/* ---- random walks ---- */

enum { DIMENSIONS = 64, STEPS = 30000, EVERY = 10 };

/* Gradients at w: normal, of memory rho from step to step, every other entry `uneven` times as
 * large, orthogonal to w and as 1/|w|. */
struct walk {
    struct ub_random random;
    double rho, uneven, noise[DIMENSIONS], w[DIMENSIONS], gradient[DIMENSIONS];
};

static void next_gradient(struct walk *k)
{
    const double square = tiny_dot(DIMENSIONS, k->w, k->w);
    double along = 0;
    for (int i = 0; i < DIMENSIONS; i++)
        k->noise[i] = k->rho * k->noise[i] + sqrt(1 - k->rho * k->rho) * (i % 2 ? k->uneven : 1) *
                                                 ub_random_normal(&k->random);
    along = tiny_dot(DIMENSIONS, k->noise, k->w) / square;
    for (int i = 0; i < DIMENSIONS; i++)
        k->gradient[i] = (k->noise[i] - along * k->w[i]) / sqrt(square);
}

struct rule { /* of a simulated optimizer */
    const char *text;
    double lr, decay, beta;
    bool adamw;
};

/* As their papers write them, beside the program's: a step, t from 0. */
static void take_step(struct walk *k, const struct rule *r, int t, double *m, double *v)
{
    for (int i = 0; i < DIMENSIONS; i++) {
        if (!r->adamw) {
            m[i] = r->beta * m[i] + k->gradient[i] + r->decay * k->w[i];
            k->w[i] -= r->lr * m[i];
            continue;
        }
        m[i] = r->beta * m[i] + (1 - r->beta) * k->gradient[i];
        v[i] = 0.99 * v[i] + 0.01 * k->gradient[i] * k->gradient[i];
        k->w[i] -= r->lr * (m[i] / (1 - pow(r->beta, t + 1)) / sqrt(v[i] / (1 - pow(0.99, t + 1))) +
                            r->decay * k->w[i]);
    }
}

static void write_rows(struct ub_run_writer *out, int t, const double *before, const double *after,
                       const struct rule *r)
{
    const double b = tiny_norm(DIMENSIONS, before), a = tiny_norm(DIMENSIONS, after),
                 cosine = tiny_dot(DIMENSIONS, before, after) / (a * b);
    double step[DIMENSIONS];
    for (int i = 0; i < DIMENSIONS; i++)
        step[i] = ((1 - r->lr * r->decay) * before[i] - after[i]) / r->lr;
    ub_run_writer_add(out, t, "weight-norm", 0, a, (double)NAN);
    ub_run_writer_add(out, t, "weight-angle", 0, acos(cosine), (double)NAN);
    ub_run_writer_add(out, t, "step-gradient", 0, tiny_norm(DIMENSIONS, step) * b, (double)NAN);
}

/* A run whose one weight is a random walk. */
static void add_walk(const char *folder, const struct rule *r, double rho, double uneven)
{
    struct ub_error err = {0};
    char *measures[] = {(char *)"symmetry:every=10"};
    const struct ub_run_spec spec = {.dataset = (char *)"digits",
                                     .model = (char *)"mlp:epsilon=1e-12,norm=layer,widths=8",
                                     .loss = (char *)"mse",
                                     .init = (char *)"pytorch:gain=1",
                                     .optimizer = (char *)r->text,
                                     .steps = STEPS,
                                     .n_measures = 1,
                                     .measures = measures};
    struct ub_run_writer *out = ub_run_writer_new(folder, &spec, &err);
    assert_non_null(out);
    struct walk k = {.random = ub_random_stream(1, "walk"), .rho = rho, .uneven = uneven};
    double m[DIMENSIONS] = {0}, v[DIMENSIONS] = {0}, before[DIMENSIONS];
    for (int i = 0; i < DIMENSIONS; i++)
        k.w[i] = ub_random_normal(&k.random);
    ub_run_writer_add(out, 0, "scale-change", 0, 0, (double)NAN);
    for (int t = 0; t < STEPS; t++) {
        memcpy(before, k.w, sizeof before);
        next_gradient(&k);
        take_step(&k, r, t, m, v);
        if ((t + 1) % EVERY == 0)
            write_rows(out, t + 1, before, k.w, r);
    }
    ub_run_writer_fact(out, "lr", r->lr);
    const struct ub_pair provenance[] = {{(char *)"unibench", (char *)"test"}};
    if (!ub_run_writer_commit(out, UB_RUN_OK, "", provenance, 1, &err))
        fail_msg("%s", err.text);
}

/* rate x decay (over 1 - beta) is 1/1000: thirty times its inverse. */
static const struct rule rules[] = {
    {"sgd:batch=8,beta=0,l2=0.01,lr=0.1,nesterov=false,schedule=constant", 0.1, 0.01, 0, false},
    {"sgd:batch=8,beta=0.5,l2=0.01,lr=0.05,nesterov=false,schedule=constant", 0.05, 0.01, 0.5,
     false},
    {"heavy-ball:beta=0.9,l2=0.01,lr=0.01,schedule=constant", 0.01, 0.01, 0.9, false},
    {"adamw:beta1=0.9,beta2=0.99,decay=0.1,l2=0,lr=0.01,schedule=constant", 0.01, 0.1, 0.9, true},
};
enum { RULES = sizeof rules / sizeof *rules, ADAMW = RULES - 1 };

struct walks {
    char *folder;
    struct ub_store *store;
    struct ub_frame *frame;
};

static struct walks walks_of(double rho, double uneven)
{
    struct ub_error err = {0};
    struct walks s = {.folder = support_folder()};
    assert_true(ub_store_lock(s.folder, false, &err));
    for (int i = 0; i < RULES; i++)
        add_walk(s.folder, &rules[i], rho, uneven);
    s.store = ub_store_open(s.folder, &err);
    if (!s.store)
        fail_msg("%s", err.text);
    s.frame = ub_frame_new(s.store, &err);
    if (!s.frame)
        fail_msg("%s", err.text);
    return s;
}

static void walks_free(struct walks *s)
{
    ub_frame_free(s->frame);
    ub_store_free(s->store);
    support_remove(s->folder);
}

/* The law's ratio of the walk by that rule. */
static double ratio(const struct walks *s, const struct ub_law *law, const struct rule *rule)
{
    for (size_t row = 0; row < s->frame->rows; row++) {
        if (strcmp(s->store->runs[row].spec.optimizer, rule->text) != 0)
            continue;
        assert_true(law != &ub_law_rotation || law->applies(s->frame, row));
        assert_true(law != &ub_law_rotation_norm ||
                    law->applies(s->frame, row) == (rule->beta == 0));
        const struct ub_rows rows = {1, &row};
        const struct ub_datum d = law->datum(s->frame, &rows);
        assert_null(d.why);
        print_message("%s of %.30s: %.4f\n", law->name, rule->text, d.value);
        return d.value;
    }
    fail_msg("no walk by %s", rule->text);
    return (double)NAN;
}

/* To what 15 relaxation times leave of chance (1%), and to first order in rate x decay over
 * 1 - beta1 (AdamW: 1%). */
static void as_predicted(const struct walks *s, int rules_first)
{
    double worst = 0;
    for (int i = 0; i < rules_first; i++)
        worst = fmax(worst, fabs(ratio(s, &ub_law_rotation, &rules[i]) - 1));
    assert_oracle("law rotation", "simulated random walks of weights, four optimizers", worst,
                  0.03);
    assert_oracle("law rotation-norm", "simulated random walks of weights",
                  ratio(s, &ub_law_rotation_norm, &rules[0]) - 1, 0.05);
}

static void random_walks_turn_as_predicted(void **state)
{
    (void)state;
    struct walks s = walks_of(0, 1);
    as_predicted(&s, RULES);
    walks_free(&s);
}

/* Gradients that remember each other for ten steps: that they are orthogonal to the weight is all
 * that the formulas ask, and all that AdamW's ask where its metric is a number. Entries of uneven
 * size turn what it makes of them towards the weight. */
static void memory_is_no_matter_but_to_adamw(void **state)
{
    (void)state;
    struct walks even = walks_of(0.9, 1), uneven = walks_of(0.9, 10);
    as_predicted(&even, RULES);
    as_predicted(&uneven, ADAMW);
    assert_true(ratio(&uneven, &ub_law_rotation, &rules[ADAMW]) > 1.1);
    walks_free(&even);
    walks_free(&uneven);
}

/* ---- small runs ---- */

static const char turning[] =
    "name: turning\n"
    "defaults:\n"
    "  precision: f64\n"
    "  loss: mse\n"
    "  steps: 4000\n"
    "  dataset: {teacher-student: {samples: 64, features: 6, noise: 1}}\n"
    "  measure: {symmetry: {every: 5}}\n"
    "runs:\n"
    "  - model: {mlp: {widths: 8, activation: relu, norm: layer, affine: false, fixed-readout: "
    "true, "
    "epsilon: 1e-12}}\n"
    "    optimizer: {sgd: {lr: 0.2, batch: 4, l2: 0.02}}\n"
    "  - model: {mlp: {widths: 9, activation: relu, fixed-readout: true}}\n"
    "    optimizer: {sgd: {lr: 0.2, batch: 4, l2: 0.02}}\n"
    "  - model: {mlp: {widths: 10, activation: relu, norm: layer, affine: false, epsilon: 1e-12}}\n"
    "    optimizer: {sgd: {lr: 0.02, batch: 4, l2: 0.02}}\n";

static void networks_turn_where_they_must(void **state)
{
    (void)state;
    struct law_suite r = law_suite_run(turning);
    const struct ub_law *laws[] = {&ub_law_rotation, &ub_law_rotation_norm};
    for (int i = 0; i < 2; i++) {
        const struct ub_datum good = law_suite_datum(&r, laws[i], "model.width", "8"),
                              bad = law_suite_datum(&r, laws[i], "model.width", "9");
        assert_true(ub_datum_meets(&laws[i]->is, &good));
        assert_null(bad.why);
        assert_false(ub_datum_meets(&laws[i]->is, &bad));
        assert_true(law_suite_takes(&r, laws[i], "model.width", "8"));
        assert_int_equal(law_suite_applies(&r, laws[i]), 1); /* neither bad nor too short */
    }
    law_suite_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_schedule_takes_the_place_of_decay),
        cmocka_unit_test(the_law_of_decay_needs_pairs),
        cmocka_unit_test(random_walks_turn_as_predicted),
        cmocka_unit_test(memory_is_no_matter_but_to_adamw),
        cmocka_unit_test(networks_turn_where_they_must),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
