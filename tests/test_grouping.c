/* Runs are grouped by a frame's columns and nowhere else: outside of report/frame no source of
 * report/ or bench/ compares the canonical texts of specs, makes sets of them or of their labels,
 * or takes them apart. Read in the sources; what stands for another reason is listed here. */
#include "tests/support.h"

#include <ctype.h>
#include <fts.h>
#include <stdio.h>

static bool starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* ---- what may stand ------------------------------------------------------------------------- */

struct allowed {
    const char *file, *call, *why;
};
static const struct allowed allowed[] = {
    {"report/laws/group.c", "ub_call_parse(", "a measure's options: no axis of a run"},
    {"report/digest/digest.c", "strcmp(", "a command leaves out what is the default"},
    {"report/digest/csv.c", "ub_run_spec_text(", "rows that are one run twice"},
    {"report/digest/csv.c", "a function", "the same"},
    {"bench/run/preflight.c", "strcmp(", "data that are read once for many runs"},
    {"bench/run/pack.c", "strcmp(", "data and programs that are made once for many runs"},
    {"bench/suite/suite.c", "strcmp(", "data that are said to be missing once"},
    {"bench/suite/suite.c", "strstr(", "the same"},
    {"bench/perf/scale.c", "ub_hash(", "names a stream of random numbers"},
    {"bench/store/store.c", "strcmp(", "a path that was written otherwise, of one run"},
};

static bool is_allowed(const char *file, const char *call)
{
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++)
        if (strcmp(allowed[i].file, file) == 0 && strcmp(allowed[i].call, call) == 0)
            return true;
    return false;
}

/* ---- texts of specs ------------------------------------------------------------------------- */

/* "spec->model" and ".dataset_label", but not "study->models" or "frame.model(". */
static bool has_field(const char *text)
{
    static const char *const fields[] = {"dataset", "model", "loss", "init", "optimizer"};
    static const char label[] = "_label";
    for (const char *at = text; *at; at++) {
        const size_t before = *at == '.' ? 1 : starts_with(at, "->") ? 2 : 0;
        for (size_t i = 0; before && i < sizeof fields / sizeof *fields; i++) {
            const char *end = at + before;
            if (!starts_with(end, fields[i]))
                continue;
            end += strlen(fields[i]);
            end += starts_with(end, label) ? strlen(label) : 0;
            if (!isalnum((unsigned char)*end) && *end != '_' && *end != '(')
                return true;
        }
    }
    return false;
}

/* A call that makes a text of a spec. */
static bool has_label(const char *text)
{
    static const char *const calls[] = {
        "dataset_label(",    "model_label(", "optimizer_label(",  "system_label(",
        "ub_run_spec_text(", "call_name(",   "ub_run_spec_label("};
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (strstr(text, calls[i]))
            return true;
    return false;
}

/* ---- calls ---------------------------------------------------------------------------------- */

/* The arguments of a call, from behind its '(' to the ')' that closes it. */
static char *arguments(const char *from)
{
    size_t n = 0;
    int depth = 1;
    for (; from[n]; n++) {
        depth += from[n] == '(' ? 1 : from[n] == ')' ? -1 : 0;
        if (depth == 0)
            break;
    }
    char *text = ub_calloc(n + 1, 1);
    memcpy(text, from, n);
    return text;
}

static size_t complain(const char *file, const char *call, const char *what)
{
    print_error("%s: %s %s; see tests/test_grouping.c\n", file, call, what);
    return 1;
}

/* Comparisons and searches of specs' texts. */
static size_t check_calls(const char *file, const char *source)
{
    static const char *const calls[] = {
        "strcmp(",  "strncmp(",    "strchr(",      "strrchr(", "strstr(",  "strtok(", "strspn(",
        "strcspn(", "labels_add(", "labels_find(", "ub_hash(", "tsearch(", "tfind(",  "bsearch("};
    size_t bad = 0;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        for (const char *at = source; (at = strstr(at, calls[i]));) {
            at += strlen(calls[i]);
            char *text = arguments(at);
            if ((has_field(text) || has_label(text)) && !is_allowed(file, calls[i]))
                bad += complain(file, calls[i], "is given the text of a spec");
            ub_free(text);
        }
    return bad;
}

