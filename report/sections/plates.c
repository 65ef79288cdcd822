/* Figures that a page will show, and tables that fold away. */
#include "report/sections/sections.h"

#include <string.h>

const double plate_inches[] = {3.25, 6.75};
const char *const plate_widths[] = {"1col", "2col"};

static bool print(const struct plates *p, const struct ub_figure *figure, const char *stem,
                  size_t parts[2], struct ub_error *err)
{
    bool good = true;
    for (int i = 0; good && i < 2; i++) {
        struct ub_text path = {0};
        ub_text_add(&path, "%s/%s-%s", p->folder, stem, plate_widths[i]);
        good = ub_figure_print(figure, path.data, plate_inches[i], p->notes, p->n_notes, &parts[i],
                               err);
        ub_text_free(&path);
    }
    return good;
}

bool plates_add(struct plates *p, struct ub_figure *figure, const char *stem, const char *title,
                const char *caption, struct ub_error *err)
{
    char *path = ub_path(p->folder, stem);
    size_t parts[2] = {1, 1};
    const bool good = p->print ? print(p, figure, stem, parts, err)
                               : ub_figure_save(figure, path, p->notes, p->n_notes, err);
    ub_free(path);
    ub_figure_free(figure);
    if (!good)
        return false;
    p->plate = ub_realloc(p->plate, (p->count + 1) * sizeof *p->plate);
    p->plate[p->count++] =
        (struct plate){ub_strdup(stem), ub_strdup(title), ub_strdup(caption),  p->section,
                       p->fold,         p->open,          {parts[0], parts[1]}};
    return true;
}

void plate_stem(char *stem)
{
    for (char *c = stem; *c; c++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.", *c))
            *c = '-';
}

char *plate_stem_of(const char *what, const char *name, size_t page)
{
    struct ub_text text = {0};
    ub_text_add(&text, "%s-%s", what, name);
    plate_stem(text.data);
    size_t n = 0;
    for (size_t i = 0; text.data[i]; i++)
        if (text.data[i] != '-' || (n > 0 && text.data[n - 1] != '-'))
            text.data[n++] = text.data[i];
    while (n > 0 && text.data[n - 1] == '-')
        n--;
    text.data[n] = '\0';
    text.length = n;
    if (page > 0)
        ub_text_add(&text, "-%zu", page + 1);
    return text.data;
}

void plates_free(struct plates *p)
{
    for (size_t i = 0; i < p->count; i++) {
        ub_free(p->plate[i].stem);
        ub_free(p->plate[i].title);
        ub_free(p->plate[i].caption);
    }
    ub_free(p->plate);
}

void add_fold_begin(struct ub_text *out, const char *summary)
{
    ub_text_add(out, "\n<details>\n<summary>%s</summary>\n\n", summary);
}

void add_fold_end(struct ub_text *out)
{
    ub_text_add(out, "\n</details>\n");
}

void add_table(struct ub_text *out, const struct table *t, const char *what)
{
    enum { MOST_UNFOLDED = 24 };
    struct ub_text summary = {0};
    const bool folded = table_rows(t) > MOST_UNFOLDED;
    ub_text_add(&summary, "%zu %s", table_rows(t), what);
    if (folded)
        add_fold_begin(out, summary.data);
    table_markdown(t, out);
    if (folded)
        add_fold_end(out);
    ub_text_free(&summary);
}
