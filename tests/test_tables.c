/* Tables that others wrote, as data: whatever dress the same numbers and labels come in, the same
 * samples come out, or one line says where and what was expected. */
#include "tests/cli_support.h"

#include "datasets/datasets.h"

struct loaded {
    struct ub_dataset *data;
    struct ub_error err;
};

static struct loaded load_bytes(const char *table, size_t length, const char *more)
{
    struct loaded l = {0};
    struct ub_text call = {0};
    char *folder = support_folder();
    support_write(folder, "t.csv", table, length);
    ub_text_add(&call, "csv:file=t.csv,label=y%s", more);
    l.data = ub_dataset_load(call.data, 0, folder, &l.err);
    if (!l.data)
        assert_null(strchr(l.err.text, '\n'));
    ub_text_free(&call);
    support_remove(folder);
    return l;
}

static struct ub_dataset *load(const char *table, const char *more)
{
    const struct loaded l = load_bytes(table, strlen(table), more);
    if (!l.data)
        fail_msg("%s%s: %s", table, more, l.err.text);
    return l.data;
}

static void assert_refused(const char *table, const char *more, const char *part)
{
    struct loaded l = load_bytes(table, strlen(table), more);
    if (l.data)
        fail_msg("read without an error:\n%sexpected '%s'", table, part);
    assert_input_error(&l.err, part);
}

/* ---- numbers ---- */

/* Two inputs and a target of two samples, whoever wrote them. */
static void the_same_numbers_in_every_dress(void **state)
{
    (void)state;
    static const struct {
        const char *table, *more;
    } cases[] = {
        {"a,b,y\n1.5,-2,1234.5\n0.001,4e3,-1000000\n", ""},
        {"\xef\xbb\xbf"
         "y,a,b\r\n1234.5,1.5,-2\r\n-1000000,0.001,4e3",
         ""},
        {"a,b,y\r1.5,-2,1234.5\r0.001,4e3,-1000000\r", ""},
        {"a;b;y\n1,5;-2;1234,5\n0,001;4e3;-1000000\n", ",decimal=comma"},
        {"a;b;y\n1,5;-2;1.234,5\n0,001;4.000;-1.000.000\n", ",decimal=comma,thousands=point"},
        {"a\tb\ty\n1,5\t-2\t1 234,5\n0,001\t4 000\t-1 000 000\n", ",decimal=comma,thousands=space"},
        {"a;b;y\n1,5;-2;1\xe2\x80\xaf"
         "234,5\n0,001;4\xc2\xa0"
         "000;-1\xc2\xa0"
         "000\xe2\x80\x89"
         "000\n",
         ",decimal=comma,thousands=space"},
        {"a|b|y\n1.5|-2|1'234.5\n0.001|4'000|-1\xe2\x80\x99"
         "000'000\n",
         ",thousands=apostrophe"},
        {"a,b,y\n1.5,-2,\"1,234.5\"\n0.001,\"4,000\",\"-1,000,000\"\n", ",thousands=comma"},
        {"a,b,y\n\"1.5\",\" -2 \",\"1234.5\"\n\".001\",\"+4000.\",\"-1E6\"\n", ""},
        {"sep=;\na;b;y\n1,5;-2;1234,5\n,001;4000,;-1e+6\n", ",decimal=comma"},
        {"a,b;b,y\n1.5,-2,1234.5\n1e-3,4000,-1000000.0\n", ",delimiter=comma"},
    };
    static const double inputs[] = {1.5, -2, 0.001, 4000}, targets[] = {1234.5, -1000000};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ub_text more = {0};
        ub_text_add(&more, ",task=regression%s", cases[i].more);
        struct ub_dataset *d = load(cases[i].table, more.data);
        ub_text_free(&more);
        assert_int_equal(d->features, 2);
        assert_int_equal(d->train.count, 2);
        for (int k = 0; k < 4; k++)
            assert_true(d->train.inputs[k] == inputs[k]);
        for (int k = 0; k < 2; k++)
            assert_true(d->train.targets[k] == targets[k]);
        ub_dataset_free(d);
    }
}

