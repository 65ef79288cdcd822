/* Text and tables one after the other, which pages write in their own notation. */
#include "report/sections/sections.h"

static struct piece *add(struct pieces *p)
{
    p->piece = ub_realloc(p->piece, (p->count + 1) * sizeof *p->piece);
    p->piece[p->count] = (struct piece){0};
    return &p->piece[p->count++];
}

void pieces_heading(struct pieces *p, const char *heading)
{
    add(p)->heading = ub_strdup(heading);
}

void pieces_text(struct pieces *p, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    const int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    char *text = ub_calloc((size_t)length + 1, 1);
    vsnprintf(text, (size_t)length + 1, format, arguments);
    va_end(arguments);
    add(p)->text = text;
}

void pieces_table(struct pieces *p, struct table *table, const char *rows)
{
    if (table_rows(table) == 0) {
        table_free(table);
        return;
    }
    *add(p) = (struct piece){.table = table, .rows = rows};
}

void pieces_free(struct pieces *p)
{
    for (size_t i = 0; i < p->count; i++) {
        ub_free(p->piece[i].heading);
        ub_free(p->piece[i].text);
        table_free(p->piece[i].table);
    }
    ub_free(p->piece);
    *p = (struct pieces){0};
}

static void add_markdown(struct ub_text *out, const struct piece *p)
{
    if (p->heading)
        ub_text_add(out, "\n### %s\n", p->heading);
    if (p->text)
        ub_text_add(out, "\n%s\n", p->text);
    if (p->table)
        ub_text_add(out, "\n");
    if (p->table && p->rows)
        add_table(out, p->table, p->rows);
    else if (p->table)
        table_markdown(p->table, out);
}

void pieces_markdown(const struct pieces *p, struct ub_text *out)
{
    for (size_t i = 0; i < p->count; i++)
        add_markdown(out, &p->piece[i]);
}
