/* Edits of a store by hand are accepted by a seal, and said: by reports, comparisons, lists. */
#include "tests/damaged_store.h"

/* ---- commands ---------------------------------------------------------------------------------
 */

static void plant(const char *store, const char *id)
{
    static const char trace[] = "step,observable,index,value,error\n0,loss,0,42,\n";
    char *folder = ub_store_run_folder(store, id);
    support_write(folder, "trace.csv.gz", trace, strlen(trace));
    ub_free(folder);
}

/* Of a store and of the runs.csv of one. */
static void compare_says_what_is_damaged_or_edited(void **state)
{
    (void)state;
    struct ub_error err = {0};
    char *folder = support_folder(), *base = ub_path(folder, "base"), *made = whole_store();
    char command[512];
    assert_int_equal(rename(made, base), 0);
    ub_free(made);
    char *store = whole_store(), *csv = ub_path(folder, "runs.csv");
    plant(store, id_of(0));
    snprintf(command, sizeof command, "seal %s", store);
    cli_run(folder, command, 0, "1 file edited");
    struct ub_store *s = open_good(store);
    assert_true(ub_report_runs_csv(s, csv, &err));
    ub_store_free(s);
    cut_trace(base, id_of(1));
    snprintf(command, sizeof command, "compare base %s", store);
    struct cli_outcome o = cli_finish(folder, command);
    assert_true(strncmp(o.out, "> **Note.** `base`: Damaged: 1 of 3 runs", 40) == 0);
    expect_part(o.out, "Edited by hand");
    expect_part(o.out, "# Comparison");
    cli_clear(&o);
    o = cli_finish(folder, "compare runs.csv base");
    expect_part(o.out, "> **Note.** `runs.csv`: Edited by hand, and sealed: 1 of 3 runs");
    cli_clear(&o);
    cli_run(folder, "compare base base", 0, "Damaged: 1 of 3 runs");
    cli_run(folder, "compare base base", 0, "2 of 3 runs found (the base itself lacks 1)");
    ub_free(csv);
    ub_free(base);
    support_remove(store);
    support_remove(folder);
}

/* ---- seals -------------------------------------------------------------------------------------
 */

static void a_sealed_edit_is_read_and_said(void **state)
{
    (void)state;
    struct ub_error err = {0};
    char *folder = support_folder(), *store = whole_store(), command[256];
    snprintf(command, sizeof command, "seal %s", store);
    cli_run(folder, command, 0, "0 files edited, 0 without");
    plant(store, id_of(1));
    struct ub_store *s = open_good(store);
    assert_int_equal(s->n_damaged_runs, 1);
    ub_store_free(s);
    snprintf(command, sizeof command, "seal %s", store);
    cli_run(folder, command, 0, "trace.csv.gz");
    for (int k = 0; k < 2; k++) { /* what is sealed stays marked */
        s = open_good(store);
        assert_int_equal(s->n_damaged, 0);
        struct ub_trace *t = ub_trace_read(s, &s->runs[1], &err);
        assert_non_null(t);
        assert_true(t->count == 1 && t->value[0] == 42);
        ub_trace_free(t);
        char *notice = ub_store_notice(s), *summary = ub_report_summary(s, &err);
        expect_part(notice, "Edited by hand");
        expect_part(notice, id_of(1));
        expect_part(notice, "trace.csv.gz");
        assert_null(strstr(notice, id_of(2)));
        expect_part(summary, "Edited by hand");
        ub_free(summary);
        ub_free(notice);
        ub_store_free(s);
        cli_run(folder, command, 0, "0 files edited, 0 without");
    }
    snprintf(command, sizeof command, "report %s", store);
    cli_run(folder, command, 0, "Edited by hand");
    char *page = cli_read(store, "report/report.md"), *csv = cli_read(store, "report/runs.csv");
    expect_part(page, "> **Note.** Edited by hand");
    expect_part(csv, "provenance.edited");
    /* the mark itself is protected */
    char *run = ub_store_run_folder(store, id_of(1)), *path = ub_path(run, "checksums");
    flip(path, 40, 0);
    s = open_good(store);
    assert_int_equal(s->n_damaged_runs, 1);
    ub_store_free(s);
    ub_free(path);
    ub_free(run);
    ub_free(csv);
    ub_free(page);
    support_remove(store);
    support_remove(folder);
}

