/* The report: verdicts first, then the summary, figures, full tables, how to repeat, provenance. */
#include "report/pages/database.h"
#include "report/report.h"
#include "report/sections/board.h"
#include "report/sections/exponents.h"

#include <string.h>

/* ---- provenance ------------------------------------------------------------------------- */

/* What all runs share is said once; what differs is counted. Edges have their own table. */
static void add_provenance(struct ub_text *out, const struct ub_store *store)
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

/* ---- the page --------------------------------------------------------------------------- */

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static void add_plate(struct ub_text *out, const struct plate *p)
{
    ub_text_add(out, "\n### %s\n\n![%s](%s.png)\n\n%s ([SVG](%s.svg))\n", p->title, p->title,
                p->stem, p->caption, p->stem);
}

static bool is_folded(const struct plate *p)
{
    return p->fold && !p->open;
}

static void add_fold(struct ub_text *out, const struct plates *plates, const char *section,
                     const char *name, bool folded)
{
    struct ub_text inside = {0}, summary = {0};
    size_t count = 0;
    for (size_t i = 0; i < plates->count; i++) {
        const struct plate *p = &plates->plate[i];
        if (!is_folded(p) || !same_text(p->section, section) || !same_text(p->fold, name))
            continue;
        add_plate(&inside, p);
        count++;
    }
    ub_text_add(&summary, "%s: %zu figure%s", name, count, count == 1 ? "" : "s");
    if (folded && count > 0)
        add_fold_begin(out, summary.data);
    ub_text_add(out, "%s", count ? inside.data : "");
    if (folded && count > 0)
        add_fold_end(out);
    ub_text_free(&inside);
    ub_text_free(&summary);
}

/* Folds are closed when there is much in all of them. */
static void add_section(struct ub_text *out, const struct plates *plates, const char *section)
{
    enum { MOST_UNFOLDED = 4 };
    struct labels folds = {0};
    size_t folded = 0;
    for (size_t i = 0; i < plates->count; i++) {
        const struct plate *p = &plates->plate[i];
        if (!same_text(p->section, section))
            continue;
        if (!is_folded(p))
            add_plate(out, p);
        if (p->fold)
            labels_add(&folds, p->fold);
        folded += is_folded(p);
    }
    for (size_t i = 0; i < folds.count; i++)
        add_fold(out, plates, section, folds.text[i], folded > MOST_UNFOLDED);
    labels_free(&folds);
}

static void add_figures(struct ub_text *out, const struct plates *plates)
{
    struct labels sections = {0};
    ub_text_add(out, "\n## Figures\n");
    add_section(out, plates, NULL);
    for (size_t i = 0; i < plates->count; i++) {
        const char *section = plates->plate[i].section;
        const size_t before = sections.count;
        if (!section || labels_add(&sections, section) != before)
            continue;
        ub_text_add(out, "\n## %s\n", section);
        add_section(out, plates, section);
    }
    labels_free(&sections);
}

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

static void add_commands(struct ub_text *out, const struct study *study)
{
    struct ub_text summary = {0}, code = {0};
    ub_text_add(&summary, "Commands of %zu systems", study->systems.count);
    ub_text_add(out,
                "\n## Repeat a run\n\nOne command for the first run of each system; other seeds "
                "differ in %s (all commands are in [runs.csv](runs.csv); "
                "[dictionary.csv](dictionary.csv) says what each column is).\n",
                seeds_that_vary(study));
    add_fold_begin(out, summary.data);
    ub_text_free(&summary);
    for (size_t i = 0; i < study->systems.count; i++) {
        char *command = train_command(system_spec(study, i));
        ub_text_add(&code, "%s\n", command);
        ub_free(command);
    }
    add_code(out, code.data ? code.data : "");
    ub_text_free(&code);
    add_fold_end(out);
}

static void add_exponents(struct ub_text *out, const struct exponents *e)
{
    struct table *t = exponents_table(e);
    if (table_rows(t) > 0) {
        ub_text_add(out, "\n## Spectral decay\n\nExponents of eigenvalue against rank at the last "
                         "measurement: means over seeds of those that are power laws, from the "
                         "least end of their 95%% intervals to the greatest, and how many are, "
                         "where not all; else the form that fits better (BIC). Layers: covariance "
                         "of activations. Every fit, the first "
                         "and the last of each run and layer: [spectra.csv](spectra.csv).\n\n");
        add_table(out, t, "systems");
    }
    table_free(t);
}

/* A table under its heading; nothing when it has no rows. Frees it. */
static void add_table_of(struct ub_text *out, const struct ub_section *section,
                         const struct study *study)
{
    struct table *t = section->table(study);
    if (table_rows(t) > 0) {
        ub_text_add(out, "\n## %s\n\n%s\n\n", section->title, section->text);
        table_markdown(t, out);
    }
    table_free(t);
}

