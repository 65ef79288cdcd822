/* Selections, orders and groups of a frame's rows. */
#define _GNU_SOURCE /* qsort_r */
#include "report/frame/factor.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void ub_rows_clear(struct ub_rows *rows)
{
    ub_free(rows->row);
    *rows = (struct ub_rows){0};
}

static struct ub_rows copy(const struct ub_frame *frame, const struct ub_rows *rows)
{
    struct ub_rows out = {.count = rows ? rows->count : frame->rows};
    out.row = ub_calloc(out.count + 1, sizeof *out.row);
    for (size_t i = 0; i < out.count; i++)
        out.row[i] = rows ? rows->row[i] : i;
    return out;
}

struct ub_rows ub_frame_where(const struct ub_frame *frame, const struct ub_rows *rows,
                              bool (*wanted)(const struct ub_frame *frame, size_t row,
                                             const void *context),
                              const void *context)
{
    struct ub_rows out = copy(frame, rows);
    size_t kept = 0;
    for (size_t i = 0; i < out.count; i++)
        if (wanted(frame, out.row[i], context))
            out.row[kept++] = out.row[i];
    out.count = kept;
    return out;
}

/* ---- order ------------------------------------------------------------------------------------
 */

struct placed {
    size_t row, place;
};

static int compare_placed(const void *a, const void *b, void *context)
{
    const struct placed *x = a, *y = b;
    const double *number = context;
    const double u = number[x->row], v = number[y->row];
    if (isnan(u) != isnan(v))
        return isnan(u) - isnan(v);
    if (u < v || u > v)
        return u < v ? -1 : 1;
    return x->place < y->place ? -1 : x->place > y->place;
}

struct ub_rows ub_frame_sort(const struct ub_frame *frame, const struct ub_rows *rows,
                             const char *column)
{
    struct ub_rows out = copy(frame, rows);
    const struct ub_column *c = ub_frame_column(frame, column);
    if (!c || out.count < 2)
        return out;
    struct placed *placed = ub_calloc(out.count, sizeof *placed);
    for (size_t i = 0; i < out.count; i++)
        placed[i] = (struct placed){out.row[i], i};
    qsort_r(placed, out.count, sizeof *placed, compare_placed, c->number);
    for (size_t i = 0; i < out.count; i++)
        out.row[i] = placed[i].row;
    ub_free(placed);
    return out;
}

/* ---- groups -----------------------------------------------------------------------------------
 */

static bool is_named(const char *column, const char *pattern)
{
    const size_t length = strlen(pattern);
    if (length > 2 && strcmp(pattern + length - 2, ".*") == 0)
        return strncmp(column, pattern, length - 1) == 0;
    return strcmp(column, pattern) == 0 || (strncmp(column, pattern, length) == 0 &&
                                            column[length] == '.' && !strchr(pattern, '.'));
}

static bool may_vary(const char *column, const char *const *within)
{
    if (strcmp(column, "seed") == 0 || strcmp(column, "data-seed") == 0)
        return true;
    for (; within && *within; within++)
        if (is_named(column, *within))
            return true;
    return false;
}

static bool is_one_of(const char *column, const char *const *patterns)
{
    for (; *patterns; patterns++)
        if (strcmp(column, *patterns) == 0 ||
            (strchr(*patterns, '.') && is_named(column, *patterns)))
            return true;
    return false;
}

struct key { /* the axes that must be equal */
    size_t count;
    const int **level;
};

/* All but `within`, or, where it is given, all of `by`. */
static struct key key_of(const struct ub_frame *frame, const char *const *within,
                         const char *const *by)
{
    struct key key = {.level = ub_calloc(frame->columns + 1, sizeof *key.level)};
    for (size_t i = 0; i < frame->columns; i++) {
        const struct ub_column *c = &frame->column[i];
        const bool in = by ? is_one_of(c->name, by) : !may_vary(c->name, within);
        if (c->role == UB_COLUMN_AXIS && in)
            key.level[key.count++] = c->level;
    }
    return key;
}

static int compare_keys(const struct key *key, size_t a, size_t b)
{
    for (size_t i = 0; i < key->count; i++)
        if (key->level[i][a] != key->level[i][b])
            return key->level[i][a] < key->level[i][b] ? -1 : 1;
    return 0;
}

static int compare_rows(const void *a, const void *b, void *context)
{
    const struct placed *x = a, *y = b;
    const int order = compare_keys(context, x->row, y->row);
    return order ? order : x->place < y->place ? -1 : x->place > y->place;
}

struct stretch { /* of sorted rows: one group */
    size_t first, count, place;
};

static int compare_stretches(const void *a, const void *b)
{
    const struct stretch *x = a, *y = b;
    return x->place < y->place ? -1 : x->place > y->place;
}

