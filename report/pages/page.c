/* The page: verdicts first, then what became of runs, each law with what belongs to it, topics, how
 * to repeat, provenance. */
#include "report/pages/page.h"
#include "report/sections/board.h"

#include <string.h>

const char page_board[] = "Laws at a glance";

/* What is damaged or edited comes before all numbers: a quotation, one paragraph a sentence. */
static void add_notice(struct ub_text *out, const struct ub_store *store)
{
    char *notice = ub_store_notice(store), *rest = NULL;
    const char *before = "\n";
    for (char *line = notice ? strtok_r(notice, "\n", &rest) : NULL; line;
         line = strtok_r(NULL, "\n", &rest)) {
        ub_text_add(out, "%s> **Note.** %s\n", before, line);
        before = ">\n";
    }
    ub_free(notice);
}

static void add_scoreboard(struct ub_text *out, const struct study *study,
                           const struct plates *plates)
{
    static const char q_means[] = " A verdict with a q beside it is drawn alone, and not at a "
                                  "false-discovery rate of 5% over all laws of this report.";
    const struct board board = {study->frame, study->n_laws, study->laws};
    struct table *t = scoreboard_table(&board, true);
    if (table_rows(t) > 0) {
        ub_text_add(out,
                    "\n## %s\n\nMeet it: systems (groups of runs) that meet the "
                    "law, of those that have a value or count against it, of those that it is "
                    "about. Value: mean over systems with its 95%% interval.%s\n\n",
                    page_board, scoreboard_has_q(&board) ? q_means : "");
        table_markdown(t, out);
        page_figures(out, plates, page_board);
    }
    table_free(t);
}

/* ---- sections --------------------------------------------------------------------------- */

/* A section's table and text under headings of this depth ("##"). */
static void add_section(struct ub_text *out, const struct ub_section *section,
                        const struct study *study, const char *depth)
{
    struct table *t = section->table ? section->table(study) : NULL;
    if (t && table_rows(t) > 0) {
        ub_text_add(out, "\n%s %s\n\n%s\n\n", depth, section->title, section->text);
        if (section->rows)
            add_table(out, t, section->rows);
        else
            table_markdown(t, out);
    }
    table_free(t);
}

/* Text has headings of its own, of the third depth: by itself it needs one above them. */
static void add_written(struct ub_text *out, const struct ub_section *section,
                        const struct study *study, bool heading)
{
    struct ub_text text = {0};
    if (section->write)
        section->write(&text, study);
    if (text.length && heading)
        ub_text_add(out, "\n## %s\n", section->title);
    ub_text_append(out, text.data ? text.data : "", text.length);
    ub_text_free(&text);
}

static void add_law(struct ub_text *out, const struct study *study, const struct plates *plates,
                    const struct ub_law_verdict *v)
{
    const struct ub_law *law = v->law;
    struct table *t = group_table(v, study->frame, true);
    ub_text_add(out, "\n## %s\n\n%s (%s).%s%s%s Of: %s. Margin: %s.\n", law->name, law->quantity,
                law->citation, law->formula ? " `" : "", law->formula ? law->formula : "",
                law->formula ? "`." : "", law->who, law->because);
    page_figures(out, plates, law->name);
    ub_text_add(out, "\n### Groups of %s\n\nIn full: [data.csv](data.csv).\n\n", law->name);
    add_table(out, t, "groups");
    table_free(t);
    for (size_t i = 0; ub_sections[i]; i++) {
        if (section_verdict(ub_sections[i], study) != v)
            continue;
        add_section(out, ub_sections[i], study, "###");
        add_written(out, ub_sections[i], study, false);
    }
}

static bool is_law(const struct study *study, const char *section)
{
    for (size_t i = 0; i < study->n_laws; i++)
        if (strcmp(study->laws[i]->law->name, section) == 0)
            return true;
    return strcmp(section, page_board) == 0;
}

/* What stands with no law. */
static void add_topics(struct ub_text *out, const struct study *study, const struct plates *plates)
{
    struct labels sections = {0};
    struct ub_text figures = {0};
    page_figures(&figures, plates, NULL);
    if (figures.length)
        ub_text_add(out, "\n## Figures\n%s", figures.data);
    ub_text_free(&figures);
    for (size_t i = 0; i < plates->count; i++) {
        const char *section = plates->plate[i].section;
        const size_t before = sections.count;
        if (!section || is_law(study, section) || labels_add(&sections, section) != before)
            continue;
        ub_text_add(out, "\n## %s\n", section);
        page_figures(out, plates, section);
    }
    labels_free(&sections);
    for (size_t i = 0; ub_sections[i]; i++) {
        if (section_verdict(ub_sections[i], study))
            continue;
        add_section(out, ub_sections[i], study, "##");
        add_written(out, ub_sections[i], study, true);
    }
}

void page_add(struct ub_text *out, const struct study *study, const struct plates *plates)
{
    ub_text_add(out, "# unibench report\n");
    add_notice(out, study->store);
    if (study->n_laws == 0)
        ub_text_add(out, "\nNo law is about what these runs measured.\n");
    for (size_t i = 0; i < study->n_laws; i++) {
        ub_text_add(out, "\n");
        add_verdict(out, study->laws[i], true);
        ub_text_add(out, "\n");
    }
    add_scoreboard(out, study, plates);
    ub_text_add(out, "\n## Summary\n\n");
    page_summary(out, study);
    for (size_t i = 0; i < study->n_laws; i++)
        add_law(out, study, plates, study->laws[i]);
    add_topics(out, study, plates);
    page_commands(out, study);
    ub_text_add(out, "\n## Provenance\n\n");
    page_provenance(out, study->store);
}
