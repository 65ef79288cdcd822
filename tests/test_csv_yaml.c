/* CSV and YAML: what is written comes back, and bad files say where they are bad. */
#include "support.h"

static struct ub_csv *read_csv(const char *text, size_t length, bool header, struct ub_error *err)
{
    char *folder = support_folder();
    support_write(folder, "t.csv", text, length);
    char *path = ub_path(folder, "t.csv");
    struct ub_csv *csv = ub_csv_read(path, header, err);
    ub_free(path);
    support_remove(folder);
    return csv;
}

static void csv_fields_come_back(void **state)
{
    (void)state;
    static const char *const fields[] = {"plain",      "",         "a,b", "say \"hi\"",
                                         "two\nlines", " spaced ", "0.1", "\xc3\xa9t\xc3\xa9"};
    struct ub_text text = {0};
    struct ub_error err = {0};
    for (int row = 0; row < 3; row++) {
        for (int i = 0; i < 8; i++)
            ub_csv_add(&text, fields[(i + row) % 8]);
        ub_csv_end_row(&text);
    }
    struct ub_csv *csv = read_csv(text.data, text.length, false, &err);
    assert_non_null(csv);
    assert_int_equal(csv->rows, 3);
    assert_int_equal(csv->columns, 8);
    for (size_t row = 0; row < 3; row++)
        for (size_t i = 0; i < 8; i++)
            assert_string_equal(ub_csv_cell(csv, row, i), fields[(i + row) % 8]);
    assert_int_equal(csv->lines[1], 3); /* the first row has a field of two lines */
    ub_csv_free(csv);
    ub_text_free(&text);
}

static void csv_header_names_columns(void **state)
{
    (void)state;
    static const char text[] = "x,label\r\n1,2\r\n3,4";
    struct ub_error err = {0};
    struct ub_csv *csv = read_csv(text, sizeof text - 1, true, &err);
    assert_non_null(csv);
    assert_int_equal(csv->rows, 2);
    assert_int_equal(ub_csv_column(csv, "label"), 1);
    assert_int_equal(ub_csv_column(csv, "y"), -1);
    assert_string_equal(ub_csv_cell(csv, 1, 1), "4");
    assert_int_equal(csv->lines[1], 3);
    ub_csv_free(csv);
}

static void bad_csv_says_where(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t length;
        const char *part;
    } cases[] = {
        {"", 0, "empty; expected CSV"},
        {"a,b\n1,2\n3\n", 10, "t.csv:3: 1 fields; expected 2"},
        {"a,b\n1,2,3\n", 10, "t.csv:2: 3 fields; expected 2"},
        {"a,b\n1,\"2\n", 9, "t.csv:2: a quoted field does not end"},
        {"a,b\n1,2\"3\"4\n", 12, "t.csv:2:"},
        {"a,b\n1,\0\n", 8, "t.csv:2: a NUL byte"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ub_error err = {0};
        assert_null(read_csv(cases[i].text, cases[i].length, true, &err));
        assert_input_error(&err, cases[i].part);
    }
    struct ub_error err = {0};
    assert_null(ub_csv_read("absent/file.csv", true, &err));
    assert_input_error(&err, "absent/file.csv: cannot open: No such file");
}

static void yaml_is_a_tree_with_lines(void **state)
{
    (void)state;
    struct ub_error err = {0};
    struct ub_yaml *root = ub_yaml_parse("name: quick\n"
                                         "# a comment\n"
                                         "runs:\n"
                                         "  - model: [mlp, {linear: {bias: false}}]\n"
                                         "    seed: 0..4\n",
                                         "q.yaml", &err);
    assert_non_null(root);
    assert_int_equal(root->kind, UB_YAML_MAP);
    assert_string_equal(ub_yaml_find(root, "name")->text, "quick");
    const struct ub_yaml *runs = ub_yaml_find(root, "runs");
    assert_int_equal(runs->kind, UB_YAML_LIST);
    const struct ub_yaml *model = ub_yaml_find(runs->items[0], "model");
    assert_int_equal(model->line, 4);
    assert_string_equal(model->items[1]->keys[0], "linear");
    assert_string_equal(model->path, "q.yaml");
    assert_int_equal(ub_yaml_find(runs->items[0], "seed")->line, 5);
    assert_null(ub_yaml_find(root, "absent"));
    ub_yaml_free(root);
}

static void bad_yaml_says_where(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", "b.yaml:1: empty"},
        {"a: 1\nb: 2\na: 3\n", "b.yaml:3: key 'a' again"},
        {"a: [1, 2\nb: 3\n", "b.yaml:"},
        {"a: &x 1\nb: *x\n", "b.yaml:2: an alias"},
        {"? [1, 2]\n: 3\n", "b.yaml:1: a key is a list"},
        {"a: 1\n---\nb: 2\n", "b.yaml:2: a second document"},
        {"a: \"x\\0y\"\n", "b.yaml:1: a text holds a NUL"},
        {"a:\n\t- 1\n", "b.yaml:2:"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ub_error err = {0};
        assert_null(ub_yaml_parse(cases[i][0], "b.yaml", &err));
        assert_input_error(&err, cases[i][1]);
    }
    struct ub_text deep = {0};
    for (int i = 0; i < 500; i++)
        ub_text_add(&deep, "[");
    struct ub_error err = {0};
    assert_null(ub_yaml_parse(deep.data, "b.yaml", &err));
    assert_input_error(&err, "nested too deeply");
    ub_text_free(&deep);
}

static void yaml_scalars_come_back(void **state)
{
    (void)state;
    static const char *const values[] = {"plain",
                                         "",
                                         "a: b",
                                         "# no comment",
                                         "say \"hi\" \\",
                                         "two\nlines\t",
                                         "-1.5e-3",
                                         "- x",
                                         "mlp:widths=64x64",
                                         "\xc3\xa9t\xc3\xa9",
                                         "*star",
                                         "lr=edge(40)",
                                         " spaced "};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        struct ub_text text = {0};
        struct ub_error err = {0};
        ub_text_add(&text, "key: ");
        ub_yaml_add_scalar(&text, values[i]);
        ub_text_add(&text, "\n");
        struct ub_yaml *root = ub_yaml_parse(text.data, "s", &err);
        assert_non_null(root);
        assert_string_equal(root->items[0]->text, values[i]);
        ub_yaml_free(root);
        ub_text_free(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(csv_fields_come_back), cmocka_unit_test(csv_header_names_columns),
        cmocka_unit_test(bad_csv_says_where),   cmocka_unit_test(yaml_is_a_tree_with_lines),
        cmocka_unit_test(bad_yaml_says_where),  cmocka_unit_test(yaml_scalars_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
