/* The laws that a suite's controls name, and how many controls each law has. */
#include "cli/cli.h"
#include "report/laws/law.h"

#include <string.h>

static size_t law_names(const char **names)
{
    size_t n = 0;
    for (size_t i = 0; ub_laws[i]; i++, n++)
        if (names)
            names[n] = ub_laws[i]->name;
    return n;
}

static bool check_name(const struct ub_suite *suite, const struct ub_control_law *control,
                       const char *const *names, size_t n, struct ub_error *err)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(names[i], control->name) == 0)
            return true;
    const char *near = ub_suggest(control->name, names, n);
    if (near)
        return ub_fail(err, UB_INPUT, "%s:%d: control of unknown law '%s'; did you mean '%s'?",
                       suite->path, control->line, control->name, near);
    return ub_fail(err, UB_INPUT,
                   "%s:%d: control of unknown law '%s'; expected one that 'unibench list laws' "
                   "shows",
                   suite->path, control->line, control->name);
}

bool cli_check_controls(const struct ub_suite *suite, struct ub_error *err)
{
    const char **names = ub_calloc(law_names(NULL) + 1, sizeof *names);
    const size_t n = law_names(names);
    bool good = true;
    for (size_t i = 0; good && i < suite->controls.count; i++)
        good = check_name(suite, &suite->controls.law[i], names, n, err);
    ub_free(names);
    return good;
}

static void add_count(struct ub_text *text, size_t count, const char *what)
{
    if (count)
        ub_text_add(text, "%zu control%s that must %s", count, count > 1 ? "s" : "", what);
    else
        ub_text_add(text, "no control that must %s", what);
}

void cli_list_law(const struct ub_law *law, const struct ub_frame *frame)
{
    struct ub_law_controls c = ub_law_controls(law, frame);
    struct ub_text text = {0};
    bool applies;
    char *lacks = ub_law_lacks(law, frame, &applies);
    if (applies || c.hold + c.fail > 0) {
        ub_text_add(&text, "%s: %s; ", law->name,
                    !applies ? "controls only"
                    : lacks  ? lacks
                             : "can be decided by these runs");
        add_count(&text, c.hold, "hold");
        ub_text_add(&text, ", ");
        add_count(&text, c.fail, "fail");
        if (c.lacks)
            ub_text_add(&text, "; a control cannot speak: %s", c.lacks);
        ub_text_add(&text, "\n");
    }
    ub_free(lacks);
    ub_free(c.lacks);
    cli_print(&text);
}
