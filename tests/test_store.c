/* Stores: what is written is what is read, whole or not at all. */
#include "tests/sample_store.h"

#include <dirent.h>
#include <sys/wait.h>
#include <unistd.h>

static size_t count_entries(const char *store, const char *prefix)
{
    size_t n = 0;
    char *runs = ub_path(store, "runs");
    DIR *folder = opendir(runs);
    for (const struct dirent *e; folder && (e = readdir(folder));)
        n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
             strncmp(e->d_name, prefix, strlen(prefix)) == 0;
    if (folder)
        closedir(folder);
    ub_free(runs);
    return n;
}

/* ---- round trip ------------------------------------------------------------------------- */

static void test_round_trip(void **state)
{
    (void)state;
    struct ub_error err = {0};
    char *store = support_folder();
    struct ub_run_spec spec = sample_spec(3);
    write_run(store, &spec, UB_RUN_DIVERGED, "stopped at step 10: \"inf\": why", 2.5);
    struct ub_store *s = open_good(store);
    assert_int_equal(s->count, 1);
    assert_false(s->has_manifest);
    const struct ub_run *run = &s->runs[0];
    char id[17], *text = ub_run_spec_text(&spec), *back = ub_run_spec_text(&run->spec);
    ub_run_spec_id(&spec, id);
    assert_string_equal(run->id, id);
    assert_string_equal(text, back);
    assert_string_equal(run->spec.model_label, "mlp:widths=8x8");
    assert_null(run->spec.dataset_label);
    assert_int_equal(run->status, UB_RUN_DIVERGED);
    assert_string_equal(run->message, "stopped at step 10: \"inf\": why");
    assert_int_equal(run->n_facts, 3);
    assert_true(ub_run_fact(run, "lr") == 0.1);
    assert_true(isnan(ub_run_fact(run, "threshold")) && isnan(ub_run_fact(run, "absent")));
    assert_true(ub_run_fact(run, "big") == -HUGE_VAL);
    assert_int_equal(run->n_provenance, 2);
    assert_string_equal(run->provenance[0].text, "GNU 12: \"quoted\" # and more");
    assert_string_equal(run->provenance[1].text, "");

    struct ub_trace *t = ub_trace_read(s, run, &err);
    assert_int_equal(t->count, 5);
    assert_int_equal(t->n_names, 3);
    assert_string_equal(t->observable[4], "odd, \"name\"");
    assert_true(t->index[4] == 7 && isnan(t->value[4]) && t->error[4] == 1.0 / 3);
    assert_true(t->value[2] == -5e-324 && t->error[1] == 1e-300);
    struct ub_series loss = ub_trace_series(t, "loss", 0);
    assert_int_equal(loss.count, 2);
    assert_true(loss.step[1] == 10 && loss.value[0] == 2.5 && loss.value[1] == HUGE_VAL);
    assert_true(isnan(loss.error[0]) && loss.error[1] == -HUGE_VAL);
    struct ub_series spectrum = ub_trace_spectrum(t, "sharpness", -1);
    assert_int_equal(spectrum.count, 2);
    assert_true(spectrum.step[1] == 1 && spectrum.value[0] == 0.1);
    struct ub_series none = ub_trace_series(t, "accuracy", 0);
    assert_int_equal(none.count, 0);
    ub_series_clear(&loss);
    ub_series_clear(&spectrum);
    ub_series_clear(&none);
    ub_trace_free(t);
    ub_store_free(s);
    ub_free(text);
    ub_free(back);
    support_remove(store);
}

/* What a system says of a file may hold its name, in any encoding. */
static void test_message_of_any_bytes(void **state)
{
    (void)state;
    char *store = support_folder();
    struct ub_run_spec spec = sample_spec(3);
    write_run(store, &spec, UB_RUN_FAILED, "\xff/a\x01\xc2\x80: cannot open", 2.5);
    struct ub_store *s = open_good(store);
    assert_int_equal(s->n_damaged, 0);
    assert_string_equal(s->runs[0].message, "\xef\xbf\xbd/a\x01\xc2\x80: cannot open");
    ub_store_free(s);
    support_remove(store);
}

static void test_replaces_an_earlier_attempt(void **state)
{
    (void)state;
    char *store = support_folder();
    struct ub_run_spec spec = sample_spec(0);
    write_run(store, &spec, UB_RUN_FAILED, "first", 1);
    write_run(store, &spec, UB_RUN_OK, "", 2);
    struct ub_store *s = open_good(store);
    assert_int_equal(s->count, 1);
    assert_int_equal(s->runs[0].status, UB_RUN_OK);
    assert_int_equal(count_entries(store, ""), 1);
    ub_store_free(s);
    support_remove(store);
}

