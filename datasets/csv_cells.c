/* Cells of tables that others wrote; see csv_file.h. */
#include "datasets/csv_file.h"

#include <string.h>
#include <strings.h>

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The text without spaces around: where it begins; *length. */
static const char *trim(const char *text, size_t *length)
{
    while (is_space(*text))
        text++;
    *length = strlen(text);
    while (*length > 0 && is_space(text[*length - 1]))
        --*length;
    return text;
}

bool ub_is_missing(const char *text)
{
    enum { LONGEST = 4 };
    static const char *const words[] = {"", "NA", "N/A", "#N/A", "<NA>", "NaN", "null", "?"};
    size_t length;
    text = trim(text, &length);
    for (size_t i = 0; length <= LONGEST && i < sizeof words / sizeof *words; i++)
        if (strlen(words[i]) == length && strncasecmp(words[i], text, length) == 0)
            return true;
    return false;
}

/* ---- numbers ---- */

/* Bytes of the thousands separator at `at`, 0 when there is none. Spaces are also U+00A0, U+2009
 * and U+202F, as spreadsheets write them; the apostrophe is also U+2019. */
static size_t separator(const char *at, char thousands)
{
    static const char *const spaces[] = {" ", "\xc2\xa0", "\xe2\x80\x89", "\xe2\x80\xaf", NULL};
    static const char *const apostrophes[] = {"'", "\xe2\x80\x99", NULL};
    const char own[2] = {thousands, '\0'};
    const char *const only[] = {own, NULL};
    const char *const *list = thousands == ' ' ? spaces : thousands == '\'' ? apostrophes : only;
    for (; thousands && *list; list++)
        if (strncmp(at, *list, strlen(*list)) == 0)
            return strlen(*list);
    return 0;
}

static size_t digits(const char *at)
{
    return strspn(at, "0123456789");
}

/* Copies the digits before the decimal mark, without separators; where they end, NULL when groups
 * are not of three. */
static const char *copy_whole(const char *at, char thousands, char **out)
{
    size_t n = digits(at), gap = separator(at + n, thousands);
    const bool grouped = gap > 0;
    if (grouped && (n < 1 || n > 3))
        return NULL;
    while (true) {
        memcpy(*out, at, n);
        *out += n;
        at += n;
        if (gap == 0)
            return at;
        at += gap;
        n = digits(at);
        gap = separator(at + n, thousands);
        if (n != 3)
            return NULL;
    }
}

/* The text of `length` bytes as the "C" locale writes it; false when it is not in this style. */
static bool to_plain(const char *text, size_t length, struct ub_number_style style, char *out)
{
    char *copy = ub_calloc(length + 1, 1);
    memcpy(copy, text, length);
    const char *at = copy;
    if (*at == '-' || *at == '+')
        *out++ = *at++;
    at = copy_whole(at, style.thousands, &out);
    if (at && *at == style.decimal) {
        *out++ = '.';
        at++;
    }
    const bool good = at && strspn(at, "0123456789eE+-") == strlen(at);
    if (good)
        memcpy(out, at, strlen(at) + 1);
    ub_free(copy);
    return good;
}

bool ub_read_styled(const char *text, struct ub_number_style style, double *out)
{
    size_t length;
    if (style.decimal == '.' && !style.thousands && ub_read_real(text, out))
        return true;
    text = trim(text, &length);
    char *plain = ub_calloc(length + 1, 1);
    const bool good = to_plain(text, length, style, plain) && ub_read_real(plain, out);
    ub_free(plain);
    return good;
}

bool ub_styled_beyond(const char *text, struct ub_number_style style)
{
    size_t length;
    text = trim(text, &length);
    char *plain = ub_calloc(length + 1, 1);
    const bool beyond = to_plain(text, length, style, plain) && ub_real_beyond(plain);
    ub_free(plain);
    return beyond;
}

void ub_suggest_styles(const char *text, struct ub_text *out)
{
    static const struct {
        struct ub_number_style style;
        const char *options;
    } styles[] = {{{'.', '\0'}, "decimal=point"},
                  {{',', '\0'}, "decimal=comma"},
                  {{'.', ','}, "thousands=comma"},
                  {{'.', ' '}, "thousands=space"},
                  {{'.', '\''}, "thousands=apostrophe"},
                  {{',', '.'}, "decimal=comma,thousands=point"},
                  {{',', ' '}, "decimal=comma,thousands=space"},
                  {{',', '\''}, "decimal=comma,thousands=apostrophe"}};
    bool read[2] = {false, false}; /* without thousands, in either style */
    const char *before = ": it would read as ";
    for (size_t i = 0; i < sizeof styles / sizeof *styles; i++) {
        double value;
        char number[UB_REAL_TEXT];
        const bool comma = styles[i].style.decimal == ',', plain = !styles[i].style.thousands;
        if ((!plain && read[comma] && !strchr(text, styles[i].style.thousands)) ||
            !ub_read_styled(text, styles[i].style, &value))
            continue;
        read[comma] = read[comma] || plain;
        ub_real_text(value, number);
        ub_text_add(out, "%s%s by %s", before, number, styles[i].options);
        before = ", ";
    }
}

/* ---- labels ---- */

struct ub_label ub_read_label(const char *text, struct ub_number_style style)
{
    struct ub_label label = {0};
    double real;
    int64_t whole;
    label.text = trim(text, &label.length);
    char *copy = ub_calloc(label.length + 1, 1);
    memcpy(copy, label.text, label.length);
    if (ub_read_int(copy, &whole)) {
        label.number = true;
        label.value = (long double)whole;
    } else if (copy[digits(copy)] && ub_read_styled(copy, style, &real)) { /* not digits alone */
        label.number = true;
        label.value = (long double)real;
    }
    ub_free(copy);
    return label;
}

int ub_compare_labels(const struct ub_label *a, const struct ub_label *b)
{
    if (a->number != b->number)
        return a->number ? -1 : 1;
    if (a->number)
        return (a->value > b->value) - (a->value < b->value);
    const size_t shorter = a->length < b->length ? a->length : b->length;
    const int order = memcmp(a->text, b->text, shorter);
    return order ? order : (a->length > b->length) - (a->length < b->length);
}
