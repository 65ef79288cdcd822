/* options.c - calls: NAME:key=value,key=value, checked against a table of options. */
#include "base/base.h"
#include "base/option_units.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_OPTIONS = 64 };

enum ub_option_kind ub_option_kind(const struct ub_option *option)
{
    return (enum ub_option_kind)((int)option->kind &
                                 ~((int)UB_OPTION_LATER | UB_OPTION_PLAIN | UB_OPTION_UNITS));
}

const char *ub_option_units(const struct ub_option *option)
{
    static const char *const units[] = {"1",
                                        "steps",
                                        "samples",
                                        "pixels",
                                        "tokens",
                                        "output",
                                        "unit of parameter",
                                        "loss per unit of parameter",
                                        "loss per unit of parameter squared",
                                        "1/learning rate"};
    switch (ub_option_kind(option)) {
    case UB_OPTION_RATE:
        return "the optimizer's";
    case UB_OPTION_INT:
    case UB_OPTION_REAL:
        return units[((int)option->kind & UB_OPTION_UNITS) >> 8];
    default:
        return "";
    }
}

bool ub_option_is_later(const struct ub_option *option)
{
    return ((int)option->kind & (int)UB_OPTION_LATER) != 0;
}

bool ub_option_is_plain(const struct ub_option *option)
{
    return ((int)option->kind & (int)UB_OPTION_PLAIN) != 0;
}

static bool is_word(const char *text, size_t n)
{
    if (n == 0)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.", text[i]))
            return false;
    return true;
}

static char *copy_span(const char *text, size_t n)
{
    char *copy = ub_alloc(n + 1);
    memcpy(copy, text, n);
    copy[n] = '\0';
    return copy;
}

/* Length up to the next comma outside parentheses, or the end. `*open`: parentheses left open,
 * which would take in the arguments that the canonical text has next. */
static size_t span_of_argument(const char *text, int *open)
{
    size_t n = 0;
    for (*open = 0; text[n] && (text[n] != ',' || *open > 0); n++)
        *open += (text[n] == '(') - (text[n] == ')');
    return n;
}

static bool add_argument(struct ub_call *call, const char *text, size_t n, const char *where,
                         struct ub_error *err)
{
    const char *equals = memchr(text, '=', n);
    if (!equals || !is_word(text, (size_t)(equals - text)) || equals + 1 == text + n)
        return ub_fail(err, UB_INPUT, "%s: '%.*s' in '%s': expected key=value", where, (int)n, text,
                       call->name);
    size_t key = (size_t)(equals - text), i = call->count;
    for (size_t j = 0; j < i; j++)
        if (strncmp(call->keys[j], text, key) == 0 && call->keys[j][key] == '\0')
            return ub_fail(err, UB_INPUT, "%s: '%s' gives %s twice; expected it once", where,
                           call->name, call->keys[j]);
    call->keys = ub_realloc(call->keys, (i + 1) * sizeof *call->keys);
    call->values = ub_realloc(call->values, (i + 1) * sizeof *call->values);
    call->keys[i] = copy_span(text, key);
    call->values[i] = copy_span(equals + 1, n - key - 1);
    call->count++;
    return true;
}

struct ub_call *ub_call_parse(const char *text, const char *where, struct ub_error *err)
{
    size_t name = strcspn(text, ":");
    if (!ub_utf8_holds(text, where, err)) /* results are kept as YAML, which is UTF-8 */
        return NULL;
    if (!is_word(text, name)) {
        ub_fail(err, UB_INPUT, "%s: '%s' does not begin with a name; expected NAME:key=value,...",
                where, text);
        return NULL;
    }
    struct ub_call *call = ub_calloc(1, sizeof *call);
    call->name = copy_span(text, name);
    const char *at = text + name + (text[name] == ':');
    if (text[name] == ':' && !*at)
        ub_fail(err, UB_INPUT, "%s: nothing after '%s:'; expected key=value", where, call->name);
    while (*at) {
        int open;
        size_t n = span_of_argument(at, &open);
        if (open > 0)
            ub_fail(err, UB_INPUT, "%s: '%.*s' in '%s' opens a parenthesis; expected it closed",
                    where, (int)n, at, call->name);
        if (open > 0 || !add_argument(call, at, n, where, err))
            break;
        at += n;
        if (*at == ',' && !*++at)
            ub_fail(err, UB_INPUT, "%s: '%s' ends with a comma; expected key=value", where, text);
    }
    if (err->code == UB_OK)
        return call;
    ub_call_free(call);
    return NULL;
}

