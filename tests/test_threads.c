/* Threads: every derivative of every model has the same bits for any number of threads, and stores
 * are the same, whoever reads their runs. Also run under other instruction sets of oneDNN
 * (CMakeLists.txt), where more of its primitives work in a scratchpad, and under ThreadSanitizer
 * (make tsan). */
#include "kinds.h"
#include "sample_store.h"
#include "support.h"
#include "systems/graph/unseen.h"
#include "systems/problem_express.h"

#include <dirent.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- every model ---- */

/* Small enough to walk all of them; where a name is missing, its defaults are walked. Ghost batches
 * share a chunk: few samples at a time, or there would be one chunk. Norms over the whole set are
 * sums over chunks, at which threads meet. */
static const struct {
    const char *name, *text;
} small[] = {
    {"deep-linear", "deep-linear:widths=6x6"},
    {"matrix-factorization", "matrix-factorization:rank=3"},
    {"two-layer", "two-layer:width=12"},
    {"random-features", "random-features:width=12"},
    {"mlp", "mlp:widths=8x8"},
    {"mlp", "mlp:widths=8x8,norm=batch"},
    {"autoencoder", "autoencoder:widths=8x3x8"},
    {"cnn", "cnn:channels=8x8"},
    {"cnn", "cnn:channels=8x8,norm=batch,ghost=5"},
    {"cnn", "cnn:channels=8x8,norm=batch"},
    {"resnet", "resnet:width=8,stages=2"},
    {"resnet", "resnet:width=8,stages=2,norm=batch,ghost=5"},
    {"resnet", "resnet:width=8,stages=2,norm=group"},
    {"mlp-mixer", "mlp-mixer:width=6,depth=1,tokens=4"},
    {"vit", "vit:width=8,depth=1,heads=2"},
    {"gpt", "gpt:width=8,depth=1,heads=2"},
    {"attention-only", "attention-only:width=8,depth=1,heads=2"},
    {"lstm", "lstm:width=6"},
    {"gru", "gru:width=6"},
    {"mamba", "mamba:width=4,depth=1"},
};
enum { SMALL = sizeof small / sizeof *small, BLOCK = 8, MOST_THREADS = 4, SIZES = 3 };
static const int64_t sizes[SIZES] = {40, 200, 1000}; /* divided by ghost batches */

/* Of a kind, each sample another. */
static struct ub_dataset *many_samples(int kind, int64_t many)
{
    struct ub_dataset *few = kinds_dataset(kind), *d = ub_calloc(1, sizeof *d);
    const int64_t n = few->train.count, width = ub_target_width(few), f = few->features;
    const int64_t positions = ub_positions(few);
    *d = *few;
    d->train = (struct ub_split){.count = many};
    d->train.inputs = ub_calloc((size_t)(many * f), sizeof *d->train.inputs);
    d->train.targets = ub_calloc((size_t)(many * width), sizeof *d->train.targets);
    if (few->train.labels)
        d->train.labels = ub_calloc((size_t)(many * positions), sizeof *d->train.labels);
    for (int64_t i = 0; i < many; i++) {
        const int64_t k = i % n;
        for (int64_t j = 0; j < f; j++)
            d->train.inputs[i * f + j] =
                few->train.inputs[k * f + j] * (few->tokens ? 1 : 1 + 0.01 * (double)i);
        memcpy(d->train.targets + i * width, few->train.targets + k * width,
               (size_t)width * sizeof *d->train.targets);
        if (few->train.labels)
            memcpy(d->train.labels + i * positions, few->train.labels + k * positions,
                   (size_t)positions * sizeof *d->train.labels);
    }
    d->name = ub_strdup(few->name);
    d->test = (struct ub_split){.count = 0};
    tiny_free(few);
    return d;
}

/* Loss, gradient, one product, a block of products, third derivatives along two directions and
 * twice along one. */
static int64_t numbers_of(int64_t n)
{
    return 1 + n * (1 + 1 + BLOCK + 2);
}

static void everything(struct ub_problem *p, const double *theta, const double *V, double *out)
{
    const int64_t n = ub_problem_size(p);
    out[0] = ub_problem_gradient(p, theta, out + 1);
    out += 1 + n;
    ub_problem_linearize(p, theta);
    ub_problem_hvp(p, 1, V, out);
    ub_problem_hvp(p, BLOCK, V, out + n);
    ub_problem_third(p, V, V + n, out + n * (1 + BLOCK));
    ub_problem_third(p, V, V, out + n * (2 + BLOCK));
}

struct walk {
    int models, systems; /* systems: with a dataset and a precision */
};