/* Without its checksums an edit cannot be seen: that they are gone is the mark. */
static void checksums_that_are_gone_are_an_edit(void **state)
{
    (void)state;
    char *folder = support_folder(), *store = whole_store(), command[256];
    char *run = ub_store_run_folder(store, id_of(1));
    remove_checksums(run);
    plant(store, id_of(1));
    struct ub_store *s = open_good(store);
    assert_int_equal(s->n_damaged_runs, 1);
    ub_store_free(s);
    snprintf(command, sizeof command, "seal %s", store);
    char *out = cli_expect(folder, command, 0, "1 file edited, 2 without a checksum");
    expect_part(out, "/checksums\n");
    ub_free(out);
    s = open_good(store);
    assert_int_equal(s->n_damaged, 0);
    char *notice = ub_store_notice(s);
    expect_part(notice, "Edited by hand, and sealed: runs/");
    expect_part(notice, id_of(1));
    ub_free(notice);
    ub_store_free(s);
    ub_free(run);
    support_remove(store);
    support_remove(folder);
}

/* Of the store's own: the manifest says that it had them, or, without it, the runs do. */
static void the_stores_checksums_are_missed(void **state)
{
    (void)state;
    for (int without_manifest = 0; without_manifest < 2; without_manifest++) {
        char *folder = support_folder(), *store = whole_store(), command[256];
        remove_checksums(store);
        if (without_manifest) {
            char *manifest = ub_path(store, "manifest.csv");
            assert_int_equal(unlink(manifest), 0);
            ub_free(manifest);
        } else {
            char *text = cli_read(store, "manifest.csv"), *rate = strstr(text, "gd:lr=0.05");
            assert_non_null(rate);
            rate[8] = '1';
            support_write(store, "manifest.csv", text, strlen(text));
            ub_free(text);
            struct ub_error err = {0};
            struct ub_expected *runs;
            size_t count;
            assert_false(ub_manifest_read(store, &runs, &count, &err));
            assert_input_error(&err, "checksums: gone");
        }
        snprintf(command, sizeof command, "report %s", store);
        cli_run(folder, command, 0, "Damaged: of the store's own files: checksums (gone");
        snprintf(command, sizeof command, "seal %s", store);
        cli_run(folder, command, 0, "edited: checksums");
        snprintf(command, sizeof command, "report %s", store);
        cli_run(folder, command, 0, "Edited by hand, and sealed: the store's own files");
        support_remove(store);
        support_remove(folder);
    }
}

/* What was sealed away: all own files removed by hand, their checksums left. */
static void removed_files_are_sealed(void **state)
{
    (void)state;
    char *folder = support_folder(), *store = whole_store(), command[256];
    static const char *const own[] = {"manifest.csv", "suite.yaml", "runs.csv"};
    for (size_t i = 0; i < 3; i++) {
        char *path = ub_path(store, own[i]);
        assert_int_equal(unlink(path), 0);
        ub_free(path);
    }
    snprintf(command, sizeof command, "seal %s", store);
    cli_run(folder, command, 0, "3 files edited");
    struct ub_store *s = open_good(store);
    assert_int_equal(s->n_damaged, 0);
    assert_int_equal(s->n_edits, 3);
    ub_store_free(s);
    support_remove(store);
    support_remove(folder);
}

static void what_cannot_be_read_is_not_sealed(void **state)
{
    (void)state;
    char *folder = support_folder(), *store = whole_store(), command[256];
    plant(store, id_of(0));
    cut_trace(store, id_of(1));
    snprintf(command, sizeof command, "seal %s", store);
    cli_run(folder, command, 2, "truncated gzip");
    struct ub_store *s = open_good(store);
    assert_int_equal(s->n_damaged_runs, 2); /* neither was sealed */
    ub_store_free(s);
    cli_run(folder, "seal nothing", 2, "no such folder");
    assert_false(cli_exists(folder, "nothing"));
    support_remove(store);
    support_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compare_says_what_is_damaged_or_edited),
        cmocka_unit_test(a_sealed_edit_is_read_and_said),
        cmocka_unit_test(checksums_that_are_gone_are_an_edit),
        cmocka_unit_test(the_stores_checksums_are_missed),
        cmocka_unit_test(removed_files_are_sealed),
        cmocka_unit_test(what_cannot_be_read_is_not_sealed),
    };
    return cmocka_run_group_tests_name("damage", tests, NULL, NULL);
}