/* ---- atomicity -------------------------------------------------------------------------- */

static void test_nothing_before_commit(void **state)
{
    (void)state;
    struct ub_error err = {0};
    char *store = support_folder();
    struct ub_run_spec spec = sample_spec(0);
    struct ub_run_writer *w = ub_run_writer_new(store, &spec, &err);
    ub_run_writer_add(w, 0, "loss", 0, 1, 0);
    struct ub_store *s = open_good(store);
    assert_int_equal(s->count, 0);
    ub_store_free(s);
    assert_int_equal(count_entries(store, ".tmp-"), 1);
    ub_run_writer_abandon(w);
    assert_int_equal(count_entries(store, ""), 0);
    support_remove(store);
}

/* A writer that is killed leaves a temporary folder, which the next exclusive lock removes. */
static void test_killed_writer(void **state)
{
    (void)state;
    struct ub_error err = {0};
    char *store = support_folder();
    struct ub_run_spec spec = sample_spec(0);
    pid_t child = fork();
    if (child == 0) {
        struct ub_run_writer *w = ub_run_writer_new(store, &spec, &err);
        ub_run_writer_add(w, 0, "loss", 0, 1, 0);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(count_entries(store, ".tmp-"), 1);
    ub_store_clean(store, child + 1);
    assert_int_equal(count_entries(store, ".tmp-"), 1);
    ub_store_clean(store, child);
    assert_int_equal(count_entries(store, ".tmp-"), 0);

    child = fork();
    if (child == 0) {
        struct ub_run_writer *w = ub_run_writer_new(store, &spec, &err);
        _exit(w == NULL);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    write_run(store, &spec, UB_RUN_OK, "", 1);
    child = fork(); /* the lock ends with its process */
    if (child == 0)
        _exit(ub_store_lock(store, true, &err) ? 0 : 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(count_entries(store, ""), 1);
    support_remove(store);
}

static void test_locks(void **state)
{
    (void)state;
    struct ub_error err = {0};
    char *store = support_folder();
    pid_t child = fork();
    int status;
    if (child == 0) {
        if (!ub_store_lock(store, false, &err))
            _exit(10);
        pid_t other = fork();
        if (other == 0) {
            struct ub_error inner = {0};
            /* the parent's lock was inherited, and a second open file competes with it */
            bool shared = ub_store_lock(store, false, &inner);
            bool exclusive = ub_store_lock(store, true, &inner);
            _exit(shared && !exclusive && strstr(inner.text, "another unibench") ? 0 : 11);
        }
        waitpid(other, &status, 0);
        _exit(WEXITSTATUS(status));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(WEXITSTATUS(status), 0);
    support_remove(store);
}

static void test_unwritable(void **state)
{
    (void)state;
    struct ub_error err = {0};
    char *folder = support_folder();
    support_write(folder, "file", "x", 1);
    char *store = ub_path(folder, "file");
    struct ub_run_spec spec = sample_spec(0);
    assert_null(ub_run_writer_new(store, &spec, &err));
    assert_input_error(&err, "a file is in its place");
    assert_false(ub_store_lock(store, true, &err));
    assert_input_error(&err, "a file is in its place");
    assert_null(ub_run_writer_new("/dev/null/store", &spec, &err));
    assert_input_error(&err, "/dev/null");
    ub_free(store);
    support_remove(folder);
}

/* The temporary folder vanishes under the writer: one error, and no run. */
static void test_failed_commit(void **state)
{
    (void)state;
    struct ub_error err = {0};
    char *store = support_folder();
    struct ub_run_spec spec = sample_spec(0);
    struct ub_run_writer *w = ub_run_writer_new(store, &spec, &err);
    assert_true(ub_remove_tree(ub_run_writer_folder(w), &err));
    assert_false(ub_run_writer_commit(w, UB_RUN_OK, "", NULL, 0, &err));
    assert_input_error(&err, "cannot write");
    assert_int_equal(count_entries(store, ""), 0);
    support_remove(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_message_of_any_bytes),
        cmocka_unit_test(test_replaces_an_earlier_attempt),
        cmocka_unit_test(test_nothing_before_commit),
        cmocka_unit_test(test_killed_writer),
        cmocka_unit_test(test_locks),
        cmocka_unit_test(test_unwritable),
        cmocka_unit_test(test_failed_commit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