/* Takes the key over. */
static struct ub_groups group_by_key(const struct ub_frame *frame, const struct ub_rows *rows,
                                     struct key key)
{
    struct ub_rows all = copy(frame, rows);
    struct placed *sorted = ub_calloc(all.count + 1, sizeof *sorted);
    struct stretch *stretch = ub_calloc(all.count + 1, sizeof *stretch);
    struct ub_groups out = {0};
    for (size_t i = 0; i < all.count; i++)
        sorted[i] = (struct placed){all.row[i], i};
    if (all.count)
        qsort_r(sorted, all.count, sizeof *sorted, compare_rows, &key);
    for (size_t i = 0; i < all.count; i++) {
        if (i == 0 || compare_keys(&key, sorted[i - 1].row, sorted[i].row) != 0)
            stretch[out.count++] = (struct stretch){.first = i, .place = sorted[i].place};
        stretch[out.count - 1].count++;
    }
    if (out.count)
        qsort(stretch, out.count, sizeof *stretch, compare_stretches);
    out.group = ub_calloc(out.count + 1, sizeof *out.group);
    for (size_t g = 0; g < out.count; g++) {
        out.group[g].count = stretch[g].count;
        out.group[g].row = ub_calloc(stretch[g].count, sizeof *out.group[g].row);
        for (size_t k = 0; k < stretch[g].count; k++)
            out.group[g].row[k] = sorted[stretch[g].first + k].row;
    }
    ub_free(stretch);
    ub_free(sorted);
    ub_free(key.level);
    ub_rows_clear(&all);
    return out;
}

struct ub_groups ub_frame_group(const struct ub_frame *frame, const struct ub_rows *rows,
                                const char *const *within)
{
    return group_by_key(frame, rows, key_of(frame, within, NULL));
}

struct ub_groups ub_frame_group_by(const struct ub_frame *frame, const struct ub_rows *rows,
                                   const char *const *by)
{
    return group_by_key(frame, rows, key_of(frame, NULL, by));
}

void ub_groups_clear(struct ub_groups *groups)
{
    for (size_t i = 0; i < groups->count; i++)
        ub_rows_clear(&groups->group[i]);
    ub_free(groups->group);
    *groups = (struct ub_groups){0};
}

/* ---- pivot ------------------------------------------------------------------------------------
 */

/* The words of an axis that these rows have, and each word's index among them (-1: none). */
static size_t words_of(const struct ub_column *c, const struct ub_rows *rows, const char **words,
                       int *index)
{
    size_t n = 0;
    for (size_t w = 0; w < c->n_words; w++)
        index[w] = -1;
    for (size_t i = 0; i < rows->count; i++)
        if (c->level[rows->row[i]] >= 0)
            index[c->level[rows->row[i]]] = 0;
    for (size_t w = 0; w < c->n_words; w++)
        if (index[w] == 0) {
            words[n] = c->words[w];
            index[w] = (int)n++;
        }
    return n;
}

static void add_row(struct ub_rows *rows, size_t row)
{
    rows->row = ub_realloc(rows->row, (rows->count + 1) * sizeof *rows->row);
    rows->row[rows->count++] = row;
}

struct ub_pivot ub_frame_pivot(const struct ub_frame *frame, const struct ub_rows *rows,
                               const char *row_axis, const char *column_axis)
{
    const struct ub_column *r = ub_frame_column(frame, row_axis);
    const struct ub_column *c = ub_frame_column(frame, column_axis);
    struct ub_pivot p = {0};
    if (!r || !c || !r->level || !c->level)
        return p;
    struct ub_rows all = copy(frame, rows);
    int *row_index = ub_calloc(r->n_words + 1, sizeof *row_index);
    int *column_index = ub_calloc(c->n_words + 1, sizeof *column_index);
    p.row_word = ub_calloc(r->n_words + 1, sizeof *p.row_word);
    p.column_word = ub_calloc(c->n_words + 1, sizeof *p.column_word);
    p.n_rows = words_of(r, &all, p.row_word, row_index);
    p.n_columns = words_of(c, &all, p.column_word, column_index);
    p.cell = ub_calloc(p.n_rows * p.n_columns + 1, sizeof *p.cell);
    for (size_t i = 0; i < all.count; i++) {
        const int a = r->level[all.row[i]], b = c->level[all.row[i]];
        if (a >= 0 && b >= 0)
            add_row(&p.cell[(size_t)row_index[a] * p.n_columns + (size_t)column_index[b]],
                    all.row[i]);
    }
    ub_free(row_index);
    ub_free(column_index);
    ub_rows_clear(&all);
    return p;
}

void ub_pivot_clear(struct ub_pivot *pivot)
{
    for (size_t i = 0; i < pivot->n_rows * pivot->n_columns; i++)
        ub_rows_clear(&pivot->cell[i]);
    ub_free(pivot->cell);
    ub_free(pivot->row_word);
    ub_free(pivot->column_word);
    *pivot = (struct ub_pivot){0};
}
