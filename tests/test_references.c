/* Every source that a registry cites has a title, and its authors are those it is cited by. */
#include "support.h"

#include "bench/observables/observables.h"
#include "datasets/datasets.h"
#include "report/laws/law.h"
#include "report/references/citations.h"
#include "systems/systems.h"

#include <stdlib.h>
#include <string.h>

static void the_table_is_in_order(void **state)
{
    (void)state;
    size_t n = 0;
    for (const struct reference *r; (r = reference_at(n)); n++) {
        if (n > 0 && strcmp(reference_at(n - 1)->key, r->key) >= 0)
            fail_msg("%s stands behind %s", r->key, reference_at(n - 1)->key);
        assert_ptr_equal(reference_find(r->key), r);
        assert_true(strlen(r->title) > 5 && strlen(r->authors) > 5);
        assert_non_null(strchr(r->authors, ','));
    }
    assert_true(n > 100);
    assert_null(reference_find("nobody 1999"));
}

/* The first word of who it is cited by: a surname that the table has first, too. */
static void check_source(const struct source *s, const char *citation, size_t *missing)
{
    if (!s->arxiv && !s->doi && !s->named)
        return; /* "the file's own" */
    const struct reference *r = source_reference(s);
    if (!r) {
        ++*missing;
        print_message("no title of \"%s\" (report/references/references.c)\n", citation);
        return;
    }
    if (s->named) {
        size_t n = strcspn(s->named, " ,");
        if (strncmp(r->authors, s->named, n) != 0 || r->authors[n] != ',')
            fail_msg("\"%s\" is by %s", citation, r->authors);
    }
    if (s->arxiv && s->year &&
        strlen(s->arxiv) > 8) { /* YYMM.NNNNN: no earlier than the preprint */
        const char year[] = {'2', '0', s->arxiv[0], s->arxiv[1], '\0'};
        if (atoi(s->year) + 1 < atoi(year)) /* some came a year after print */
            fail_msg("\"%s\" is of %s", citation, year);
    }
}

static size_t check(const char *citation, size_t *missing)
{
    struct citations c = {0};
    citations_add(&c, "x", citation);
    const size_t n = c.count;
    for (size_t i = 0; i < n; i++)
        check_source(&c.source[i], citation, missing);
    citations_clear(&c);
    return n;
}

static void all_that_is_cited_has_a_title(void **state)
{
    (void)state;
    size_t n = 0, missing = 0;
    for (size_t i = 0; ub_laws[i]; i++)
        n += check(ub_laws[i]->citation, &missing);
    for (size_t i = 0; ub_optimizers[i]; i++)
        n += check(ub_optimizers[i]->citation, &missing) +
             check(ub_optimizers[i]->edge_citation, &missing);
    for (size_t i = 0; ub_models[i]; i++)
        n += check(ub_models[i]->citation, &missing);
    for (size_t i = 0; ub_losses[i]; i++)
        n += check(ub_losses[i]->citation, &missing);
    for (size_t i = 0; ub_inits[i]; i++)
        n += check(ub_inits[i]->citation, &missing);
    for (size_t i = 0; ub_dataset_sources[i]; i++)
        n += check(ub_dataset_sources[i]->citation, &missing);
    for (size_t i = 0; ub_observables[i]; i++)
        n += check(ub_observables[i]->citation, &missing);
    print_message("  %zu sources cited\n", n);
    assert_int_equal(missing, 0);
    assert_true(n > 150);
}

static void references_are_listed_once_each(void **state)
{
    (void)state;
    struct ub_text out = {0}, bib = {0};
    citation_markdown("Jacot et al. 2018, arXiv:1806.07572; Williams 1997; the file's own", &out);
    assert_string_equal(
        out.data, "- Jacot et al. 2018: *Neural Tangent Kernel: Convergence and Generalization in "
                  "Neural Networks*, [arXiv:1806.07572](https://arxiv.org/abs/1806.07572)\n"
                  "- Williams 1997: *Computing with Infinite Networks*\n");
    struct citations c = {0};
    citations_add(&c, "law:x", "arXiv:2604.14108");
    citations_bibtex(&c, &bib);
    assert_non_null(strstr(bib.data, "title = {{Momentum Further Constrains Sharpness at the Edge "
                                     "of Stochastic Stability}}"));
    assert_non_null(strstr(bib.data, "year = {2026}"));
    citations_clear(&c);
    ub_text_free(&out);
    ub_text_free(&bib);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_is_in_order),
        cmocka_unit_test(all_that_is_cited_has_a_title),
        cmocka_unit_test(references_are_listed_once_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
