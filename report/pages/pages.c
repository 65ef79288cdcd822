/* The report's files: the page, figures, and tables for other programs. */
#include "report/explorer/explorer.h"
#include "report/pages/database.h"
#include "report/pages/page.h"
#include "report/pages/series.h"
#include "report/report.h"
#include "report/sections/board.h"
#include "report/sections/exponents.h"

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
    struct ub_text csv = ub_report_dictionary(false), page = {0};
    struct ub_text table = ub_report_dictionary(true);
    ub_text_add(&page,
                "# Columns\n\nWhat each column of the report's tables is, and each name of rows "
                "of traces (trace.csv.gz). A word in capitals stands for what differs: a "
                "law, a layer. [All laws](report.md). As a table: "
                "[dictionary.csv](dictionary.csv).\n\n");
    ub_text_append(&page, table.data, table.length);
    const bool good = write_text(folder, "dictionary.csv", &csv, err) &&
                      write_text(folder, "dictionary.md", &page, err);
    ub_text_free(&table);
    ub_text_free(&page);
    ub_text_free(&csv);
    return good;
}

bool ub_report_runs_csv(const struct ub_store *store, const char *path, struct ub_error *err)
{
    struct study *study = study_new(store, err);
    struct digest *digest = study ? digest_of(study) : NULL;
    const bool good = study && digest_write(digest, study, path, err);
    digest_free(digest);
    study_free(study);
    return good;
}

static bool write_page(const char *folder, const char *name, struct ub_text *page,
                       struct ub_error *err)
{
    const bool good = page->length == 0 || write_text(folder, name, page, err);
    ub_text_free(page);
    return good;
}

static bool write_explorer(const struct study *study, const struct digest *digest,
                           const char *folder, struct ub_error *err)
{
    char *path = ub_path(folder, "index.html");
    const bool good = explorer_write(study, digest, path, err);
    ub_free(path);
    return good;
}

/* report.md last: where it is, all is. */
static bool write_pages(const struct study *study, const struct plates *plates, const char *folder,
                        struct ub_error *err)
{
    struct ub_text page = {0};
    bool good = true;
    for (size_t i = 0; good && i < study->n_laws; i++) {
        char *name = page_law_name(study->laws[i]);
        page_law(&page, study, plates, study->laws[i]);
        good = write_page(folder, name, &page, err);
        ub_free(name);
    }
    page_topics(&page, study, plates);
    good = write_page(folder, "topics.md", &page, err) && good;
    page_runs(&page, study);
    good = write_page(folder, "runs.md", &page, err) && good;
    page_report(&page, study, plates);
    return write_page(folder, "report.md", &page, err) && good;
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
    struct digest *digest = digest_of(study);
    /* runs.csv first: it takes every trace, so one that cannot be read ends it here. */
    const bool good = digest_write(digest, study, runs, err) && page_draw(study, &plates, err) &&
                      write_spectra(study, folder, err) && write_laws(study, folder, err) &&
                      write_dictionary(folder, err) && series_write(study, folder, err) &&
                      ub_database_write(folder, tables, study, err) &&
                      write_explorer(study, digest, folder, err) &&
                      write_pages(study, &plates, folder, err);
    digest_free(digest);
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
