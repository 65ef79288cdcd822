/* Names of models, losses, inits, optimizers, datasets and observables are known in their own files
 * and registries: elsewhere in bench/ and report/ no string literal is one of them, and nothing in
 * report/ searches the texts of specs. */
#include "bench/curvature/curvature.h"
#include "bench/observables/observables.h"
#include "bench/store/axes.h"
#include "tests/support.h"

#include <fts.h>
#include <stdio.h>

static const struct ub_registry *const systems[] = {&ub_dataset_registry, &ub_model_registry,
                                                    &ub_loss_registry, &ub_init_registry,
                                                    &ub_optimizer_registry};

static bool is_option(const struct ub_registry *r, const char *text)
{
    for (size_t i = 0; r->entry(i); i++) {
        struct ub_option *options = ub_registry_options(r, r->entry(i));
        bool is = false;
        for (const struct ub_option *o = options; o->key; o++)
            is = is || strcmp(o->key, text) == 0;
        ub_free(options);
        if (is)
            return true;
    }
    return false;
}

/* Words that stand for something else as well say nothing: "loss" is an axis, "gauss-newton" a
 * matrix, "nesterov" an option of sgd. */
static bool is_ambiguous(const char *text)
{
    bool is = ub_run_axis_find(text) || ub_matrix_find(text);
    for (size_t i = 0; i < sizeof systems / sizeof *systems; i++)
        is = is || is_option(systems[i], text);
    return is;
}

enum name { NO_NAME, OF_SYSTEM, OF_OBSERVABLE };

static enum name name_of(const char *text)
{
    enum name kind = ub_observable_find(text) ? OF_OBSERVABLE : NO_NAME;
    for (size_t i = 0; i < sizeof systems / sizeof *systems; i++)
        kind = ub_registry_find(systems[i], text) ? OF_SYSTEM : kind;
    return kind != NO_NAME && is_ambiguous(text) ? NO_NAME : kind;
}

/* ---- where they may stand ------------------------------------------------------------------- */

static bool starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

struct allowed {
    const char *file, *name, *why;
};
static const struct allowed allowed[] = {
    {"bench/store/axes.c", "pytorch", "the init that is meant where none is given"},
    {"report/laws/study.c", "pytorch", "labels leave it out"},
    {"report/frame/names.c", "pytorch", "labels leave it out"},
    {"bench/observables/shared.c", "edge-ratio", "written for sharpness and edge-ratio alike"},
    {"bench/observables/shared.h", "edge-ratio", "declared for both"},
    {"bench/observables/ball_maximum.c", "generalized-sharpness", "its stream of random numbers"},
    {"report/laws/decay.c", "hessian-spectrum", "whose rows are a Hessian's, for laws on decay"},
    {"report/tables/table.c", "text", "a type of column, in English"},
};

static bool is_listed(const char *file, const char *name)
{
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++)
        if (strcmp(allowed[i].file, file) == 0 && strcmp(allowed[i].name, name) == 0)
            return true;
    return false;
}

/* The file that defines the observable: ".name = "NAME"" in it. */
static bool defines(const char *source, const char *name)
{
    struct ub_text wanted = {0};
    ub_text_add(&wanted, ".name = \"%s\"", name);
    const bool found = strstr(source, wanted.data) != NULL;
    ub_text_free(&wanted);
    return found;
}

static bool may_name(const char *file, const char *source, const char *name)
{
    if (starts_with(file, "bench/perf/")) /* measures systems that it names */
        return true;
    if (starts_with(file, "report/laws/") && strstr(source, "_law ub_law_"))
        return true; /* a law says of which systems it speaks */
    if (name_of(name) == OF_OBSERVABLE &&
        (starts_with(file, "report/sections/") || /* draws what it is about */
         (starts_with(file, "bench/observables/") && defines(source, name))))
        return true;
    return is_listed(file, name);
}

/* ---- literals -------------------------------------------------------------------------------- */

/* Behind a comment, a character or a line of #include that begins here; NULL when none does. */
static const char *past(const char *at, bool line_start)
{
    if (starts_with(at, "/*")) {
        const char *end = strstr(at + 2, "*/");
        return end ? end + 2 : at + strlen(at);
    }
    if (*at == '\'')
        return at + (at[1] == '\\' ? 4 : 3);
    if (line_start && starts_with(at, "#include"))
        return at + strcspn(at, "\n");
    return NULL;
}

