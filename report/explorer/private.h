/* private.h - parts of the page's data, each JSON of jansson that the caller owns; private to this
 * folder. */
#ifndef UB_REPORT_EXPLORER_PRIVATE_H
#define UB_REPORT_EXPLORER_PRIVATE_H

#include "report/explorer/explorer.h"

#include <jansson.h>

/* Null for what is not finite, whole numbers whole. */
json_t *explorer_number(double value, int digits);
/* What is no UTF-8 in it becomes U+FFFD; NULL is the empty text. */
json_t *explorer_text(const char *text);
/* {name, meaning, units} of a number. */
json_t *explorer_named(const char *name, const struct ub_quantity *quantity);

/* Distinct texts, found by hash: each once, in order of first appearance. */
struct texts;
struct texts *explorer_texts_new(void);
size_t explorer_texts_add(struct texts *texts, const char *text);
json_t *explorer_texts_finish(struct texts *texts); /* their list; frees them */

json_t *explorer_columns(const struct study *study, const struct digest *digest);
json_t *explorer_laws(const struct study *study);
/* Adds `series` and `spectra`. */
void explorer_add_traces(json_t *page, const struct study *study);

#endif
