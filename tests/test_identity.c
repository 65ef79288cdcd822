/* What a run is covers what its data files hold: another content is another run, the same content
 * elsewhere is the same; and different runs have different labels. */
#include "bench/run/train.h"
#include "bench/suite/identity.h"
#include "datasets/datasets.h"
#include "report/laws/study.h"
#include "systems/systems.h"
#include "tests/cli_support.h"
#include "tests/same_system.h"
#include "tests/sample_store.h"

#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- files -------------------------------------------------------------------------------------
 */

static void write_idx(const char *folder, const char *prefix, unsigned char seed)
{
    unsigned char images[16 + 10 * 4] = {0, 0, 8, 3, 0, 0, 0, 10, 0, 0, 0, 2, 0, 0, 0, 2};
    unsigned char labels[8 + 10] = {0, 0, 8, 1, 0, 0, 0, 10};
    for (size_t i = 0; i < 40; i++)
        images[16 + i] = (unsigned char)(seed + 5 * i);
    for (size_t i = 0; i < 10; i++)
        labels[8 + i] = (unsigned char)i;
    struct ub_text name = {0};
    ub_text_add(&name, "%s-images-idx3-ubyte", prefix);
    support_write(folder, name.data, images, sizeof images);
    ub_text_free(&name);
    ub_text_add(&name, "%s-labels-idx1-ubyte", prefix);
    support_write(folder, name.data, labels, sizeof labels);
    ub_text_free(&name);
}

static void write_cifar(const char *folder, const char *name, unsigned char seed)
{
    enum { RECORD = 3073, COUNT = 3 };
    static unsigned char bytes[RECORD * COUNT];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i % RECORD == 0 ? i / RECORD : seed + i);
    support_write(folder, name, bytes, sizeof bytes);
}

static const char rows[] = "x,y\n1,0\n2,1\n3,0\n4,1\n";
static const char poem[] = "a rose is a rose is a rose is a rose is a rose";

/* One folder with small data of every kind of file. */
static char *data_folder(void)
{
    char *folder = support_folder();
    write_idx(folder, "train", 1);
    write_idx(folder, "t10k", 2);
    write_cifar(folder, "data_batch_1.bin", 1);
    write_cifar(folder, "data_batch_3.bin", 2);
    write_cifar(folder, "test_batch.bin", 3);
    support_write(folder, "rows.csv", rows, sizeof rows - 1);
    support_write(folder, "poem.txt", poem, sizeof poem - 1);
    return folder;
}

static const char *const calls[] = {"mnist", "fashion-mnist", "cifar10",
                                    "csv:file=rows.csv,label=y", "text:context=4,file=poem.txt"};
static const size_t files_of[] = {4, 4, 3, 1, 1};
enum { CALLS = sizeof calls / sizeof *calls };

static void set_dataset(struct ub_run_spec *spec, const char *call)
{
    struct ub_error err = {0};
    spec->dataset = ub_dataset_canonical(call, "test", NULL, &err);
    assert_non_null(spec->dataset);
}

/* Without what came before it: a new reading of the files. */
static void id_in(const char *call, const char *folder, char id[17], size_t *files)
{
    struct ub_error err = {0};
    struct ub_run_spec spec = sample_spec(0);
    struct ub_contents *known = ub_contents_new();
    set_dataset(&spec, call);
    if (!ub_spec_identify(&spec, folder, known, &err))
        fail_msg("%s: %s", call, err.text);
    ub_run_spec_id(&spec, id);
    if (files)
        *files = spec.n_files;
    for (size_t i = 0; i < spec.n_files; i++)
        ub_free(spec.files[i]);
    ub_free(spec.files);
    ub_free(spec.dataset);
    ub_contents_free(known);
}

static void flip_last(const char *path)
{
    FILE *file = fopen(path, "r+be");
    assert_non_null(file);
    fseek(file, -1, SEEK_END);
    const int byte = fgetc(file);
    fseek(file, -1, SEEK_END);
    fputc(byte ^ 1, file);
    assert_int_equal(fclose(file), 0);
}

