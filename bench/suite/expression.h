/* expression.h - arithmetic on a block's variables.
 *
 *     sum:     product { (+ | -) product }          function: sqrt log log2 exp round floor ceil
 *     product: power { (* | /) power }              numbers as in C, names of variables
 *     power:   [-] atom [ ^ power ]                 atom: number, name, function(sum), (sum)
 *
 * 2^3^2 = 2^9, -2^2 = -4. */
#ifndef UB_SUITE_EXPRESSION_H
#define UB_SUITE_EXPRESSION_H

#include "base/base.h"

struct ub_variable {
    const char *name, *text;
    bool used;
};
struct ub_variables {
    size_t count;
    struct ub_variable *variable;
};
/* Marks it as used; NULL when there is none of `length` characters at `name`. */
const char *ub_variable_text(struct ub_variables *variables, const char *name, size_t length);

/* False, with `why` (what is wrong; what was expected), of a text that is no expression, has other
 * names, names that stand for no number, or a value that is not finite. */
bool ub_expression_value(const char *text, struct ub_variables *variables, double *value,
                         struct ub_text *why);

#endif