static struct ub_problem *problem_of(const struct ub_dataset *data, const char *model,
                                     enum ub_precision precision, int threads)
{
    struct ub_error err = {0};
    const char *loss = data->task == UB_CLASSIFICATION ? "ce" : "mse";
    struct ub_problem *p = ub_problem_new(
        &(struct ub_problem_spec){
            .model = model, .loss = loss, .data = data, .precision = precision, .threads = threads},
        &err);
    if (!p)
        fail_msg("%s: %s", model, err.text);
    return p;
}

static int64_t chunks_of(const struct ub_dataset *data, const char *model)
{
    struct ub_problem *p = problem_of(data, model, UB_F32, 1);
    const int64_t samples = data->train.count, chunk = ub_chunk_of(p, samples, BLOCK);
    ub_problem_free(p);
    return (samples + chunk - 1) / chunk;
}

#ifdef UB_THREAD_SANITIZER
/* The sanitizer judges, at a tenth of the speed: four threads, float and double in turn. */
enum { FEWEST_THREADS = MOST_THREADS, PRECISIONS_AT_ONCE = 1 };
#else
enum { FEWEST_THREADS = 1, PRECISIONS_AT_ONCE = 2 };
#endif

static void check_system(const struct ub_dataset *data, const char *model,
                         enum ub_precision precision)
{
    double *theta = NULL, *V = NULL, *one = NULL, *many = NULL;
    size_t count = 0;
    for (int threads = FEWEST_THREADS; threads <= MOST_THREADS; threads++) {
        struct ub_problem *p = problem_of(data, model, precision, threads);
        const int64_t n = ub_problem_size(p);
        if (threads == FEWEST_THREADS) {
            count = (size_t)numbers_of(n);
            theta = ub_calloc((size_t)n, sizeof *theta);
            V = tiny_normals(BLOCK * n, "V");
            one = ub_calloc(count, sizeof *one);
            many = ub_calloc(count, sizeof *many);
        }
        ub_problem_init(p, 1, theta);
        everything(p, theta, V, threads == FEWEST_THREADS ? one : many);
        for (size_t i = 0; threads > FEWEST_THREADS && i < count; i++)
            if (memcmp(&one[i], &many[i], sizeof *one) != 0)
                fail_msg("%s in %s: number %zu of %zu is %.17g with %d threads; expected %.17g",
                         model, ub_precision_name(precision), i, count, many[i], threads, one[i]);
        ub_problem_free(p);
    }
    double *const all[] = {theta, V, one, many};
    for (int i = 0; i < 4; i++)
        ub_free(all[i]);
}

/* The fewest samples of which every thread gets chunks. */
static const struct ub_dataset *shared_out(struct ub_dataset *const of_sizes[SIZES],
                                           const char *model)
{
    for (int i = 0; i < SIZES; i++)
        if (chunks_of(of_sizes[i], model) >= MOST_THREADS)
            return of_sizes[i];
    fail_msg("%s: %lld samples leave threads without work", model, (long long)sizes[SIZES - 1]);
    return NULL;
}

static void walk_model(struct walk *w, const struct ub_model *model, const char *text,
                       struct ub_dataset *sets[KINDS][SIZES])
{
    int taken = 0;
    for (int k = 0; k < KINDS; k++) {
        if (!kinds_takes(model, sets[k][0]))
            continue;
        taken++;
        const struct ub_dataset *data = shared_out(sets[k], text);
        for (int i = 0; i < PRECISIONS_AT_ONCE; i++, w->systems++)
            check_system(data, text, w->systems % 2 == 1 ? UB_F64 : UB_F32);
    }
    if (taken == 0)
        fail_msg("no dataset here fits '%s'", text);
}

static void threads_change_no_bit_of_any_model(void **state)
{
    (void)state;
    struct walk w = {.models = 0};
    struct ub_dataset *sets[KINDS][SIZES];
    for (int k = 0; k < KINDS * SIZES; k++)
        sets[k / SIZES][k % SIZES] = many_samples(k / SIZES, sizes[k % SIZES]);
    for (size_t m = 0; ub_models[m]; m++, w.models++) {
        int texts = 0;
        for (int i = 0; i < SMALL; i++)
            if (strcmp(small[i].name, ub_models[m]->name) == 0) {
                walk_model(&w, ub_models[m], small[i].text, sets);
                texts++;
            }
        if (texts == 0)
            walk_model(&w, ub_models[m], ub_models[m]->name, sets);
    }
    assert_true(w.models > 0 && w.systems >= PRECISIONS_AT_ONCE * w.models);
    for (int k = 0; k < KINDS * SIZES; k++)
        tiny_free(sets[k / SIZES][k % SIZES]);
}

