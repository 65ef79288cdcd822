/* Runs packed into one program: one process makes them with one copy of the data and of compiled
 * programs. The oracle of all is the run by itself (--no-pack): every measurement, kept weight and
 * count is bitwise the same, whatever ran before it in its process. */
#include "bench/run/pack.h"
#include "tests/cli_support.h"
#include "tests/sample_store.h"

/* Kinds of state that a run could leave behind: programs of several blocks of products, a metric,
 * batches, frozen weights, a start that outputs are less of, norms over samples, a rate from a
 * sharpness, and runs that end early. All of a model and a loss are one pack. */
static const char many[] =
    "name: many\n"
    "defaults:\n"
    "  dataset: {digits: {size: 60, test: 0.2}}\n"
    "  steps: 12\n"
    "  seed: 0..1\n"
    "  save-weights: true\n"
    "  measure:\n"
    "    loss: {every: 4}\n"
    "    accuracy: {every: 6}\n"
    "    sharpness: {every: 4, top: 2}\n"
    "runs:\n"
    "  - model: ['mlp:widths=8x8', 'mlp:widths=8,centered=true', 'random-features:width=12']\n"
    "    loss: mse\n"
    "    optimizer: ['gd:lr=0.1', 'gd:lr=1000', 'gd:lr=relative(0.5)', 'adam:lr=0.01',\n"
    "                'heavy-ball:lr=0.05,beta=0.9', 'sgd:lr=0.1,batch=20']\n"
    "  - model: 'cnn:channels=4x4,norm=batch'\n"
    "    loss: ce\n"
    "    steps: 5\n"
    "    optimizer: ['gd:lr=0.1', 'adam:lr=0.01']\n";
enum { MANY = 3 * 6 * 2 + 2 * 2 };

/* Runs of one pack, the third of which takes hours. */
static const char endless[] = "name: endless\n"
                              "defaults: {dataset: 'digits:size=50', loss: mse, model: linear}\n"
                              "runs:\n"
                              "  - {optimizer: ['gd:lr=0.01', 'gd:lr=0.02'], steps: 5}\n"
                              "  - {optimizer: 'gd:lr=0.03', steps: 100000000}\n"
                              "  - {optimizer: ['gd:lr=0.04', 'gd:lr=0.05'], steps: 5}\n";

/* ---- the same runs ---- */

static void expect_same_file(const char *folder, const char *id, const char *name)
{
    struct ub_text packed = {0}, lone = {0};
    struct ub_error err = {0};
    size_t n = 0, m = 0;
    ub_text_add(&packed, "%s/packed/runs/%s/%s", folder, id, name);
    ub_text_add(&lone, "%s/lone/runs/%s/%s", folder, id, name);
    unsigned char *a = ub_read_file(packed.data, 1 << 24, &n, &err);
    unsigned char *b = ub_read_file(lone.data, 1 << 24, &m, &err);
    if (!a || !b || n != m || memcmp(a, b, n) != 0)
        fail_msg("%s is not the lone run's %s", packed.data, err.text);
    ub_free(a);
    ub_free(b);
    ub_text_free(&packed);
    ub_text_free(&lone);
}

static bool is_of_the_clock(const char *fact)
{
    return strncmp(fact, "seconds", 7) == 0 || strcmp(fact, "peak-rss") == 0;
}

static void expect_same_run(const struct ub_run *packed, const struct ub_run *lone)
{
    assert_string_equal(packed->id, lone->id);
    assert_int_equal(packed->status, lone->status);
    assert_string_equal(packed->message, lone->message);
    assert_int_equal(packed->n_facts, lone->n_facts);
    for (size_t i = 0; i < packed->n_facts; i++) {
        const struct ub_fact *a = &packed->facts[i], *b = &lone->facts[i];
        assert_string_equal(a->name, b->name);
        if (!is_of_the_clock(a->name) && memcmp(&a->value, &b->value, sizeof a->value) != 0 &&
            !(isnan(a->value) && isnan(b->value)))
            fail_msg("%s: %s is %.17g; expected %.17g, the lone run's", packed->label, a->name,
                     a->value, b->value);
    }
}

static bool says_packed(const struct ub_run *run)
{
    for (size_t i = 0; i < run->n_provenance; i++)
        if (strcmp(run->provenance[i].name, "packed") == 0)
            return strcmp(run->provenance[i].text, "yes") == 0;
    return false;
}

static struct ub_store *open_store(const char *folder, const char *name)
{
    struct ub_error err = {0};
    char *path = ub_path(folder, name);
    struct ub_store *s = ub_store_open(path, &err);
    ub_free(path);
    if (!s)
        fail_msg("%s", err.text);
    return s;
}

