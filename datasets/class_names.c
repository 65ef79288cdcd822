/* What a source calls its classes, and the option `classes` that picks some of them. */
#include "datasets/csv_file.h"

#include <string.h>

void ub_class_names_set(struct ub_dataset *d, const char *const *names)
{
    d->class_names = ub_calloc((size_t)d->outputs + 1, sizeof *d->class_names);
    for (int64_t k = 0; k < d->outputs; k++)
        d->class_names[k] = ub_strdup(names[k]);
}

void ub_class_names_free(struct ub_dataset *d)
{
    for (int64_t k = 0; d->class_names && k < d->outputs; k++)
        ub_free(d->class_names[k]);
    ub_free(d->class_names);
    d->class_names = NULL;
}

static const struct ub_number_style plain = {.decimal = '.'};

/* Whether the source's names are numbers: these are then meant, not places in their order. */
static bool named_by_numbers(const struct ub_dataset *d)
{
    for (int64_t k = 0; d->class_names && k < d->outputs; k++)
        if (!ub_read_label(d->class_names[k], plain).number)
            return false;
    return d->class_names != NULL;
}

static bool unknown(const struct ub_dataset *d, const char *where, const char *text,
                    struct ub_error *err)
{
    enum { SHOWN = 12 };
    struct ub_text known = {0};
    if (!d->class_names)
        ub_text_add(&known, "0 to %lld", (long long)d->outputs - 1);
    for (int64_t k = 0; d->class_names && k < d->outputs && k < SHOWN; k++)
        ub_text_add(&known, "%s%s", k ? ", " : "one of ", d->class_names[k]);
    if (d->class_names && d->outputs > SHOWN)
        ub_text_add(&known, " ... (%lld in all)", (long long)d->outputs);
    const char *near =
        d->class_names ? ub_suggest(text, (const char *const *)d->class_names, (size_t)d->outputs)
                       : NULL;
    ub_fail(err, UB_INPUT, "%s: class %s; expected %s%s%s", where, text, known.data,
            near ? "; did you mean " : "", near ? near : "");
    ub_text_free(&known);
    return false;
}

/* The class that `text` names. */
static bool find_class(const struct ub_dataset *d, const char *where, const char *text,
                       int64_t *out, struct ub_error *err)
{
    const struct ub_label wanted = ub_read_label(text, plain);
    for (int64_t k = 0; d->class_names && k < d->outputs; k++) {
        const struct ub_label name = ub_read_label(d->class_names[k], plain);
        if (ub_compare_labels(&wanted, &name) == 0) {
            *out = k;
            return true;
        }
    }
    if (!named_by_numbers(d) && ub_read_int(text, out) && *out >= 0 && *out < d->outputs)
        return true;
    return unknown(d, where, text, err);
}

/* 0x3x7 is a list of numbers, cat+dog of names; of one alone it does not matter. */
static char mark_between(const char *text)
{
    const bool number = *text >= '0' && *text <= '9';
    return number && !text[strspn(text, "0123456789x")] ? 'x' : '+';
}

int ub_classes_wanted(const struct ub_dataset *d, const struct ub_call *call, const char *where,
                      int64_t *out, struct ub_error *err)
{
    char *list = ub_strdup(ub_call_get(call, "classes")), *at = list;
    const char mark = mark_between(list);
    int n = 0;
    bool good = true;
    while (at && good) {
        char *next = strchr(at, mark);
        if (next)
            *next++ = '\0';
        if (n == UB_CLASSES_KEPT)
            good = ub_fail(err, UB_INPUT, "%s: more than %d classes; expected at most %d", where,
                           UB_CLASSES_KEPT, UB_CLASSES_KEPT);
        good = good && find_class(d, where, at, &out[n], err);
        for (int i = 0; i < n && good; i++)
            if (out[i] == out[n])
                good = ub_fail(err, UB_INPUT, "%s: class %s twice; expected it once", where, at);
        n++;
        at = next;
    }
    ub_free(list);
    return good ? n : -1;
}
