/* main.tex: the report as a document, law by law. */
#include "report/publish/paper.h"
#include "report/sections/board.h"
#include "report/tables/latex.h"

#include <string.h>

const char paper_mark[] = "Written by unibench publish, which replaces these files and no others:";

/* ---- tables --------------------------------------------------------------------------------- */

static bool write_table(const struct paper *paper, const char *name, const char *extension,
                        const struct ub_text *text)
{
    struct ub_text path = {0};
    ub_text_add(&path, "%s/tables/%s.%s", paper->folder, name, extension);
    const bool good = ub_write_file(path.data, text->data, text->length, paper->err);
    ub_text_free(&path);
    return good;
}

bool paper_table(struct paper *paper, struct table *t, const char *name, const char *caption,
                 const char *note)
{
    if (!t || table_rows(t) == 0) {
        table_free(t);
        return true;
    }
    struct ub_text csv = {0}, markdown = {0}, latex = {0};
    const struct latex_table what = {.label = name, .caption = caption, .note = note};
    table_csv(t, &csv);
    ub_text_add(&markdown, "%s\n\n", caption);
    table_markdown(t, &markdown);
    if (note)
        ub_text_add(&markdown, "\n%s\n", note);
    table_latex(t, &what, &latex);
    ub_text_add(&paper->main, "\\input{tables/%s}\n", name);
    paper->tables++;
    const bool good = write_table(paper, name, "csv", &csv) &&
                      write_table(paper, name, "md", &markdown) &&
                      write_table(paper, name, "tex", &latex);
    ub_text_free(&csv);
    ub_text_free(&markdown);
    ub_text_free(&latex);
    table_free(t);
    return good;
}

/* ---- text ----------------------------------------------------------------------------------- */

static void add_heading(struct paper *paper, const char *command, const char *text)
{
    ub_text_add(&paper->main, "\n\\%s{", command);
    latex_add(&paper->main, text);
    ub_text_add(&paper->main, "}\n");
}

static void add_paragraph(struct paper *paper, const char *markdown)
{
    ub_text_add(&paper->main, "\n");
    latex_add_markdown(&paper->main, markdown);
    ub_text_add(&paper->main, "\n");
}

/* ---- figures -------------------------------------------------------------------------------- */