/* Functions that make such a text and sets of texts. */
static size_t check_functions(const char *file, const char *source)
{
    size_t bad = 0;
    for (const char *from = source, *end; *from; from = end) {
        end = strstr(from, "\n}\n");
        end = end ? end + 3 : from + strlen(from);
        char *text = ub_calloc((size_t)(end - from) + 1, 1);
        memcpy(text, from, (size_t)(end - from));
        if (has_label(text) && !is_allowed(file, "a function") &&
            (strstr(text, "labels_add(") || strstr(text, "labels_find(") ||
             strstr(text, "strcmp(")))
            bad += complain(file, "a function", "compares texts of specs, or makes sets of them");
        ub_free(text);
    }
    return bad;
}

static size_t check_source(const char *file, const char *source)
{
    size_t bad = check_calls(file, source);
    if (!starts_with(file, "report/"))
        return bad;
    static const char *const parsers[] = {"ub_call_parse(", "ub_run_spec_text("};
    for (size_t i = 0; i < sizeof parsers / sizeof *parsers; i++)
        if (strstr(source, parsers[i]) && !is_allowed(file, parsers[i]))
            bad += complain(file, parsers[i], "has no place outside of report/frame");
    return bad + check_functions(file, source);
}

/* ---- tests ---------------------------------------------------------------------------------- */

static void runs_are_grouped_by_columns_alone(void **state)
{
    (void)state;
    static char root[] = UNIBENCH_SOURCE;
    char *bench = ub_path(root, "bench"), *report = ub_path(root, "report");
    FTS *tree = fts_open((char *[]){bench, report, NULL}, FTS_PHYSICAL, NULL);
    size_t bad = 0, files = 0;
    assert_non_null(tree);
    for (const FTSENT *entry; (entry = fts_read(tree));) {
        const char *dot = strrchr(entry->fts_name, '.');
        const char *file = entry->fts_path + strlen(root) + 1;
        if (entry->fts_info != FTS_F || !dot || strcmp(dot, ".c") != 0 ||
            starts_with(file, "report/frame/"))
            continue;
        struct ub_error err = {0};
        char *source = (char *)ub_read_file(entry->fts_path, 1 << 24, NULL, &err);
        assert_non_null(source);
        bad += check_source(file, source);
        files++;
        ub_free(source);
    }
    fts_close(tree);
    ub_free(bench);
    ub_free(report);
    assert_int_equal(bad, 0);
    assert_true(files > 150); /* the files were there */
}

static void a_second_way_is_seen(void **state)
{
    (void)state;
    static const struct {
        const char *file, *source;
        size_t bad;
    } cases[] = {
        {"report/x.c", "same = strcmp(a->spec.dataset, b->spec.dataset) == 0;", 1},
        {"report/x.c", "strchr(spec->model, ':')", 1},
        {"report/x.c", "labels_add(&set, spec->loss);", 1},
        {"report/x.c", "labels_add(&set, f(x, model_label(spec)));", 2},
        {"report/x.c", "{\n char *l = system_label(spec);\n labels_add(&set, l);\n}\n", 1},
        {"report/x.c", "{\n l = system_label(spec);\n}\n{\n labels_add(&set, l);\n}\n", 0},
        {"report/x.c", "ub_call_parse(text, where, &err)", 1},
        {"report/x.c", "strcmp(spec->optimizer_label, \"gd\")", 1},
        {"report/x.c", "strcmp(study->models, factor.modeled); f(spec->model);", 0},
        {"bench/x.c", "strncmp(spec->optimizer, name, n)", 1},
        {"bench/x.c", "ub_call_parse(text, where, &err)", 0}, /* suites are made of calls */
        {"bench/run/preflight.c", "strcmp(a->dataset, b->dataset)", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const size_t bad = check_source(cases[i].file, cases[i].source);
        if (bad != cases[i].bad)
            fail_msg("%zu instead of %zu complaints about: %s", bad, cases[i].bad, cases[i].source);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_are_grouped_by_columns_alone),
        cmocka_unit_test(a_second_way_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
