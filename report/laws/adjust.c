/* Verdicts of many laws at once: which of them stand at a false-discovery rate over all. */
#include "report/laws/law.h"

#include <math.h>

static const double rate = 0.05;

void ub_judgments_adjust(const struct ub_judgment *const *judgments, size_t n, double *q)
{
    double *p = ub_calloc(2 * n + 1, sizeof *p), *adjusted = p + n;
    for (int verdict = 0; verdict < UB_LAW_VERDICTS; verdict++) {
        for (size_t i = 0; i < n; i++)
            p[i] = judgments[i]->p[verdict];
        ub_benjamini_hochberg(p, n, adjusted);
        for (size_t i = 0; i < n; i++)
            if ((int)judgments[i]->verdict == verdict)
                q[i] = adjusted[i];
    }
    ub_free(p);
}

void ub_laws_adjust(struct ub_law_verdict *const *verdicts, size_t n)
{
    const struct ub_judgment **judged = ub_calloc(n + 1, sizeof *judged);
    double *q = ub_calloc(n + 1, sizeof *q);
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        if (!verdicts[i]->at_fault)
            judged[count++] = &verdicts[i]->judgment;
    ub_judgments_adjust(judged, count, q);
    for (size_t i = n; i-- > 0;)
        verdicts[i]->q = verdicts[i]->at_fault ? (double)NAN : q[--count];
    ub_free(q);
    ub_free(judged);
}

bool ub_law_stands(const struct ub_law_verdict *verdict)
{
    return !(verdict->q >= rate);
}