/* strtod's own rounding is exact; so is what this reads, from the largest to the smallest. */
static void the_whole_range_of_doubles(void **state)
{
    (void)state;
    static const double expected[] = {1e-300, 1e300, -1.7976931348623157e308, 5e-324,
                                      0.1,    1e-5,  123456789012345678.0,    -0x1.921fb54442d18p1};
    struct ub_dataset *d = load("y,x\n0,1e-300\n1,1e300\n1,-1.7976931348623157e308\n1,5e-324\n"
                                "1,0.1000000000000000055511151231257827\n1,0.00001\n"
                                "1,123456789012345678\n1,-3.141592653589793116\n",
                                "");
    for (int k = 0; k < 8; k++)
        assert_true(d->train.inputs[k] == expected[k]);
    ub_dataset_free(d);
}

static void bad_tables_say_where(void **state)
{
    (void)state;
    static const struct {
        const char *table, *more, *part;
    } cases[] = {
        {"a,y\n1,0\n1e999,1\n", "", "t.csv:3: '1e999' in row 2, column 'a'; expected a finite"},
        {"a,y\n1,0\n1e-400,1\n", "",
         "t.csv:3: '1e-400' in row 2, column 'a'; expected a finite number that a double holds: 0, "
         "or of magnitude 5e-324 to 1.7976931348623157e+308"},
        {"a;y\n1;0\n-1,5e-999;1\n", ",decimal=comma",
         "t.csv:3: '-1,5e-999' in row 2, column 'a'; expected a finite number that a double holds"},
        {"a,y\n1,0\n1,1e-400\n", ",task=regression",
         "t.csv:3: '1e-400' in row 2, column 'y'; expected a finite number that a double holds"},
        {"a,y\n1,0\ninf,1\n", "", "t.csv:3: 'inf' in row 2, column 'a'"},
        {"a,y\n1,0\n0x10,1\n", "", "t.csv:3: '0x10' in row 2"},
        {"a,y\n1,0\n1 2,1\n", "", "t.csv:3: '1 2' in row 2"},
        {"a;y\n1,5;0\n", "",
         "t.csv:2: '1,5' in row 1, column 'a'; expected a finite number: it "
         "would read as 1.5 by decimal=comma"},
        {"a;y\n1,234;0\n", "", "1.234 by decimal=comma, 1234 by thousands=comma"},
        {"a;y\n1.234,5;0\n", "", "it would read as 1234.5 by decimal=comma,thousands=point"},
        {"a;y\n1'234.5;0\n", "", "it would read as 1234.5 by thousands=apostrophe"},
        {"a;y\n1.5;0\n", ",decimal=comma", "it would read as 1.5 by decimal=point"},
        {"a,y\n\"1,23\",0\n", ",thousands=comma", "t.csv:2: '1,23'"},
        {"a,y\n\"12,34,567\",0\n", ",thousands=comma", "t.csv:2: '12,34,567'"},
        {"a,y\n\"1234,567\",0\n", ",thousands=comma", "t.csv:2: '1234,567'"},
        {"a,y\n\"1,234.567,8\",0\n", ",thousands=comma", "t.csv:2: '1,234.567,8'"},
        {"a,y\n\",123\",0\n", ",thousands=comma", "t.csv:2: ',123'"},
        {"a,y\n1,0\n", ",decimal=comma,thousands=comma", "expected two different marks"},
        {"a,b\n1,0\n", "", "t.csv:1: no column 'y'; expected it in the header"},
        {"a,Y\n1,0\n", "", "t.csv:1: no column 'y'; expected it in the header"},
        {"a,y,y\n1,0,1\n", "", "t.csv:1: columns 2 and 3 are both 'y'"},
        {"a,a,y\n1,0,1\n", "", "t.csv:1: columns 1 and 2 are both 'a'"},
        {",a,y\n0,1,0\n", "", "t.csv:1: column 1 has no name; expected a name for each (an index"},
        {"a,y\n", "", "2 columns and 0 rows; expected an input column and a row"},
        {"y\n1\n", "", "1 columns and 1 rows"},
        {"a;b,y\n1;2,3\n", "", "t.csv: more than one character could separate its columns"},
        {"a,y\n1;2,0\n", ",delimiter=semicolon", "t.csv:2: 2 fields; expected 1"},
        {"a,y\n1,0\n2\n", "", "t.csv:3: 1 fields; expected 2"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_refused(cases[i].table, cases[i].more, cases[i].part);
    struct loaded l = load_bytes("\xff\xfe"
                                 "a\0,\0y\0\n\0",
                                 10, "");
    assert_null(l.data);
    assert_input_error(&l.err, "t.csv: text in UTF-16; expected UTF-8");
}

/* ---- missing ---- */

static void missing_cells_are_named(void **state)
{
    (void)state;
    static const char *const words[] = {"",    "NA",   "n/a", "#N/A", "<NA>",   "nan",
                                        "NaN", "NULL", "?",   "\"\"", "\"  \"", " NA "};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        struct ub_text table = {0}, label = {0};
        ub_text_add(&table, "a,b,y\n1,2,0\n3,%s,1\n", words[i]);
        assert_refused(table.data, "", "t.csv:3: no value in row 2, column 'b'");
        assert_refused(table.data, "", "missing=drop leaves such rows out");
        ub_text_add(&label, "a,b,y\n1,2,0\n3,4,%s\n", words[i]);
        assert_refused(label.data, "", "t.csv:3: no label in row 2, column 'y'");
        assert_refused(label.data, ",missing=mean", "t.csv:3: no label in row 2, column 'y'");
        assert_refused(label.data, ",missing=mean,task=regression", "no label in row 2");
        ub_text_free(&table);
        ub_text_free(&label);
    }
    assert_refused("a,y\n,0\n1,\n", ",missing=drop", "each of 2 rows lacks a value");
    assert_refused("a,y\n,0\n,1\n", ",missing=mean",
                   "csv: input 1 is missing in all of 2 training samples");
}

static void rows_with_missing_cells_are_dropped(void **state)
{
    (void)state;
    struct ub_dataset *d =
        load("a,b,y\n1,2,cat\n3,,dog\n?,5,cow\n6,7,\n8,9,dog\n", ",missing=drop");
    static const double inputs[] = {1, 2, 8, 9};
    assert_int_equal(d->train.count, 2);
    assert_int_equal(d->outputs, 2); /* no cow */
    for (int k = 0; k < 4; k++)
        assert_true(d->train.inputs[k] == inputs[k]);
    assert_int_equal(d->train.labels[0], 0);
    assert_int_equal(d->train.labels[1], 1);
    assert_string_equal(d->class_names[1], "dog");
    ub_dataset_free(d);
}

static void means_fill_gaps(void **state)
{
    (void)state;
    struct ub_dataset *d = load("a,b,y\n1,2,0\n3,,1\n,8,0\n5,NA,1\n", ",missing=mean");
    static const double inputs[] = {1, 2, 3, 5, 3, 8, 5, 5}; /* means 9/3, 10/2 */
    for (int k = 0; k < 8; k++)
        assert_near(d->train.inputs[k], inputs[k], 1e-15);
    assert_false(d->missing);
    ub_dataset_free(d);
}

/* Row i is (i, gap in every third); the mean is of the rows trained on, not of those held out. */
static void means_are_of_the_training_samples(void **state)
{
    (void)state;
    enum { ROWS = 60 };
    struct ub_text table = {0};
    double sum = 0;
    int64_t n = 0, filled = 0;
    ub_text_add(&table, "i,x,y\n");
    for (int i = 0; i < ROWS; i++) {
        ub_text_add(&table, "%d,", i);
        if (i % 3)
            ub_text_add(&table, "%d", i * i);
        ub_text_add(&table, ",%d\n", i % 2);
    }
    struct ub_dataset *d = load(table.data, ",missing=mean,test=0.5");
    for (int64_t i = 0; i < d->train.count; i++) {
        const double at = d->train.inputs[2 * i];
        if ((int)at % 3) {
            assert_true(d->train.inputs[2 * i + 1] == at * at);
            sum += at * at;
            n++;
        }
    }
    const struct ub_split *const splits[] = {&d->train, &d->test};
    for (int s = 0; s < 2; s++)
        for (int64_t i = 0; i < splits[s]->count; i++)
            if ((int)splits[s]->inputs[2 * i] % 3 == 0) {
                assert_near(splits[s]->inputs[2 * i + 1], sum / (double)n, 1e-10);
                filled++;
            }
    assert_int_equal(filled, ROWS / 3);
    ub_dataset_free(d);
    ub_text_free(&table);
}

/* ---- labels ---- */

static void labels_are_classes_by_value(void **state)
{
    (void)state;
    static const struct {
        const char *label[6]; /* of the rows; NULL ends */
        int32_t expected[6];
    } cases[] = {
        {{"0", "0.0", "1", "1.00", "1e0", "-0"}, {0, 0, 1, 1, 1, 0}},
        {{"10", "9", "2", "-1", "2.0", "+9"}, {3, 2, 1, 0, 1, 2}},
        {{"01", "02", "01", "03"}, {0, 1, 0, 2}},
        {{"0.5", ".5", "0.25", "5e-1"}, {1, 1, 0, 1}},
        {{"cat", " cat", "\" cat \"", "dog"}, {0, 0, 0, 1}},
        {{"cat", "Cat", "2", "10", "2.0"}, {3, 2, 0, 1, 0}},
        {{"9007199254740993", "9007199254740992", "9007199254740993"}, {1, 0, 1}},
        {{"123456789012345678901", "123456789012345678902", "123456789012345678901"}, {0, 1, 0}},
        {{"1e400", "1e401"}, {0, 1}},        /* no doubles: texts */
        {{"0", "1e-400", "0.0"}, {0, 1, 0}}, /* so is this, and not 0 */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ub_text table = {0};
        int32_t most = 0;
        size_t rows = 0;
        ub_text_add(&table, "y,x\n");
        for (; rows < 6 && cases[i].label[rows]; rows++) {
            ub_text_add(&table, "%s,%zu\n", cases[i].label[rows], rows);
            most = cases[i].expected[rows] > most ? cases[i].expected[rows] : most;
        }
        struct ub_dataset *d = load(table.data, "");
        assert_int_equal(d->outputs, most + 1);
        for (size_t k = 0; k < rows; k++)
            if (d->train.labels[k] != cases[i].expected[k])
                fail_msg("case %zu: label '%s' is class %d; expected %d", i, cases[i].label[k],
                         d->train.labels[k], cases[i].expected[k]);
        ub_dataset_free(d);
        ub_text_free(&table);
    }
    struct ub_dataset *d = load("y;x\n1,5;1\n1,50;2\n2;3\n", ",decimal=comma");
    assert_int_equal(d->outputs, 2);
    ub_dataset_free(d);
    assert_refused("y,x\n0,1\n00,2\n", "",
                   "t.csv:3: label '00' in column 'y' beside '0' of line 2; "
                   "expected one way to write a class");
    assert_refused("y,x\n01,1\n1.0,2\n", "", "t.csv:3: label '1.0' in column 'y' beside '01'");
}

static void classes_are_chosen_by_name(void **state)
{
    (void)state;
    static const char words[] = "y,x\nsetosa,0\nvirginica,1\nversicolor,2\nsetosa,3\n";
    static const char numbers[] = "y,x\n3,0\n1,1\n2,2\n3.0,3\n";
    static const struct {
        const char *table, *classes;
        int count;
        int32_t labels[4];
        double inputs[4];
        const char *first;
    } cases[] = {
        {words, "virginica+setosa", 3, {1, 0, 1}, {0, 1, 3}, "virginica"},
        {words, "versicolor+virginica", 2, {1, 0}, {1, 2}, "versicolor"},
        {words, "2x0", 3, {1, 0, 1}, {0, 1, 3}, "virginica"}, /* in their order */
        {numbers, "3x1", 3, {0, 1, 0}, {0, 1, 3}, "3"},       /* what the file calls them */
        {numbers, "1.0+2", 2, {0, 1}, {1, 2}, "1"},
        {numbers, "none", 4, {2, 0, 1, 2}, {0, 1, 2, 3}, "1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ub_text more = {0};
        ub_text_add(&more, ",classes=%s", cases[i].classes);
        struct ub_dataset *d = load(cases[i].table, more.data);
        assert_int_equal(d->train.count, cases[i].count);
        for (int k = 0; k < cases[i].count; k++) {
            assert_int_equal(d->train.labels[k], cases[i].labels[k]);
            assert_true(d->train.inputs[k] == cases[i].inputs[k]);
        }
        assert_string_equal(d->class_names[0], cases[i].first);
        ub_dataset_free(d);
        ub_text_free(&more);
    }
    assert_refused(words, ",classes=setosa+virginca",
                   "class virginca; expected one of setosa, versicolor, virginica; did you mean "
                   "virginica");
    assert_refused(words, ",classes=3", "class 3; expected one of setosa, versicolor, virginica");
    assert_refused(words, ",classes=setosa+0", "class 0 twice; expected it once");
    assert_refused(numbers, ",classes=0x1", "class 0; expected one of 1, 2, 3");
    const struct loaded l = load_bytes(numbers, strlen(numbers), ",classes=0x1");
    assert_null(strstr(l.err.text, "did you mean")); /* no number is another's misspelling */
}

/* One class is predicted by every model from the start, however it came to be alone. */
static void one_class_is_refused(void **state)
{
    (void)state;
    static const char two[] = "y,x\ncat,0\ndog,1\ncat,\n";
    static const char said[] = "csv: one class, cat; expected two at least, to tell apart";
    assert_refused("y,x\ncat,0\ncat,1\n", "", said);
    assert_refused(two, ",classes=cat,missing=drop", said);
    assert_refused("y,x\ncat,0\ndog,\n", ",missing=drop", said);
    struct ub_dataset *d = load("y,x\n1,0\n1,1\n", ",target=inputs"); /* the classes are not used */
    assert_int_equal(d->task, UB_REGRESSION);
    ub_dataset_free(d);
    d = load("y,x\n1,0\n1,1\n", ",task=regression");
    assert_int_equal(d->outputs, 1);
    ub_dataset_free(d);
}

static void the_label_may_be_a_number_of_column(void **state)
{
    (void)state;
    char *folder = support_folder();
    static const char table[] = "\"weight, kg\",\"kind, if any\"\n1,a\n2,b\n";
    struct ub_error err = {0};
    support_write(folder, "t.csv", table, sizeof table - 1);
    struct ub_dataset *d = ub_dataset_load("csv:file=t.csv,label=#2", 0, folder, &err);
    if (!d)
        fail_msg("%s", err.text);
    assert_string_equal(d->class_names[0], "a");
    ub_dataset_free(d);
    assert_null(ub_dataset_load("csv:file=t.csv,label=#3", 0, folder, &err));
    assert_input_error(&err, "t.csv:1: no column '#3'");
    support_remove(folder);
}

static void ten_thousand_inputs(void **state)
{
    (void)state;
    enum { COLUMNS = 10000, ROWS = 4 };
    struct ub_text table = {0};
    for (int row = -1; row < ROWS; row++) {
        for (int c = 0; c < COLUMNS; c++)
            ub_text_add(&table, row < 0 ? "c%d%s" : "%d%s", row < 0 ? c : row * c, ",");
        ub_text_add(&table, row < 0 ? "y\n" : "%d\n", row % 2);
    }
    struct ub_dataset *d = load(table.data, "");
    assert_int_equal(d->features, COLUMNS);
    assert_true(d->train.inputs[3 * COLUMNS + 9999] == 29997);
    ub_dataset_free(d);
    ub_text_free(&table);
}

/* ---- text ---- */

/* The same words of any system are the same tokens. */
static void texts_of_every_system(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "to be\nor not\n\nto be\n", "to be\r\nor not\r\n\r\nto be\r\n", "to be\ror not\r\rto be\r",
        "\xef\xbb\xbf"
        "to be\nor not\n\nto be\n"};
    char *folder = support_folder();
    struct ub_error err = {0};
    struct ub_dataset *first = NULL;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        support_write(folder, "w.txt", texts[i], strlen(texts[i]));
        struct ub_dataset *d =
            ub_dataset_load("text:file=w.txt,context=4,validation=0", 0, folder, &err);
        if (!d)
            fail_msg("%s", err.text);
        assert_int_equal(d->tokens, 8); /* LF, space, b, e, n, o, r, t */
        assert_true(!first || d->train.count == first->train.count);
        for (int64_t k = 0; first && k < d->train.count * 4; k++)
            assert_true(d->train.inputs[k] == first->train.inputs[k] &&
                        d->train.labels[k] == first->train.labels[k]);
        if (first)
            ub_dataset_free(d);
        else
            first = d;
    }
    ub_dataset_free(first);
    support_write(folder, "w.txt", "\xff\xfet\0o\0 \0b\0e\0", 12);
    assert_null(ub_dataset_load("text:file=w.txt,context=1", 0, folder, &err));
    assert_input_error(&err, "w.txt: text in UTF-16; expected UTF-8");
    support_remove(folder);
}