/* Where the race was seen: real images, chunks of 19, scratchpads in use. */
static void convolutions_on_digits(void **state)
{
    static const char *const models[] = {
        "cnn:channels=8x8", "cnn:channels=16x16,groups=4,norm=group",
        "resnet:width=8,norm=layer,stages=2", "resnet:width=8,stages=2,ghost=15",
        "resnet:width=8,stages=2"};
    (void)state;
    struct ub_error err = {0};
    struct ub_dataset *digits = ub_dataset_load("digits:size=150", 0, NULL, &err);
    assert_non_null(digits);
    for (size_t m = 0; m < sizeof models / sizeof *models; m++)
        check_system(digits, models[m], UB_F32);
    ub_dataset_free(digits);
}

/* ---- workers ---- */

static int threads_of_this_process(void)
{
    int threads = 0;
    DIR *tasks = opendir("/proc/self/task");
    for (const struct dirent *d; tasks && (d = readdir(tasks));)
        threads += d->d_name[0] != '.';
    if (tasks)
        closedir(tasks);
    return threads;
}

/* What a worker does: compiles programs and runs their products in a forked process. OpenBLAS would
 * start a thread for each other CPU there, which spins beside the run, if its number of threads
 * were set once more. (On one CPU there is none to start.) */
static void a_worker_starts_no_threads(void **state)
{
    (void)state;
    struct ub_dataset *data = kinds_dataset(0);
    struct ub_problem *here = problem_of(data, "mlp:widths=8x8", false, 1);
    double *theta = ub_calloc((size_t)ub_problem_size(here), sizeof *theta);
    ub_problem_init(here, 1, theta);
    ub_problem_loss(here, theta); /* the parent's BLAS is held to one thread by now */
    const pid_t worker = fork();
    if (worker == 0) {
        const int before = threads_of_this_process(); /* a sanitizer may have one of its own */
        struct ub_problem *p = problem_of(data, "mlp:widths=8x8", false, 1);
        double *grad = ub_calloc((size_t)ub_problem_size(p), sizeof *grad);
        ub_problem_gradient(p, theta, grad);
        _exit(threads_of_this_process() - before);
    }
    int status = 0;
    assert_int_equal(waitpid(worker, &status, 0), worker);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    ub_free(theta);
    ub_problem_free(here);
    tiny_free(data);
}

/* ---- stores ---- */

enum { RUNS = 150, BROKEN = 7 }; /* every seventh is */

/* More runs than one thread reads by itself: in the manifest's order, whoever read them, and the
 * damaged ones among them named, each with its own reason. */
static void stores_are_read_by_several_threads(void **state)
{
    (void)state;
    struct ub_error err = {0};
    char *store = support_folder();
    struct ub_run_spec spec[RUNS];
    struct ub_expected expected[RUNS];
    assert_true(ub_store_lock(store, true, &err));
    for (size_t i = 0; i < RUNS; i++) {
        spec[i] = sample_spec((uint64_t)(i * 37 % RUNS));
        expected[i] = (struct ub_expected){.spec = spec[i]};
        if (i % 10 != 9) /* the tenth was never run */
            write_run(store, &spec[i], UB_RUN_OK, "", (double)i);
        if (i % 10 != 9 && i % BROKEN == 0) {
            char id[17];
            ub_run_spec_id(&spec[i], id);
            char *folder = ub_store_run_folder(store, id);
            support_write(folder, "run.yaml", "x", 1);
            ub_free(folder);
        }
    }
    assert_true(ub_manifest_write(store, expected, RUNS, &err));
    struct ub_store *s = ub_store_open(store, &err);
    assert_non_null(s);
    assert_int_equal(s->count, RUNS);
    size_t damaged = 0;
    for (size_t i = 0; i < RUNS; i++) {
        char id[17];
        ub_run_spec_id(&spec[i], id);
        const bool absent = i % 10 == 9, broken = !absent && i % BROKEN == 0;
        assert_string_equal(s->runs[i].id, id);
        assert_true(s->runs[i].damaged == broken);
        assert_int_equal(s->runs[i].status, absent || broken ? UB_RUN_MISSING : UB_RUN_OK);
        if (broken) {
            assert_non_null(strstr(s->damaged[damaged].name, id));
            assert_non_null(strstr(s->damaged[damaged++].why, id));
        }
    }
    assert_int_equal(s->n_damaged, damaged);
    ub_store_free(s);
    support_remove(store);
}

/* A pattern as argument runs the tests that match it. */
int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_change_no_bit_of_any_model),
        cmocka_unit_test(convolutions_on_digits),
        cmocka_unit_test(a_worker_starts_no_threads),
        cmocka_unit_test(stores_are_read_by_several_threads),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
