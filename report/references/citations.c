/* Citations as BibTeX. */
#include "report/references/citations.h"
#include "report/tables/latex.h"

#include <ctype.h>
#include <string.h>

/* ---- reading -------------------------------------------------------------------------------- */

static char *copy(const char *text, size_t length)
{
    char *out = ub_calloc(length + 1, 1);
    memcpy(out, text, length);
    return out;
}

/* Four digits, 1500 to 2099, that are a word: where they begin, or NULL. */
static const char *year_in(const char *text, const char *end)
{
    for (const char *c = text; c + 4 <= end; c++) {
        const bool begins = c == text || c[-1] == ' ', ends = c + 4 == end || c[4] == ',';
        const bool digits = isdigit((unsigned char)c[0]) && isdigit((unsigned char)c[1]) &&
                            isdigit((unsigned char)c[2]) && isdigit((unsigned char)c[3]);
        if (begins && ends && digits && (c[0] == '1' ? c[1] >= '5' : c[0] == '2' && c[1] == '0'))
            return c;
    }
    return NULL;
}

/* "as for Adam: Cohen et al.": what is said before names, which begin with a capital. */
static const char *skip_remark(const char *text, const char *end)
{
    static const char *const ends[] = {": ", "after "};
    const char *out = text;
    for (int i = 0; i < 2; i++)
        for (const char *c = text; c + strlen(ends[i]) < end; c++)
            if (strncmp(c, ends[i], strlen(ends[i])) == 0 && c + strlen(ends[i]) > out)
                out = c + strlen(ends[i]);
    return out;
}

/* "Saxe, McClelland and Ganguli" and "Cohen, Damian et al." as BibTeX joins names. */
static char *authors_of(const char *text, const char *end)
{
    struct ub_text out = {0};
    while (text < end) {
        const size_t left = (size_t)(end - text);
        if (left >= 6 && strncmp(text, "et al.", 6) == 0) {
            ub_text_add(&out, "and others");
            text += 6;
        } else if (left >= 2 && strncmp(text, ", ", 2) == 0) {
            ub_text_add(&out, " and ");
            text += 2;
        } else {
            ub_text_append(&out, text++, 1);
        }
    }
    while (out.length > 0 && out.data[out.length - 1] == ' ')
        out.data[--out.length] = '\0';
    return out.data;
}

/* The word behind a mark, "arXiv:", which it ends with a comma or a blank; NULL without one. */
static char *after_mark(const char *text, const char *end, const char *mark)
{
    const size_t n = strlen(mark);
    for (const char *c = text; c + n < end; c++)
        if (strncmp(c, mark, n) == 0) {
            size_t length = 0;
            while (c + n + length < end && !strchr(", ", c[n + length]))
                length++;
            return copy(c + n, length);
        }
    return NULL;
}

static const char *skip_blanks(const char *text, const char *end, const char *what)
{
    while (text < end && strchr(what, *text))
        text++;
    return text;
}

static struct source read_source(const char *text, const char *end)
{
    struct source s = {0};
    const char *year = year_in(text, end), *rest = text;
    if (year && year > text) {
        const char *names = skip_remark(text, year);
        s.authors = authors_of(names, year);
        s.named = copy(names, (size_t)(year + 4 - names));
        s.year = copy(year, 4);
        rest = skip_blanks(year + 4, end, ", ");
    }
    s.arxiv = after_mark(rest, end, "arXiv:");
    s.doi = after_mark(rest, end, "doi:");
    if (!s.year && s.arxiv && strspn(s.arxiv, "0123456789") == 4) { /* YYMM.NNNNN */
        struct ub_text of_preprint = {0};
        ub_text_add(&of_preprint, "20%.2s", s.arxiv);
        s.year = of_preprint.data;
    }
    if (!s.arxiv && !s.doi && rest < end)
        s.where = copy(rest, (size_t)(end - rest));
    return s;
}

/* ---- collecting ----------------------------------------------------------------------------- */

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_source(const struct source *a, const struct source *b)
{
    if (a->arxiv || b->arxiv)
        return same_text(a->arxiv, b->arxiv);
    if (a->doi || b->doi)
        return same_text(a->doi, b->doi);
    return same_text(a->authors, b->authors) && same_text(a->year, b->year) &&
           same_text(a->where, b->where);
}

static bool has_key(const struct citations *c, const char *key)
{
    for (size_t i = 0; i < c->count; i++)
        if (strcmp(c->source[i].key, key) == 0)
            return true;
    return false;
}

static void keep(struct citations *c, const char *key, size_t number, struct source s)
{
    struct ub_text name = {0};
    ub_text_add(&name, "%s", key);
    if (number > 1)
        ub_text_add(&name, "-%zu", number);
    s.key = name.data;
    s.same = 0;
    while (s.same < c->count && !same_source(&c->source[s.same], &s))
        s.same++;
    c->source = ub_realloc(c->source, (c->count + 1) * sizeof *c->source);
    c->source[c->count++] = s;
}

