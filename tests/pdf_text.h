/* pdf_text.h - sizes of text in a PDF as a reader sees them: its page's content is unpacked and its
 * matrices are multiplied (ISO 32000-1, 8.3 and 9.4), without what wrote it. */
#ifndef UB_TEST_PDF_TEXT_H
#define UB_TEST_PDF_TEXT_H

#include "tests/support.h"

#include <stdlib.h>
#include <zlib.h>

struct pdf_page {
    double width, height; /* points */
    double least, most;   /* size of its text, points */
    size_t texts;
};

struct pdf_reader {
    double number[8]; /* the last numbers, newest last */
    size_t numbers;
    double scale[64], text,
        font; /* of q ... Q, of Tm, of Tf: lengths along the writing direction */
    size_t depth;
    struct pdf_page *page;
};

static inline double pdf_scale(const struct pdf_reader *r)
{
    return hypot(r->number[r->numbers - 6], r->number[r->numbers - 5]);
}

static inline void pdf_operator(struct pdf_reader *r, const char *word)
{
    if (strcmp(word, "q") == 0 && r->depth + 1 < 64) {
        r->scale[r->depth + 1] = r->scale[r->depth];
        r->depth++;
    } else if (strcmp(word, "Q") == 0 && r->depth > 0) {
        r->depth--;
    } else if (strcmp(word, "cm") == 0 && r->numbers >= 6) {
        r->scale[r->depth] *= pdf_scale(r);
    } else if (strcmp(word, "Tm") == 0 && r->numbers >= 6) {
        r->text = pdf_scale(r);
    } else if (strcmp(word, "Tf") == 0 && r->numbers >= 1) {
        r->font = r->number[r->numbers - 1];
    } else if (strcmp(word, "Tj") == 0 || strcmp(word, "TJ") == 0) {
        const double size = r->font * r->text * r->scale[r->depth];
        r->page->least = r->page->texts ? fmin(r->page->least, size) : size;
        r->page->most = fmax(r->page->most, size);
        r->page->texts++;
    }
    r->numbers = 0;
}

static inline void pdf_word(struct pdf_reader *r, const char *word)
{
    char *end;
    const double value = strtod(word, &end);
    if (*word == '/' || *word == '<' || *word == '[' || *word == '(')
        return;
    if (*end != '\0' || end == word) {
        pdf_operator(r, word);
        return;
    }
    if (r->numbers == 8)
        memmove(r->number, r->number + 1, 7 * sizeof *r->number);
    r->numbers -= r->numbers == 8;
    r->number[r->numbers++] = value;
}

static inline void pdf_content(char *text, struct pdf_page *page)
{
    struct pdf_reader r = {.scale = {1}, .page = page};
    char *rest = NULL;
    for (char *c = text; *c; c++) /* "]TJ", ">Tj": the operator is a word of its own */
        if (*c == ']' || *c == '>')
            *c = ' ';
    for (char *word = strtok_r(text, " \n\r\t", &rest); word;
         word = strtok_r(NULL, " \n\r\t", &rest))
        pdf_word(&r, word);
}

static inline const char *pdf_find(const char *at, const char *end, const char *what)
{
    const size_t n = strlen(what);
    for (; at + n <= end; at++)
        if (memcmp(at, what, n) == 0)
            return at;
    return NULL;
}

static inline struct pdf_page pdf_read(const char *path)
{
    enum { ROOM = 1 << 24 };
    struct ub_error err = {0};
    struct pdf_page page = {0};
    size_t length;
    unsigned char *data = ub_read_file(path, UINT64_C(1) << 28, &length, &err);
    if (!data)
        fail_msg("%s", err.text);
    const char *at = (const char *)data, *end = at + length;
    const char *box = pdf_find(at, end, "/MediaBox");
    assert_non_null(box);
    assert_int_equal(sscanf(box, "/MediaBox [ 0 0 %lf %lf", &page.width, &page.height), 2);
    char *text = ub_calloc(ROOM, 1);
    while ((at = pdf_find(at, end, "stream\n")) != NULL) {
        uLongf room = ROOM - 1;
        at += strlen("stream\n");
        const int code = uncompress((Bytef *)text, &room, (const Bytef *)at, (uLong)(end - at));
        text[room] = '\0';
        if (code == Z_OK && strlen(text) == room && strstr(text, " Tf"))
            pdf_content(text, &page);
        at = pdf_find(at, end, "endstream");
        at += strlen("endstream");
    }
    ub_free(text);
    ub_free(data);
    return page;
}

#endif
