/* YAML: every scalar that is read is written so that it is read back. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

static void check_scalars(const struct ub_yaml *node)
{
    for (size_t i = 0; i < node->count; i++)
        check_scalars(node->items[i]);
    if (node->kind != UB_YAML_SCALAR)
        return;
    struct ub_error err = {0};
    struct ub_text text = {0};
    ub_yaml_add_scalar(&text, node->text);
    struct ub_yaml *again = ub_yaml_parse(text.data, "again", &err);
    fuzz_require(again && again->kind == UB_YAML_SCALAR && strcmp(again->text, node->text) == 0,
                 "a scalar is read back");
    ub_yaml_free(again);
    ub_text_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ub_error err = {0};
    struct ub_yaml *root = ub_yaml_read(fuzz_file("input.yaml", data, size), &err);
    fuzz_expect(root != NULL, &err);
    if (root)
        check_scalars(root);
    ub_yaml_free(root);
    return 0;
}
