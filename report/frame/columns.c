/* Columns while they are filled, and their words in order. */
#define _GNU_SOURCE /* tdestroy */
#include "report/frame/columns.h"

#include <math.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

struct ub_cells {
    size_t rows, count;
    struct ub_column **column; /* in order of appearance */
    void *by_name;             /* tsearch's tree of struct ub_column */
    const char **word;         /* count x rows: interned */
    void *texts;               /* tsearch's tree of interned words */
    size_t room;
};

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const struct ub_column *)a)->name, ((const struct ub_column *)b)->name);
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(a, b);
}

struct ub_cells *ub_cells_new(size_t rows)
{
    struct ub_cells *cells = ub_calloc(1, sizeof *cells);
    cells->rows = rows;
    return cells;
}

static void *must(void *node)
{
    if (!node) { /* the library could not allocate: as our own allocations do */
        const struct ub_error err = {UB_INTERNAL, "out of memory"};
        exit(ub_report(&err));
    }
    return node;
}

static const char *intern(struct ub_cells *cells, const char *word)
{
    char **found = tfind(word, &cells->texts, compare_texts);
    return found ? *found : *(char **)must(tsearch(ub_strdup(word), &cells->texts, compare_texts));
}

static size_t add_column(struct ub_cells *cells, const char *name, enum ub_column_role role)
{
    if (cells->count == cells->room) {
        cells->room = cells->room ? 2 * cells->room : 64;
        cells->column = ub_realloc(cells->column, cells->room * sizeof *cells->column);
        cells->word = ub_realloc(cells->word, cells->room * cells->rows * sizeof *cells->word + 1);
    }
    struct ub_column *c = cells->column[cells->count] = ub_calloc(1, sizeof *c);
    c->name = ub_strdup(name);
    c->role = role;
    c->n_words = cells->count; /* its place, until the cells are finished */
    c->number = ub_calloc(cells->rows + 1, sizeof *c->number);
    for (size_t i = 0; i < cells->rows; i++) {
        c->number[i] = (double)NAN;
        cells->word[cells->count * cells->rows + i] = NULL;
    }
    must(tsearch(c, &cells->by_name, compare_names));
    return cells->count++;
}

static size_t place_of(struct ub_cells *cells, const char *name, enum ub_column_role role)
{
    const struct ub_column key = {.name = (char *)(uintptr_t)name};
    struct ub_column **found = tfind(&key, &cells->by_name, compare_names);
    return found ? (*found)->n_words : add_column(cells, name, role);
}

void ub_cells_word(struct ub_cells *cells, size_t row, const char *column, const char *word,
                   double number)
{
    const size_t place = place_of(cells, column, UB_COLUMN_AXIS);
    double read;
    cells->word[place * cells->rows + row] = intern(cells, word);
    if (isnan(number) && ub_read_real(word, &read))
        number = read;
    cells->column[place]->number[row] = number;
}

void ub_cells_alias(struct ub_cells *cells, size_t row, const char *column, const char *word)
{
    const size_t place = place_of(cells, column, UB_COLUMN_ALIAS);
    cells->word[place * cells->rows + row] = intern(cells, word);
}

void ub_cells_fact(struct ub_cells *cells, size_t row, const char *column, double number)
{
    const size_t place = place_of(cells, column, UB_COLUMN_FACT); /* may move the columns */
    cells->column[place]->number[row] = number;
}

/* ---- words in order -------------------------------------------------------------------------- */

static int compare_words(const void *a, const void *b)
{
    const char *x = *(char *const *)a, *y = *(char *const *)b;
    double u, v;
    if (x == y) /* interned */
        return 0;
    const bool is_u = ub_read_real(x, &u), is_v = ub_read_real(y, &v);
    if (is_u && is_v && u != v)
        return u < v ? -1 : 1;
    return is_u != is_v ? is_v - is_u : strcmp(x, y);
}

static void set_levels(struct ub_column *c, const char *const *word, size_t rows)
{
    c->words = ub_calloc(rows + 1, sizeof *c->words);
    c->level = ub_calloc(rows + 1, sizeof *c->level);
    size_t given = 0;
    for (size_t i = 0; i < rows; i++)
        if (word[i])
            c->words[given++] = (char *)(uintptr_t)word[i];
    qsort(c->words, given, sizeof *c->words, compare_words);
    c->n_words = 0;
    for (size_t i = 0; i < given; i++) /* interned: equal words are one pointer */
        if (i == 0 || c->words[i] != c->words[i - 1])
            c->words[c->n_words++] = c->words[i];
    for (size_t i = 0; i < rows; i++) {
        char **found =
            word[i] ? bsearch(&word[i], c->words, c->n_words, sizeof *c->words, compare_words)
                    : NULL;
        c->level[i] = found ? (int)(found - c->words) : -1;
    }
    for (size_t i = 0; i < c->n_words; i++)
        c->words[i] = ub_strdup(c->words[i]);
}

static int compare_columns(const void *a, const void *b)
{
    const struct ub_column *x = *(struct ub_column *const *)a, *y = *(struct ub_column *const *)b;
    if (x->role != y->role)
        return x->role < y->role ? -1 : 1;
    return x->role == UB_COLUMN_FACT ? strcmp(x->name, y->name) : (x->n_words > y->n_words) * 2 - 1;
}

static void keep(void *node)
{
    (void)node;
}

struct ub_column *ub_cells_finish(struct ub_cells *cells, size_t *count)
{
    struct ub_column *out = ub_calloc(cells->count + 1, sizeof *out);
    *count = cells->count;
    tdestroy(cells->by_name, keep);
    if (cells->count)
        qsort(cells->column, cells->count, sizeof *cells->column, compare_columns);
    for (size_t i = 0; i < cells->count; i++) {
        struct ub_column *c = cells->column[i];
        const size_t place = c->n_words;
        c->n_words = 0;
        if (c->role != UB_COLUMN_FACT)
            set_levels(c, cells->word + place * cells->rows, cells->rows);
        out[i] = *c;
        ub_free(c);
    }
    tdestroy(cells->texts, ub_free);
    ub_free(cells->column);
    ub_free(cells->word);
    ub_free(cells);
    return out;
}

void ub_columns_free(struct ub_column *column, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < column[i].n_words; k++)
            ub_free(column[i].words[k]);
        ub_free(column[i].words);
        ub_free(column[i].level);
        ub_free(column[i].number);
        ub_free(column[i].name);
    }
    ub_free(column);
}
