/* Text for LaTeX. */
#include "report/tables/latex.h"

#include <string.h>

/* What T1 fonts lack, by code point, ascending within each line. */
static const struct sign {
    uint32_t code;
    const char *latex;
} signs[] = {
    {0x00a0, "~"},
    {0x00b0, "\\textdegree{}"},
    {0x00b1, "$\\pm$"},
    {0x00b2, "$^2$"},
    {0x00b3, "$^3$"},
    {0x00b5, "$\\mu$"},
    {0x00b7, "$\\cdot$"},
    {0x00b9, "$^1$"},
    {0x00bd, "$\\frac12$"},
    {0x00d7, "$\\times$"},
    {0x00f7, "$\\div$"},
    {0x0393, "$\\Gamma$"},
    {0x0394, "$\\Delta$"},
    {0x0398, "$\\Theta$"},
    {0x039b, "$\\Lambda$"},
    {0x03a3, "$\\Sigma$"},
    {0x03a6, "$\\Phi$"},
    {0x03a9, "$\\Omega$"},
    {0x03b1, "$\\alpha$"},
    {0x03b2, "$\\beta$"},
    {0x03b3, "$\\gamma$"},
    {0x03b4, "$\\delta$"},
    {0x03b5, "$\\varepsilon$"},
    {0x03b6, "$\\zeta$"},
    {0x03b7, "$\\eta$"},
    {0x03b8, "$\\theta$"},
    {0x03ba, "$\\kappa$"},
    {0x03bb, "$\\lambda$"},
    {0x03bc, "$\\mu$"},
    {0x03bd, "$\\nu$"},
    {0x03be, "$\\xi$"},
    {0x03c0, "$\\pi$"},
    {0x03c1, "$\\rho$"},
    {0x03c3, "$\\sigma$"},
    {0x03c4, "$\\tau$"},
    {0x03c6, "$\\varphi$"},
    {0x03c7, "$\\chi$"},
    {0x03c8, "$\\psi$"},
    {0x03c9, "$\\omega$"},
    {0x2009, "\\,"},
    {0x2013, "--"},
    {0x2014, "---"},
    {0x2018, "`"},
    {0x2019, "'"},
    {0x201c, "``"},
    {0x201d, "''"},
    {0x2026, "\\dots{}"},
    {0x202f, "\\,"},
    {0x2070, "$^0$"},
    {0x2074, "$^4$"},
    {0x2075, "$^5$"},
    {0x2076, "$^6$"},
    {0x2077, "$^7$"},
    {0x2078, "$^8$"},
    {0x2079, "$^9$"},
    {0x207b, "$^-$"},
    {0x2080, "$_0$"},
    {0x2081, "$_1$"},
    {0x2082, "$_2$"},
    {0x2190, "$\\leftarrow$"},
    {0x2192, "$\\rightarrow$"},
    {0x2202, "$\\partial$"},
    {0x2207, "$\\nabla$"},
    {0x2208, "$\\in$"},
    {0x2211, "$\\sum$"},
    {0x2212, "$-$"},
    {0x221a, "$\\surd$"},
    {0x221d, "$\\propto$"},
    {0x221e, "$\\infty$"},
    {0x2248, "$\\approx$"},
    {0x2260, "$\\neq$"},
    {0x2264, "$\\leq$"},
    {0x2265, "$\\geq$"},
    {0x226a, "$\\ll$"},
    {0x226b, "$\\gg$"},
    {0x27e8, "$\\langle$"},
    {0x27e9, "$\\rangle$"},
};

/* Letters with accents, which T1 has, are inputenc's. */
static bool is_letter(uint32_t code)
{
    return (code >= 0xc0 && code <= 0x17f) || code == 0xa7 || code == 0xa1 || code == 0xbf;
}

static void add_sign(struct ub_text *out, const char *bytes, size_t length, uint32_t code)
{
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (signs[i].code == code) {
            ub_text_add(out, "%s", signs[i].latex);
            return;
        }
    if (is_letter(code))
        ub_text_append(out, bytes, length);
    else
        ub_text_add(out, "U+%04X", (unsigned)code);
}

