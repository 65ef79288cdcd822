/* Faults: the program with every one of its system calls failing in turn (tests/faults/faults.c).
 * After each: no signal but the planted kill, one line that says what happened, nothing
 * half-written that a reader takes for whole, and a rerun that ends with the bytes of a run without
 * faults. The idea is SQLite's (https://sqlite.org/testing.html, sections 3.1 to 3.3). */
#include "bench/store/store.h"
#include "tests/cli_support.h"

#include <sys/stat.h>

enum { ARGUMENT_ROOM = 512, MOST_FILES = 64 };

/* Two runs that take milliseconds. */
static const char suite[] = "name: tiny\n"
                            "defaults:\n"
                            "  dataset: {gaussian: {samples: 6, features: 4}}\n"
                            "  optimizer: {gd: {lr: 0.1}}\n"
                            "  loss: mse\n"
                            "  steps: 3\n"
                            "  measure: {loss: {every: 1}, sharpness: {every: 3}}\n"
                            "runs:\n"
                            "  - model: linear\n"
                            "    save-weights: true\n"
                            "  - model: {mlp: {widths: 3}}\n";

/* ---- running ---------------------------------------------------------------------------- */

struct outcome {
    int code; /* exit code; 1000 + signal */
    char *err;
};

static void clear(struct outcome *o)
{
    ub_free(o->err);
    *o = (struct outcome){0};
}

static void become(const char *folder, const char *program, const char *arguments,
                   const char *fault)
{
    char *line = ub_strdup(arguments), *argv[CLI_ARGUMENTS], *fired = ub_path(folder, ".fired");
    cli_split(line, argv);
    setenv("OPENBLAS_CORETYPE", "Haswell",
           1); /* or the program chooses, and executes itself again */
    if (fault) {
        setenv("UNIBENCH_FAULT", fault, 1);
        setenv("UNIBENCH_FAULT_FIRED", fired, 1);
    }
    if (chdir(folder) == 0) {
        dup2(open(".out", O_WRONLY | O_CREAT | O_TRUNC, 0666), STDOUT_FILENO);
        dup2(open(".err", O_WRONLY | O_CREAT | O_TRUNC, 0666), STDERR_FILENO);
        execv(program, argv);
    }
    _exit(127);
}

static struct outcome run(const char *folder, const char *program, const char *arguments,
                          const char *fault)
{
    int status;
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        become(folder, program, arguments, fault);
    while (waitpid(pid, &status, 0) < 0)
        assert_int_equal(errno, EINTR);
    return (struct outcome){.code =
                                WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status),
                            .err = cli_read(folder, ".err")};
}

static void run_good(const char *folder, const char *arguments)
{
    struct outcome o = run(folder, UNIBENCH_PROGRAM, arguments, NULL);
    if (o.code != 0)
        fail_msg("unibench %s: exit code %d: %s", arguments, o.code, o.err);
    clear(&o);
}

/* ---- comparing -------------------------------------------------------------------------- */

/* Times, and what memory a run took, are other ones each time. */
static bool varies(const char *line)
{
    static const char *const keys[] = {"  seconds", "  peak-rss"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strncmp(line, keys[i], strlen(keys[i])) == 0)
            return true;
    return false;
}

/* A file without what varies: of run.yaml the spec and the facts (what is not known of the machine
 * is no fault). runs.csv repeats run.yaml; checksums cover it. */
static struct ub_text content(const char *folder, const char *name)
{
    struct ub_text text = {0};
    size_t length;
    struct ub_error err = {0};
    char *path = ub_path(folder, name);
    const char *slash = strrchr(name, '/'), *base = slash ? slash + 1 : name;
    ub_text_add(&text, "%s:", name);
    if (strcmp(base, "run.yaml") == 0) {
        char *yaml = cli_read(folder, name);
        for (char *line = strtok(yaml, "\n"); line && strcmp(line, "provenance:") != 0;
             line = strtok(NULL, "\n"))
            if (!varies(line))
                ub_text_add(&text, "%s\n", line);
        ub_free(yaml);
    } else if (strcmp(base, "runs.csv") != 0 && !strstr(base, "sum")) {
        unsigned char *bytes = ub_read_file(path, 1 << 24, &length, &err);
        assert_non_null(bytes);
        ub_text_add(&text, "%zu bytes, hash %llx", length,
                    (unsigned long long)ub_hash(bytes, length));
        ub_free(bytes);
    }
    ub_free(path);
    return text;
}

static void add_files(const char *root, const char *below, struct ub_text *out)
{
    struct dirent **entries;
    char *path = ub_path(root, below);
    const int n = scandir(path, &entries, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        const char *name = entries[i]->d_name;
        struct ub_text inner = {0};
        ub_text_add(&inner, "%s%s%s", below, *below ? "/" : "", name);
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, ".lock") == 0) {
        } else if (entries[i]->d_type == DT_DIR) {
            add_files(root, inner.data, out);
        } else {
            struct ub_text text = content(root, inner.data);
            ub_text_add(out, "%s\n", text.data);
            ub_text_free(&text);
        }
        ub_text_free(&inner);
        free(entries[i]);
    }
    if (n >= 0)
        free(entries);
    ub_free(path);
}

