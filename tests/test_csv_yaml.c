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

/* Whatever the fields hold, separators of other kinds and marks of encodings, too, no reader takes
 * the table for another one. */
static void any_fields_come_back(void **state)
{
    (void)state;
    enum { TABLES = 30000, MOST = 12, LENGTH = 8 };
    static const char letters[] = "ab1,;\"\r\n \t|=sep\xef\xbb\xbf\xff\xfe.";
    static const char *const whole[] = {"sep=;", "\xef\xbb\xbf", "\xff\xfe", "sep=", ""};
    struct ub_random r = ub_random_stream(0, "fields");
    for (int table = 0; table < TABLES; table++) {
        const size_t columns = 1 + (size_t)ub_random_below(&r, 3);
        const size_t rows = 1 + (size_t)ub_random_below(&r, 4);
        char field[MOST][LENGTH] = {""};
        struct ub_text text = {0};
        struct ub_error err = {0};
        for (size_t i = 0; i < rows * columns; i++) {
            const int64_t n = ub_random_below(&r, LENGTH - 1);
            for (int64_t k = 0; k < n; k++)
                field[i][k] = letters[ub_random_below(&r, sizeof letters - 1)];
            if (ub_random_below(&r, 20) == 0)
                snprintf(field[i], LENGTH, "%s", whole[ub_random_below(&r, 5)]);
            ub_csv_add(&text, field[i]);
            if (i % columns == columns - 1)
                ub_csv_end_row(&text);
        }
        size_t length = text.length;
        const struct ub_csv_format format = {.header = false};
        assert_true(ub_utf8(text.data, &length, "t", &err));
        struct ub_csv *csv = ub_csv_parse(text.data, length, "t", &format, &err);
        if (!csv || csv->rows != rows || csv->columns != columns)
            fail_msg("%s\n%s", err.text, text.data);
        for (size_t i = 0; i < rows * columns; i++)
            assert_string_equal(csv->cells[i], field[i]);
        ub_csv_free(csv);
        ub_text_free(&text);
    }
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
        {"a,b\r1,2\r3\r", 10, "t.csv:3: 1 fields; expected 2"},
        {"a,b\r1,\"2\r", 9, "t.csv:2: a quoted field does not end"},
        {",b\n1,2\n", 7, "t.csv:1: column 1 has no name; expected a name for each"},
        {"\n\na,b,\n1,2,\n", 12, "t.csv:3: column 3 has no name"},
        {"a,\"  \"\n1,2\n", 11, "t.csv:1: column 2 has no name"},
        {"a,b,a\n1,2,3\n", 12, "t.csv:1: columns 1 and 3 are both 'a'; expected each name once"},
        {"\xef\xbb\xbf", 3, "empty; expected CSV"},
        {"sep=;\n", 6, "empty; expected CSV"},
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

#define MARK "\xef\xbb\xbf"

/* The same table of two names and two rows, as different programs write it. */
static void one_table_in_every_dress(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int line; /* of the second row */
    } cases[] = {
        {"x,label\n1,2\n3,4\n", 3},
        {"x,label\n1,2\n3,4", 3},
        {MARK "x,label\n1,2\n3,4\n", 3},
        {MARK "\"x\",\"label\"\r\n\"1\",\"2\"\r\n\"3\",\"4\"\r\n", 3},
        {"x,label\r\n1,2\r\n3,4\r\n", 3},
        {"x,label\r\n1,2\r\n3,4", 3},
        {"x,label\r1,2\r3,4\r", 3},
        {"x,label\r1,2\r3,4", 3},
        {"x;label\n1;2\n3;4\n", 3},
        {"x\tlabel\r\n1\t2\r\n3\t4\r\n", 3},
        {"x|label\n1|2\n3|4\n", 3},
        {MARK "sep=;\r\nx;label\r\n1;2\r\n3;4\r\n", 4},
        {"sep=,\nx,label\n1,2\n3,4\n", 4},
        {" x , label \n 1 ,2 \n3 , 4\n", 3},
        {"\n\nx,label\n\n1,2\n\n3,4\n\n", 7},
        {"x,label\r\r1,2\r\r3,4\r\r", 5},
        {"\"x\",label\n\"1\",2\n3,\"4\"\n", 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ub_error err = {0};
        struct ub_csv *csv = read_csv(cases[i].text, strlen(cases[i].text), true, &err);
        if (!csv)
            fail_msg("case %zu: %s", i, err.text);
        assert_int_equal(csv->columns, 2);
        assert_int_equal(csv->rows, 2);
        assert_int_equal(ub_csv_column(csv, "x"), 0);
        assert_int_equal(ub_csv_column(csv, "label"), 1);
        for (size_t k = 0; k < 4; k++)
            assert_string_equal(ub_csv_cell(csv, k / 2, k % 2), &"1\0002\0003\0004"[2 * k]);
        assert_int_equal(csv->lines[1], cases[i].line);
        ub_csv_free(csv);
    }
}

/* What is within quotes is kept, ends of lines and separators of other kinds, too. */
static void quoted_fields_are_kept_whole(void **state)
{
    (void)state;
    static const char text[] = "a,\"b, of; \"\"two\"\"\"\r\n"
                               "\"one\r\ntwo\rthree\n\",\";\t|,\"\r\n"
                               "\" x \",\"\"\r\n";
    struct ub_error err = {0};
    struct ub_csv *csv = read_csv(text, sizeof text - 1, true, &err);
    if (!csv)
        fail_msg("%s", err.text);
    assert_string_equal(csv->header[1], "b, of; \"two\"");
    assert_string_equal(ub_csv_cell(csv, 0, 0), "one\r\ntwo\rthree\n");
    assert_string_equal(ub_csv_cell(csv, 0, 1), ";\t|,");
    assert_string_equal(ub_csv_cell(csv, 1, 0), " x ");
    assert_string_equal(ub_csv_cell(csv, 1, 1), "");
    assert_int_equal(csv->lines[0], 2); /* where a row begins, though its first field has 4 lines */
    assert_int_equal(csv->lines[1], 6);
    ub_csv_free(csv);
}

static void the_separator_is_told_by_rule(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        char expected;
    } cases[] = {
        {"", ','},
        {"a\n1\n", ','},
        {"a;b\n1,5;2,5\n", ';'},            /* decimal commas: none in the header */
        {"a;b;c\n1,5;2;3\n4;5,5;6\n", ';'}, /* commas uneven */
        {"a, in m;b;c\n1,5;2;3\n", ';'},    /* both even, semicolons more often */
        {"\"a;b\",c\n\"1;;\",2\n", ','},    /* within quotes they do not count */
        {"a|b;c|d\n1|2|3\n", '|'},          /* even where semicolons are not */
        {"a\tb c\td\n1\t2 3\t4\n", '\t'},
        {"a,b;c\n1,2;3\n", '\0'}, /* either */
        {"a,b\n1,2,3\n", ','},    /* a ragged table stays one */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char found = ub_csv_sniff(cases[i].text, strlen(cases[i].text));
        if (found != cases[i].expected)
            fail_msg("case %zu: '%c'; expected '%c'", i, found, cases[i].expected);
    }
    struct ub_error err = {0};
    const char text[] = "a,b;c\n1,2;3\n";
    assert_null(read_csv(text, sizeof text - 1, true, &err));
    assert_input_error(&err, "t.csv: more than one character could separate its columns");
    const struct ub_csv_format format = {.header = true, .delimiter = ';'};
    struct ub_csv *csv = ub_csv_parse(text, sizeof text - 1, "t.csv", &format, &err);
    assert_non_null(csv);
    assert_string_equal(ub_csv_cell(csv, 0, 0), "1,2");
    ub_csv_free(csv);
}

