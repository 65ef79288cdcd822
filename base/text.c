/* text.c - text that grows. */
#include "base/base.h"

#include <string.h>

enum { LIKELY = 63 }; /* bytes of one addition: more are written twice */

/* Room for `more` bytes and the NUL. */
static void reserve(struct ub_text *text, size_t more)
{
    const size_t needed = text->length + more + 1;
    if (needed <= text->capacity)
        return;
    text->capacity = needed > 2 * text->capacity ? needed : 2 * text->capacity;
    text->data = ub_realloc(text->data, text->capacity);
}

void ub_text_add(struct ub_text *text, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    reserve(text, LIKELY);
    const size_t room = text->capacity - text->length;
    const int written = vsnprintf(text->data + text->length, room, format, args);
    const size_t more = written > 0 ? (size_t)written : 0;
    va_end(args);
    if (more >= room) {
        reserve(text, more);
        vsnprintf(text->data + text->length, more + 1, format, again);
    }
    va_end(again);
    text->length += more;
}

void ub_text_append(struct ub_text *text, const char *data, size_t length)
{
    reserve(text, length);
    if (length > 0)
        memcpy(text->data + text->length, data, length);
    text->length += length;
    text->data[text->length] = '\0';
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