/* Copies the literal that begins here into `out` as written; returns what is behind it. */
static const char *read_literal(const char *at, char out[256])
{
    size_t n = 0;
    for (at++; *at && *at != '"'; at++) {
        if (n + 2 < 256)
            out[n++] = *at;
        if (*at == '\\' && at[1] && n + 2 < 256)
            out[n++] = *++at;
    }
    out[n] = '\0';
    return at + (*at == '"');
}

static size_t check_literals(const char *file, const char *source, size_t *literals)
{
    size_t bad = 0;
    int line = 1;
    for (const char *at = source; *at;) {
        const char *next = past(at, at == source || at[-1] == '\n');
        char text[256] = "";
        if (!next && *at == '"') {
            next = read_literal(at, text);
            ++*literals;
        }
        if (name_of(text) != NO_NAME && !may_name(file, source, text)) {
            print_error("%s:%d names '%s'; see tests/test_names.c\n", file, line, text);
            bad++;
        }
        for (next = next ? next : at + 1; at < next; at++)
            line += *at == '\n';
    }
    return bad;
}

/* What has no place in a report: the frame has typed columns. SVG is searched in save.c. */
static size_t check_searches(const char *file, const char *source)
{
    static const char *const searches[] = {"strstr(", "strtok(", ", ':')"};
    size_t bad = 0;
    if (!starts_with(file, "report/") || strcmp(file, "report/figure/save.c") == 0)
        return 0;
    for (size_t i = 0; i < sizeof searches / sizeof *searches; i++)
        if (strstr(source, searches[i])) {
            print_error("%s uses %s; see tests/test_names.c\n", file, searches[i]);
            bad++;
        }
    return bad;
}

/* ---- tests ------------------------------------------------------------------------------------
 */

static void names_are_in_their_own_files(void **state)
{
    (void)state;
    static char root[] = UNIBENCH_SOURCE;
    char *bench = ub_path(root, "bench"), *report = ub_path(root, "report");
    FTS *tree = fts_open((char *[]){bench, report, NULL}, FTS_PHYSICAL, NULL);
    size_t bad = 0, literals = 0;
    assert_non_null(tree);
    for (const FTSENT *entry; (entry = fts_read(tree));) {
        const char *dot = strrchr(entry->fts_name, '.');
        if (entry->fts_info != FTS_F || !dot || (strcmp(dot, ".c") != 0 && strcmp(dot, ".h") != 0))
            continue;
        struct ub_error err = {0};
        size_t length;
        char *source = (char *)ub_read_file(entry->fts_path, 1 << 24, &length, &err);
        assert_non_null(source);
        const char *file = entry->fts_path + strlen(root) + 1;
        bad += check_literals(file, source, &literals) + check_searches(file, source);
        ub_free(source);
    }
    fts_close(tree);
    ub_free(bench);
    ub_free(report);
    assert_int_equal(bad, 0);
    assert_true(literals > 2000); /* the files were there */
}

static void a_name_in_the_wrong_place_is_seen(void **state)
{
    (void)state;
    size_t literals = 0;
    assert_int_equal(check_literals("bench/run/x.c", "x(\"sharpness\");", &literals), 1);
    assert_int_equal(check_literals("report/sections/x.c", "x(\"sharpness\");", &literals), 0);
    assert_int_equal(check_literals("report/sections/x.c", "x(\"heavy-ball\");", &literals), 1);
    assert_int_equal(check_literals("report/sections/x.c", "x('\"', \"gd\")", &literals), 1);
    assert_int_equal(check_literals("report/x.c", "/* \"gd\" */ x(\"a \\\"gd\\\"\")", &literals),
                     0);
    assert_int_equal(check_literals("bench/run/x.c", "x(\"loss\", \"nesterov\")", &literals), 0);
    assert_int_equal(check_searches("report/x.c", "strstr(spec->model, \"width=\")"), 1);
    assert_int_equal(check_searches("report/x.c", "strchr(text, ':')"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_in_their_own_files),
        cmocka_unit_test(a_name_in_the_wrong_place_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