/* A wide table: each name once, found by name; a name twice is seen however far apart. */
static void ten_thousand_columns(void **state)
{
    (void)state;
    enum { COLUMNS = 10000, ROWS = 3 };
    struct ub_text text = {0};
    struct ub_error err = {0};
    for (int row = 0; row <= ROWS; row++) {
        for (int c = 0; c < COLUMNS; c++)
            ub_text_add(&text, row ? "%s%d" : "%sc%d", c ? "," : "", row ? row * c : c);
        ub_text_add(&text, "\n");
    }
    struct ub_csv *csv = read_csv(text.data, text.length, true, &err);
    assert_non_null(csv);
    assert_int_equal(csv->columns, COLUMNS);
    assert_int_equal(csv->rows, ROWS);
    assert_int_equal(ub_csv_column(csv, "c9999"), 9999);
    assert_string_equal(ub_csv_cell(csv, 2, 9999), "29997");
    ub_csv_free(csv);
    memcpy(strstr(text.data, "c9999"), "c1000", 5);
    assert_null(read_csv(text.data, text.length, true, &err));
    assert_input_error(&err, "t.csv:1: columns 1001 and 10000 are both 'c1000'");
    ub_text_free(&text);
}

/* UTF-8 with a mark is read as without; what is not UTF-8 is refused by its name. */
static void encodings(void **state)
{
    (void)state;
    static const struct {
        const char *data;
        size_t length;
        const char *expected, *refused;
    } cases[] = {
        {MARK "ab", 5, "ab", NULL},
        {MARK, 3, "", NULL},
        {"", 0, "", NULL},
        {"\xef\xbb", 2, "\xef\xbb", NULL},
        {"a" MARK, 4, "a" MARK, NULL},
        {"\xff\xfe"
         "a\0b\0",
         6, NULL, "text in UTF-16; expected UTF-8"},
        {"\xfe\xff"
         "\0a\0b",
         6, NULL, "text in UTF-16; expected UTF-8"},
        {"\xff\xfe\0\0a\0\0\0", 8, NULL, "text in UTF-32"},
        {"\0\0\xfe\xff\0\0\0a", 8, NULL, "text in UTF-32"},
        {"x\0,\0y\0\n\0", 8, NULL, "text in UTF-16"},
        {"\0x\0,\0y\0\n", 8, NULL, "text in UTF-16"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ub_error err = {0};
        char data[16] = "";
        size_t length = cases[i].length;
        memcpy(data, cases[i].data, length);
        assert_int_equal(ub_utf8(data, &length, "f", &err), cases[i].refused == NULL);
        if (cases[i].refused) {
            assert_input_error(&err, cases[i].refused);
            assert_null(read_csv(cases[i].data, cases[i].length, true, &err));
            assert_input_error(&err, cases[i].refused);
            continue;
        }
        assert_int_equal(length, strlen(cases[i].expected));
        assert_string_equal(data, cases[i].expected);
    }
}

static void yaml_files_of_other_systems(void **state)
{
    (void)state;
    static const char *const texts[] = {MARK "a: 1\nb: 2\n", MARK "a: 1\r\nb: 2\r\n", "a: 1\rb: 2",
                                        "a: 1\nb: 2"};
    char *folder = support_folder(), *path = ub_path(folder, "s.yaml");
    struct ub_error err = {0};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        support_write(folder, "s.yaml", texts[i], strlen(texts[i]));
        struct ub_yaml *root = ub_yaml_read(path, &err);
        if (!root)
            fail_msg("case %zu: %s", i, err.text);
        assert_string_equal(ub_yaml_find(root, "a")->text, "1");
        assert_string_equal(ub_yaml_find(root, "b")->text, "2");
        ub_yaml_free(root);
    }
    support_write(folder, "s.yaml",
                  "\xff\xfe"
                  "a\0:\0 \0001\0\n\0",
                  12);
    assert_null(ub_yaml_read(path, &err));
    assert_input_error(&err, "s.yaml: text in UTF-16; expected UTF-8");
    ub_free(path);
    support_remove(folder);
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
                                         " spaced ",
                                         "...",
                                         ".x"};
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
        root = ub_yaml_parse(text.data + strlen("key: "), "alone", &err);
        assert_non_null(root);
        assert_int_equal(root->kind, UB_YAML_SCALAR);
        assert_string_equal(root->text, values[i]);
        ub_yaml_free(root);
        ub_text_free(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(csv_fields_come_back),
        cmocka_unit_test(any_fields_come_back),
        cmocka_unit_test(csv_header_names_columns),
        cmocka_unit_test(bad_csv_says_where),
        cmocka_unit_test(one_table_in_every_dress),
        cmocka_unit_test(quoted_fields_are_kept_whole),
        cmocka_unit_test(the_separator_is_told_by_rule),
        cmocka_unit_test(ten_thousand_columns),
        cmocka_unit_test(encodings),
        cmocka_unit_test(yaml_files_of_other_systems),
        cmocka_unit_test(yaml_is_a_tree_with_lines),
        cmocka_unit_test(bad_yaml_says_where),
        cmocka_unit_test(yaml_scalars_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
