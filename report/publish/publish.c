/* A report for papers, in a folder that is there whole or not at all. */
#define _GNU_SOURCE /* FTW_PHYS under gnu17 */
#include "report/publish/paper.h"
#include "report/report.h"

#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char list_name[] = "files.txt";

/* ---- what is there -------------------------------------------------------------------------- */

/* Files of a folder, sorted, without the folder's path; what LaTeX makes of main.tex left out. */
static bool list_files(const char *folder, struct labels *out, struct ub_error *err)
{
    char *roots[] = {(char *)folder, NULL};
    FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    const size_t n = strlen(folder);
    FTSENT *e;
    while (tree && (e = fts_read(tree)) != NULL) {
        if (e->fts_info == FTS_D || e->fts_info == FTS_DP)
            continue;
        const char *name = e->fts_path + n + 1;
        const bool made = strncmp(name, "main.", 5) == 0 && strcmp(name, "main.tex") != 0;
        if (!made)
            labels_add(out, name);
    }
    if (tree)
        fts_close(tree);
    return tree || ub_fail(err, UB_INPUT, "%s: %s", folder, strerror(errno));
}

static bool is_listed(const char *list, const char *name)
{
    const size_t n = strlen(name);
    for (const char *line = list; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
        if (strncmp(line, name, n) == 0 && (line[n] == '\n' || line[n] == '\0'))
            return true;
    return false;
}

/* Nothing but what an earlier publish wrote. */
static bool check_contents(const char *folder, struct ub_error *err)
{
    struct labels files = {0};
    char *path = ub_path(folder, list_name);
    char *list = ub_exists(path) ? ub_read_text(path, UINT64_C(1) << 28, NULL, err) : NULL;
    const bool ours = list && strncmp(list, paper_mark, strlen(paper_mark)) == 0;
    bool good = list_files(folder, &files, err);
    for (size_t i = 0; good && i < files.count; i++)
        good =
            (ours && (is_listed(list, files.text[i]) || strcmp(files.text[i], list_name) == 0)) ||
            ub_fail(err, UB_INPUT,
                    "--to %s: has %s, which publish did not write; expected a folder that is "
                    "not there, is empty or has what publish wrote",
                    folder, files.text[i]);
    ub_free(list);
    ub_free(path);
    labels_free(&files);
    return good;
}

static bool check_target(const char *folder, struct ub_error *err)
{
    struct stat s;
    if (stat(folder, &s) != 0)
        return errno == ENOENT || ub_fail(err, UB_INPUT, "--to %s: %s", folder, strerror(errno));
    if (!S_ISDIR(s.st_mode))
        return ub_fail(err, UB_INPUT, "--to %s: is a file; expected a folder", folder);
    return check_contents(folder, err);
}

/* ---- writing -------------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool write_list(const char *folder, struct ub_error *err)
{
    struct labels files = {0};
    struct ub_text text = {0};
    char *path = ub_path(folder, list_name);
    bool good = list_files(folder, &files, err);
    if (files.count > 1)
        qsort(files.text, files.count, sizeof *files.text, by_name);
    ub_text_add(&text, "%s\n", paper_mark);
    for (size_t i = 0; i < files.count; i++)
        ub_text_add(&text, "%s\n", files.text[i]);
    good = good && ub_write_file(path, text.data, text.length, err);
    ub_text_free(&text);
    labels_free(&files);
    ub_free(path);
    return good;
}

static bool write_paper(const struct study *study, const char *folder, struct ub_error *err)
{
    const struct ub_store *store = study->store;
    const char *version = store->count ? provenance_of(&store->runs[0], "unibench") : "";
    const char *commit = store->count ? provenance_of(&store->runs[0], "commit") : "";
    const struct ub_figure_note notes[] = {
        {"Software", "unibench"}, {"Version", version}, {"Commit", commit}};
    char *figures = ub_path(folder, "figures"), *tables = ub_path(folder, "tables");
    struct paper paper = {
        .study = study,
        .plates = {.folder = figures, .notes = notes, .n_notes = 3, .print = true},
        .folder = folder,
        .err = err,
    };
    paper_citations(&paper);
    const bool good = ub_make_folders(figures, err) && ub_make_folders(tables, err) &&
                      page_draw(study, &paper.plates, err) && ub_frame_good(study->frame, err) &&
                      paper_write(&paper) && write_list(folder, err);
    plates_free(&paper.plates);
    citations_clear(&paper.citations);
    ub_text_free(&paper.main);
    ub_free(figures);
    ub_free(tables);
    return good;
}

static bool move(const char *from, const char *to, struct ub_error *err)
{
    return rename(from, to) == 0 ||
           ub_fail(err, UB_INPUT, "%s: cannot become %s: %s", from, to, strerror(errno));
}

/* The new folder takes the old one's place, which is set aside until it has. */
static bool replace(const char *made, const char *folder, struct ub_error *err)
{
    struct ub_text aside = {0};
    struct stat s;
    if (stat(folder, &s) != 0)
        return move(made, folder, err);
    ub_text_add(&aside, "%s-before", made);
    bool good = move(folder, aside.data, err);
    if (good && !move(made, folder, err)) {
        (void)rename(aside.data, folder);
        good = false;
    }
    if (good)
        good = ub_remove_tree(aside.data, err);
    ub_text_free(&aside);
    return good;
}

/* The folder's path without '/' at its end and, where it is there, without links. Caller frees. */
static char *plain_path(const char *folder)
{
    char *real = realpath(folder, NULL), *out = ub_strdup(real ? real : folder);
    free(real);
    for (size_t n = strlen(out); n > 1 && out[n - 1] == '/'; n--)
        out[n - 1] = '\0';
    return out;
}

static bool make_parent(const char *folder, struct ub_error *err)
{
    char *parent = ub_strdup(folder), *slash = strrchr(parent, '/');
    if (slash)
        *slash = '\0';
    const bool good = !slash || slash == parent || ub_make_folders(parent, err);
    ub_free(parent);
    return good;
}

bool ub_report_publish(const struct ub_store *store, const char *folder, struct ub_error *err)
{
    char *to = plain_path(folder);
    struct ub_text made = {0};
    ub_text_add(&made, "%s.tmp-%ld", to, (long)getpid());
    struct study *study = check_target(to, err) ? study_new(store, err) : NULL;
    bool good = study && make_parent(to, err) && ub_make_folders(made.data, err) &&
                write_paper(study, made.data, err) && replace(made.data, to, err);
    struct ub_error ignored = {0};
    if (!good)
        (void)ub_remove_tree(made.data, &ignored);
    study_free(study);
    ub_text_free(&made);
    ub_free(to);
    return good;
}