/* All of a store that is the same each time it is made. Caller frees with ub_free. */
static char *tree(const char *folder, const char *store)
{
    struct ub_text text = {0};
    char *path = ub_path(folder, store);
    ub_text_add(&text, "%s", "");
    add_files(path, "", &text);
    ub_free(path);
    return text.data;
}

/* ---- what must hold after a fault ------------------------------------------------------- */

struct fixture {
    char *folder; /* holds tiny.yaml, the store `good` and what a scenario makes */
    char *good;   /* its tree */
    char ids[2][17];
};

/* Everything that the store shows is whole: a failed run, or one with the trace it ought to have.
 */
static void check_run(const struct fixture *f, const char *id, const char *fault)
{
    struct ub_error err = {0};
    struct ub_run found;
    char *store = ub_path(f->folder, "s");
    if (!ub_store_read_run(store, id, &found, &err))
        fail_msg("after %s: %s", fault, err.text);
    if (found.status == UB_RUN_OK) {
        struct ub_text name = {0};
        ub_text_add(&name, "runs/%s/trace.csv.gz", id);
        char *good = ub_path(f->folder, "good");
        struct ub_text is = content(store, name.data), ought = content(good, name.data);
        assert_string_equal(is.data, ought.data);
        ub_text_free(&is);
        ub_text_free(&ought);
        ub_text_free(&name);
        ub_free(good);
    } else if (found.status != UB_RUN_MISSING) {
        assert_int_equal(found.status, UB_RUN_FAILED);
        assert_true(*found.message != '\0');
    }
    ub_run_clear(&found);
    ub_free(store);
}

/* A failing command ends with one line of ours; only a planted kill ends by a signal. */
static void check_outcome(const struct outcome *o, const char *fault)
{
    const bool killed = strstr(fault, "kill") && o->code == 1000 + SIGKILL;
    const char *line = strstr(o->err, "unibench: ");
    if (killed || o->code == UB_OK)
        return;
    if (o->code != UB_INPUT && o->code != UB_INTERNAL)
        fail_msg("after %s: exit code %d: %s", fault, o->code, o->err);
    if (!line)
        fail_msg("after %s: exit code %d without a line that says why: %s", fault, o->code, o->err);
}

/* ---- scenarios -------------------------------------------------------------------------- */

struct scenario {
    const char *command; /* with the fault, and again without */
    const char *made; /* a file that is whole or absent, the same as GOOD/made; NULL: store `s` */
    bool replaces;    /* `s` is there before it, a copy of `good` */
};

static const struct scenario making = {.command = "run tiny.yaml --out s --jobs 1"};
static const struct scenario again = {
    .command = "run tiny.yaml --out s --jobs 1 --again --filter *linear*", .replaces = true};

static void check_store(const struct fixture *f, const char *fault)
{
    for (size_t i = 0; i < 2; i++)
        check_run(f, f->ids[i], fault);
}

static void check_file(const struct fixture *f, const char *made, const char *fault)
{
    if (!cli_exists(f->folder, made))
        return;
    struct ub_text ought = {0};
    ub_text_add(&ought, "%s.good", made);
    struct ub_text is = content(f->folder, made), good = content(f->folder, ought.data);
    if (strcmp(strchr(is.data, ':'), strchr(good.data, ':')) != 0)
        fail_msg("after %s: %s is not what it ought to be", fault, made);
    ub_text_free(&is);
    ub_text_free(&good);
    ub_text_free(&ought);
}

/* Names the first line that differs. */
static void check_tree(const struct fixture *f, const char *fault)
{
    char *is = tree(f->folder, "s");
    size_t at = 0;
    for (size_t i = 0; is[i] && is[i] == f->good[i]; i++)
        at = is[i] == '\n' ? i + 1 : at;
    if (strcmp(is, f->good) != 0)
        fail_msg("after %s and a rerun: '%.*s'; expected '%.*s'", fault,
                 (int)strcspn(is + at, "\n"), is + at, (int)strcspn(f->good + at, "\n"),
                 f->good + at);
    ub_free(is);
}

static void remove_made(const struct fixture *f, const struct scenario *s)
{
    struct ub_error err = {0};
    char *fired = ub_path(f->folder, ".fired"), *made = ub_path(f->folder, s->made ? s->made : "s");
    unlink(fired);
    assert_true(ub_remove_tree(made, &err));
    ub_free(fired);
    ub_free(made);
}