static void every_file_is_in_the_id(void **state)
{
    (void)state;
    struct ub_error err = {0};
    char *folder = data_folder(), *other = data_folder();
    for (int k = 0; k < CALLS; k++) {
        char id[17], again[17];
        size_t count;
        struct ub_paths paths;
        id_in(calls[k], folder, id, &count);
        assert_int_equal(count, files_of[k]);
        id_in(calls[k], other, again, NULL); /* the same content elsewhere */
        assert_string_equal(id, again);
        assert_true(ub_dataset_files(calls[k], folder, &paths, &err));
        for (size_t i = 0; i < paths.count; i++) {
            flip_last(paths.path[i]);
            id_in(calls[k], folder, again, NULL);
            assert_string_not_equal(id, again);
            flip_last(paths.path[i]);
        }
        id_in(calls[k], folder, again, NULL);
        assert_string_equal(id, again);
        ub_paths_clear(&paths);
    }
    char with[17], without[17], *path = ub_path(folder, "t10k-images-idx3-ubyte");
    char *labels = ub_path(folder, "t10k-labels-idx1-ubyte");
    id_in("mnist", folder, with, NULL);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(unlink(labels), 0); /* a file that need not be there */
    id_in("mnist", folder, without, NULL);
    assert_string_not_equal(with, without);
    ub_free(path);
    ub_free(labels);
    support_remove(folder);
    support_remove(other);
}

/* A path is no part of it, gzip neither; which column is the label is. */
static void where_a_file_is_is_not_what_it_holds(void **state)
{
    (void)state;
    char *folder = data_folder(), ids[4][17], call[512];
    support_write(folder, "copy.csv", rows, sizeof rows - 1);
    support_write(folder, "packed.csv.gz", rows, sizeof rows - 1);
    id_in("csv:file=rows.csv,label=y", folder, ids[0], NULL);
    id_in("csv:file=packed.csv.gz,label=y", folder, ids[1], NULL);
    snprintf(call, sizeof call, "csv:file=%s/copy.csv,label=y", folder);
    id_in(call, NULL, ids[2], NULL);
    id_in("csv:file=rows.csv,label=x", folder, ids[3], NULL);
    assert_string_equal(ids[0], ids[1]);
    assert_string_equal(ids[0], ids[2]);
    assert_string_not_equal(ids[0], ids[3]);
    support_remove(folder);
}

/* Sources without files keep the ids they had; those with files all name them. */
static void all_sources_say_their_files(void **state)
{
    (void)state;
    char id[17], before[17];
    size_t count;
    struct ub_run_spec spec = sample_spec(0);
    for (size_t i = 0; ub_dataset_sources[i]; i++)
        assert_true(ub_dataset_sources[i]->needs_files == (ub_dataset_sources[i]->files != NULL));
    set_dataset(&spec, "digits:size=100");
    ub_run_spec_id(&spec, before);
    id_in("digits:size=100", "/nonexistent", id, &count);
    assert_int_equal(count, 0);
    assert_string_equal(id, before);
    ub_free(spec.dataset);
}

/* What is opened in the folder while `call` is loaded, by the kernel's account, sorted and joined.
 */
static char *opened_by(const char *call, const char *folder)
{
    struct ub_error err = {0};
    const int notes = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    assert_true(notes >= 0 && inotify_add_watch(notes, folder, IN_OPEN) >= 0);
    struct ub_dataset *d = ub_dataset_load(call, 0, folder, &err);
    if (!d)
        fail_msg("%s", err.text);
    ub_dataset_free(d);
    _Alignas(struct inotify_event) char bytes[8192];
    struct labels names = {0};
    for (ssize_t n; (n = read(notes, bytes, sizeof bytes)) > 0;)
        for (ssize_t at = 0; at < n;) {
            const struct inotify_event *event = (const struct inotify_event *)(bytes + at);
            if (event->len > 0)
                labels_add(&names, event->name);
            at += (ssize_t)(sizeof *event + event->len);
        }
    close(notes);
    struct ub_text text = {0};
    ub_text_add(&text, "%s", "");
    for (size_t i = 0; i < names.count; i++)
        ub_text_add(&text, "%s ", names.text[i]);
    labels_free(&names);
    return text.data;
}

