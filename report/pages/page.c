/* All pages: the report, laws, topics, runs. */
#include "report/pages/page.h"
#include "report/references/citations.h"
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
        page_figures(out, plates, page_board, "###");
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

/* Pieces have headings of their own, of the third depth: by themselves they need one above them. */
static void add_written(struct ub_text *out, const struct ub_section *section,
                        const struct study *study, bool heading)
{
    struct pieces pieces = {0};
    if (section->write)
        section->write(&pieces, study);
    if (pieces.count && heading)
        ub_text_add(out, "\n## %s\n", section->title);
    pieces_markdown(&pieces, out);
    pieces_free(&pieces);
}

char *page_law_name(const struct ub_law_verdict *verdict)
{
    struct ub_text name = {0};
    ub_text_add(&name, "law-%s.md", verdict->law->name);
    return name.data;
}

void page_law(struct ub_text *out, const struct study *study, const struct plates *plates,
              const struct ub_law_verdict *v)
{
    const struct ub_law *law = v->law;
    struct table *t = group_table(v, true);
    ub_text_add(out, "# %s\n\n", law->name);
    add_verdict(out, v, true);
    add_verdict_details(out, v);
    ub_text_add(out, "\n\n%s (%s).%s%s%s Of: %s. Margin: %s. [All laws](report.md).\n",
                law->quantity, law->citation, law->formula ? " `" : "",
                law->formula ? law->formula : "", law->formula ? "`." : "", law->who, law->because);
    page_figures(out, plates, law->name, "##");
    ub_text_add(out, "\n## Groups\n\nIn full: [data.csv](data.csv).\n\n");
    add_table(out, t, "groups");
    table_free(t);
    page_summary(out, study, v);
    for (size_t i = 0; ub_sections[i]; i++) {
        if (section_verdict(ub_sections[i], study) != v)
            continue;
        add_section(out, ub_sections[i], study, "##");
        add_written(out, ub_sections[i], study, false);
    }
    ub_text_add(out, "\n## References\n\n");
    citation_markdown(law->citation, out);
}

static bool is_law(const struct study *study, const char *section)
{
    for (size_t i = 0; i < study->n_laws; i++)
        if (strcmp(study->laws[i]->law->name, section) == 0)
            return true;
    return strcmp(section, page_board) == 0;
}

void page_topics(struct ub_text *out, const struct study *study, const struct plates *plates)
{
    struct labels sections = {0};
    struct ub_text body = {0}, figures = {0};
    page_figures(&figures, plates, NULL, "###");
    if (figures.length)
        ub_text_add(&body, "\n## Figures\n%s", figures.data);
    ub_text_free(&figures);
    for (size_t i = 0; i < plates->count; i++) {
        const char *section = plates->plate[i].section;
        const size_t before = sections.count;
        if (!section || is_law(study, section) || labels_add(&sections, section) != before)
            continue;
        ub_text_add(&body, "\n## %s\n", section);
        page_figures(&body, plates, section, "###");
    }
    labels_free(&sections);
    for (size_t i = 0; ub_sections[i]; i++) {
        if (section_verdict(ub_sections[i], study))
            continue;
        add_section(&body, ub_sections[i], study, "##");
        add_written(&body, ub_sections[i], study, true);
    }
    if (body.length)
        ub_text_add(out,
                    "# Topics\n\nWhat was measured and is no law's. [All laws](report.md).\n%s",
                    body.data);
    ub_text_free(&body);
}

/* ---- the report ------------------------------------------------------------------------- */

static void add_law(struct ub_text *out, const struct plates *plates,
                    const struct ub_law_verdict *v)
{
    char *page = page_law_name(v);
    ub_text_add(out, "\n### %s\n\n", v->law->name);
    add_verdict(out, v, true);
    ub_text_add(out, " [Groups, figures](%s).\n", page);
    page_first_figure(out, plates, v->law->name);
    ub_free(page);
}

/* Only where not all is well: else the counts above have said it. */
static void add_failures(struct ub_text *out, const struct study *study)
{
    const struct ub_store *store = study->store;
    size_t good = 0;
    for (size_t i = 0; i < store->count; i++)
        good += store->runs[i].status == UB_RUN_OK && !store->runs[i].damaged;
    ub_text_add(out, "\n## Runs\n\n");
    if (good < store->count) {
        struct table *status = status_table(study);
        table_markdown(status, out);
        table_free(status);
    } else if (store->count == 1) {
        ub_text_add(out, "The only one ended as it should.\n");
    } else {
        ub_text_add(out, "All %zu ended as they should.\n", store->count);
    }
}

void page_report(struct ub_text *out, const struct study *study, const struct plates *plates)
{
    struct ub_text topics = {0};
    ub_text_add(out, "# unibench report\n");
    add_notice(out, study->store);
    if (study->n_laws == 0)
        ub_text_add(out, "\nNo law is about what these runs measured.\n");
    add_scoreboard(out, study, plates);
    if (study->n_laws)
        ub_text_add(
            out,
            "\n## Laws\n\nA law's figure has its systems, one row each, with 95%% intervals, "
            "where it has no figure of its own: line and band are the claim, gray is where a new "
            "system is expected, rings are controls. Captions, groups and more figures are on "
            "the page that each law links to.\n");
    for (size_t i = 0; i < study->n_laws; i++)
        add_law(out, plates, study->laws[i]);
    add_failures(out, study);
    page_topics(&topics, study, plates);
    ub_text_add(out, "\n## More\n\n");
    if (topics.length)
        ub_text_add(out,
                    "- [Topics](topics.md): training, spectra and whatever else was measured and "
                    "is no law's\n");
    ub_text_add(out, "- [Runs](runs.md): how they ended, how to repeat each, where they were made\n"
                     "- Tables for other programs: [laws.csv](laws.csv), [data.csv](data.csv), "
                     "[runs.csv](runs.csv), all of them in results.db (SQLite); all that was "
                     "measured over time in series.csv.gz; [what each column is]"
                     "(dictionary.md)\n");
    ub_text_free(&topics);
}

void page_runs(struct ub_text *out, const struct study *study)
{
    ub_text_add(out, "# Runs\n\n[All laws](report.md).\n\n");
    struct table *status = status_table(study);
    table_markdown(status, out);
    table_free(status);
    page_commands(out, study);
    ub_text_add(out, "\n## Provenance\n\n");
    page_provenance(out, study->store);
}