static void copy_good(const struct fixture *f)
{
    int status;
    char *from = ub_path(f->folder, "good"), *to = ub_path(f->folder, "s");
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        execlp("cp", "cp", "-r", from, to, (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    ub_free(from);
    ub_free(to);
}

/* One fault; false when it did not come: the command makes fewer calls. */
static bool plant(const struct fixture *f, const struct scenario *s, const char *fault)
{
    remove_made(f, s);
    if (s->replaces)
        copy_good(f);
    struct outcome o = run(f->folder, UNIBENCH_FAULTS_PROGRAM, s->command, fault);
    const bool fired = cli_exists(f->folder, ".fired");
    check_outcome(&o, fault);
    if (!fired)
        assert_int_equal(o.code, UB_OK);
    clear(&o);
    if (s->made)
        check_file(f, s->made, fault);
    else
        check_store(f, fault);
    if (!fired)
        return false;
    run_good(f->folder, s->command);
    if (s->made) {
        assert_true(cli_exists(f->folder, s->made));
        check_file(f, s->made, fault);
        return true;
    }
    check_tree(f, fault);
    return true;
}

/* Every k, or every UNIBENCH_FAULT_STRIDE-th (under sanitizers); of memory, of which there are
 * thousands of calls, one in eight or so. */
static void sweep(void **state, const struct scenario *s, const char *kind)
{
    const bool thin = strncmp(kind, "memory", 6) == 0 && !getenv("UNIBENCH_EVERY_FAULT");
    const char *asked = getenv("UNIBENCH_FAULT_STRIDE");
    const int64_t stride = asked && atoi(asked) > 0 ? atoi(asked) : 1;
    int64_t planted = 0;
    for (int64_t k = 1;; k += thin ? 1 + k / 2 : stride) {
        char fault[64];
        snprintf(fault, sizeof fault, "%s:%lld", kind, (long long)k);
        if (!plant(*state, s, fault))
            break;
        planted++;
    }
    print_message("%s: %lld faults\n", kind, (long long)planted);
    assert_true(planted >= 2);
}

static void test_one_call_on_files_fails(void **state)
{
    sweep(state, &making, "files:once");
}

static void test_one_read_fails(void **state)
{
    sweep(state, &making, "reads:once");
}

static void test_disk_is_full_from_a_call_on(void **state)
{
    sweep(state, &making, "files:always");
}

static void test_writes_are_short(void **state)
{
    sweep(state, &making, "writes:short");
}

static void test_power_is_cut(void **state)
{
    sweep(state, &making, "files:kill");
}

static void test_power_is_cut_while_a_run_is_replaced(void **state)
{
    sweep(state, &again, "files:kill");
}

static void test_one_call_on_files_fails_while_a_run_is_replaced(void **state)
{
    sweep(state, &again, "files:once");
}

static void test_processes_and_shared_memory_fail(void **state)
{
    sweep(state, &making, "processes:once");
    sweep(state, &making, "processes:always");
}

static void test_memory_runs_out(void **state)
{
    sweep(state, &making, "memory:once");
}

static void sweep_export(void **state, const char *kind)
{
    struct fixture *f = *state;
    char command[ARGUMENT_ROOM];
    snprintf(command, sizeof command, "export good/runs/%s --out x.npz", f->ids[0]);
    run_good(f->folder, command);
    char *made = ub_path(f->folder, "x.npz"), *good = ub_path(f->folder, "x.npz.good");
    assert_int_equal(rename(made, good), 0);
    ub_free(made);
    ub_free(good);
    sweep(state, &(struct scenario){.command = command, .made = "x.npz"}, kind);
}

static void test_export_fails(void **state)
{
    sweep_export(state, "files:once");
    sweep_export(state, "files:kill");
}

/* ---- the store without faults ----------------------------------------------------------- */

static int set_up(void **state)
{
    struct fixture *f = ub_calloc(1, sizeof *f);
    struct stat shm;
    if (!getenv("TMPDIR") && stat("/dev/shm", &shm) == 0 && access("/dev/shm", W_OK) == 0)
        setenv("TMPDIR", "/dev/shm", 0); /* hundreds of stores, and fsync is real elsewhere */
    f->folder = cli_folder_with("tiny.yaml", suite);
    run_good(f->folder, "run tiny.yaml --out good --jobs 1");
    f->good = tree(f->folder, "good");
    char *path = ub_path(f->folder, "good");
    struct ub_error err = {0};
    struct ub_store *store = ub_store_open(path, &err);
    assert_non_null(store);
    assert_int_equal(store->count, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(store->runs[i].status, UB_RUN_OK);
        memcpy(f->ids[i], store->runs[i].id, sizeof f->ids[i]);
    }
    ub_store_free(store);
    ub_free(path);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    support_remove(f->folder);
    ub_free(f->good);
    ub_free(f);
    return 0;
}

/* An argument: only tests whose names match it. */
int main(int argc, char **argv)
{
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_call_on_files_fails),
        cmocka_unit_test(test_one_read_fails),
        cmocka_unit_test(test_disk_is_full_from_a_call_on),
        cmocka_unit_test(test_writes_are_short),
        cmocka_unit_test(test_power_is_cut),
        cmocka_unit_test(test_power_is_cut_while_a_run_is_replaced),
        cmocka_unit_test(test_one_call_on_files_fails_while_a_run_is_replaced),
        cmocka_unit_test(test_processes_and_shared_memory_fail),
        cmocka_unit_test(test_memory_runs_out),
        cmocka_unit_test(test_export_fails),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
