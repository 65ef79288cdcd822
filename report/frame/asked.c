/* asked.c - what runs asked of observables: no axis, so no column. */
#include "base/base.h"
#include "report/frame/frame.h"

#include <string.h>

char *ub_frame_asked(const struct ub_frame *frame, size_t row, const char *observable,
                     const char *option)
{
    const struct ub_run_spec *spec = &frame->store->runs[row].spec;
    char *asked = NULL;
    for (size_t i = 0; !asked && i < spec->n_measures; i++) {
        struct ub_error ignored = {0};
        struct ub_call *call = ub_call_parse(spec->measures[i], "measure", &ignored);
        const char *text =
            call && strcmp(call->name, observable) == 0 ? ub_call_get(call, option) : NULL;
        asked = text ? ub_strdup(text) : NULL;
        ub_call_free(call);
    }
    return asked;
}
