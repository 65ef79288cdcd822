/* Stores with files that are not what was written: what is said of each, and that the rest is read.
 */
#include "tests/sample_store.h"

#include <stdio.h>
#include <unistd.h>

static char *replaced(const char *text, const char *old, const char *by)
{
    const char *at = strstr(text, old);
    assert_non_null(at);
    struct ub_text out = {0};
    ub_text_add(&out, "%.*s%s%s", (int)(at - text), text, by, at + strlen(old));
    return out.data;
}

static void expect_broken(const char *store, const char *part)
{
    struct ub_error err = {0};
    struct ub_store *s = ub_store_open(store, &err);
    if (s)
        fail_msg("opened; expected '%s'", part);
    assert_input_error(&err, part);
}

/* Its one run is left out, and the reason is given. */
static void expect_damaged(const char *store, const char *part)
{
    struct ub_store *s = open_good(store);
    assert_int_equal(s->count, 0);
    assert_int_equal(s->n_damaged, 1);
    if (!strstr(s->damaged[0].why, part))
        fail_msg("'%s'; expected '%s'", s->damaged[0].why, part);
    ub_store_free(s);
}

static void test_corrupt_run_yaml(void **state)
{
    (void)state;
    struct ub_error err = {0};
    char *store = support_folder(), id[17];
    struct ub_run_spec spec = sample_spec(0);
    write_run(store, &spec, UB_RUN_OK, "", 1);
    ub_run_spec_id(&spec, id);
    char *folder = ub_store_run_folder(store, id), *path = ub_path(folder, "run.yaml");
    char *written = (char *)ub_read_file(path, 1 << 20, NULL, &err);
    char *good = replaced(written, "schema: 2", "schema: 1"); /* as before there were checksums */
    const size_t length = strlen(good);
    char *checksums = ub_path(folder, "checksums");
    assert_int_equal(unlink(checksums), 0);
    static const char *const cases[][3] = {
        {"schema: 1", "schema: 3", "run.yaml:1: store schema '3'; expected 1 or 2"},
        {"schema: 1", "schema: 2", "its checksums are gone"},
        {"status: ok", "status: fine", "run.yaml:3: status 'fine'"},
        {"status: ok", "status: missing", "status 'missing'"},
        {"status: ok\n", "", "'status' is missing"},
        {"steps: 10", "steps: ten", "'steps' is bad"},
        {"seed: 0\n  precision", "seed: 1\n  precision", "expected its folder's name"},
        {"lr: 0.1", "lr: much", "fact 'lr' is not a number"},
        {"spec:", "spec: [", "run.yaml:"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *bad = replaced(good, cases[i][0], cases[i][1]);
        support_write(folder, "run.yaml", bad, strlen(bad));
        expect_damaged(store, cases[i][2]);
        ub_free(bad);
    }
    for (size_t cut = 0; cut < length; cut += 41) { /* never a crash */
        support_write(folder, "run.yaml", good, cut);
        ub_store_free(ub_store_open(store, &err));
        err = (struct ub_error){0};
    }
    assert_int_equal(unlink(path), 0);
    expect_damaged(store, "run.yaml");
    ub_free(checksums);
    ub_free(written);
    ub_free(good);
    ub_free(path);
    ub_free(folder);
    support_remove(store);
}

static void test_corrupt_trace(void **state)
{
    (void)state;
    struct ub_error err = {0};
    char *store = support_folder(), id[17];
    struct ub_run_spec spec = sample_spec(0);
    write_run(store, &spec, UB_RUN_OK, "", 1);
    ub_run_spec_id(&spec, id);
    char *folder = ub_store_run_folder(store, id), *path = ub_path(folder, "trace.csv.gz");
    struct ub_store *s = open_good(store);
    static const char *const cases[][2] = {
        {"step,observable,index,value\n", ":1: expected the header"},
        {"step,observable,index,value,error\n0,loss,0,x,\n", ":2: bad value 'x'"},
        {"step,observable,index,value,error\n0,loss,0,1,\n-1,loss,0,1,\n", ":3: bad step '-1'"},
        {"step,observable,index,value,error\n0,,0,1,\n", ":2: bad observable ''"},
        {"step,observable,index,value,error\n0,loss,0.5,1,\n", ":2: bad index '0.5'"},
        {"step,observable,index,value,error\n0,loss\n", ":2:"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        support_write(folder, "trace.csv.gz", cases[i][0], strlen(cases[i][0]));
        assert_null(ub_trace_read(s, &s->runs[0], &err));
        assert_input_error(&err, cases[i][1]);
    }
    /* the compressed bytes, cut short */
    FILE *file = fopen(path, "rbe");
    unsigned char packed[512];
    size_t n = fread(packed, 1, sizeof packed, file);
    fclose(file);
    file = fopen(path, "wbe");
    fwrite(packed, 1, n - 9, file);
    fclose(file);
    assert_null(ub_trace_read(s, &s->runs[0], &err));
    assert_input_error(&err, "trace.csv.gz: truncated gzip stream");
    assert_int_equal(unlink(path), 0);
    assert_null(ub_trace_read(s, &s->runs[0], &err));
    assert_input_error(&err, "trace.csv.gz: cannot open");
    ub_store_free(s);
    ub_free(path);
    ub_free(folder);
    support_remove(store);
}

/* The short way of reading takes only what the store itself writes; what else CSV allows comes to
 * the same by the long way. */
static void test_trace_as_any_csv(void **state)
{
    (void)state;
    static const char *const files[] = {
        "step,observable,index,value,error\n0,loss,0,1.5,\n10,loss,0,-inf,1e-3\n10,a b,2,,\n",
        "step,observable,index,value,error\r\n0,loss,0,1.5,\r\n10,loss,0,-inf,1e-3\r\n10,a "
        "b,2,,\r\n",
        "\"step\",observable,index,value,error\n0,loss,0,1.5,\n10,loss,0,-inf,1e-3\n10,a b,2,,\n",
        "step,observable,index,value,error\n0,\"loss\",0,1.5,\n10,loss,0,-inf,1e-3\n10,a b,2,,\n",
        "step,observable,index,value,error\n0, loss\t,0,1.5,\n\n10,loss,0,-inf, 1e-3\n10,a b,2,,\n",
        "step;observable;index;value;error\n0;loss;0;1.5;\n10;loss;0;-inf;1e-3\n10;a b;2;;\n",
        "step,observable,index,value,error\n0,loss,0,1.5,\n10,loss,0,-inf,1e-3\n10,a b,2,,",
        "\xef\xbb\xbfstep,observable,index,value,error\n0,loss,0,1.5,\n10,loss,0,-inf,1e-3\n10,a "
        "b,2,,\n",
    };
    struct ub_error err = {0};
    char *store = support_folder(), id[17];
    struct ub_run_spec spec = sample_spec(0);
    write_run(store, &spec, UB_RUN_OK, "", 1);
    ub_run_spec_id(&spec, id);
    char *folder = ub_store_run_folder(store, id);
    struct ub_store *s = open_good(store);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        support_write(folder, "trace.csv.gz", files[i], strlen(files[i]));
        struct ub_trace *t = ub_trace_read(s, &s->runs[0], &err);
        if (!t)
            fail_msg("file %zu: %s", i, err.text);
        assert_int_equal(t->count, 3);
        assert_int_equal(t->n_names, 2);
        assert_string_equal(t->observable[1], "loss");
        assert_string_equal(t->observable[2], "a b");
        assert_true(t->step[0] == 0 && t->step[2] == 10 && t->index[1] == 0 && t->index[2] == 2);
        assert_true(t->value[0] == 1.5 && t->value[1] == -HUGE_VAL && isnan(t->value[2]));
        assert_true(isnan(t->error[0]) && t->error[1] == 1e-3);
        ub_trace_free(t);
    }
    ub_store_free(s);
    ub_free(folder);
    support_remove(store);
}

static void test_no_store(void **state)
{
    (void)state;
    char *folder = support_folder();
    expect_broken("/nonexistent", "no such folder");
    expect_broken(folder, "not a store");
    support_write(folder, "manifest.csv", "id,label\n", 9);
    expect_broken(folder, "manifest.csv:1: no column");
    support_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_corrupt_run_yaml),
        cmocka_unit_test(test_corrupt_trace),
        cmocka_unit_test(test_trace_as_any_csv),
        cmocka_unit_test(test_no_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