/* No loader reads a file that is not in the id, nor the id one that is not read. */
static void the_kernel_saw_the_same_files(void **state)
{
    (void)state;
    struct ub_error err = {0};
    char *folder = data_folder();
    for (int k = 0; k < CALLS; k++) {
        struct ub_paths paths;
        struct ub_text said = {0};
        assert_true(ub_dataset_files(calls[k], folder, &paths, &err));
        for (size_t i = 0; i < paths.count; i++)
            ub_text_add(&said, "%s ", strrchr(paths.path[i], '/') + 1);
        char *opened = opened_by(calls[k], folder);
        assert_string_equal(said.data, opened);
        ub_free(opened);
        ub_text_free(&said);
        ub_paths_clear(&paths);
    }
    support_remove(folder);
}

static void a_file_is_read_once(void **state)
{
    (void)state;
    enum { CELLS = 40 };
    struct ub_error err = {0};
    char *folder = data_folder(), *path = ub_path(folder, "rows.csv");
    struct ub_suite suite = {.count = CELLS, .cells = ub_calloc(CELLS, sizeof *suite.cells)};
    for (uint64_t i = 0; i < CELLS; i++) {
        const struct ub_run_spec plain = sample_spec(i);
        suite.cells[i].spec = ub_run_spec_copy(&plain);
        ub_free(suite.cells[i].spec.dataset);
        set_dataset(&suite.cells[i].spec, calls[3]);
    }
    const int notes = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    assert_true(notes >= 0 && inotify_add_watch(notes, path, IN_OPEN) >= 0);
    struct ub_contents *known = ub_contents_new();
    assert_true(ub_suite_identify(&suite, folder, known, &err));
    assert_int_equal(suite.count, CELLS);
    assert_true(ub_spec_files_hold(&suite.cells[0].spec, folder, known, &err));
    char events[64 * sizeof(struct inotify_event)];
    assert_int_equal(read(notes, events, sizeof events), sizeof(struct inotify_event)); /* once */
    close(notes);
    flip_last(path); /* what is known is not believed of a file that has changed */
    assert_false(ub_spec_files_hold(&suite.cells[0].spec, folder, known, &err));
    assert_input_error(&err, "rows.csv: not the file of this run");
    ub_contents_free(known);
    for (size_t i = 0; i < suite.count; i++)
        ub_run_spec_clear(&suite.cells[i].spec);
    ub_free(suite.cells);
    ub_free(path);
    support_remove(folder);
}

/* A file that changes between the plan and the run: the run fails, and says which. */
static void a_file_that_changed_meanwhile_is_not_trained_on(void **state)
{
    (void)state;
    struct ub_error err = {0};
    char *folder = data_folder(), *path = ub_path(folder, "rows.csv");
    char *store = support_folder();
    struct ub_run_spec spec = sample_spec(0);
    struct ub_contents *known = ub_contents_new();
    enum ub_run_status status;
    set_dataset(&spec, calls[3]);
    const struct ub_train_setting setting = {
        .store = store, .data = folder, .known = known, .threads = 1};
    assert_int_equal(ub_train(&spec, &setting, &status, &err), UB_TRAIN_FAILED);
    assert_input_error(&err, "rows.csv"); /* contents unknown: no id to keep it under */
    assert_true(ub_spec_identify(&spec, folder, known, &err));
    flip_last(path);
    support_write(folder, "rows.csv", "x,y\n1,0\n2,1\n3,0\n5,1\n", sizeof rows - 1);
    assert_int_equal(ub_train(&spec, &setting, &status, &err), UB_TRAIN_FAILED);
    assert_input_error(&err, "rows.csv: not the file of this run");
    support_write(folder, "rows.csv", rows, sizeof rows - 1);
    if (ub_train(&spec, &setting, &status, &err) != UB_TRAIN_STORED)
        fail_msg("%s", err.text);
    ub_run_spec_set_files(&spec, "");
    ub_free(spec.dataset);
    ub_contents_free(known);
    ub_free(path);
    support_remove(store);
    support_remove(folder);
}

