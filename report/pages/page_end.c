/* The end of a page: how to repeat its runs, and where they come from. */
#include "report/pages/page.h"

#include <string.h>

/* ---- provenance ------------------------------------------------------------------------- */

/* What all runs share is said once; what differs is counted. Edges have their own table. */
void page_provenance(struct ub_text *out, const struct ub_store *store)
{
    struct labels names = {0};
    for (size_t i = 0; i < store->count; i++)
        for (size_t k = 0; k < store->runs[i].n_provenance; k++)
            if (strncmp(store->runs[i].provenance[k].name, "edge.", 5) != 0)
                labels_add(&names, store->runs[i].provenance[k].name);
    for (size_t k = 0; k < names.count; k++) {
        struct labels values = {0};
        for (size_t i = 0; i < store->count; i++) {
            const char *text = provenance_of(&store->runs[i], names.text[k]);
            if (*text)
                labels_add(&values, text);
        }
        if (values.count == 0) /* a key that is empty in every run */
            ub_text_add(out, "- %s: nothing\n", names.text[k]);
        else if (values.count == 1)
            ub_text_add(out, "- %s: %s\n", names.text[k], values.text[0]);
        else
            ub_text_add(out, "- %s: %zu different, from `%s` to `%s`\n", names.text[k],
                        values.count, values.text[0], values.text[values.count - 1]);
        labels_free(&values);
    }
    labels_free(&names);
}

/* ---- commands --------------------------------------------------------------------------- */

/* A fence longer than any run of backticks inside. */
static void add_code(struct ub_text *out, const char *code)
{
    size_t longest = 2;
    for (const char *at = code; *at;) {
        const size_t run = strspn(at, "`");
        longest = run > longest ? run : longest;
        at += run + strcspn(at + run, "`");
    }
    struct ub_text fence = {0};
    for (size_t i = 0; i <= longest; i++)
        ub_text_add(&fence, "`");
    ub_text_add(out, "%ssh\n%s%s\n", fence.data, code, fence.data);
    ub_text_free(&fence);
}

/* In what the runs of a system differ from its first. */
static const char *seeds_that_vary(const struct study *study)
{
    bool seed = false, data_seed = false;
    for (size_t i = 0; i < study->store->count; i++) {
        const struct ub_run_spec *spec = &study->store->runs[i].spec,
                                 *first = system_spec(study, study->system_of[i]);
        seed = seed || spec->seed != first->seed;
        data_seed = data_seed || spec->data_seed != first->data_seed;
    }
    return seed && data_seed ? "`--seed` and `--data-seed`"
           : data_seed       ? "`--data-seed`"
                             : "`--seed`";
}

/* Of more systems nobody reads a page: thousands of commands are megabytes. */
enum { MOST_COMMANDS = 500 };

void page_commands(struct ub_text *out, const struct study *study)
{
    struct ub_text summary = {0}, code = {0};
    size_t systems = study->systems.count,
           shown = systems < MOST_COMMANDS ? systems : MOST_COMMANDS;
    ub_text_add(&summary, "Commands of %s%zu systems", shown < systems ? "the first " : "", shown);
    if (shown < systems)
        ub_text_add(&summary, " of %zu", systems);
    ub_text_add(out,
                "\n## Repeat a run\n\nOne command for the first run of each system; other seeds "
                "differ in %s (all commands are in [runs.csv](runs.csv); "
                "[dictionary.csv](dictionary.csv) says what each column is).\n",
                seeds_that_vary(study));
    add_fold_begin(out, summary.data);
    ub_text_free(&summary);
    for (size_t i = 0; i < shown; i++) {
        char *command = train_command(system_spec(study, i));
        ub_text_add(&code, "%s\n", command);
        ub_free(command);
    }
    add_code(out, code.data ? code.data : "");
    ub_text_free(&code);
    add_fold_end(out);
}