static void add_tables(struct ub_text *out, const struct study *study, const struct exponents *e)
{
    for (size_t i = 0; i < study->n_laws; i++) {
        const struct ub_law_verdict *v = study->laws[i];
        struct table *t = group_table(v, study->frame, true);
        ub_text_add(out,
                    "\n## %s: groups\n\n%s (%s). Of: %s. Margin: %s. In full: "
                    "[data.csv](data.csv).\n\n",
                    v->law->name, v->law->quantity, v->law->citation, v->law->who, v->law->because);
        add_table(out, t, "groups");
        table_free(t);
    }
    add_plateaus(out, study);
    for (size_t i = 0; ub_sections[i]; i++)
        if (ub_sections[i]->table)
            add_table_of(out, ub_sections[i], study);
    add_exponents(out, e);
}

/* ---- summary: systems of one optimizer, dataset and loss --------------------------------- */

/* A row for those of a law's groups whose first rows are these. */
static void add_summary_row(struct table *t, const struct study *study,
                            const struct ub_law_verdict *v, const size_t *group_of,
                            const struct ub_rows *firsts)
{
    double *rho = ub_calloc(firsts->count + 1, sizeof *rho);
    size_t reached = 0, runs = 0, runs_reached = 0, agree = 0, judged = 0;
    for (size_t k = 0; k < firsts->count; k++) {
        const size_t g = group_of[firsts->row[k]];
        const struct ub_rows *rows = &v->groups.group[g];
        runs += rows->count;
        for (size_t i = 0; i < rows->count; i++)
            runs_reached += v->level[rows->row[i]].window.reached;
        agree += v->judgment.meets[g];
        judged += !v->data[g].why || v->data[g].against;
        if (!v->data[g].why)
            rho[reached++] = v->data[g].value;
    }
    const size_t first = firsts->row[0];
    table_cell(t, "%s", ub_frame_word(study->frame, first, "optimizer"));
    table_cell(t, "%s", dataset_label(&study->store->runs[first].spec));
    table_cell(t, "%s", study->store->runs[first].spec.loss);
    table_cell(t, "%zu of %zu", reached, firsts->count);
    table_cell(t, "%zu of %zu", runs_reached, runs);
    table_fixed(t, ub_median(rho, reached), 3);
    table_cell(t, "%zu of %zu", agree, judged);
    ub_free(rho);
}

static struct table *summary_of(const struct study *study, const struct ub_law_verdict *v)
{
    static const char *const head[] = {
        "optimizer", "dataset",    "loss",          "systems with a level",
        "runs",      "median rho", "within margin", NULL};
    static const char *const within[] = {"optimizer.*", "model", "init",    "steps",
                                         "precision",   "data",  "control", NULL};
    struct table *t = table_new(head, "lllrrrr");
    size_t *group_of = ub_calloc(study->store->count + 1, sizeof *group_of);
    struct ub_rows firsts = {.row = ub_calloc(v->groups.count + 1, sizeof *firsts.row)};
    for (size_t g = 0; g < v->groups.count; g++) {
        const size_t first = v->groups.group[g].row[0];
        firsts.row[firsts.count++] = first;
        group_of[first] = g;
    }
    struct ub_groups rows = ub_frame_group(study->frame, &firsts, within);
    for (size_t r = 0; r < rows.count; r++)
        add_summary_row(t, study, v, group_of, &rows.group[r]);
    ub_groups_clear(&rows);
    ub_rows_clear(&firsts);
    ub_free(group_of);
    return t;
}

/* Of laws about levels of runs. */
static void add_summary(struct ub_text *out, const struct study *study)
{
    for (size_t i = 0; i < study->n_laws; i++) {
        if (!study->laws[i]->level || study->laws[i]->groups.count == 0)
            continue;
        struct table *t = summary_of(study, study->laws[i]);
        ub_text_add(out, "%s:\n\n", study->laws[i]->law->name);
        table_markdown(t, out);
        ub_text_add(out, "\n");
        table_free(t);
    }
}

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

static struct board board_of(const struct study *study)
{
    return (struct board){study->frame, study->n_laws, study->laws};
}

static void add_scoreboard(struct ub_text *out, const struct study *study)
{
    static const char q_means[] = " A verdict with a q beside it is drawn alone, and not at a "
                                  "false-discovery rate of 5% over all laws of this report.";
    const struct board board = board_of(study);
    struct table *t = scoreboard_table(&board, true);
    if (table_rows(t) > 0) {
        ub_text_add(out,
                    "\n## Laws at a glance\n\nMeet it: systems (groups of runs) that meet the "
                    "law, of those that have a value or count against it, of those that it is "
                    "about. Value: mean over systems with its 95%% interval.%s\n\n",
                    scoreboard_has_q(&board) ? q_means : "");
        table_markdown(t, out);
    }
    table_free(t);
}

