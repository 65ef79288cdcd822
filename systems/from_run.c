/* Weights that a run kept, at a chosen step: what is trained starts there. They come from a file,
 * so from outside of this library (bench/run/start.h reads them); the file's content is part of
 * what the new run is. Of the old run only the weights are taken over: the optimizer starts anew,
 * its moments at zero, its schedule and its batches at their beginning, as those of any run do. So
 * a run goes on as if it had never ended where its optimizer keeps nothing, gradient descent of the
 * whole set at a constant rate; of others it is a run from that start. */
#include "systems/systems.h"

#include <string.h>

static const struct ub_option options[] = {
    {"file", UB_OPTION_TEXT, NULL, 0, 0, NULL,
     "the weights.npz of a run that kept weights, or what `unibench export` made of it"},
    {"at", UB_OPTION_TEXT, "end", 0, 0, NULL, "which of them: those of a step, start or end"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

const struct ub_init ub_init_from_run = {
    .name = "from-run",
    .summary = "weights that another run kept, at a step; the optimizer starts anew",
    .citation = "",
    .options = options,
    .given = true,
};

char *ub_init_file(const char *text)
{
    struct ub_error ignored = {0};
    const void *entry = NULL;
    struct ub_call *call = ub_registry_call(&ub_init_registry, text, "init", &entry, &ignored);
    const struct ub_init *init = entry;
    char *file = call && init->given ? ub_strdup(ub_call_get(call, "file")) : NULL;
    ub_call_free(call);
    return file;
}
