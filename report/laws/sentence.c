/* What a judgment says, in words that are true of it. */
#include "report/laws/judge.h"
#include "report/statistics/share.h"

#include <math.h>

void ub_claim_text(const struct ub_claim *claim, struct ub_text *text)
{
    switch (claim->is) {
    case UB_EQUAL:
        ub_text_add(text, "within %.3g of the prediction", claim->margin);
        return;
    case UB_AT_MOST:
        ub_text_add(text, "at most %.3g", claim->target);
        return;
    case UB_AT_LEAST:
        ub_text_add(text, "at least %.3g", claim->target);
        return;
    case UB_EXACT:
        ub_text_add(text, "within a relative error of %.2g", claim->margin);
        return;
    case UB_SAME:
        ub_text_add(text, "with a spread of at most %.3g", claim->margin);
        return;
    }
}

static void add_numbers(struct ub_text *text, const struct ub_claim *claim,
                        const struct ub_judgment *j)
{
    const struct ub_meta *m = &j->meta;
    if (claim->is == UB_SAME) {
        if (isfinite(m->tau))
            ub_text_add(text, "; pooled spread %.3g [%.3g, %.3g]", m->tau, m->tau_low, m->tau_high);
        return;
    }
    if (!isfinite(m->mean.estimate))
        return;
    ub_text_add(text, "; mean %.4g", m->mean.estimate);
    if (claim->is == UB_EXACT)
        return;
    if (isfinite(m->mean.low))
        ub_text_add(text, " [%.4g, %.4g]", m->mean.low, m->mean.high);
    if (claim->is == UB_EQUAL)
        ub_text_add(text, " against %.4g", j->target);
    if (isfinite(m->prediction.low))
        ub_text_add(text, ", a new system in [%.3g, %.3g]", m->prediction.low, m->prediction.high);
}

char *ub_judgment_sentence(const struct ub_claim *claim, const struct ub_judgment *j)
{
    struct ub_text text = {0};
    const char *what = claim->is == UB_SAME ? "clusters" : "systems";
    if (j->systems == 0) {
        ub_text_add(&text, "only controls were run");
        return text.data;
    }
    ub_text_add(&text, "%zu of %zu %s that speak are ", j->within, j->spoke, what);
    ub_claim_text(claim, &text);
    if (j->spoke < j->systems)
        ub_text_add(&text, " (%zu more do not speak)", j->systems - j->spoke);
    if (j->exceptions)
        ub_text_add(&text, "; %zu%s%s beyond it past doubt", j->exceptions,
                    claim->is == UB_SAME ? " cluster" : "",
                    claim->is == UB_SAME && j->exceptions > 1 ? "s" : "");
    add_numbers(&text, claim, j);
    if (j->verdict == UB_LAW_EXCEPTIONS && j->within == j->spoke)
        ub_text_add(&text, "; too few to rule out exceptions: by counting %.0f%% of all or more",
                    100 * ub_share_low(j->within, j->spoke, 0.95));
    if (j->decide)
        ub_text_add(&text, "; what would decide: %s", j->decide);
    return text.data;
}
