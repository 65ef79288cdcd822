/* Suites: every run that one expands to has a spec that reads back as the same run. */
#include "bench/suite/suite.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static void check_spec(const struct ub_run_spec *spec)
{
    struct ub_error err = {0};
    struct ub_run_spec again;
    char id[17], id_again[17], *text = ub_run_spec_text(spec);
    struct ub_yaml *map = ub_yaml_parse(text, "spec", &err);
    fuzz_require(map && ub_run_spec_from_yaml(map, &again, &err), "a suite's spec is read back");
    ub_run_spec_id(spec, id);
    ub_run_spec_id(&again, id_again);
    fuzz_require(strcmp(id, id_again) == 0, "a spec read back has the same id");
    ub_run_spec_clear(&again);
    ub_yaml_free(map);
    ub_free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ub_error err = {0};
    char *text = fuzz_text(data, size);
    struct ub_suite *suite = ub_suite_parse(text, "input.yaml", &err);
    fuzz_expect(suite != NULL, &err);
    for (size_t i = 0; suite && i < suite->count && i < 20; i++)
        check_spec(&suite->cells[i].spec);
    ub_suite_free(suite);
    ub_free(text);
    return 0;
}