static void add_page(struct ub_text *out, const struct study *study, const struct plates *plates)
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
    add_scoreboard(out, study);
    ub_text_add(out, "\n## Summary\n\n");
    add_summary(out, study);
    struct table *status = status_table(study);
    table_markdown(status, out);
    table_free(status);
    struct exponents *e = exponents_of(study);
    add_universality(out, e);
    add_figures(out, plates);
    add_tables(out, study, e);
    exponents_free(e);
    add_commands(out, study);
    ub_text_add(out, "\n## Provenance\n\n");
    add_provenance(out, study->store);
}

/* ---- files ------------------------------------------------------------------------------ */

static bool write_text(const char *folder, const char *name, const struct ub_text *text,
                       struct ub_error *err)
{
    char *path = ub_path(folder, name);
    const bool good = ub_write_file(path, text->data ? text->data : "", text->length, err);
    ub_free(path);
    return good;
}

static bool write_laws(const struct study *study, const char *folder, struct ub_error *err)
{
    struct ub_text laws = laws_csv(study), data = data_csv(study);
    const bool good =
        write_text(folder, "laws.csv", &laws, err) && write_text(folder, "data.csv", &data, err);
    ub_text_free(&laws);
    ub_text_free(&data);
    return good;
}

/* Not written where nothing has a spectrum. */
static bool write_spectra(const struct study *study, const char *folder, struct ub_error *err)
{
    struct table *t = spectra_table(study);
    struct ub_text out = {0};
    table_csv(t, &out);
    const bool good = table_rows(t) == 0 || write_text(folder, "spectra.csv", &out, err);
    ub_text_free(&out);
    table_free(t);
    return good;
}

static bool write_dictionary(const char *folder, struct ub_error *err)
{
    struct ub_text text = ub_report_dictionary(false);
    const bool good = write_text(folder, "dictionary.csv", &text, err);
    ub_text_free(&text);
    return good;
}

static bool write_runs(const struct study *study, const char *path, struct ub_error *err)
{
    struct digest *digest = digest_of(study);
    struct ub_text text = digest_csv(digest);
    const bool good =
        ub_frame_good(study->frame, err) && ub_write_file(path, text.data, text.length, err);
    ub_text_free(&text);
    digest_free(digest);
    return good;
}

bool ub_report_runs_csv(const struct ub_store *store, const char *path, struct ub_error *err)
{
    struct study *study = study_new(store, err);
    const bool good = study && write_runs(study, path, err);
    study_free(study);
    return good;
}

/* The two figures that are about all laws stand under Figures, each law's own under Laws. */
static bool draw_board(const struct study *study, struct plates *plates, struct ub_error *err)
{
    const struct board board = board_of(study);
    if (!plot_diagonal(&board, plates, err) || !plot_matrix(&board, plates, err))
        return false;
    plates->section = "Laws";
    const bool good = plot_forests(&board, plates, err);
    plates->section = NULL;
    return good;
}

static bool draw_sections(const struct study *study, struct plates *plates, struct ub_error *err)
{
    for (size_t i = 0; ub_sections[i]; i++)
        if (ub_sections[i]->draw && !ub_sections[i]->draw(study, plates, err))
            return false;
    return true;
}

static bool write_all(const struct study *study, const char *folder, struct ub_error *err)
{
    const struct ub_store *store = study->store;
    const char *version = store->count ? provenance_of(&store->runs[0], "unibench") : "";
    const char *commit = store->count ? provenance_of(&store->runs[0], "commit") : "";
    const struct ub_figure_note notes[] = {{"Software", "unibench"},
                                           {"Version", version},
                                           {"Commit", commit},
                                           {"Source", store->path}};
    struct plates plates = {.folder = folder, .notes = notes, .n_notes = 4};
    static const char *const tables[] = {"runs", "laws", "data", "spectra", "dictionary", NULL};
    char *runs = ub_path(folder, "runs.csv");
    struct ub_text page = {0};
    /* runs.csv first: it takes every trace, so one that cannot be read ends it here. */
    bool good = write_runs(study, runs, err) && draw_board(study, &plates, err) &&
                draw_sections(study, &plates, err) && write_spectra(study, folder, err) &&
                write_laws(study, folder, err) && write_dictionary(folder, err) &&
                ub_database_write(folder, tables, err);
    if (good) {
        add_page(&page, study, &plates);
        good = write_text(folder, "report.md", &page, err);
    }
    ub_text_free(&page);
    ub_free(runs);
    plates_free(&plates);
    return good;
}

bool ub_report_write(const struct ub_store *store, const char *folder, struct ub_error *err)
{
    struct study *study = study_new(store, err);
    const bool good = study && ub_make_folders(folder, err) && write_all(study, folder, err);
    study_free(study);
    return good;
}