void ub_call_free(struct ub_call *call)
{
    if (!call)
        return;
    for (size_t i = 0; i < call->count; i++) {
        ub_free(call->keys[i]);
        ub_free(call->values[i]);
    }
    ub_free(call->keys);
    ub_free(call->values);
    ub_free(call->name);
    ub_free(call);
}

/* ---- values: each kind checks a text and puts its normal form into out ---- */

static bool add_real(struct ub_text *out, double value)
{
    char text[UB_REAL_TEXT];
    ub_real_text(value, text);
    ub_text_add(out, "%s", text);
    return true;
}

static bool in_range(const struct ub_option *o, double value)
{
    return (o->min == 0 && o->max == 0) || (value >= o->min && value <= o->max);
}

static bool normal_sizes(const struct ub_option *o, const char *text, struct ub_text *out)
{
    if (strcmp(text, "none") == 0) {
        ub_text_add(out, "none");
        return true;
    }
    for (;;) {
        size_t n = strcspn(text, "x");
        char number[24] = {0};
        int64_t value;
        if (n >= sizeof number)
            return false;
        memcpy(number, text, n);
        if (!ub_read_int(number, &value) || !in_range(o, (double)value) ||
            (o->min == 0 && o->max == 0 && value < 1))
            return false;
        ub_text_add(out, "%lld", (long long)value);
        if (!text[n])
            return true;
        ub_text_add(out, "x");
        text += n + 1;
    }
}

static bool read_rate(const char *text, struct ub_rate *rate)
{
    static const char *const forms[] = {"edge(", "relative("};
    rate->kind = UB_RATE_ABSOLUTE;
    char number[64];
    size_t n = strlen(text);
    const char *from = text;
    for (int i = 0; i < 2; i++)
        if (strncmp(text, forms[i], strlen(forms[i])) == 0 && text[n - 1] == ')') {
            rate->kind = i == 0 ? UB_RATE_EDGE : UB_RATE_RELATIVE;
            from += strlen(forms[i]);
            n -= strlen(forms[i]) + 1;
        }
    if (n >= sizeof number)
        return false;
    memcpy(number, from, n);
    number[n] = '\0';
    return ub_read_real(number, &rate->value) && rate->value > 0;
}

static bool normal_rate(const char *text, struct ub_text *out)
{
    struct ub_rate rate;
    if (!read_rate(text, &rate))
        return false;
    ub_text_add(out, "%s",
                rate.kind == UB_RATE_EDGE       ? "edge("
                : rate.kind == UB_RATE_RELATIVE ? "relative("
                                                : "");
    add_real(out, rate.value);
    if (rate.kind != UB_RATE_ABSOLUTE)
        ub_text_add(out, ")");
    return true;
}

static bool normal_flag(const char *text, struct ub_text *out)
{
    static const char *const words[] = {"true", "yes", "on", "1", "false", "no", "off", "0"};
    for (int i = 0; i < 8; i++)
        if (strcmp(text, words[i]) == 0) {
            ub_text_add(out, "%s", i < 4 ? "true" : "false");
            return true;
        }
    return false;
}

static bool normal_name(const struct ub_option *o, const char *text, struct ub_text *out)
{
    for (size_t i = 0; o->choices[i]; i++)
        if (strcmp(text, o->choices[i]) == 0) {
            ub_text_add(out, "%s", text);
            return true;
        }
    return false;
}

static bool normal_form(const struct ub_option *o, const char *text, struct ub_text *out)
{
    int64_t integer;
    double real;
    switch (ub_option_kind(o)) {
    case UB_OPTION_INT:
        if (!ub_read_int(text, &integer) || !in_range(o, (double)integer))
            return false;
        ub_text_add(out, "%lld", (long long)integer);
        return true;
    case UB_OPTION_REAL:
        return ub_read_real(text, &real) && in_range(o, real) && add_real(out, real);
    case UB_OPTION_NAME:
        return normal_name(o, text, out);
    case UB_OPTION_SIZES:
        return normal_sizes(o, text, out);
    case UB_OPTION_RATE:
        return normal_rate(text, out);
    case UB_OPTION_FLAG:
        return normal_flag(text, out);
    case UB_OPTION_TEXT:
        ub_text_add(out, "%s", text);
        return *text != '\0';
    }
    return false;
}

