/* citations.h - what a store's results stand on, as BibTeX: from the registries' citations, such as
 * "Cohen et al. 2021, arXiv:2103.00065; Lee et al. 2019, doi:10.1000/1".
 *
 *     struct citations c = {0};
 *     citations_add(&c, "law:catapult", law->citation);
 *     citations_cite(&c, "law:catapult", &page);   // \cite{law:catapult}
 *     citations_bibtex(&c, &bib);
 *     citations_clear(&c);
 *
 * A citation's first source has the key that is given, the others it with "-2", "-3", ... All keys
 * are entries; where several name one source, documents cite the first of them, so that it is
 * listed once. */
#ifndef UB_CITATIONS_H
#define UB_CITATIONS_H

#include "report/references/references.h"

struct source {
    char *key;                 /* owned, as all */
    char *authors, *year;      /* BibTeX's: "Cohen and others"; NULL where none are given */
    char *named;               /* who and when as cited: "Cohen et al. 2021"; NULL likewise */
    char *arxiv, *doi, *where; /* where: what is neither */
    size_t same;               /* index of the first that is the same source: its own */
};
struct citations {
    size_t count;
    struct source *source;
};

/* Nothing where there is no citation (NULL or empty), or the key is there. */
void citations_add(struct citations *c, const char *key, const char *citation);
/* "\cite{...}" of all sources of the key's; nothing where there are none. */
void citations_cite(const struct citations *c, const char *key, struct ub_text *out);
/* "\nocite{...}" of every source, once each. */
void citations_list(const struct citations *c, struct ub_text *out);
/* What is known of it, NULL where it is no source that the table has. */
const struct reference *source_reference(const struct source *source);
/* "Cohen et al. 2021: Gradient Descent on ..., [arXiv:2103.00065](https://...)", an item a source
 * of a citation that has a title; nothing where none has. */
void citation_markdown(const char *citation, struct ub_text *out);
void citations_bibtex(const struct citations *c, struct ub_text *out);
void citations_clear(struct citations *c);

#endif
