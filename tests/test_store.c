/* Stores: what is written is what is read, whole or not at all; and what a spec's id is. */
#include "tests/sample_store.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>
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

static char *replaced(const char *text, const char *old, const char *by)
{
    const char *at = strstr(text, old);
    assert_non_null(at);
    struct ub_text out = {0};
    ub_text_add(&out, "%.*s%s%s", (int)(at - text), text, by, at + strlen(old));
    return out.data;
}

/* ---- specs ------------------------------------------------------------------------------ */

/* The hash of ub_run_spec_text, computed from the text below by a few lines of Python (FNV-1a, 64
 * bits): a change here means that no store is found again. */
static void test_id_is_stable(void **state)
{
    (void)state;
    struct ub_run_spec spec = sample_spec(3);
    char *text = ub_run_spec_text(&spec), id[17];
    assert_string_equal(text, "dataset: \"digits:size=100\"\n"
                              "data-seed: 0\n"
                              "model: \"mlp:activation=tanh,bias=true,widths=8x8\"\n"
                              "loss: mse\n"
                              "init: \"pytorch:gain=1\"\n"
                              "optimizer: \"gd:lr=0.05\"\n"
                              "steps: 10\n"
                              "seed: 3\n"
                              "precision: f32\n"
                              "save-weights: false\n"
                              "measure:\n"
                              "  - \"loss:every=1\"\n"
                              "  - \"sharpness:every=10,top=2\"\n");
    ub_run_spec_id(&spec, id);
    assert_string_equal(id, "3ee7e509e05450bb");
    ub_free(text);
}

static void test_id_depends_on_all_but_labels(void **state)
{
    (void)state;
    struct ub_run_spec base = sample_spec(0);
    struct ub_run_spec changed[12];
    for (int i = 0; i < 12; i++)
        changed[i] = base;
    changed[0].dataset = "digits:size=101";
    changed[1].model = "linear";
    changed[2].loss = "ce";
    changed[3].init = "he:gain=1";
    changed[4].optimizer = "gd:lr=0.06";
    changed[5].steps = 11;
    changed[6].seed = 1;
    changed[7].data_seed = 1;
    changed[8].double_precision = true;
    changed[9].save_weights = true;
    changed[10].n_measures = 1;
    changed[11].model_label = "other label";
    char id[17], other[17];
    ub_run_spec_id(&base, id);
    for (int i = 0; i < 12; i++) {
        ub_run_spec_id(&changed[i], other);
        if (i < 11)
            assert_string_not_equal(id, other);
        else
            assert_string_equal(id, other);
    }
}

static void test_spec_survives_yaml(void **state)
{
    (void)state;
    struct ub_error err = {0};
    struct ub_run_spec spec = sample_spec(UINT64_C(1) << 62), back;
    spec.double_precision = spec.save_weights = true;
    char *text = ub_run_spec_text(&spec);
    struct ub_yaml *map = ub_yaml_parse(text, "spec", &err);
    assert_true(ub_run_spec_from_yaml(map, &back, &err));
    char *again = ub_run_spec_text(&back);
    assert_string_equal(text, again);
    ub_yaml_free(map);
    ub_free(text);
    ub_free(again);
    ub_run_spec_clear(&back);
    /* whatever the order of the keys */
    map = ub_yaml_parse("{seed: 1, measure: [b], steps: 2, save-weights: false, precision: f64,"
                        " optimizer: o, init: i, loss: l, model: m, dataset: d, data-seed: 4}",
                        "spec", &err);
    assert_true(ub_run_spec_from_yaml(map, &back, &err));
    assert_int_equal(back.data_seed, 4);
    assert_string_equal(back.measures[0], "b");
    ub_yaml_free(map);
    ub_run_spec_clear(&back);
    map = ub_yaml_parse("dataset: d\nmodel: m\nsteps: -1\ndata-seed: 0\n", "spec", &err);
    assert_false(ub_run_spec_from_yaml(map, &back, &err));
    assert_input_error(&err, "spec:1: 'loss' is missing");
    ub_yaml_free(map);
}

