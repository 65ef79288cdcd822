/* suite_words.h - from YAML nodes to lists of call texts; private to the suite reader. */
#ifndef UB_SUITE_WORDS_H
#define UB_SUITE_WORDS_H

#include "base/base.h"

enum { UB_SUITE_LIMIT = 100000 }; /* cells of a suite, values of an axis */

/* Texts with the lines they come from. */
struct ub_words {
    size_t count;
    char **text;
    int *line;
};
void ub_words_clear(struct ub_words *words);
/* Takes over `text`; fails beyond UB_SUITE_LIMIT. */
bool ub_words_add(struct ub_words *words, char *text, const struct ub_yaml *from,
                  struct ub_error *err);

/* All the calls that a node stands for; `what` ("model") is for messages. */
bool ub_words_calls(const struct ub_yaml *node, const char *what, struct ub_words *out,
                    struct ub_error *err);
/* Scalars, or lists of them; "2..5" stands for four whole numbers when `ranges`. */
bool ub_words_scalars(const struct ub_yaml *node, const char *what, bool ranges,
                      struct ub_words *out, struct ub_error *err);
/* The observables of `measure`: here lists are no axes but joined values (at: [0, end]). */
bool ub_words_measures(const struct ub_yaml *node, struct ub_words *out, struct ub_error *err);

#endif