void citations_add(struct citations *c, const char *key, const char *citation)
{
    if (!citation || !*citation || has_key(c, key))
        return;
    for (size_t number = 1; *citation; number++) {
        const size_t length = strcspn(citation, ";");
        const char *end = citation + length;
        citation = skip_blanks(citation, end, " ");
        if (citation < end)
            keep(c, key, number, read_source(citation, end));
        citation = *end ? end + 1 : end;
    }
}

void citations_clear(struct citations *c)
{
    for (size_t i = 0; i < c->count; i++) {
        struct source *s = &c->source[i];
        char *const owned[] = {s->key, s->authors, s->year, s->named, s->arxiv, s->doi, s->where};
        for (size_t k = 0; k < sizeof owned / sizeof *owned; k++)
            ub_free(owned[k]);
    }
    ub_free(c->source);
    *c = (struct citations){0};
}

/* ---- writing -------------------------------------------------------------------------------- */

/* Whether it is the key's, or the key with a number. */
static bool belongs(const char *own, const char *key)
{
    const size_t n = strlen(key);
    if (strncmp(own, key, n) != 0 || own[n] == '\0')
        return strcmp(own, key) == 0;
    return own[n] == '-' && own[n + 1] && strspn(own + n + 1, "0123456789") == strlen(own + n + 1);
}

void citations_cite(const struct citations *c, const char *key, struct ub_text *out)
{
    size_t n = 0;
    for (size_t i = 0; i < c->count; i++)
        if (belongs(c->source[i].key, key))
            ub_text_add(out, "%s%s", n++ ? "," : "\\cite{", c->source[c->source[i].same].key);
    ub_text_add(out, "%s", n ? "}" : "");
}

void citations_list(const struct citations *c, struct ub_text *out)
{
    for (size_t i = 0; i < c->count; i++)
        if (c->source[i].same == i)
            ub_text_add(out, "\\nocite{%s}\n", c->source[i].key);
}

static void add_field(struct ub_text *out, const char *name, const char *prefix, const char *text)
{
    if (!text)
        return;
    ub_text_add(out, ",\n  %s = {%s", name, prefix);
    latex_add_unbroken(out, text);
    ub_text_add(out, "}");
}

/* In braces of its own: styles keep its capitals. */
static void add_title(struct ub_text *out, const char *title)
{
    ub_text_add(out, ",\n  title = {{");
    latex_add_unbroken(out, title);
    ub_text_add(out, "}}");
}

const struct reference *source_reference(const struct source *s)
{
    const char *const keys[] = {s->arxiv, s->doi, s->named};
    const struct reference *r = NULL;
    for (size_t i = 0; !r && i < sizeof keys / sizeof *keys; i++)
        r = keys[i] ? reference_find(keys[i]) : NULL;
    return r;
}

static void add_link(struct ub_text *out, const struct source *s)
{
    if (s->arxiv)
        ub_text_add(out, ", [arXiv:%s](https://arxiv.org/abs/%s)", s->arxiv, s->arxiv);
    else if (s->doi)
        ub_text_add(out, ", [doi:%s](https://doi.org/%s)", s->doi, s->doi);
    else if (s->where)
        ub_text_add(out, ", %s", s->where);
}

void citation_markdown(const char *citation, struct ub_text *out)
{
    struct citations c = {0};
    citations_add(&c, "x", citation);
    for (size_t i = 0; i < c.count; i++) {
        const struct source *s = &c.source[i];
        const struct reference *r = source_reference(s);
        if (!r || s->same != i)
            continue;
        ub_text_add(out, "- %s%s*%s*", s->named ? s->named : "", s->named ? ": " : "", r->title);
        add_link(out, s);
        ub_text_add(out, "\n");
    }
    citations_clear(&c);
}

void citations_bibtex(const struct citations *c, struct ub_text *out)
{
    for (size_t i = 0; i < c->count; i++) {
        const struct source *s = &c->source[i];
        const struct reference *r = source_reference(s);
        ub_text_add(out, "@misc{%s", s->key);
        add_field(out, "author", "", r ? r->authors : s->authors);
        add_field(out, "key", "", r || s->authors ? NULL : s->key); /* what it is sorted by */
        if (r)
            add_title(out, r->title);
        add_field(out, "year", "", s->year);
        if (s->arxiv) {
            add_field(out, "eprint", "", s->arxiv);
            add_field(out, "archiveprefix", "", "arXiv");
            add_field(out, "howpublished", "arXiv:", s->arxiv);
        } else if (s->doi) {
            add_field(out, "doi", "", s->doi);
            add_field(out, "howpublished", "doi:", s->doi);
        } else {
            add_field(out, "howpublished", "", s->where);
        }
        ub_text_add(out, "\n}\n\n");
    }
}