/* ---- commands ----------------------------------------------------------------------------------
 */

static const char train[] = "train --dataset csv:file=rows.csv,label=y --model linear --loss mse "
                            "--optimizer gd:lr=0.1 --steps 2 --save-weights --out s --data ";

static char *train_in(const char *folder, const char *data)
{
    char command[512];
    snprintf(command, sizeof command, "%s%s", train, data);
    char *out = cli_expect(folder, command, 0, "s/runs/");
    out[strcspn(out, "\n")] = '\0';
    return out;
}

static void changed_data_make_another_run(void **state)
{
    (void)state;
    static const char changed[] = "x,y\n1,0\n2,1\n3,0\n4.5,1\n";
    struct ub_error err = {0};
    char *folder = support_folder(), command[512];
    const char *const places[] = {"a", "b", "c"};
    for (int i = 0; i < 3; i++) {
        char *place = ub_path(folder, places[i]);
        assert_true(ub_make_folders(place, &err));
        support_write(place, "rows.csv", i == 2 ? changed : rows,
                      (i == 2 ? sizeof changed : sizeof rows) - 1);
        ub_free(place);
    }
    char *first = train_in(folder, "a"), *same = train_in(folder, "b");
    char *other = train_in(folder, "c");
    assert_string_equal(first, same);
    assert_string_not_equal(first, other);
    assert_int_equal(cli_count_runs(folder, "s", false), 2);
    char *place = ub_path(folder, "a");
    support_write(place, "rows.csv", changed, sizeof changed - 1);
    char *again = train_in(folder, "a");
    assert_string_equal(again, other);

    snprintf(command, sizeof command, "export %s --out x.npz --data b", first);
    cli_run(folder, command, 0, "");
    assert_true(cli_exists(folder, "x.npz"));
    snprintf(command, sizeof command, "export %s --out y.npz --data a", first);
    cli_run(folder, command, 2, "a/rows.csv: not the file of this run");
    assert_false(cli_exists(folder, "y.npz"));
    char *store_path = ub_path(folder, "s");
    struct ub_store *store = open_good(store_path);
    assert_int_equal(store->count, 2);
    assert_false(same_system(&store->runs[0].spec, &store->runs[1].spec));
    assert_string_not_equal(store->runs[0].label, store->runs[1].label);
    ub_store_free(store);
    ub_free(store_path);
    ub_free(place);
    ub_free(first);
    ub_free(same);
    ub_free(other);
    ub_free(again);
    support_remove(folder);
}

/* A run of an earlier version, which says nothing of its files: read, and exported with a warning.
 */
static void old_runs_say_nothing_of_their_files(void **state)
{
    (void)state;
    struct ub_error err = {0};
    char *folder = support_folder(), *store = ub_path(folder, "s"), command[128], id[17];
    support_write(folder, "rows.csv", rows, sizeof rows - 1);
    struct ub_run_spec spec = sample_spec(0);
    spec.model = ub_registry_canonical(&ub_model_registry, "linear", "test", NULL, &err);
    set_dataset(&spec, calls[3]);
    write_run(store, &spec, UB_RUN_OK, "", 1);
    ub_run_spec_id(&spec, id);
    snprintf(command, sizeof command, "export s:%s --out x.npz --data .", id);
    cli_run(folder, command, 0, "rows.csv: this run does not say what its data files held");
    ub_free(spec.model);
    ub_free(spec.dataset);
    ub_free(store);
    support_remove(folder);
}