/* What a value of this option looks like, for messages. */
static void describe(const struct ub_option *o, struct ub_text *out)
{
    static const char *const kinds[] = {
        [UB_OPTION_INT] = "an integer",
        [UB_OPTION_REAL] = "a number",
        [UB_OPTION_SIZES] = "positive integers such as 64x64, or none",
        [UB_OPTION_RATE] = "a positive number, edge(SHARPNESS) or relative(FACTOR)",
        [UB_OPTION_FLAG] = "true or false",
        [UB_OPTION_TEXT] = "a text"};
    if (ub_option_kind(o) == UB_OPTION_NAME) {
        ub_text_add(out, "one of");
        for (size_t i = 0; o->choices[i]; i++)
            ub_text_add(out, "%s %s", i ? "," : "", o->choices[i]);
        return;
    }
    char least[UB_REAL_TEXT], most[UB_REAL_TEXT];
    ub_real_text(o->min, least);
    ub_real_text(o->max, most);
    ub_text_add(out, "%s", kinds[ub_option_kind(o)]);
    if ((o->min != 0 || o->max != 0) && o->max < 1e300)
        ub_text_add(out, " from %s to %s", least, most);
    else if (o->min != 0 || o->max != 0)
        ub_text_add(out, " from %s up", least);
}

static const struct ub_option *find_option(const struct ub_option *options, const char *key)
{
    for (; options->key; options++)
        if (strcmp(options->key, key) == 0)
            return options;
    return NULL;
}

static bool unknown_key(const struct ub_call *call, const struct ub_option *options,
                        const char *key, const char *where, struct ub_error *err)
{
    const char *names[MOST_OPTIONS] = {NULL};
    struct ub_text known = {0};
    size_t n = 0;
    for (; options[n].key && n < MOST_OPTIONS; n++) {
        names[n] = options[n].key;
        ub_text_add(&known, "%s%s", n ? ", " : "", names[n]);
    }
    const char *near = ub_suggest(key, names, n);
    if (near)
        ub_fail(err, UB_INPUT, "%s: %s has no option '%s'; did you mean '%s'?", where, call->name,
                key, near);
    else
        ub_fail(err, UB_INPUT, "%s: %s has no option '%s'; expected %s", where, call->name, key,
                n ? known.data : "none");
    ub_text_free(&known);
    return false;
}

static bool check_value(struct ub_call *call, size_t i, const struct ub_option *o,
                        const char *where, struct ub_error *err)
{
    struct ub_text out = {0}, expected = {0};
    if (normal_form(o, call->values[i], &out)) {
        ub_free(call->values[i]);
        call->values[i] = out.data;
        return true;
    }
    describe(o, &expected);
    ub_fail(err, UB_INPUT, "%s: %s: %s=%s; expected %s", where, call->name, o->key, call->values[i],
            expected.data);
    ub_text_free(&out);
    ub_text_free(&expected);
    return false;
}

/* Where the call gives the option; its count of arguments when it does not. */
static size_t place_of(const struct ub_call *call, const char *key)
{
    size_t i = 0;
    while (i < call->count && strcmp(call->keys[i], key) != 0)
        i++;
    return i;
}

static void add_default(struct ub_call *call, const struct ub_option *o)
{
    const size_t i = call->count++;
    call->keys = ub_realloc(call->keys, call->count * sizeof *call->keys);
    call->values = ub_realloc(call->values, call->count * sizeof *call->values);
    call->keys[i] = ub_strdup(o->key);
    call->values[i] = ub_strdup(o->fallback);
}

static bool fill_in(struct ub_call *call, const struct ub_option *o, const char *where,
                    struct ub_error *err)
{
    const size_t i = place_of(call, o->key);
    if (i == call->count && !o->fallback)
        return ub_fail(err, UB_INPUT, "%s: %s needs %s (%s)", where, call->name, o->key, o->help);
    if (i == call->count)
        add_default(call, o);
    return check_value(call, i, o, where, err);
}

