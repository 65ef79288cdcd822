/* references.h - titles and authors of what the registries cite, in one place.
 *
 *     const struct reference *r = reference_find("1806.07572");
 *     puts(r->title); // "Neural Tangent Kernel: ..."
 */
#ifndef UB_REFERENCES_H
#define UB_REFERENCES_H

#include "base/base.h"

struct reference {
    const char *key;     /* "1806.07572", "10.1109/5.726791", "Cho and Saul 2009" */
    const char *authors; /* BibTeX's: "Jacot, Arthur and Gabriel, Franck and others" */
    const char *title;
};
/* NULL where there is none. */
const struct reference *reference_find(const char *key);
/* By their order; NULL beyond the last. */
const struct reference *reference_at(size_t index);

#endif
