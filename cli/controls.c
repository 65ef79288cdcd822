/* The laws that a suite's controls name, and how many controls each law has. */
#include "cli/cli.h"
#include "report/laws/law.h"

bool cli_check_controls(const struct ub_suite *suite, struct ub_error *err)
{
    bool good = true;
    for (size_t i = 0; good && i < suite->controls.count; i++) {
        const struct ub_control_law *control = &suite->controls.law[i];
        struct ub_text where = {0};
        ub_text_add(&where, "%s:%d: control", control->path, control->line);
        good = ub_registry_get(&ub_law_registry, control->name, where.data, err) != NULL;
        ub_text_free(&where);
    }
    return good;
}

static void add_count(struct ub_text *text, size_t count, const char *what)
{
    if (count)
        ub_text_add(text, "%zu control%s that must %s", count, count > 1 ? "s" : "", what);
    else
        ub_text_add(text, "no control that must %s", what);
}

bool cli_list_law(const struct ub_law *law, const struct ub_frame *frame)
{
    struct ub_law_controls c = ub_law_controls(law, frame);
    struct ub_text text = {0};
    bool applies;
    char *lacks = ub_law_lacks(law, frame, &applies);
    const bool concerned = applies || c.hold + c.fail > 0;
    if (concerned) {
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
    return concerned;
}