/* The mark of measurements: SHA-256 of their list in run.yaml, by Python's hashlib. */
static void test_label(void **state)
{
    (void)state;
    struct ub_run_spec spec = sample_spec(3);
    char *label = ub_run_spec_label(&spec);
    assert_string_equal(label, "digits:size=100 mlp:widths=8x8 mse gd:lr=0.05 steps=10 "
                               "measure=e30a9cd5 seed=3");
    ub_free(label);
    spec.init = "he:gain=1";
    spec.init_label = "he";
    spec.double_precision = true;
    spec.data_seed = 2;
    label = ub_run_spec_label(&spec);
    assert_string_equal(
        label, "digits:size=100 mlp:widths=8x8 mse gd:lr=0.05 he f64 steps=10 measure=e30a9cd5 "
               "data-seed=2 seed=3");
    ub_free(label);
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

static bool reads(const char *store, const char *manifest, struct ub_error *err)
{
    struct ub_expected *runs;
    size_t count;
    *err = (struct ub_error){0};
    support_write(store, "manifest.csv", manifest, strlen(manifest));
    const bool good = ub_manifest_read(store, &runs, &count, err);
    ub_expected_free(runs, count);
    return good;
}

/* Manifests of earlier versions have no such column. */
static void test_manifest_marks(void **state)
{
    (void)state;
    static const char head[] = "dataset,data-seed,model,loss,init,optimizer,steps,seed,precision,"
                               "save-weights,measure";
    static const char row[] = "digits,0,linear,mse,he,gd:lr=1,1,0,f32,false,loss";
    static const char *const wrong[] = {"a",        "a=hold",           "a=holdsx", "=holds",
                                        "a=holds;", "a=holds;;b=fails", ";a=holds", "a =holds",
                                        "A=holds",  "a=holds b=fails"};
    struct ub_error err;
    char *store = support_folder();
    struct ub_text text = {0};
    ub_text_add(&text, "%s\n%s\n", head, row);
    assert_true(reads(store, text.data, &err));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        text.length = 0;
        ub_text_add(&text, "%s,control\n%s,%s\n", head, row, wrong[i]);
        assert_false(reads(store, text.data, &err));
        assert_input_error(&err, "manifest.csv:2: bad control");
    }
    text.length = 0;
    ub_text_add(&text, "%s,control\n%s,a=holds;b-2=fails\n", head, row);
    assert_true(reads(store, text.data, &err));
    ub_text_free(&text);
    support_remove(store);
}

static void test_manifest(void **state)
{
    (void)state;
    struct ub_error err = {0};
    char *store = support_folder();
    struct ub_run_spec specs[4];
    for (uint64_t i = 0; i < 4; i++)
        specs[i] = sample_spec(i);
    const struct ub_expected expected[] = {
        {specs[2], NULL}, {specs[0], (char *)"a-law=holds;b=fails"}, {specs[1], (char *)"b=holds"}};
    assert_true(ub_manifest_write(store, expected, 3, &err));
    write_run(store, &specs[0], UB_RUN_OK, "", 1);
    write_run(store, &specs[3], UB_RUN_OK, "", 1);
    struct ub_store *s = open_good(store);
    assert_true(s->has_manifest);
    assert_int_equal(s->count, 4);
    const uint64_t seeds[] = {2, 0, 1, 3};
    for (int i = 0; i < 4; i++)
        assert_int_equal(s->runs[i].spec.seed, seeds[i]);
    assert_int_equal(s->runs[0].status, UB_RUN_MISSING);
    assert_int_equal(s->runs[1].status, UB_RUN_OK);
    assert_string_equal(s->runs[0].spec.model_label, "mlp:widths=8x8");
    assert_int_equal(s->runs[0].spec.n_measures, 2);
    assert_null(s->runs[0].control);
    assert_string_equal(s->runs[1].control, "a-law=holds;b=fails"); /* no part of its id */
    assert_string_equal(s->runs[2].control, "b=holds");             /* missing */
    assert_null(s->runs[3].control);                                /* none of the manifest's */
    assert_ptr_equal(ub_store_find(s, s->runs[3].id, &err), &s->runs[3]);
    assert_null(ub_store_find(s, "", &err));
    assert_input_error(&err, "starts the ids of 4 runs");
    assert_null(ub_store_find(s, "xyz", &err));
    assert_input_error(&err, "no run 'xyz'");
    ub_store_free(s);
    support_remove(store);
}

