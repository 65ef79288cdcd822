/* Mini-batches of every optimizer: against the same optimizer on a problem that has the batch's
 * samples as its whole training set, against the full batch, over threads, and their seeds. */
#include "quadratics.h"

#include "law_suite.h"

enum { N = 12, BATCH = 5, STEPS = 7 };

static const char *rate_of(const struct ub_optimizer_kind *kind)
{
    return strcmp(kind->name, "ridge") == 0 ? "lr=0.5" : "lr=0.01";
}

struct net {
    struct ub_dataset *data;
    struct ub_problem *problem;
    int64_t size;
};

/* A network, but for ridge, which asks for a model linear in its parameters. */
static struct net net_new(const char *optimizer, int threads)
{
    struct net net = {.data = tiny_dataset(UB_REGRESSION, N, 0, 3, 1)};
    struct ub_error err = {0};
    net.problem = ub_problem_new(
        &(struct ub_problem_spec){
            .model = strcmp(optimizer, "ridge") == 0 ? "linear" : "mlp:widths=4,activation=tanh",
            .loss = "mse",
            .data = net.data,
            .precision = UB_F64,
            .threads = threads},
        &err);
    if (!net.problem)
        fail_msg("%s", err.text);
    net.size = ub_problem_size(net.problem);
    return net;
}

static void net_free(struct net *net)
{
    ub_problem_free(net->problem);
    tiny_free(net->data);
}

static struct ub_optimizer *attached(struct ub_problem *p, const char *name, const char *options,
                                     uint64_t seed)
{
    char text[200];
    struct ub_error err = {0};
    snprintf(text, sizeof text, "%s:%s,%s", name, rate_of(ub_optimizer_find(name)), options);
    struct ub_optimizer *o = ub_optimizer_new(text, ub_problem_size(p), &err);
    if (!o || !ub_optimizer_attach(o, &(struct ub_training){p, STEPS, seed}, &err))
        fail_msg("%s: %s", text, err.text);
    return o;
}

static void advance(struct ub_optimizer *o, double *theta, double *grad)
{
    const double loss = ub_optimizer_gradient(o, theta, grad);
    assert_true(isfinite(loss));
    ub_optimizer_see(o, theta, grad);
    ub_optimizer_step(o, theta, grad);
}

/* STEPS steps from the problem's start of seed 1; free with ub_free. */
static double *trained(const struct net *net, const char *name, const char *options, uint64_t seed)
{
    struct ub_optimizer *o = attached(net->problem, name, options, seed);
    double *theta = ub_calloc((size_t)net->size, sizeof *theta);
    double *grad = ub_calloc((size_t)net->size, sizeof *grad);
    ub_problem_init(net->problem, 1, theta);
    for (int t = 0; t < STEPS; t++)
        advance(o, theta, grad);
    ub_free(grad);
    ub_optimizer_free(o);
    return theta;
}

static double *alone(const char *name, const char *options, uint64_t seed, int threads)
{
    struct net net = net_new(name, threads);
    double *theta = trained(&net, name, options, seed);
    net_free(&net);
    return theta;
}

/* The oracle trains the optimizer, which knows of no batches, on a problem that is handed the
 * stream's samples before each step. */
static double *by_hand(const char *name, uint64_t seed, int64_t batch, bool replacement)
{
    struct net net = net_new(name, 1);
    struct ub_error err = {0};
    struct ub_problem *part = ub_problem_batch_new(net.problem, batch, &err);
    struct ub_batches *b = ub_batches_new(N, batch, replacement, ub_random_stream(seed, "batches"));
    struct ub_optimizer *o = attached(part, name, "l2=0.01", 99);
    double *theta = ub_calloc((size_t)net.size, sizeof *theta);
    double *grad = ub_calloc((size_t)net.size, sizeof *grad);
    int64_t samples[N];
    ub_problem_init(net.problem, 1, theta);
    for (int t = 0; t < STEPS; t++) {
        ub_batches_next(b, samples);
        ub_problem_take(part, samples);
        advance(o, theta, grad);
    }
    ub_free(grad);
    ub_optimizer_free(o);
    ub_batches_free(b);
    ub_problem_free(part);
    net_free(&net);
    return theta;
}

