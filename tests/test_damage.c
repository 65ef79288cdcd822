/* Damage to a store is noticed wherever it is, named, and costs no run but the damaged; edits are
 * accepted by a seal, and said. */
#include "tests/damaged_store.h"

#include <dirent.h>

/* ---- a store with one of each file ---------------------------------------------------------- */

/* All files below a folder: their paths. Hidden ones (the lock) hold nothing. */
struct paths {
    size_t count;
    char **path;
};

static void find_files(const char *folder, struct paths *out)
{
    DIR *entries = opendir(folder);
    assert_non_null(entries);
    for (const struct dirent *e; (e = readdir(entries));) {
        struct stat status;
        char *path = ub_path(folder, e->d_name);
        assert_int_equal(stat(path, &status), 0);
        if (e->d_name[0] == '.') {
            ub_free(path);
        } else if (S_ISDIR(status.st_mode)) {
            find_files(path, out);
            ub_free(path);
        } else {
            out->path = ub_realloc(out->path, (out->count + 1) * sizeof *out->path);
            out->path[out->count++] = path;
        }
    }
    closedir(entries);
}

static void free_paths(struct paths *p)
{
    for (size_t i = 0; i < p->count; i++)
        ub_free(p->path[i]);
    ub_free(p->path);
}

/* The run or the file is named, and everything else is there. */
static void expect_noticed(const char *store, const char *path, long at)
{
    struct ub_store *s = open_good(store);
    const char *name = path + strlen(store) + 1;
    if (s->n_damaged != 1 || strncmp(name, s->damaged[0].name, strlen(s->damaged[0].name)) != 0)
        fail_msg("%s: a flipped bit in byte %ld: %zu damaged, %s", name, at, s->n_damaged,
                 s->n_damaged ? s->damaged[0].name : "-");
    const bool of_run = strncmp(name, "runs/", 5) == 0;
    size_t ok = 0;
    for (size_t i = 0; i < s->count; i++)
        ok += s->runs[i].status == UB_RUN_OK;
    assert_int_equal(s->n_damaged_runs, of_run);
    assert_int_equal(s->count, RUNS); /* a damaged one counts as missing */
    assert_int_equal(ok, RUNS - of_run);
    char *notice = ub_store_notice(s);
    assert_non_null(strstr(notice, s->damaged[0].name));
    ub_free(notice);
    ub_store_free(s);
}

static void a_flipped_bit_is_noticed_in_any_file(void **state)
{
    (void)state;
    char *store = whole_store();
    struct paths files = {0};
    size_t flips = 0;
    find_files(store, &files);
    assert_int_equal(files.count, RUNS * 3 + 1 + 4); /* weights once; four of the store's own */
    for (size_t i = 0; i < files.count; i++) {
        struct stat status;
        assert_int_equal(stat(files.path[i], &status), 0);
        assert_true(status.st_size > 0);
        for (long at = 0; at < status.st_size; at++) {
            const int bit = (int)(at + (long)i) % 8;
            flip(files.path[i], at, bit);
            expect_noticed(store, files.path[i], at);
            flip(files.path[i], at, bit);
            flips++;
        }
    }
    assert_true(flips > 3000);
    struct ub_store *s = open_good(store);
    assert_int_equal(s->n_damaged, 0);
    ub_store_free(s);
    free_paths(&files);
    support_remove(store);
}

