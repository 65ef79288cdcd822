#include "bench/observables/operators.h"
#include "base/clock.h"

#include <string.h>

/* ---- which matrix ---- */

struct ub_matrix_choice ub_call_choice(const struct ub_call *call)
{
    return (struct ub_matrix_choice){.kind = ub_call_get(call, "operator"),
                                     .layer = ub_call_get(call, "layer"),
                                     .preconditioned = ub_call_flag(call, "preconditioned"),
                                     .seed = (uint64_t)ub_call_int(call, "seed")};
}

void ub_operator_title(const struct ub_call *call, char out[UB_TITLE])
{
    const struct ub_matrix_choice c = ub_call_choice(call);
    const bool all = strcmp(c.layer, "all") == 0;
    snprintf(out, UB_TITLE, "%s%s%s%s", c.kind, all ? "" : ".", all ? "" : c.layer,
             c.preconditioned ? ".preconditioned" : "");
}

bool ub_check_operator(const struct ub_call *call, const char *where, struct ub_error *err)
{
    enum { LONGEST = 64 }; /* names of parameters and layers are shorter */
    struct ub_error cause = {0};
    const struct ub_matrix_choice choice = ub_call_choice(call);
    if (strlen(choice.layer) >= LONGEST)
        return ub_fail(err, UB_INPUT, "%s: %s: layer has %zu characters; expected fewer than %d",
                       where, call->name, strlen(choice.layer), LONGEST);
    return ub_matrix_check(&choice, &cause) ||
           ub_fail(err, cause.code, "%s: %s: %s", where, call->name, cause.text);
}

struct ub_matrix_point ub_moment_point(const struct ub_moment *moment)
{
    return (struct ub_matrix_point){.problem = moment->problem,
                                    .theta = moment->theta,
                                    .grad = moment->grad,
                                    .optimizer = moment->optimizer};
}

/* ---- leading eigenpairs ---- */

bool ub_leading_find(struct ub_leading *l, const struct ub_matrix *m,
                     struct ub_lanczos_options options, bool *known, struct ub_error *err)
{
    struct ub_error cause = {0};
    struct ub_eigenpairs found;
    const double start = ub_seconds();
    options.count = options.count < m->operator.n ? options.count : m->operator.n;
    options.starts = l->found.count;
    options.start = l->found.vectors;
    *known = ub_lanczos(&m->operator, & options, &found, &cause);
    l->seconds += ub_seconds() - start;
    l->products += m->products;
    l->measurements++;
    if (!*known) /* the options are in range: a product was not finite */
        return cause.code == UB_INPUT || ub_fail(err, cause.code, "%s", cause.text);
    l->unconverged += found.converged < found.count;
    ub_eigenpairs_free(&l->found);
    l->found = found;
    return true;
}

bool ub_leading_measure(struct ub_leading *l, const struct ub_matrix_choice *choice,
                        const struct ub_call *call, const struct ub_moment *moment,
                        struct ub_lanczos_options options, bool *known, struct ub_error *err)
{
    const struct ub_matrix_point at = ub_moment_point(moment);
    struct ub_matrix *m = ub_matrix_new(choice, &at, err);
    if (!m)
        return false;
    options.tolerance = ub_call_real(call, "tolerance");
    options.max_products = ub_call_int(call, "max-products");
    const bool good = ub_leading_find(l, m, options, known, err);
    ub_matrix_free(m);
    return good;
}

void ub_leading_cost(const struct ub_leading *l, struct ub_record *record, const char *name)
{
    const struct {
        const char *what;
        double value;
    } facts[] = {{"products", (double)l->products},
                 {"measurements", (double)l->measurements},
                 {"unconverged", (double)l->unconverged},
                 {"seconds", l->seconds}};
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
        char fact[UB_TITLE + 64];
        snprintf(fact, sizeof fact, "%s.%s", facts[i].what, name);
        record->fact(record->context, fact, facts[i].value);
    }
}

void ub_leading_clear(struct ub_leading *l)
{
    ub_eigenpairs_free(&l->found);
}

/* Lanczos' stated need with its own block and room (lanczos.h), the pairs known before, and what
 * the matrix holds for a block. */
int64_t ub_leading_bytes(const struct ub_matrix_choice *choice, const struct ub_problem *problem,
                         int64_t count)
{
    enum { SMALL = 200, ROWS = 16 };
    const int64_t block = 4;
    const int64_t n = ub_matrix_size(choice, problem), wanted = count < n ? count : n;
    const bool whole = n <= SMALL || 2 * wanted >= n;
    const int64_t room = 2 * wanted + 16 * block;
    const int64_t doubles = whole ? 2 * n * n + 2 * wanted * n
                                  : (room + 3 * block) * n + 2 * wanted * n +
                                        6 * (room + 2 * block) * (room + 2 * block);
    return doubles * (int64_t)sizeof(double) +
           ub_matrix_bytes(choice, problem, whole ? ROWS : block);
}