static void sort_keys(struct ub_call *call)
{
    for (size_t i = 1; i < call->count; i++)
        for (size_t j = i; j > 0 && strcmp(call->keys[j - 1], call->keys[j]) > 0; j--) {
            char *key = call->keys[j], *value = call->values[j];
            call->keys[j] = call->keys[j - 1];
            call->values[j] = call->values[j - 1];
            call->keys[j - 1] = key;
            call->values[j - 1] = value;
        }
}

bool ub_call_check(struct ub_call *call, const struct ub_option *options, const char *where,
                   struct ub_error *err)
{
    static const struct ub_option none[] = {{.key = NULL}};
    if (!options)
        options = none;
    for (size_t i = 0; i < call->count; i++)
        if (!find_option(options, call->keys[i]))
            return unknown_key(call, options, call->keys[i], where, err);
    for (const struct ub_option *o = options; o->key; o++)
        if (!fill_in(call, o, where, err))
            return false;
    sort_keys(call);
    return true;
}

void ub_call_fill_later(struct ub_call *call, const struct ub_option *options)
{
    struct ub_error ignored = {0};
    for (const struct ub_option *o = options; o && o->key; o++)
        if (ub_option_is_later(o) && place_of(call, o->key) == call->count)
            fill_in(call, o, "", &ignored);
    sort_keys(call);
}

static bool is_default(const struct ub_option *options, const char *key, const char *value)
{
    const struct ub_option *o = options ? find_option(options, key) : NULL;
    if (!o || !o->fallback)
        return false;
    struct ub_text normal = {0};
    bool same = normal_form(o, o->fallback, &normal) && strcmp(normal.data, value) == 0;
    ub_text_free(&normal);
    return same;
}

char *ub_call_text(const struct ub_call *call, const struct ub_option *skip_defaults)
{
    struct ub_text text = {0};
    ub_text_add(&text, "%s", call->name);
    char before = ':';
    for (size_t i = 0; i < call->count; i++) {
        if (is_default(skip_defaults, call->keys[i], call->values[i]))
            continue;
        ub_text_add(&text, "%c%s=%s", before, call->keys[i], call->values[i]);
        before = ',';
    }
    return text.data;
}

/* ---- getters ---- */

const char *ub_call_get(const struct ub_call *call, const char *key)
{
    for (size_t i = 0; i < call->count; i++)
        if (strcmp(call->keys[i], key) == 0)
            return call->values[i];
    fprintf(stderr, "unibench: internal error: %s has no option '%s'\n", call->name, key);
    abort();
}

_Noreturn static void wrong_kind(const struct ub_call *call, const char *key)
{
    fprintf(stderr, "unibench: internal error: %s: option '%s' is of another kind\n", call->name,
            key);
    abort();
}

int64_t ub_call_int(const struct ub_call *call, const char *key)
{
    int64_t value;
    if (!ub_read_int(ub_call_get(call, key), &value))
        wrong_kind(call, key);
    return value;
}

double ub_call_real(const struct ub_call *call, const char *key)
{
    double value;
    if (!ub_read_real(ub_call_get(call, key), &value))
        wrong_kind(call, key);
    return value;
}

bool ub_call_flag(const struct ub_call *call, const char *key)
{
    const char *text = ub_call_get(call, key);
    if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
        wrong_kind(call, key);
    return *text == 't';
}

size_t ub_call_sizes(const struct ub_call *call, const char *key, int64_t *out, size_t room)
{
    const char *text = ub_call_get(call, key);
    size_t count = 0;
    if (strcmp(text, "none") == 0)
        return 0;
    for (char *end;; text = end + 1) {
        long long value = strtoll(text, &end, 10);
        if (end == text || (*end && *end != 'x'))
            wrong_kind(call, key);
        if (count < room)
            out[count] = value;
        count++;
        if (!*end)
            return count;
    }
}

struct ub_rate ub_call_rate(const struct ub_call *call, const char *key)
{
    struct ub_rate rate;
    if (!read_rate(ub_call_get(call, key), &rate))
        wrong_kind(call, key);
    return rate;
}
