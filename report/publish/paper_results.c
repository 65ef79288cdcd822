/* The results themselves: runs.csv, and how it and the program are cited. */
#include "report/digest/digest.h"
#include "report/publish/paper.h"
#include "report/tables/latex.h"

#include <stdlib.h>
#include <string.h>

static bool write_runs(const struct paper *paper, const char *path)
{
    struct digest *digest = digest_of(paper->study);
    const bool good = digest_write(digest, paper->study, path, paper->err);
    digest_free(digest);
    return good;
}

/* The year of the last run, as provenance has it, "2026-..."; 0 where no run says. */
static int last_year(const struct ub_store *store)
{
    int year = 0;
    for (size_t i = 0; i < store->count; i++) {
        const char *date = provenance_of(&store->runs[i], "date");
        const int of_run = strspn(date, "0123456789") == 4 ? (int)strtol(date, NULL, 10) : 0;
        year = of_run > year ? of_run : year;
    }
    return year;
}

/* "unibench 0.1.0, commit abc": what measured the first run. */
static void add_program(struct ub_text *bib, const struct ub_store *store)
{
    ub_text_add(bib, "unibench ");
    latex_add_unbroken(bib, provenance_of(&store->runs[0], "unibench"));
    ub_text_add(bib, ", commit ");
    latex_add_unbroken(bib, provenance_of(&store->runs[0], "commit"));
}

static void add_entries(struct ub_text *bib, const struct study *study, const char *sha256)
{
    const struct ub_store *store = study->store;
    const int year = last_year(store);
    ub_text_add(bib, "@misc{unibench,\n  author = {{The unibench developers}},\n"
                     "  title = {{unibench: a measuring instrument for the mechanics of deep "
                     "learning}}");
    if (store->count > 0) {
        ub_text_add(bib, ",\n  howpublished = {");
        add_program(bib, store);
        ub_text_add(bib, "}");
    }
    ub_text_add(bib, "\n}\n\n");
    ub_text_add(bib, "The author of results is who made the runs: add the name.\n"
                     "@misc{results,\n  key = {results},\n");
    ub_text_add(bib, "  title = {{Results of %zu run%s of %zu system%s}}", store->count,
                store->count == 1 ? "" : "s", study->systems.count,
                study->systems.count == 1 ? "" : "s");
    if (year > 0)
        ub_text_add(bib, ",\n  year = {%d}", year);
    ub_text_add(bib, ",\n  howpublished = {runs.csv, SHA-256 %.16s...},\n  sha256 = {%s}\n}\n\n",
                sha256, sha256);
}

bool paper_results(struct paper *paper, struct ub_text *bib)
{
    char *path = ub_path(paper->folder, "runs.csv"), sha256[UB_SHA256_TEXT];
    const bool good = write_runs(paper, path) && ub_sha256_file(path, sha256, paper->err);
    if (good) {
        add_entries(bib, paper->study, sha256);
        ub_text_add(&paper->main,
                    "\nEach run is a row of \\texttt{runs.csv} \\cite{results}, made by unibench "
                    "\\cite{unibench}.\n");
    }
    ub_free(path);
    return good;
}