/* A label that is not given stands as "" in the manifest, and may in a run.yaml: it is none, and a
 * run is called by its canonical texts; never by nothing. */
static void test_empty_labels_are_none(void **state)
{
    (void)state;
    struct ub_error err = {0};
    char *store = support_folder();
    struct ub_run_spec specs[2] = {sample_spec(0), sample_spec(1)};
    const struct ub_expected expected[] = {{specs[0], NULL}, {specs[1], NULL}};
    assert_true(ub_manifest_write(store, expected, 2, &err));
    write_run(store, &specs[1], UB_RUN_OK, "", 1);
    struct ub_store *s = open_good(store);
    char *folder = ub_store_run_folder(store, s->runs[1].id);
    ub_store_free(s);
    char *path = ub_path(folder, "run.yaml");
    char *written = (char *)ub_read_file(path, 1 << 20, NULL, &err);
    char *edited = replaced(written, "model: \"mlp:widths=8x8\"", "model: \"\"");
    assert_string_not_equal(written, edited);
    support_write(folder, "run.yaml", edited, strlen(edited));
    struct ub_sealing sealing = {0};
    assert_true(ub_store_seal(store, &sealing, &err));
    s = open_good(store);
    assert_int_equal(s->runs[0].status, UB_RUN_MISSING);
    assert_int_equal(s->runs[1].status, UB_RUN_OK);
    for (int i = 0; i < 2; i++) {
        const struct ub_run *run = &s->runs[i];
        assert_null(run->spec.dataset_label);
        assert_null(run->spec.optimizer_label);
        assert_true(strncmp(run->label, "digits:size=100 mlp:", 20) == 0);
        assert_non_null(strstr(run->label, " gd:lr=0.05 "));
    }
    assert_null(s->runs[1].spec.model_label);
    assert_non_null(strstr(s->runs[1].label, " mlp:activation=tanh,bias=true,widths=8x8 "));
    ub_store_free(s);
    for (size_t i = 0; i < sealing.n_edited; i++)
        ub_free(sealing.edited[i]);
    ub_free(sealing.edited);
    ub_free(written);
    ub_free(edited);
    ub_free(path);
    ub_free(folder);
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

/* ---- broken stores ---------------------------------------------------------------------- */

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
        cmocka_unit_test(test_id_is_stable),
        cmocka_unit_test(test_id_depends_on_all_but_labels),
        cmocka_unit_test(test_spec_survives_yaml),
        cmocka_unit_test(test_label),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_message_of_any_bytes),
        cmocka_unit_test(test_replaces_an_earlier_attempt),
        cmocka_unit_test(test_manifest),
        cmocka_unit_test(test_manifest_marks),
        cmocka_unit_test(test_empty_labels_are_none),
        cmocka_unit_test(test_nothing_before_commit),
        cmocka_unit_test(test_killed_writer),
        cmocka_unit_test(test_locks),
        cmocka_unit_test(test_unwritable),
        cmocka_unit_test(test_failed_commit),
        cmocka_unit_test(test_corrupt_run_yaml),
        cmocka_unit_test(test_corrupt_trace),
        cmocka_unit_test(test_trace_as_any_csv),
        cmocka_unit_test(test_no_store),
    };
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
