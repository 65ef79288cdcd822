/* Numbers and texts as JSON. */
#include "report/explorer/private.h"

#include <math.h>
#include <string.h>

json_t *explorer_number(double value, int digits)
{
    static const double exact = 9007199254740992; /* 2^53 */
    if (!isfinite(value))
        return json_null();
    if (value == rint(value) && fabs(value) < exact)
        return json_integer((json_int_t)value);
    char text[UB_REAL_TEXT];
    double rounded = value;
    snprintf(text, sizeof text, "%.*g", digits, value);
    ub_read_real(text, &rounded);
    return json_real(rounded);
}

static void add_code_point(struct ub_text *out, uint32_t c)
{
    const unsigned char two[] = {(unsigned char)(0xc0 | c >> 6)};
    const unsigned char three[] = {(unsigned char)(0xe0 | c >> 12),
                                   (unsigned char)(0x80 | (c >> 6 & 0x3f))};
    const unsigned char four[] = {(unsigned char)(0xf0 | c >> 18),
                                  (unsigned char)(0x80 | (c >> 12 & 0x3f)),
                                  (unsigned char)(0x80 | (c >> 6 & 0x3f))};
    const unsigned char last = (unsigned char)(c < 0x80 ? c : 0x80 | (c & 0x3f));
    if (c >= 0x10000)
        ub_text_append(out, (const char *)four, sizeof four);
    else if (c >= 0x800)
        ub_text_append(out, (const char *)three, sizeof three);
    else if (c >= 0x80)
        ub_text_append(out, (const char *)two, sizeof two);
    ub_text_append(out, (const char *)&last, 1);
}

json_t *explorer_text(const char *text)
{
    const char *at = text ? text : "";
    json_t *good = json_string(at);
    if (good)
        return good;
    struct ub_text mended = {0};
    while (*at)
        add_code_point(&mended, ub_utf8_next(&at));
    good = json_string(mended.data);
    ub_text_free(&mended);
    return good ? good : json_string("");
}

json_t *explorer_named(const char *name, const struct ub_quantity *quantity)
{
    json_t *named = json_object();
    json_object_set_new(named, "name", explorer_text(name));
    json_object_set_new(named, "meaning", explorer_text(quantity ? quantity->meaning : ""));
    json_object_set_new(named, "units", explorer_text(quantity ? quantity->units : ""));
    return named;
}

/* ---- texts -------------------------------------------------------------------------------- */

struct texts {
    json_t *list, *place; /* place: text to index */
};

struct texts *explorer_texts_new(void)
{
    struct texts *t = ub_calloc(1, sizeof *t);
    t->list = json_array();
    t->place = json_object();
    return t;
}

size_t explorer_texts_add(struct texts *t, const char *text)
{
    json_t *value = explorer_text(text);
    const json_t *known = json_object_get(t->place, json_string_value(value));
    const size_t place = known ? (size_t)json_integer_value(known) : json_array_size(t->list);
    if (!known) {
        json_object_set_new(t->place, json_string_value(value), json_integer((json_int_t)place));
        json_array_append(t->list, value);
    }
    json_decref(value);
    return place;
}

json_t *explorer_texts_finish(struct texts *t)
{
    json_t *list = t->list;
    json_decref(t->place);
    ub_free(t);
    return list;
}
