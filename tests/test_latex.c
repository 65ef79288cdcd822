/* What LaTeX and BibTeX read: text that is text to them, columns of numbers, citations. */
#include "read_back.h"

#include "report/references/citations.h"
#include "report/tables/latex.h"
#include "systems/systems.h"

#include <string.h>

/* ---- text ----------------------------------------------------------------------------------- */

static void test_escapes(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"50% of a_b", "50\\% of a\\_\\allowbreak{}b"},
        {"a&b#c$d", "a\\&b\\#c\\$d"},
        {"{x}", "\\{x\\}"},
        {"~^", "\\textasciitilde{}\\textasciicircum{}"},
        {"\\n", "\\textbackslash{}n"},
        {"a < b > c | d", "a \\textless{} b \\textgreater{} c \\textbar{} d"},
        {"\"it's\" `x`", "\\textquotedbl{}it\\textquotesingle{}s\\textquotedbl{} "
                         "\\textasciigrave{}x\\textasciigrave{}"},
        {"lr=0.1,beta", "lr=\\allowbreak{}0.1,\\allowbreak{}beta"},
        {"a--b", "a-{}\\allowbreak{}-\\allowbreak{}b"},
        {"1e-05 -2", "1e-05 -2"}, /* a sign stays with its number */
        {"1 \u00b1 0.2 \u2264 \u03bb", "1 $\\pm$ 0.2 $\\leq$ $\\lambda$"},
        {"Erd\u0151s, \u00e9", "Erd\u0151s, \u00e9"},
        {"\u4e2d", "U+4E2D"},
        {"\xff", "U+FFFD"},
        {"a\tb\nc", "a b c"},
        {"abcdefghijklmnopqrstuvwxyz", "abcdefghijklmnopqrstuvwx\\allowbreak{}yz"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ub_text out = {0};
        latex_add(&out, cases[i][0]);
        assert_string_equal(out.data, cases[i][1]);
        ub_text_free(&out);
    }
}

static void test_markdown(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"**a_b: holds** (x)", "\\textbf{a\\_\\allowbreak{}b: holds} (x)"},
        {"run `a%b` again", "run \\texttt{a\\%b} again"},
        {"in [data.csv](data.csv).", "in data.csv."},
        {"1.0 [0.9, 1.1] (2 of 3)", "1.0 [0.9, 1.1] (2 of 3)"},
        {"3 * 4 ** 5", "3 * 4 ** 5"},
        {"a ` b", "a \\textasciigrave{} b"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ub_text out = {0};
        latex_add_markdown(&out, cases[i][0]);
        assert_string_equal(out.data, cases[i][1]);
        ub_text_free(&out);
    }
}

/* ---- tables --------------------------------------------------------------------------------- */

static void has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("expected %s in:\n%s", part, text);
}

static void test_columns(void **state)
{
    (void)state;
    static const char *const head[] = {"group", "value", "size", "95%", "mixed", NULL};
    static const char *const cells[] = {
        "a_b", "-1.25",   "1e-05", "[0.9, 1.1]", "1",  /* */
        "c",   "-",       "2.5e3", "-",          "no", /* */
        "d",   "100.125", "",      "[1, 2]",     "2",
    };
    struct table *t = table_new(head, "lrrrr");
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
        table_cell(t, "%s", cells[i]);
    struct ub_text out = {0};
    const struct latex_table what = {.label = "x", .caption = "50%", .note = "a & b"};
    table_latex(t, &what, &out);
    has(out.data, "S[table-format=-3.3]S[table-format=1.1e-1]");
    assert_int_equal(count_of(out.data, "S["), 2);
    has(out.data,
        "  a\\_\\allowbreak{}b & -1.25 & 1e-5 & [0.9, 1.1] & 1 \\\\ \\addlinespace[1.5pt]\n");
    has(out.data, "  c & {--} & 2.5e3 & -- & no \\\\ ");
    has(out.data, "  d & 100.125 & {} & [1, 2] & 2 \\\\ ");
    has(out.data, "\\caption{50\\%}\\label{tab:x}");
    has(out.data, "\\noindent a \\& b\\par");
    assert_int_equal(count_of(out.data, "\\begin{longtable}"), 1);
    assert_int_equal(count_of(out.data, "\\toprule"), 2); /* of the first page and of others */
    ub_text_free(&out);
    table_free(t);
}

/* Columns that no page has room for go to further tables, behind the first column again. */
static void test_wide(void **state)
{
    (void)state;
    enum { COLUMNS = 20 };
    const char *head[COLUMNS + 1] = {"name"};
    char names[COLUMNS][16], align[COLUMNS + 1] = {0};
    for (int c = 0; c < COLUMNS; c++) {
        snprintf(names[c], sizeof names[c], "column%02dheads", c);
        head[c] = names[c];
        align[c] = 'l';
    }
    struct table *t = table_new(head, align);
    for (int c = 0; c < COLUMNS; c++)
        table_cell(t, "cell%02dofthetable", c);
    struct ub_text out = {0};
    table_latex(t, &(struct latex_table){.caption = "wide"}, &out);
    const size_t parts = count_of(out.data, "\\begin{longtable}");
    assert_true(parts >= 3 && parts <= 6); /* each word has about 80 of 486 points */
    assert_int_equal(count_of(out.data, "cell00ofthetable"), parts);
    for (int c = 1; c < COLUMNS; c++) {
        char cell[32];
        snprintf(cell, sizeof cell, "cell%02dofthetable", c);
        assert_int_equal(count_of(out.data, cell), 1);
    }
    double sum = 0; /* of the first table's columns and what is between them */
    const char *end = strstr(out.data, "@{}}\n");
    for (const char *at = out.data; (at = strstr(at, "p{")) && at < end; at++)
        sum += strtod(at + 2, NULL) + 6;
    assert_true(sum > 200 && sum - 6 <= LATEX_WIDTH);
    ub_text_free(&out);
    table_free(t);
}

