/* packed.c - which arrays are packed weights, and which their scales; see packed.h. */
#include "bench/arrays/packed.h"

#include "bench/arrays/quantized.h"

#include <stdlib.h>
#include <string.h>

/* Where the mark between the name of what is scaled and the word for its scale is: before "scales"
 * in l.scales and w_scales; -1: not named like a scale. A word alone is of the nameless module. */
static ptrdiff_t mark_of(const char *name)
{
    static const char *const words[] = {"scale",  "scale_inv", "scale_weight", "scales",
                                        "qzeros", "biases",    "zero_point",   "SCB"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const size_t n = strlen(name), k = strlen(words[i]);
        if (n < k || strcmp(name + n - k, words[i]) != 0)
            continue;
        if (n == k)
            return 0;
        const char mark = name[n - k - 1];
        if (mark == '.' || (mark == '_' && strcmp(words[i], "biases") != 0))
            return (ptrdiff_t)(n - k) - 1;
    }
    return -1;
}

static bool is_weight(const char *word)
{
    static const char *const words[] = {"weight", "qweight", "weight_packed", "blocks", "W_q"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(word, words[i]) == 0)
            return true;
    return false;
}

/* Whether the array called `packed` is what the scale's name, with its mark there, says. */
static bool belongs(const char *packed, const char *scale, size_t mark)
{
    if (strncmp(packed, scale, mark) != 0)
        return false;
    const char *rest = packed + mark;
    if (scale[mark] == '.') /* l.scales: of l.weight, or l alone */
        return !*rest || (*rest == '.' && is_weight(rest + 1));
    if (scale[mark] == '_') /* w_scale: of w, w_packed */
        return !*rest || (*rest == '_' && !strchr(rest, '.'));
    return is_weight(rest);
}

static int by_name(const void *a, const void *b)
{
    const struct ub_packed_array *x = a, *y = b;
    return strcmp(x->name, y->name);
}

/* Index of the first array whose name is not before the first `length` bytes of `stem`. */
static size_t first_from(const struct ub_packed *p, const char *stem, size_t length)
{
    size_t low = 0, high = p->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (strncmp(p->list[middle].name, stem, length) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void ub_packed_note(struct ub_packed *p, const struct ub_array *a)
{
    if (mark_of(a->name) >= 0) {
        p->scales = ub_realloc(p->scales, (p->n_scales + 1) * sizeof *p->scales);
        p->scales[p->n_scales++] = ub_strdup(a->name);
    } else if (a->kind == UB_ARRAY_OTHER && a->rank >= 2) {
        p->list = ub_realloc(p->list, (p->count + 1) * sizeof *p->list);
        p->list[p->count++] =
            (struct ub_packed_array){.name = ub_strdup(a->name), .type = ub_strdup(a->type)};
    }
}

/* Names with one beginning are neighbors, so that a file of many arrays is matched quickly. */
void ub_packed_match(struct ub_packed *p)
{
    if (p->count > 0)
        qsort(p->list, p->count, sizeof *p->list, by_name);
    for (size_t i = 0; i < p->n_scales; i++) {
        const char *scale = p->scales[i];
        const size_t mark = (size_t)mark_of(scale);
        for (size_t k = first_from(p, scale, mark);
             k < p->count && strncmp(p->list[k].name, scale, mark) == 0; k++)
            p->list[k].packed = p->list[k].packed || belongs(p->list[k].name, scale, mark);
    }
}

bool ub_packed_scale(const struct ub_packed *p, const char *name)
{
    const ptrdiff_t mark = mark_of(name);
    if (mark < 0)
        return false;
    for (size_t k = first_from(p, name, (size_t)mark);
         k < p->count && strncmp(p->list[k].name, name, (size_t)mark) == 0; k++)
        if (belongs(p->list[k].name, name, (size_t)mark))
            return true;
    return false;
}

void ub_packed_clear(struct ub_packed *p)
{
    for (size_t i = 0; i < p->count; i++) {
        ub_free(p->list[i].name);
        ub_free(p->list[i].type);
    }
    for (size_t i = 0; i < p->n_scales; i++)
        ub_free(p->scales[i]);
    ub_free(p->list);
    ub_free(p->scales);
    *p = (struct ub_packed){0};
}