static bool takes_batches(const struct ub_optimizer_kind *kind)
{
    return strcmp(kind->name, "ridge") != 0;
}

/* The optimizer that takes batches at *k or next after it, *k being put behind it; NULL: no more.
 */
static const char *next_with_batches(size_t *k)
{
    while (ub_optimizers[*k] && !takes_batches(ub_optimizers[*k]))
        ++*k;
    return ub_optimizers[*k] ? ub_optimizers[(*k)++]->name : NULL;
}

static void every_optimizer_steps_on_its_batch(void **state)
{
    (void)state;
    double worst = 0;
    const char *name;
    for (size_t k = 0; (name = next_with_batches(&k));) {
        for (int replacement = 0; replacement < 2; replacement++) {
            char options[96];
            snprintf(options, sizeof options, "l2=0.01,batch=%d,replacement=%s", BATCH,
                     replacement ? "true" : "false");
            struct net net = net_new(name, 1);
            double *theta = trained(&net, name, options, 3);
            double *expected = by_hand(name, 3, BATCH, replacement);
            const double error = tiny_error(net.size, theta, expected);
            if (!(error <= 1e-12))
                fail_msg("%s: off by %g", name, error);
            worst = fmax(worst, error);
            ub_free(theta);
            ub_free(expected);
            net_free(&net);
        }
    }
    print_message("largest relative error %.3g\n", worst);
}

/* A batch of all samples in one epoch is the full batch; drawn with replacement it is not. */
static void all_samples_are_the_full_batch(void **state)
{
    (void)state;
    for (size_t k = 0; ub_optimizers[k]; k++) {
        const char *name = ub_optimizers[k]->name;
        struct net net = net_new(name, 1);
        double *full = trained(&net, name, "l2=0.01", 3);
        double *all = trained(&net, name, "l2=0.01,batch=12", 3);
        assert_memory_equal(full, all, (size_t)net.size * sizeof *full);
        if (takes_batches(ub_optimizers[k])) {
            double *permuted = by_hand(name, 3, N, false);
            double *anew = trained(&net, name, "l2=0.01,batch=12,replacement=true", 3);
            /* The same samples in another order: rounding, which steps that divide by small
             * numbers enlarge, and by which the eigenbases of soap's first moments, of rank one,
             * are others. */
            const double error = tiny_error(net.size, permuted, full);
            if (!(error <= 1e-6) && strcmp(name, "soap") != 0)
                fail_msg("%s: off by %g", name, error);
            assert_true(tiny_error(net.size, anew, full) > 1e-5);
            ub_free(permuted);
            ub_free(anew);
        }
        ub_free(full);
        ub_free(all);
        net_free(&net);
    }
}

/* An epoch's batches, of a size that divides it, have the full gradient as their mean. */
static void the_mean_over_an_epoch_is_the_full_gradient(void **state)
{
    (void)state;
    const char *name;
    for (size_t k = 0; (name = next_with_batches(&k));) {
        struct net net = net_new(name, 1);
        struct ub_optimizer *o = attached(net.problem, name, "batch=3", 3);
        double *theta = tiny_normals(net.size, "theta"), loss = 0;
        double *grad = ub_calloc((size_t)net.size, sizeof *grad);
        double *mean = ub_calloc((size_t)net.size, sizeof *mean);
        for (int b = 0; b < N / 3; b++) {
            loss += ub_optimizer_gradient(o, theta, grad) * 3 / N;
            for (int64_t i = 0; i < net.size; i++)
                mean[i] += grad[i] * 3 / N;
        }
        assert_near(loss, ub_problem_gradient(net.problem, theta, grad), 1e-13);
        assert_true(tiny_error(net.size, mean, grad) < 1e-13);
        ub_free(theta);
        ub_free(grad);
        ub_free(mean);
        ub_optimizer_free(o);
        net_free(&net);
    }
}