/* ---- citations ------------------------------------------------------------------------------ */

static const struct source *source_of(const struct citations *c, const char *key)
{
    for (size_t i = 0; i < c->count; i++)
        if (strcmp(c->source[i].key, key) == 0)
            return &c->source[i];
    fail_msg("no %s", key);
    return NULL;
}

static void test_citations(void **state)
{
    (void)state;
    struct citations c = {0};
    citations_add(&c, "law:a",
                  "Saxe, McClelland and Ganguli 2013, arXiv:1312.6120; Cohen, Damian et al. 2024, "
                  "arXiv:2410.24206");
    citations_add(&c, "law:b", "as for Adam: Cohen et al. 2022, arXiv:2207.14484");
    citations_add(&c, "law:c", "derived here, after Saxe et al. 2013, arXiv:1312.6120");
    citations_add(&c, "law:d", "Cauchy 1847");
    citations_add(&c, "law:e", "Stringer et al. 2019, doi:10.1038/s41586-019-1346-5");
    citations_add(&c, "law:f", "Robbins and Monro 1951, Ann. Math. Stat. 22");
    citations_add(&c, "law:g", "arXiv:2604.14108");
    citations_add(&c, "law:h", "these tests");
    citations_add(&c, "law:i", NULL);
    citations_add(&c, "law:j", "");
    citations_add(&c, "law:k", "Jordan et al. 2024, Muon: an optimizer");
    citations_add(&c, "law:a", "twice");
    assert_int_equal(c.count, 10);
    assert_string_equal(source_of(&c, "law:k")->authors, "Jordan and others");
    assert_string_equal(source_of(&c, "law:k")->where, "Muon: an optimizer");
    assert_string_equal(source_of(&c, "law:a")->authors, "Saxe and McClelland and Ganguli");
    assert_string_equal(source_of(&c, "law:a")->arxiv, "1312.6120");
    assert_string_equal(source_of(&c, "law:a-2")->authors, "Cohen and Damian and others");
    assert_string_equal(source_of(&c, "law:b")->authors, "Cohen and others");
    assert_string_equal(source_of(&c, "law:b")->year, "2022");
    assert_int_equal(source_of(&c, "law:c")->same, 0); /* law:a's first */
    assert_string_equal(source_of(&c, "law:d")->year, "1847");
    assert_null(source_of(&c, "law:d")->where);
    assert_string_equal(source_of(&c, "law:e")->doi, "10.1038/s41586-019-1346-5");
    assert_string_equal(source_of(&c, "law:f")->where, "Ann. Math. Stat. 22");
    assert_null(source_of(&c, "law:g")->authors);
    assert_string_equal(source_of(&c, "law:g")->arxiv, "2604.14108");
    assert_string_equal(source_of(&c, "law:h")->where, "these tests");
    struct ub_text cite = {0}, bib = {0};
    citations_cite(&c, "law:a", &cite);
    citations_cite(&c, "law:c", &cite);
    citations_cite(&c, "law:i", &cite);
    assert_string_equal(cite.data, "\\cite{law:a,law:a-2}\\cite{law:a}");
    ub_text_free(&cite);
    citations_list(&c, &cite); /* law:c is law:a's first */
    assert_int_equal(count_of(cite.data, "\\nocite{"), 9);
    assert_null(strstr(cite.data, "law:c"));
    citations_bibtex(&c, &bib);
    assert_int_equal(count_of(bib.data, "@misc{"), 10);
    has(bib.data,
        "@misc{law:b,\n  author = {Cohen, Jeremy M. and Ghorbani, Behrooz and Krishnan, "
        "Shankar and Agarwal, Naman and others},\n  title = {{Adaptive Gradient Methods at "
        "the Edge of Stability}},\n  year = {2022},\n"
        "  eprint = {2207.14484},\n  archiveprefix = {arXiv},\n"
        "  howpublished = {arXiv:2207.14484}\n}\n");
    ub_text_free(&cite);
    ub_text_free(&bib);
    citations_clear(&c);
}

/* Every optimizer's citation has authors, a year, and where it is. */
static void test_registered_citations(void **state)
{
    (void)state;
    for (size_t i = 0; ub_optimizers[i]; i++) {
        struct citations c = {0};
        citations_add(&c, "o", ub_optimizers[i]->citation);
        citations_add(&c, "edge", ub_optimizers[i]->edge_citation);
        for (size_t k = 0; k < c.count; k++) {
            const struct source *s = &c.source[k];
            if (!(s->authors && s->year) && !s->arxiv)
                fail_msg("%s: %s", ub_optimizers[i]->name, s->where);
            if (s->authors && !(s->authors[0] >= 'A' && s->authors[0] <= 'Z'))
                fail_msg("%s: authors '%s'", ub_optimizers[i]->name, s->authors);
        }
        citations_clear(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_escapes),   cmocka_unit_test(test_markdown),
        cmocka_unit_test(test_columns),   cmocka_unit_test(test_wide),
        cmocka_unit_test(test_citations), cmocka_unit_test(test_registered_citations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
