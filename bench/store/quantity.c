#include "bench/store/quantity.h"

#include <string.h>

static const char capitals[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

bool ub_quantity_fits(const struct ub_quantity *quantity, const char *name, const char **word,
                      size_t *length)
{
    const char first = *quantity->name;
    if (first != *name && !(first >= 'A' && first <= 'Z'))
        return false; /* nearly all: tables are walked for every number of a store */
    const size_t before = strcspn(quantity->name, capitals);
    if (strncmp(quantity->name, name, before) != 0)
        return false;
    const char *after = quantity->name + before + strspn(quantity->name + before, capitals);
    const size_t given = strlen(name), rest = strlen(after);
    const bool has_word = quantity->name[before] != '\0';
    if (has_word ? given <= before + rest : given != before)
        return false;
    if (strcmp(name + given - rest, after) != 0)
        return false;
    if (word)
        *word = name + before;
    if (length)
        *length = given - before - rest;
    return true;
}

const struct ub_quantity *ub_quantity_find(const struct ub_quantity *table, const char *name)
{
    for (const struct ub_quantity *q = table; q && q->name; q++)
        if (ub_quantity_fits(q, name, NULL, NULL))
            return q;
    return NULL;
}