/* What changes how the libraries compute is said with the run, whose id is the same. */
static void the_environment_is_said(void **state)
{
    (void)state;
    char *folder = support_folder();
    support_write(folder, "rows.csv", rows, sizeof rows - 1);
    char *plain = train_in(folder, ".");
    setenv("ONEDNN_MAX_CPU_ISA", "SSE41", 1);
    char command[512];
    snprintf(command, sizeof command, "%s. --again", train);
    cli_run(folder, command, 0, plain);
    unsetenv("ONEDNN_MAX_CPU_ISA");
    snprintf(command, sizeof command, "show %s", plain);
    cli_run(folder, command, 0, "ONEDNN_MAX_CPU_ISA=SSE41");
    ub_free(plain);
    support_remove(folder);
}

/* The manifest and run.yaml keep it, and runs.csv. */
static void contents_survive_the_store(void **state)
{
    (void)state;
    static const char suite[] =
        "name: rows\nruns:\n"
        "  - {dataset: {csv: {file: [rows.csv, same.csv], label: y}},\n"
        "     model: linear, loss: mse, optimizer: \"gd:lr=0.1\", steps: 2}\n"
        "  - {dataset: {csv: {file: absent.csv, label: y}}, optional: true,\n"
        "     model: linear, loss: mse, optimizer: \"gd:lr=0.1\", steps: 2}\n";
    char *folder = cli_folder_with("rows.yaml", suite), *store = ub_path(folder, "s");
    support_write(folder, "rows.csv", rows, sizeof rows - 1);
    support_write(folder, "same.csv", rows, sizeof rows - 1);
    cli_run(folder, "run rows.yaml --out s --dry-run", 0, "1 runs, 1 to be made");
    cli_run(folder, "run rows.yaml --out s", 0, "1 run: 1 ok");
    cli_run(folder, "run rows.yaml --out s", 0, "1 of 1 runs are in s already");
    char sum[UB_SHA256_TEXT];
    ub_sha256(rows, sizeof rows - 1, sum);
    char *manifest = cli_read(store, "manifest.csv"), *csv = cli_read(store, "runs.csv");
    assert_non_null(strstr(manifest, sum));
    assert_non_null(strstr(csv, sum));
    struct ub_store *opened = open_good(store);
    char command[64];
    snprintf(command, sizeof command, "show s:%s", opened->runs[0].id);
    cli_run(folder, command, 0, sum);
    ub_store_free(opened);
    support_write(folder, "rows.csv", "x,y\n1,1\n2,0\n", 12);
    cli_run(folder, "run rows.yaml --out s", 0, "2 runs: 2 ok");
    opened = open_good(store); /* the first run is now what was asked for as same.csv */
    assert_int_equal(opened->count, 2);
    assert_non_null(strstr(opened->runs[0].spec.dataset, "rows.csv"));
    assert_non_null(strstr(opened->runs[1].spec.dataset, "same.csv"));
    assert_string_equal(opened->runs[1].spec.files[0], sum);
    assert_string_not_equal(opened->runs[0].spec.files[0], sum);
    ub_store_free(opened);
    ub_free(csv);
    ub_free(manifest);
    ub_free(store);
    support_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_file_is_in_the_id),
        cmocka_unit_test(where_a_file_is_is_not_what_it_holds),
        cmocka_unit_test(all_sources_say_their_files),
        cmocka_unit_test(the_kernel_saw_the_same_files),
        cmocka_unit_test(a_file_is_read_once),
        cmocka_unit_test(a_file_that_changed_meanwhile_is_not_trained_on),
        cmocka_unit_test(changed_data_make_another_run),
        cmocka_unit_test(contents_survive_the_store),
        cmocka_unit_test(old_runs_say_nothing_of_their_files),
        cmocka_unit_test(the_environment_is_said),
    };
    return cmocka_run_group_tests_name("identity", tests, NULL, NULL);
}