/* ---- our own tables ---- */

/* A field as a spreadsheet saves it: in quotes where it holds any mark. */
static void add_field(struct ub_text *text, const char *field, bool first)
{
    ub_text_add(text, first ? "" : ";");
    if (!strpbrk(field, ";,\"\r\n")) {
        ub_text_add(text, "%s", field);
        return;
    }
    ub_text_add(text, "\"");
    for (const char *c = field; *c; c++)
        ub_text_add(text, *c == '"' ? "\"\"" : "%c", *c);
    ub_text_add(text, "\"");
}

/* runs.csv, opened and saved again: a mark, semicolons, CR LF, no last newline. */
static void runs_csv_comes_back_from_a_spreadsheet(void **state)
{
    (void)state;
    char *folder = support_folder(), *path;
    struct ub_error err = {0};
    struct ub_text copy = {0};
    cli_run(folder,
            "train --dataset digits:size=50 --model mlp:widths=4 --loss mse --optimizer gd:lr=0.1 "
            "--steps 4 --measure loss:every=1 --out S",
            0, "");
    cli_run(folder, "report S", 0, "");
    path = ub_path(folder, "S/report/runs.csv");
    struct ub_csv *csv = ub_csv_read(path, true, &err);
    if (!csv)
        fail_msg("%s", err.text);
    ub_text_add(&copy, "\xef\xbb\xbf");
    for (size_t c = 0; c < csv->columns; c++)
        add_field(&copy, csv->header[c], c == 0);
    for (size_t row = 0; row < csv->rows; row++) {
        ub_text_add(&copy, "\r\n");
        for (size_t c = 0; c < csv->columns; c++)
            add_field(&copy, ub_csv_cell(csv, row, c), c == 0);
    }
    support_write(folder, "copy.csv", copy.data, copy.length);
    cli_run(folder, "compare S/report/runs.csv copy.csv", 0, "no drift in");
    cli_run(folder, "compare S copy.csv", 0, "no drift in");
    ub_csv_free(csv);
    ub_text_free(&copy);
    ub_free(path);
    support_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_numbers_in_every_dress),
        cmocka_unit_test(the_whole_range_of_doubles),
        cmocka_unit_test(bad_tables_say_where),
        cmocka_unit_test(missing_cells_are_named),
        cmocka_unit_test(rows_with_missing_cells_are_dropped),
        cmocka_unit_test(means_fill_gaps),
        cmocka_unit_test(means_are_of_the_training_samples),
        cmocka_unit_test(labels_are_classes_by_value),
        cmocka_unit_test(classes_are_chosen_by_name),
        cmocka_unit_test(one_class_is_refused),
        cmocka_unit_test(the_label_may_be_a_number_of_column),
        cmocka_unit_test(ten_thousand_inputs),
        cmocka_unit_test(texts_of_every_system),
        cmocka_unit_test(runs_csv_comes_back_from_a_spreadsheet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