static void threads_change_no_bit(void **state)
{
    (void)state;
    const char *name;
    for (size_t k = 0; (name = next_with_batches(&k));) {
        struct net net = net_new(name, 1);
        double *one = trained(&net, name, "batch=5", 3), *three = alone(name, "batch=5", 3, 3);
        assert_memory_equal(one, three, (size_t)net.size * sizeof *one);
        ub_free(one);
        ub_free(three);
        net_free(&net);
    }
}

/* batch-seed draws the batches and nothing else; -1 is the run's seed. */
static void batches_have_a_seed_of_their_own(void **state)
{
    (void)state;
    struct net net = net_new("adam", 1);
    const size_t bytes = (size_t)net.size * sizeof(double);
    double *own = trained(&net, "adam", "batch=5", 3);
    double *given = trained(&net, "adam", "batch=5,batch-seed=3", 8);
    double *other = trained(&net, "adam", "batch=5,batch-seed=4", 3);
    assert_memory_equal(own, given, bytes);
    assert_memory_not_equal(own, other, bytes);
    ub_free(own);
    ub_free(given);
    ub_free(other);
    net_free(&net);
}

/* Whatever the batch size, and so for rates that are compared over batch sizes. */
static void all_batch_sizes_see_the_same_samples(void **state)
{
    (void)state;
    for (int replacement = 0; replacement < 2; replacement++) {
        char small[64], large[64];
        struct net net = net_new("adam", 1);
        snprintf(small, sizeof small, "batch=2,replacement=%s", replacement ? "true" : "false");
        snprintf(large, sizeof large, "batch=6,replacement=%s", replacement ? "true" : "false");
        struct ub_optimizer *a = attached(net.problem, "gd", small, 3);
        struct ub_optimizer *b = attached(net.problem, "adam", large, 3);
        double *theta = tiny_normals(net.size, "theta");
        double *grad = ub_calloc((size_t)net.size, sizeof *grad);
        for (int t = 0; t < 5; t++) {
            ub_optimizer_gradient(b, theta, grad);
            for (int i = 0; i < 3; i++) {
                ub_optimizer_gradient(a, theta, grad);
                assert_memory_equal(a->samples, b->samples + 2 * i, 2 * sizeof *a->samples);
            }
        }
        ub_free(theta);
        ub_free(grad);
        ub_optimizer_free(a);
        ub_optimizer_free(b);
        net_free(&net);
    }
}

static void no_threshold_is_known_of_batches(void **state)
{
    (void)state;
    struct net net = net_new("gd", 1);
    struct ub_optimizer *full = attached(net.problem, "gd", "l2=0", 3);
    struct ub_optimizer *part = attached(net.problem, "gd", "batch=5", 3);
    assert_near(ub_optimizer_threshold(full), 200, 1e-10);
    assert_true(isnan(ub_optimizer_threshold(part)));
    assert_int_equal(ub_optimizer_batch(full), 0);
    assert_int_equal(ub_optimizer_batch(part), 5);
    ub_optimizer_free(full);
    ub_optimizer_free(part);
    struct ub_error err = {0};
    part = ub_optimizer_new("gd:lr=edge(4),batch=5", net.size, &err);
    assert_near(part->base, 0.5, 1e-15); /* the full batch's rule */
    ub_optimizer_free(part);
    net_free(&net);
}

static void bad_batches_are_refused(void **state)
{
    (void)state;
    static const char *const texts[][2] = {
        {"ridge:batch=5", "mini-batches; expected batch=0"},
        {"adam:lr=0.1,batch=13", "a batch of 13 samples; expected 1 to 12"},
    };
    struct net net = net_new("ridge", 1);
    for (int k = 0; k < 2; k++) {
        struct ub_error err = {0};
        struct ub_optimizer *o = ub_optimizer_new(texts[k][0], net.size, &err);
        assert_false(ub_optimizer_attach(o, &(struct ub_training){net.problem, 10, 0}, &err));
        assert_input_error(&err, texts[k][1]);
        ub_optimizer_free(o);
    }
    net_free(&net);
    struct ub_error err = {0};
    assert_null(ub_optimizer_new("adam:lr=0.1,batch=-3", 4, &err));
    assert_input_error(&err, "batch");
}

