/* text.c - text that grows, and numbers as text. */
#include "base/base.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void ub_text_add(struct ub_text *text, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int more = vsnprintf(NULL, 0, format, args);
    va_end(args);
    size_t needed = text->length + (size_t)(more > 0 ? more : 0) + 1;
    if (needed > text->capacity) {
        text->capacity = needed > 2 * text->capacity ? needed : 2 * text->capacity;
        text->data = ub_realloc(text->data, text->capacity);
    }
    vsnprintf(text->data + text->length, text->capacity - text->length, format, again);
    va_end(again);
    text->length = needed - 1;
}

void ub_text_free(struct ub_text *text)
{
    ub_free(text->data);
    *text = (struct ub_text){0};
}

/* Between single quotes a shell takes all but the single quote as it is (POSIX.1-2017, XCU 2.2.2).
 */
void ub_text_add_shell(struct ub_text *text, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_@%+=:,./-";
    const size_t length = strlen(word);
    if (length > 0 && strspn(word, plain) == length) {
        ub_text_add(text, "%s", word);
        return;
    }
    ub_text_add(text, "'");
    for (const char *at = word;;) {
        const size_t n = strcspn(at, "'");
        ub_text_add(text, "%.*s", (int)n, at);
        if (!at[n])
            break;
        ub_text_add(text, "'\\''");
        at += n + 1;
    }
    ub_text_add(text, "'");
}

/* strtod and printf follow LC_NUMERIC, which the program never changes from "C"; a host that
 * embeds these libraries is told to leave it so. */
static bool parse_real(const char *text, double *out)
{
    static const char allowed[] = "0123456789+-.eE";
    if (!text || !*text || strspn(text, allowed) != strlen(text))
        return false;
    char *end;
    *out = strtod(text, &end);
    return end != text && !*end;
}

/* Whether `value`, read from `text`, has lost its magnitude: infinite, or 0 of digits that are not.
 * Subnormals are kept: they are what the program itself writes of such values. */
static bool is_beyond(const char *text, double value)
{
    const size_t significand = strcspn(text, "eE");
    return !isfinite(value) || (value == 0 && strcspn(text, "123456789") < significand);
}

bool ub_read_real(const char *text, double *out)
{
    double value;
    if (!parse_real(text, &value) || is_beyond(text, value))
        return false;
    *out = value;
    return true;
}

bool ub_real_beyond(const char *text)
{
    double value;
    return parse_real(text, &value) && is_beyond(text, value);
}

bool ub_read_int(const char *text, int64_t *out)
{
    if (!text || !*text)
        return false;
    const char *c = text + (*text == '-' || *text == '+');
    if (!*c)
        return false;
    int64_t value = 0;
    for (; *c; c++) {
        if (*c < '0' || *c > '9' || __builtin_mul_overflow(value, (int64_t)10, &value) ||
            __builtin_sub_overflow(value, (int64_t)(*c - '0'), &value))
            return false;
    }
    if (*text != '-' && __builtin_mul_overflow(value, (int64_t)-1, &value))
        return false;
    *out = value;
    return true;
}

void ub_real_text(double value, char out[UB_REAL_TEXT])
{
    if (value == trunc(value) && fabs(value) < 1e15) { /* 40, not 4e+01 */
        snprintf(out, UB_REAL_TEXT, "%.0f", value);
        return;
    }
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(out, UB_REAL_TEXT, "%.*g", digits, value);
        if (strtod(out, NULL) == value)
            return;
    }
    if (isnan(value))
        snprintf(out, UB_REAL_TEXT, "nan");
}