static void packed_runs_are_the_lone_ones(void **state)
{
    (void)state;
    char *folder = cli_folder_with("many.yaml", many);
    cli_run(folder, "run many.yaml --out packed --jobs 2", 0, "");
    cli_run(folder, "run many.yaml --out lone --jobs 2 --no-pack", 0, "");
    struct ub_store *packed = open_store(folder, "packed"), *lone = open_store(folder, "lone");
    size_t diverged = 0, frozen = 0;
    assert_int_equal(packed->count, MANY);
    assert_int_equal(lone->count, MANY);
    for (size_t i = 0; i < packed->count; i++) {
        const struct ub_run *run = &packed->runs[i];
        expect_same_run(run, &lone->runs[i]);
        expect_same_file(folder, run->id, "trace.csv.gz");
        expect_same_file(folder, run->id, "weights.npz");
        assert_true(says_packed(run) && !says_packed(&lone->runs[i]));
        assert_true(run->status == UB_RUN_OK || run->status == UB_RUN_DIVERGED);
        diverged += run->status == UB_RUN_DIVERGED;
        frozen += strstr(run->label, "random-features") != NULL;
    }
    assert_true(diverged > 0 && diverged < MANY / 2 && frozen > 0);
    ub_store_free(packed);
    ub_store_free(lone);
    support_remove(folder);
}

/* ---- which runs ---- */

static void a_pack_takes_runs_of_the_same_programs(void **state)
{
    (void)state;
    const struct ub_run_spec a = sample_spec(0);
    struct ub_run_spec b = a;
    b.seed++;
    b.steps++;
    b.optimizer = (char *)(uintptr_t) "another";
    assert_true(ub_pack_takes(&a, &b));
    char *const fields[] = {a.dataset, a.model, a.loss, a.init};
    char **const own[] = {&b.dataset, &b.model, &b.loss, &b.init};
    for (size_t i = 0; i < 4; i++) {
        *own[i] = (char *)(uintptr_t) "another";
        assert_false(ub_pack_takes(&a, &b));
        *own[i] = fields[i];
    }
    b.data_seed++;
    assert_false(ub_pack_takes(&a, &b));
    b.data_seed--;
    b.precision = UB_F64;
    assert_false(ub_pack_takes(&a, &b));
    b.precision = a.precision;
    b.n_measures = 0;
    assert_false(ub_pack_takes(&a, &b));
    b.n_measures = a.n_measures;
    b.n_files = 1;
    b.files = (char *[]){(char *)(uintptr_t) "contents"};
    assert_false(ub_pack_takes(&a, &b));
}

/* ---- ends ---- */

/* Starts the endless pack with one worker, waits until its third run is in flight. A worker that is
 * killed before that has left nothing behind: another would make the third, for hours. */
static pid_t start_endless(const char *folder, pid_t *worker)
{
    pid_t pid = cli_start(folder, "run endless.yaml --out S --jobs 1");
    *worker = cli_await_maker(folder, "S", 2);
    return pid;
}

/* Ctrl-C loses the run in flight and no other. */
static void an_interrupt_loses_the_run_in_flight(void **state)
{
    (void)state;
    char *folder = cli_folder_with("endless.yaml", endless);
    pid_t worker, pid = start_endless(folder, &worker);
    kill(pid, SIGINT);
    struct cli_outcome o = cli_wait(folder, pid);
    assert_int_equal(o.code, 130);
    assert_non_null(strstr(o.err, "interrupted after 2 of 5 runs"));
    assert_int_equal(cli_count_runs(folder, "S", false), 2);
    assert_int_equal(cli_count_runs(folder, "S", true), 0);
    cli_clear(&o);
    cli_run(folder, "run endless.yaml --out S --jobs 1 --filter *steps=5*", 0, "4 ok, 1 missing");
    support_remove(folder);
}

/* A run that is out of time leaves its pack, and the pack goes on. */
static void a_late_run_leaves_the_pack(void **state)
{
    (void)state;
    char *folder = cli_folder_with("endless.yaml", endless);
    cli_run(folder, "run endless.yaml --out S --jobs 1 --timeout 0.3", 0, "4 ok, 1 timeout");
    support_remove(folder);
}

/* A worker that dies takes the run in flight with it; another makes the rest of its pack. */
static void a_crash_leaves_the_pack(void **state)
{
    (void)state;
    char *folder = cli_folder_with("endless.yaml", endless);
    pid_t worker, pid = start_endless(folder, &worker);
    kill(worker, SIGKILL);
    struct cli_outcome o = cli_wait(folder, pid);
    assert_int_equal(o.code, 0);
    assert_non_null(strstr(o.out, "5 runs: 4 ok, 1 failed"));
    assert_non_null(strstr(o.err, "killed by SIGKILL"));
    assert_int_equal(cli_count_runs(folder, "S", true), 0);
    cli_clear(&o);
    support_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packed_runs_are_the_lone_ones),
        cmocka_unit_test(a_pack_takes_runs_of_the_same_programs),
        cmocka_unit_test(an_interrupt_loses_the_run_in_flight),
        cmocka_unit_test(a_late_run_leaves_the_pack),
        cmocka_unit_test(a_crash_leaves_the_pack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