/* Texts, and so ids, of runs that ask for none are what they were; sgd has its own spelling. */
static void texts_without_batches_are_as_before(void **state)
{
    (void)state;
    static const struct {
        const char *given, *has, *lacks;
    } cases[] = {
        {"gd:lr=0.1", "gd:drop-every=1000", "batch"},
        {"gd:lr=0.1,batch=0,replacement=false,batch-seed=-1", "gd:", "batch"},
        {"gd:lr=0.1,batch=4", "batch=4", "batch-seed"},
        {"gd:lr=0.1,batch=4,replacement=true", "replacement=true", "batch-seed"},
        {"sgd:lr=0.1", "sgd:batch=0,beta=0,", "batch-seed"},
        {"sgd:lr=0.1,batch-seed=2", "batch-seed=2", "batch-seed=-1"},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        struct ub_error err = {0};
        char *text =
            ub_registry_canonical(&ub_optimizer_registry, cases[k].given, "test", NULL, &err);
        assert_non_null(text);
        assert_non_null(strstr(text, cases[k].has));
        assert_null(strstr(text, cases[k].lacks));
        ub_free(text);
    }
}

/* ---- runs ---- */

static const char suite[] = "name: batches\n"
                            "runs:\n"
                            "  - model: {mlp: {widths: 8, activation: tanh}}\n"
                            "    dataset: {digits: {size: 40, scale: center}}\n"
                            "    loss: mse\n"
                            "    precision: f64\n"
                            "    steps: 10\n"
                            "    optimizer: [{adam: {lr: 0.01}}, {adam: {lr: 0.01, batch: 10, "
                            "batch-seed: [3, 4]}}]\n"
                            "    measure: {loss: {every: 5}, gradient-norm: {every: 5}, "
                            "sharpness: {at: 0, tolerance: 1e-9}, noise-scale: {every: 5}}\n";

static double at(const struct ub_frame *frame, size_t row, const char *name, int64_t step)
{
    struct ub_series s = ub_frame_series(frame, row, name, 0);
    double value = (double)NAN;
    for (size_t i = 0; i < s.count; i++)
        if (s.step[i] == step)
            value = s.value[i];
    ub_series_clear(&s);
    return value;
}

/* Whatever a run steps along, it is looked at over all samples: at the start, which runs of one
 * seed share whatever their batch-seed, all see the same. */
static void runs_are_looked_at_over_all_samples(void **state)
{
    (void)state;
    static const char *const names[] = {"loss", "gradient-norm", "sharpness", "noise-scale"};
    struct law_suite s = law_suite_run(suite);
    assert_int_equal(s.frame->rows, 3);
    for (size_t row = 1; row < 3; row++) {
        for (int k = 0; k < 4; k++) {
            const double value = at(s.frame, 0, names[k], 0);
            assert_true(value > 0 && at(s.frame, row, names[k], 0) == value);
        }
        for (size_t other = 0; other < row; other++)
            assert_true(at(s.frame, row, "loss", 10) != at(s.frame, other, "loss", 10));
    }
    for (size_t row = 0; row < 3; row++) { /* none has an edge but the full batch */
        const bool full = ub_frame_number(s.frame, row, "optimizer.batch") == 0;
        assert_true(isfinite(ub_frame_number(s.frame, row, "threshold")) == full);
    }
    law_suite_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_optimizer_steps_on_its_batch),
        cmocka_unit_test(all_samples_are_the_full_batch),
        cmocka_unit_test(the_mean_over_an_epoch_is_the_full_gradient),
        cmocka_unit_test(threads_change_no_bit),
        cmocka_unit_test(batches_have_a_seed_of_their_own),
        cmocka_unit_test(all_batch_sizes_see_the_same_samples),
        cmocka_unit_test(no_threshold_is_known_of_batches),
        cmocka_unit_test(bad_batches_are_refused),
        cmocka_unit_test(texts_without_batches_are_as_before),
        cmocka_unit_test(runs_are_looked_at_over_all_samples),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
