/* law_suite.h - a small suite run by the program, and what a law says of its groups of runs.
 *
 *     struct law_suite s = law_suite_run("name: x\n...");
 *     const struct ub_datum d = law_suite_datum(&s, &ub_law_x, "model.activation", "tanh");
 *     law_suite_free(&s);
 */
#ifndef UB_TEST_LAW_SUITE_H
#define UB_TEST_LAW_SUITE_H

#include "cli_support.h"

#include "report/laws/law.h"

struct law_suite {
    char *folder;
    struct ub_store *store;
    struct ub_frame *frame;
};

static inline struct law_suite law_suite_run(const char *yaml)
{
    struct ub_error err = {0};
    struct law_suite s = {.folder = cli_folder_with("suite.yaml", yaml)};
    cli_run(s.folder, "run suite.yaml --out S --jobs 1", 0, "");
    char *path = ub_path(s.folder, "S");
    s.store = ub_store_open(path, &err);
    ub_free(path);
    if (!s.store)
        fail_msg("%s", err.text);
    s.frame = ub_frame_new(s.store, &err);
    if (!s.frame)
        fail_msg("%s", err.text);
    return s;
}

static inline void law_suite_free(struct law_suite *s)
{
    ub_frame_free(s->frame);
    ub_store_free(s->store);
    support_remove(s->folder);
}

struct law_choice {
    const char *axis, *word;
};

static inline bool law_suite_chosen(const struct ub_frame *frame, size_t row, const void *context)
{
    const struct law_choice *c = context;
    return strcmp(ub_frame_word(frame, row, c->axis), c->word) == 0;
}

/* Of the one group of runs whose `axis` has that word. */
static inline struct ub_datum law_suite_datum(const struct law_suite *s, const struct ub_law *law,
                                              const char *axis, const char *word)
{
    const struct law_choice choice = {axis, word};
    struct ub_rows rows = ub_frame_where(s->frame, NULL, law_suite_chosen, &choice);
    struct ub_groups groups = ub_frame_group(s->frame, &rows, law->within);
    assert_int_equal(groups.count, 1);
    const struct ub_datum d = law->datum(s->frame, &groups.group[0]);
    print_message("%s, %s=%s: %g +- %g (predicted %g)%s%s\n", law->name, axis, word, d.value, d.se,
                  d.predicts ? d.prediction : law->is.target, d.why ? ": " : "",
                  d.why ? d.why : "");
    ub_groups_clear(&groups);
    ub_rows_clear(&rows);
    return d;
}

/* How many of the frame's runs the law speaks of by itself. */
static inline size_t law_suite_applies(const struct law_suite *s, const struct ub_law *law)
{
    size_t n = 0;
    for (size_t row = 0; row < s->frame->rows; row++)
        n += law->applies(s->frame, row);
    return n;
}

/* That the report of the store has a figure, "NAME.png". */
static inline void law_suite_draws(const struct law_suite *s, const char *name)
{
    cli_run(s->folder, "report S --out R", 0, "");
    char *file = ub_path("R", name);
    assert_true(cli_exists(s->folder, file));
    ub_free(file);
}

/* Whether the law speaks by itself of all runs whose `axis` has that word. */
static inline bool law_suite_takes(const struct law_suite *s, const struct ub_law *law,
                                   const char *axis, const char *word)
{
    const struct law_choice choice = {axis, word};
    struct ub_rows rows = ub_frame_where(s->frame, NULL, law_suite_chosen, &choice);
    bool takes = rows.count > 0;
    for (size_t i = 0; i < rows.count; i++)
        takes = takes && law->applies(s->frame, rows.row[i]);
    ub_rows_clear(&rows);
    return takes;
}

#endif