/* Cut at any length, or gone. */
static void a_truncated_or_lost_file_is_noticed(void **state)
{
    (void)state;
    struct ub_error err = {0};
    char *store = whole_store();
    struct paths files = {0};
    find_files(store, &files);
    for (size_t i = 0; i < files.count; i++) {
        struct stat status;
        assert_int_equal(stat(files.path[i], &status), 0);
        char *kept = ub_alloc((size_t)status.st_size);
        FILE *file = fopen(files.path[i], "rbe");
        assert_int_equal(fread(kept, 1, (size_t)status.st_size, file), status.st_size);
        fclose(file);
        for (long n = status.st_size - 1; n >= 0; n -= 1 + n / 4) {
            assert_int_equal(truncate(files.path[i], n), 0);
            expect_noticed(store, files.path[i], n);
        }
        assert_int_equal(unlink(files.path[i]), 0);
        expect_noticed(store, files.path[i], -1);
        file = fopen(files.path[i], "wbe");
        assert_int_equal(fwrite(kept, 1, (size_t)status.st_size, file), status.st_size);
        fclose(file);
        ub_free(kept);
    }
    struct ub_store *s = open_good(store);
    assert_int_equal(s->n_damaged, 0);
    ub_store_free(s);
    free_paths(&files);
    assert_int_equal(err.code, UB_OK);
    support_remove(store);
}

/* Who opens a pipe waits until someone writes to it. */
static void a_pipe_in_place_of_a_file_is_damage(void **state)
{
    (void)state;
    char *store = whole_store();
    struct paths files = {0};
    find_files(store, &files);
    for (size_t i = 0; i < files.count; i++) {
        struct ub_text kept = {0};
        ub_text_add(&kept, "%s.kept", files.path[i]);
        assert_int_equal(rename(files.path[i], kept.data), 0);
        assert_int_equal(mkfifo(files.path[i], 0600), 0);
        expect_noticed(store, files.path[i], -1);
        assert_int_equal(rename(kept.data, files.path[i]), 0);
        ub_text_free(&kept);
    }
    struct ub_store *s = open_good(store);
    assert_int_equal(s->n_damaged, 0);
    ub_store_free(s);
    free_paths(&files);
    support_remove(store);
}

/* ---- commands ---------------------------------------------------------------------------------
 */