static void add_ascii(struct ub_text *out, char c)
{
    switch (c) {
    case '\\':
        ub_text_add(out, "\\textbackslash{}");
        return;
    case '~':
        ub_text_add(out, "\\textasciitilde{}");
        return;
    case '^':
        ub_text_add(out, "\\textasciicircum{}");
        return;
    case '<':
        ub_text_add(out, "\\textless{}");
        return;
    case '>':
        ub_text_add(out, "\\textgreater{}");
        return;
    case '|':
        ub_text_add(out, "\\textbar{}");
        return;
    case '"':
        ub_text_add(out, "\\textquotedbl{}");
        return;
    case '\'':
        ub_text_add(out, "\\textquotesingle{}");
        return;
    case '`':
        ub_text_add(out, "\\textasciigrave{}");
        return;
    default:
        if (strchr("&%$#_{}", c))
            ub_text_add(out, "\\%c", c);
        else if ((unsigned char)c < 0x20 || c == 0x7f) /* no control character is text */
            ub_text_add(out, " ");
        else
            ub_text_add(out, "%c", c);
    }
}

/* Behind these a name may go on in the next line, and within a very long word; a number's sign
 * stays with it. */
bool latex_breaks(char c, char next, size_t letters)
{
    enum { LONG = 24 };
    const bool digit = next >= '0' && next <= '9';
    return next != '\0' && next != ' ' &&
           (strchr(",:=;_)", c) || (strchr("-/", c) && !digit) || letters >= LONG);
}

static void add_text(struct ub_text *out, const char *text, size_t length, bool breaks)
{
    const char *end = text + length;
    size_t letters = 0;
    while (text < end) {
        const char *start = text;
        const uint32_t code = ub_utf8_next(&text);
        if (code >= 0x80)
            add_sign(out, start, (size_t)(text - start), code);
        else
            add_ascii(out, *start);
        letters = *start == ' ' ? 0 : letters + 1;
        if (*start == '-' && text < end && *text == '-') /* two would become one dash */
            ub_text_add(out, "{}");
        if (breaks && text < end && latex_breaks(*start, *text, letters)) {
            ub_text_add(out, "\\allowbreak{}");
            letters = 0;
        }
    }
}

void latex_add(struct ub_text *out, const char *text)
{
    add_text(out, text, strlen(text), true);
}

void latex_add_unbroken(struct ub_text *out, const char *text)
{
    add_text(out, text, strlen(text), false);
}

/* ---- Markdown ------------------------------------------------------------------------------- */

/* The end of a mark's inside, when it has one; NULL: it is a letter like others. */
static const char *closed(const char *inside, const char *mark)
{
    const char *end = strstr(inside, mark);
    return end && end > inside ? end : NULL;
}

/* [text](address): the text; returns where it goes on. */
static const char *add_link(struct ub_text *out, const char *at)
{
    const char *end = strstr(at, "](");
    const char *close = end ? strchr(end, ')') : NULL;
    const char *other = strchr(at + 1, '[');
    if (!close || (other && other < end))
        return NULL;
    add_text(out, at + 1, (size_t)(end - at - 1), true);
    return close + 1;
}

static const char *add_marked(struct ub_text *out, const char *at)
{
    const char *end = NULL;
    if (*at == '[')
        return add_link(out, at);
    const bool strong = strncmp(at, "**", 2) == 0;
    const char *mark = strong ? "**" : "`";
    if (!strong && *at != '`')
        return NULL;
    end = closed(at + strlen(mark), mark);
    if (!end)
        return NULL;
    ub_text_add(out, strong ? "\\textbf{" : "\\texttt{");
    add_text(out, at + strlen(mark), (size_t)(end - at) - strlen(mark), true);
    ub_text_add(out, "}");
    return end + strlen(mark);
}

void latex_add_markdown(struct ub_text *out, const char *text)
{
    while (*text) {
        const size_t plain = strcspn(text, "[*`");
        add_text(out, text, plain, true);
        text += plain;
        if (!*text)
            return;
        const char *next = add_marked(out, text);
        if (!next) {
            add_text(out, text, 1, true);
            next = text + 1;
        }
        text = next;
    }
}
