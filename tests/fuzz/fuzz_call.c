/* Calls ("mlp:widths=64x64") of every kind: a canonical text is canonical. */
#include "bench/suite/suite.h"
#include "tests/fuzz/fuzz.h"

#include <math.h>
#include <string.h>

static char **field_of(struct ub_run_spec *spec, const char *axis)
{
    return strcmp(axis, "dataset") == 0 ? &spec->dataset
           : strcmp(axis, "model") == 0 ? &spec->model
           : strcmp(axis, "loss") == 0  ? &spec->loss
           : strcmp(axis, "init") == 0  ? &spec->init
                                        : &spec->optimizer;
}

static void check_axis(const char *axis, const char *text)
{
    struct ub_error err = {0};
    struct ub_run_spec spec = {0}, again = {0};
    const bool good = ub_spec_set_call(&spec, axis, text, "--option", &err);
    fuzz_expect(good, &err);
    if (good) {
        const char *first = *field_of(&spec, axis);
        fuzz_require(ub_spec_set_call(&again, axis, first, "again", &err) &&
                         strcmp(first, *field_of(&again, axis)) == 0,
                     "a canonical text is its own");
    }
    ub_run_spec_clear(&spec);
    ub_run_spec_clear(&again);
}

static void check_measure(const char *text)
{
    struct ub_error err = {0};
    struct ub_run_spec spec = {0}, again = {0};
    const char *const where[] = {"--measure"};
    const bool good = ub_spec_set_measures(&spec, &text, where, 1, &err);
    fuzz_expect(good, &err);
    if (good)
        fuzz_require(
            ub_spec_set_measures(&again, (const char *const *)spec.measures, where, 1, &err) &&
                strcmp(spec.measures[0], again.measures[0]) == 0,
            "a canonical observable is its own");
    ub_run_spec_clear(&spec);
    ub_run_spec_clear(&again);
}

static void check_number(const char *text)
{
    char shortest[UB_REAL_TEXT];
    double value, again;
    if (!ub_read_real(text, &value))
        return;
    fuzz_require(isfinite(value), "numbers are finite");
    ub_real_text(value, shortest);
    fuzz_require(ub_read_real(shortest, &again) && memcmp(&value, &again, sizeof value) == 0,
                 "a number is read back to the bit");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const axes[] = {"dataset", "model", "loss", "init", "optimizer"};
    char *text = fuzz_text(data, size);
    for (size_t i = 0; i < sizeof axes / sizeof *axes; i++)
        check_axis(axes[i], text);
    check_measure(text);
    check_number(text);
    ub_free(text);
    return 0;
}