static void add_parts(struct ub_text *out, const struct plate *p, int width)
{
    for (size_t k = 0; k < p->parts[width]; k++) {
        ub_text_add(out, "  \\ubfigure{figures/%s-%s", p->stem, plate_widths[width]);
        if (p->parts[width] > 1)
            ub_text_add(out, "-%zu", k + 1);
        ub_text_add(out, "}{");
        if (k == 0) {
            ub_text_add(out, "\\textbf{");
            latex_add_markdown(out, p->title);
            ub_text_add(out, "} ");
            latex_add_markdown(out, p->caption);
        } else {
            latex_add_markdown(out, p->title);
            ub_text_add(out, " (part %zu of %zu).", k + 1, p->parts[width]);
        }
        ub_text_add(out, "}\n");
    }
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static size_t add_figures(struct paper *paper, const char *section)
{
    size_t n = 0;
    for (size_t i = 0; i < paper->plates.count; i++) {
        const struct plate *p = &paper->plates.plate[i];
        if (!same_text(p->section, section))
            continue;
        ub_text_add(&paper->main, "\\ifdefined\\onecolumnfigures\n");
        add_parts(&paper->main, p, 0);
        ub_text_add(&paper->main, "\\else\n");
        add_parts(&paper->main, p, 1);
        ub_text_add(&paper->main, "\\fi\n");
        n++;
    }
    return n;
}

/* ---- sections ------------------------------------------------------------------------------- */

/* Pieces: a paragraph right before a table is its caption. */
static bool add_pieces(struct paper *paper, const struct ub_section *section,
                       const struct pieces *pieces)
{
    bool good = true;
    size_t tables = 0;
    const char *heading = section->title;
    for (size_t i = 0; good && i < pieces->count; i++) {
        struct piece *p = &pieces->piece[i];
        if (p->heading) {
            add_heading(paper, "subsection", p->heading);
            heading = p->heading;
        } else if (p->table) {
            struct ub_text name = {0}, caption = {0};
            const char *before = i > 0 ? pieces->piece[i - 1].text : NULL;
            const size_t n = before ? strlen(before) : 0;
            const bool names_it = n > 1 && n < 80 && before[n - 1] == ':';
            ub_text_add(&name, "%s-%zu", section->name, ++tables);
            ub_text_add(&caption, "%s", heading);
            if (names_it)
                ub_text_add(&caption, ": %.*s", (int)n - 1, before);
            good = paper_table(paper, p->table, name.data, caption.data, NULL);
            p->table = NULL;
            ub_text_free(&name);
            ub_text_free(&caption);
        } else {
            add_paragraph(paper, p->text);
        }
    }
    return good;
}

static bool add_section(struct paper *paper, const struct ub_section *section)
{
    struct table *t = section->table ? section->table(paper->study) : NULL;
    struct pieces pieces = {0};
    if (section->write)
        section->write(&pieces, paper->study);
    bool good = paper_table(paper, t, section->name, section->title, section->text);
    good = good && add_pieces(paper, section, &pieces);
    pieces_free(&pieces);
    return good;
}

static bool add_board(struct paper *paper)
{
    const struct study *study = paper->study;
    const struct board board = {study->frame, study->n_laws, study->laws};
    add_heading(paper, "section", page_board);
    if (study->n_laws == 0)
        add_paragraph(paper, "No law is about what these runs measured.");
    const bool good = paper_table(
        paper, scoreboard_table(&board, true), "scoreboard", "All laws.",
        "Meet it: systems (groups of runs) that meet the law, of those that have a value or count "
        "against it, of those that it is about. Value: mean over systems with its 95% interval. A "
        "verdict with a q beside it is drawn alone, and not at a false-discovery rate of 5% over "
        "all laws.");
    add_figures(paper, page_board);
    return good;
}

static bool add_law_tables(struct paper *paper, const struct ub_law_verdict *v)
{
    const struct ub_law *law = v->law;
    struct ub_text name = {0}, caption = {0};
    ub_text_add(&name, "law-%s", law->name);
    ub_text_add(&caption, "%s: %s, by group of runs.", law->name, law->quantity);
    bool good = paper_table(paper, group_table(v, true), name.data, caption.data,
                            "Value with its 95% interval; meets it: where a group has no value, "
                            "why; control: what it has to come out as.");
    if (good && v->level && v->groups.count > 0) {
        ub_text_add(&name, "-summary");
        ub_text_free(&caption);
        ub_text_add(&caption, "%s: by optimizer, dataset and loss.", law->name);
        good = paper_table(paper, summary_table(paper->study, v), name.data, caption.data, NULL);
    }
    ub_text_free(&name);
    ub_text_free(&caption);
    return good;
}

static bool add_law(struct paper *paper, const struct ub_law_verdict *v)
{
    const struct ub_law *law = v->law;
    struct ub_text text = {0}, key = {0};
    ub_text_add(&key, "law:%s", law->name);
    add_heading(paper, "section", law->name);
    add_verdict(&text, v, true);
    add_verdict_details(&text, v);
    add_paragraph(paper, text.data);
    ub_text_free(&text);
    ub_text_add(&text, "%s.%s%s%s Of: %s. Margin: %s.", law->quantity, law->formula ? " `" : "",
                law->formula ? law->formula : "", law->formula ? "`." : "", law->who, law->because);
    add_paragraph(paper, text.data);
    citations_cite(&paper->citations, key.data, &paper->main);
    ub_text_add(&paper->main, "\n\n");
    ub_text_free(&text);
    ub_text_free(&key);
    add_figures(paper, law->name);
    bool good = add_law_tables(paper, v);
    for (size_t i = 0; good && ub_sections[i]; i++)
        if (section_verdict(ub_sections[i], paper->study) == v)
            good = add_section(paper, ub_sections[i]);
    return good;
}

static bool is_law(const struct study *study, const char *section)
{
    for (size_t i = 0; i < study->n_laws; i++)
        if (strcmp(study->laws[i]->law->name, section) == 0)
            return true;
    return false;
}

/* What was measured and is no law's. */
static bool add_topics(struct paper *paper)
{
    struct labels done = {0};
    bool good = true;
    labels_add(&done, page_board);
    for (size_t i = 0; i < paper->plates.count; i++) {
        const char *section = paper->plates.plate[i].section;
        const char *heading = section ? section : "Figures";
        const size_t before = done.count;
        if ((section && is_law(paper->study, section)) || labels_add(&done, heading) != before)
            continue;
        add_heading(paper, "section", heading);
        add_figures(paper, section);
    }
    labels_free(&done);
    for (size_t i = 0; good && ub_sections[i]; i++)
        if (!section_verdict(ub_sections[i], paper->study))
            good = add_section(paper, ub_sections[i]);
    return good;
}

/* ---- the document --------------------------------------------------------------------------- */

static const char preamble[] =
    "% pdflatex main; bibtex main; pdflatex main; pdflatex main\n"
    "% Figures one column wide: pdflatex '\\def\\onecolumnfigures{}\\input{main}'\n"
    "\\documentclass[10pt]{article}\n"
    "\\usepackage[T1]{fontenc}\n"
    "\\usepackage[utf8]{inputenc}\n"
    "\\usepackage{lmodern}\n"
    "\\usepackage[letterpaper,textwidth=6.75in,textheight=9in]{geometry}\n"
    "\\usepackage{graphicx,array,booktabs,longtable,siunitx,textcomp,caption}\n"
    "\\usepackage[hidelinks]{hyperref}\n"
    "\\captionsetup{font=small,labelfont=bf,hypcap=false}\n"
    "\\setlength{\\emergencystretch}{3em}\n"
    "\\sloppy\n"
    /* A figure that leaves its caption no room on a page has it on the next. */
    "\\newsavebox{\\ubpicture}\\newsavebox{\\ubtext}\\newdimen\\ubheight\n"
    "\\newcommand{\\ubcaption}[1]{\\begin{minipage}{\\linewidth}\\captionof{figure}{#1}%\n"
    "  \\end{minipage}}\n"
    "\\newcommand{\\ubfigure}[2]{\\par\\medskip\\sbox{\\ubpicture}{\\includegraphics{#1}}%\n"
    "  \\setbox\\ubtext\\vbox{\\hsize\\linewidth\\small\\noindent Figure 000: #2\\par}%\n"
    "  \\ubheight=\\ht\\ubpicture\\advance\\ubheight\\ht\\ubtext\\advance\\ubheight "
    "4\\baselineskip\n"
    "  "
    "\\ifdim\\ubheight>\\textheight{\\centering\\usebox{\\ubpicture}\\par}\\noindent\\ubcaption{#2}"
    "%\n"
    "  \\else\\noindent\\begin{minipage}{\\linewidth}\\centering\\usebox{\\ubpicture}%\n"
    "    \\captionof{figure}{#2}\\end{minipage}\\fi\\par\\medskip}\n"
    "\\title{unibench report}\n";

static void add_start(struct paper *paper)
{
    const struct ub_store *store = paper->study->store;
    ub_text_add(&paper->main, "%s\\author{", preamble);
    ub_text_add(&paper->main, "%zu runs of %zu systems", store->count, paper->study->systems.count);
    if (store->count > 0) {
        ub_text_add(&paper->main, "\\\\unibench ");
        latex_add(&paper->main, provenance_of(&store->runs[0], "unibench"));
        ub_text_add(&paper->main, ", commit ");
        latex_add(&paper->main, provenance_of(&store->runs[0], "commit"));
    }
    ub_text_add(&paper->main, "}\n\\date{}\n\\begin{document}\n\\maketitle\n");
    char *notice = ub_store_notice(store);
    if (notice)
        add_paragraph(paper, notice);
    ub_free(notice);
}

static bool write_text(const struct paper *paper, const char *name, const struct ub_text *text)
{
    char *path = ub_path(paper->folder, name);
    const bool good = ub_write_file(path, text->data ? text->data : "", text->length, paper->err);
    ub_free(path);
    return good;
}

bool paper_write(struct paper *paper)
{
    struct ub_text bib = {0};
    add_start(paper);
    bool good = add_board(paper);
    for (size_t i = 0; good && i < paper->study->n_laws; i++)
        good = add_law(paper, paper->study->laws[i]);
    good = good && add_topics(paper);
    if (good)
        add_heading(paper, "section", "Runs");
    good = good && paper_results(paper, &bib) &&
           paper_table(paper, status_table(paper->study), "runs", "How runs ended.", NULL);
    citations_bibtex(&paper->citations, &bib);
    citations_list(&paper->citations, &paper->main);
    ub_text_add(&paper->main, "\\bibliographystyle{plain}\n\\bibliography{references}\n"
                              "\\end{document}\n");
    good = good && write_text(paper, "references.bib", &bib) &&
           write_text(paper, "main.tex", &paper->main);
    ub_text_free(&bib);
    return good;
}