static void commands_work_on_the_rest(void **state)
{
    (void)state;
    char *folder = support_folder(), *store = whole_store(), *page = ub_path(store, "report");
    const char *id = id_of(1);
    struct ub_text line = {0};
    cut_trace(store, id);
    ub_text_add(&line, "report %s --summary", store);
    struct cli_outcome o = cli_finish(folder, line.data);
    assert_int_equal(o.code, 0);
    expect_part(o.err, "Damaged: 1 of 3 runs left out");
    expect_part(o.out, "Damaged: 1 of 3 runs left out");
    expect_part(o.out, "3 runs: 2 ok, 1 damaged");
    cli_clear(&o);
    char *text = cli_read(page, "report.md");
    const char *note = strstr(text, "> **Note.** Damaged: 1 of 3 runs");
    assert_non_null(note);
    assert_true(note - text < 200); /* among the first lines */
    expect_part(note, id);
    const char *status = strstr(note, "| status |");
    assert_non_null(status);
    expect_part(status, "| damaged | 1 |");
    assert_null(strstr(status, "| missing "));
    ub_free(text);
    const struct {
        const char *format;
        int code;
        const char *part;
    } cases[] = {
        {"show %s:%s", 2, "trace.csv.gz: not as it was written"},
        {"export %s:%s --out x.npz", 2, "trace.csv.gz: not as it was written"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char command[512];
        snprintf(command, sizeof command, cases[i].format, store, id); /* NOLINT */
        cli_run(folder, command, cases[i].code, cases[i].part);
        snprintf(command, sizeof command, cases[i].format, store, id_of(2)); /* NOLINT */
        cli_run(folder, command, 0, "");
        id = id_of(1);
    }
    ub_text_free(&line);
    ub_free(page);
    support_remove(store);
    support_remove(folder);
}

static const char suite[] = "name: tiny\n"
                            "runs:\n"
                            "  - {dataset: \"digits:size=20\", model: linear, loss: mse,\n"
                            "     optimizer: \"gd:lr=0.01\", steps: 3, seed: 0..2}\n";

/* A trace cut short and a run.yaml of nonsense are set aside, and the runs made again as they were.
 */
static void run_sets_damaged_runs_aside(void **state)
{
    (void)state;
    struct ub_error err = {0};
    char *folder = cli_folder_with("tiny.yaml", suite), *store = ub_path(folder, "s");
    cli_run(folder, "run tiny.yaml --out s --jobs 1", 0, "3 ok");
    struct ub_store *before = open_good(store);
    assert_int_equal(before->count, 3);
    char first[17], second[17], trace[64];
    memcpy(first, before->runs[0].id, sizeof first);
    memcpy(second, before->runs[1].id, sizeof second);
    ub_store_free(before);
    snprintf(trace, sizeof trace, "runs/%s/trace.csv.gz", first);
    char *kept = cli_read(store, trace);
    assert_true(strlen(kept) > 0);
    cut_trace(store, first);
    char *broken = ub_store_run_folder(store, second);
    support_write(broken, "run.yaml", "spec: [", 7);
    ub_free(broken);
    cli_run(folder, "run tiny.yaml --out s --dry-run", 0, "damaged");
    struct cli_outcome o = cli_finish(folder, "run tiny.yaml --out s --jobs 1");
    assert_int_equal(o.code, 0);
    expect_part(o.err, ".damaged-");
    expect_part(o.out, "3 runs: 3 ok");
    cli_clear(&o);
    char name[64];
    for (int i = 0; i < 2; i++) {
        snprintf(name, sizeof name, "s/runs/.damaged-%s-1", i ? second : first);
        assert_true(cli_exists(folder, name));
    }
    char *again = cli_read(store, trace);
    assert_string_equal(kept, again);
    cut_trace(store, first); /* once more: another place to put it */
    cli_run(folder, "run tiny.yaml --out s --jobs 1", 0, "3 runs: 3 ok");
    snprintf(name, sizeof name, "s/runs/.damaged-%s-2", first);
    assert_true(cli_exists(folder, name));
    struct ub_store *after = open_good(store);
    assert_int_equal(after->n_damaged, 0);
    ub_store_free(after);
    assert_int_equal(err.code, UB_OK);
    ub_free(again);
    ub_free(kept);
    ub_free(store);
    support_remove(folder);
}

/* ---- seals -------------------------------------------------------------------------------------
 */

/* Each once, also of a run that no manifest expects. */
static void damaged_runs_are_counted_once(void **state)
{
    (void)state;
    char *folder = support_folder(), *store = whole_store(), command[256];
    snprintf(command, sizeof command, "report %s", store);
    cut_trace(store, id_of(0));
    cut_trace(store, id_of(2));
    cli_run(folder, command, 0, ": 3 runs: 1 ok, 2 damaged\n");
    write_all(store, RUNS);
    cut_trace(store, id_of(RUNS));
    cli_run(folder, command, 0, ": 4 runs: 1 ok, 3 damaged\n");
    char *page = cli_read(store, "report/report.md");
    expect_part(page, "| damaged | 3 |");
    assert_null(strstr(page, "| missing "));
    ub_free(page);
    support_remove(store);
    support_remove(folder);
}

/* Stores of earlier versions: no checksums, schema 1. */
static void old_stores_are_read_and_said_to_be_unchecked(void **state)
{
    (void)state;
    struct ub_error err = {0};
    char *folder = support_folder(), *store = whole_store(), command[256];
    for (uint64_t i = 0; i < RUNS; i++) {
        char *run = ub_store_run_folder(store, id_of(i)), *path = ub_path(run, "checksums");
        assert_int_equal(unlink(path), 0);
        char *text = cli_read(run, "run.yaml");
        assert_memory_equal(text, "schema: 2", 9);
        text[8] = '1';
        support_write(run, "run.yaml", text, strlen(text));
        ub_free(text);
        ub_free(path);
        ub_free(run);
    }
    remove_checksums(store);
    char *manifest = cli_read(store, "manifest.csv"), *files = strstr(manifest, ",files,");
    assert_non_null(files); /* no such column then */
    memcpy(files, ",other,", 7);
    support_write(store, "manifest.csv", manifest, strlen(manifest));
    ub_free(manifest);
    struct ub_store *s = open_good(store);
    assert_int_equal(s->n_damaged, 0);
    assert_int_equal(s->runs[0].status, UB_RUN_OK);
    char *notice = ub_store_notice(s);
    expect_part(notice, "Without checksums: 3 of 3 runs");
    ub_free(notice);
    ub_store_free(s);
    cut_trace(store, id_of(2)); /* seen without them, too */
    s = open_good(store);
    assert_int_equal(s->n_damaged_runs, 1);
    expect_part(s->damaged[0].why, "truncated gzip");
    ub_store_free(s);
    write_all(store, 2); /* a run of this version among them: what they never had is not missed */
    s = open_good(store);
    assert_int_equal(s->n_damaged, 0);
    ub_store_free(s);
    snprintf(command, sizeof command, "seal %s", store);
    cli_run(folder, command, 0, "0 files edited, 8 without a checksum");
    s = open_good(store);
    assert_null(ub_store_notice(s));
    ub_store_free(s);
    assert_int_equal(err.code, UB_OK);
    support_remove(store);
    support_remove(folder);
}

/* Without its manifest a store still has its runs; a filtered run then expects what was made. */
static void a_damaged_manifest_costs_no_run(void **state)
{
    (void)state;
    char *folder = cli_folder_with("tiny.yaml", suite), *store = ub_path(folder, "s");
    cli_run(folder, "run tiny.yaml --out s --jobs 1", 0, "3 ok");
    char *path = ub_path(store, "manifest.csv");
    flip(path, 100, 2);
    struct ub_store *s = open_good(store);
    assert_int_equal(s->count, 3);
    assert_false(s->has_manifest);
    assert_string_equal(s->damaged[0].name, "manifest.csv");
    char *notice = ub_store_notice(s); /* controls are not known for what they are: said */
    assert_non_null(strstr(notice, "does not know which runs are controls"));
    ub_free(notice);
    ub_store_free(s);
    cli_run(folder, "run tiny.yaml --out s --jobs 1 --filter *seed=1", 0, "3 runs: 3 ok");
    s = open_good(store);
    assert_true(s->has_manifest && s->n_damaged == 0 && s->count == 3);
    ub_store_free(s);
    ub_free(path);
    ub_free(store);
    support_remove(folder);
}

/* A process killed between a file and its checksum leaves nothing that looks damaged. */
static void a_file_being_replaced_is_not_damaged(void **state)
{
    (void)state;
    struct ub_error err = {0};
    char *store = whole_store();
    assert_true(ub_store_forget(store, "manifest.csv", &err));
    struct ub_store *s = open_good(store);
    assert_true(s->n_damaged == 0 && s->has_manifest);
    ub_store_free(s);
    support_write(store, "suite.yaml", "name: changed\n", 14);
    s = open_good(store);
    assert_int_equal(s->n_damaged, 1);
    assert_string_equal(s->damaged[0].name, "suite.yaml");
    ub_store_free(s);
    support_remove(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flipped_bit_is_noticed_in_any_file),
        cmocka_unit_test(a_truncated_or_lost_file_is_noticed),
        cmocka_unit_test(a_pipe_in_place_of_a_file_is_damage),
        cmocka_unit_test(commands_work_on_the_rest),
        cmocka_unit_test(run_sets_damaged_runs_aside),
        cmocka_unit_test(damaged_runs_are_counted_once),
        cmocka_unit_test(old_stores_are_read_and_said_to_be_unchecked),
        cmocka_unit_test(a_damaged_manifest_costs_no_run),
        cmocka_unit_test(a_file_being_replaced_is_not_damaged),
    };
    return cmocka_run_group_tests_name("damage", tests, NULL, NULL);
}
