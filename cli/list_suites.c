/* Suites are files: what is in each. */
#include "cli/cli.h"
#include "cli/list.h"
#include "report/tables/table.h"

#include <string.h>

/* One column of lines that a description's line breaks would tear apart. */
static char *one_line(const char *text)
{
    char *line = ub_strdup(text);
    size_t length = strlen(line);
    while (length > 0 && strchr("\r\n ", line[length - 1]))
        line[--length] = '\0';
    for (char *c = line; *c; c++)
        if (*c == '\n')
            *c = ' ';
    return line;
}

static bool add_suite(struct table *t, const char *name, struct ub_error *err)
{
    char *path = ub_suite_find(name, err);
    struct ub_suite *suite = path ? ub_suite_read(path, err) : NULL;
    if (suite) {
        char *line = one_line(suite->description);
        table_cell(t, "%s", name);
        table_cell(t, "%zu", suite->count);
        table_cell(t, "%s", line);
        ub_free(line);
    }
    ub_free(path);
    bool good = suite != NULL;
    ub_suite_free(suite);
    return good;
}

bool list_suites(struct ub_error *err)
{
    size_t n;
    char **names = ub_suite_names(&n);
    struct table *t = table_new((const char *const[]){"name", "runs", "description"}, "lrl");
    bool good = true;
    for (size_t i = 0; i < n; i++) {
        good = good && add_suite(t, names[i], err);
        ub_free(names[i]);
    }
    ub_free(names);
    struct ub_text text = {0};
    if (good)
        table_plain(t, LIST_TABLE_WIDTH, &text);
    table_free(t);
    cli_print(&text);
    return good;
}

bool list_suite(const char *name, struct ub_error *err)
{
    char *path = ub_suite_find(name, err);
    struct ub_suite *suite = path ? ub_suite_read(path, err) : NULL;
    bool good = suite && cli_check_controls(suite, err);
    if (good) {
        size_t controls = 0;
        for (size_t i = 0; i < suite->count; i++)
            controls += suite->cells[i].control != NULL;
        printf("%s: %s\nfile: %s\nruns: %zu", suite->name, suite->description, path, suite->count);
        printf(" (%zu excluded, %zu duplicates left out)\n", suite->excluded, suite->duplicates);
        printf("controls: %zu\n", controls);
    }
    ub_suite_free(suite);
    ub_free(path);
    return good;
}
