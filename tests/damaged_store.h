/* damaged_store.h - a small store with one of each file, and what is done to it. */
#ifndef UB_TEST_DAMAGED_STORE_H
#define UB_TEST_DAMAGED_STORE_H

#include "report/report.h"
#include "tests/cli_support.h"
#include "tests/sample_store.h"

#include <sys/stat.h>
#include <unistd.h>

/* ---- a store with one of each file ---------------------------------------------------------- */

enum { RUNS = 3 };

static inline char *id_of(uint64_t seed)
{
    static char id[17];
    const struct ub_run_spec spec = sample_spec(seed);
    ub_run_spec_id(&spec, id);
    return id;
}

/* Run 0 has kept something more than its trace. */
static inline void write_all(const char *store, uint64_t seed)
{
    struct ub_error err = {0};
    const struct ub_run_spec spec = sample_spec(seed);
    struct ub_run_writer *w = ub_run_writer_new(store, &spec, &err);
    assert_non_null(w);
    ub_run_writer_add(w, 0, "loss", 0, 1.5, (double)NAN);
    ub_run_writer_add(w, 10, "loss", 0, 0.5 + (double)seed, (double)NAN);
    ub_run_writer_fact(w, "lr", 0.1);
    if (seed == 0)
        support_write(ub_run_writer_folder(w), "weights.npz", "weights, packed", 15);
    assert_true(ub_run_writer_commit(w, UB_RUN_OK, "", NULL, 0, &err));
}

static inline char *whole_store(void)
{
    struct ub_error err = {0};
    char *store = support_folder();
    struct ub_run_spec specs[RUNS];
    struct ub_expected expected[RUNS];
    for (uint64_t i = 0; i < RUNS; i++) {
        specs[i] = sample_spec(i);
        expected[i] = (struct ub_expected){specs[i], NULL};
        write_all(store, i);
    }
    assert_true(ub_manifest_write(store, expected, RUNS, &err));
    assert_true(ub_store_write_file(store, "suite.yaml", "name: sample\n", 13, &err));
    struct ub_store *s = open_good(store);
    char *csv = ub_path(store, "runs.csv");
    assert_true(ub_store_forget(store, "runs.csv", &err) && ub_report_runs_csv(s, csv, &err) &&
                ub_store_remember(store, "runs.csv", &err));
    assert_int_equal(s->n_damaged, 0);
    assert_null(ub_store_notice(s));
    ub_free(csv);
    ub_store_free(s);
    return store;
}

static inline void flip(const char *path, long at, int bit)
{
    FILE *file = fopen(path, "r+be");
    assert_non_null(file);
    assert_int_equal(fseek(file, at, SEEK_SET), 0);
    const int byte = fgetc(file);
    assert_int_equal(fseek(file, at, SEEK_SET), 0);
    fputc(byte ^ 1 << bit, file);
    assert_int_equal(fclose(file), 0);
}

/* ---- commands ---------------------------------------------------------------------------------
 */

static inline void expect_part(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("'%s'; expected '%s'", text, part);
}

static inline void cut_trace(const char *store, const char *id)
{
    char *folder = ub_store_run_folder(store, id), *path = ub_path(folder, "trace.csv.gz");
    assert_int_equal(truncate(path, 20), 0);
    ub_free(path);
    ub_free(folder);
}

/* ---- seals -------------------------------------------------------------------------------------
 */

static inline void remove_checksums(const char *folder)
{
    char *path = ub_path(folder, "checksums");
    assert_int_equal(unlink(path), 0);
    ub_free(path);
}

#endif
