/* Errors, texts, names, calls, random streams, files. Numbers: test_numbers.c. */
#include "support.h"

#include "base/registry.h"

#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

/* ---- errors, texts, names ---- */

static void first_error_wins_and_is_one_line(void **state)
{
    (void)state;
    struct ub_error err = {0};
    assert_false(ub_fail(&err, UB_INPUT, "a%s:%d: bad", "\nb", 7));
    ub_fail(&err, UB_INTERNAL, "later");
    assert_int_equal(err.code, UB_INPUT);
    assert_string_equal(err.text, "a b:7: bad");
}

static void texts_grow_by_any_piece(void **state)
{
    (void)state;
    struct ub_text text = {0};
    char piece[300], expected[300 * 301 / 2 * 2 + 1];
    size_t length = 0;
    ub_text_append(&text, "", 0);
    assert_string_equal(text.data, "");
    for (size_t n = 0; n < sizeof piece; n++) { /* below, at and above what one addition expects */
        memset(piece, 'a' + (int)(n % 26), n);
        piece[n] = '\0';
        ub_text_add(&text, "%s", piece);
        ub_text_append(&text, piece, n);
        memcpy(expected + length, piece, n);
        memcpy(expected + length + n, piece, n);
        length += 2 * n;
        assert_int_equal(text.length, length);
    }
    expected[length] = '\0';
    assert_string_equal(text.data, expected);
    ub_text_free(&text);
}

static void near_names_are_suggested(void **state)
{
    (void)state;
    static const char *const names[] = {"gd", "heavy-ball", "nesterov"};
    assert_string_equal(ub_suggest("heavyball", names, 3), "heavy-ball");
    assert_string_equal(ub_suggest("nestrov", names, 3), "nesterov");
    assert_null(ub_suggest("transformer", names, 3));
    static const char *const short_names[] = {"0", "10", "a", "lr"};
    static const char *const unlike[] = {"5", "15", "1.0", "-1", "b", "", "xx"};
    for (size_t i = 0; i < sizeof unlike / sizeof *unlike; i++) {
        const char *near = ub_suggest(unlike[i], short_names, 4);
        if (near)
            fail_msg("'%s' suggested for '%s'", near, unlike[i]);
    }
    assert_string_equal(ub_suggest("lr2", short_names, 4), "lr");
    assert_string_equal(ub_suggest("l", short_names, 4), "lr");
}

static void hash_is_fnv1a(void **state)
{
    (void)state; /* vectors published with the algorithm (Fowler, Noll, Vo) */
    assert_true(ub_hash("", 0) == 0xcbf29ce484222325u);
    assert_true(ub_hash("a", 1) == 0xaf63dc4c8601ec8cu);
    assert_true(ub_hash("foobar", 6) == 0x85944171f73967e8u);
}

static void sizes_that_overflow_do_not_fit(void **state)
{
    (void)state;
    assert_true(ub_size_fits(1000, 1000, 8, 8000001));
    assert_false(ub_size_fits(1000, 1000, 8, 8000000));
    assert_false(ub_size_fits(INT64_MAX, 2, 8, UINT64_MAX));
    assert_false(ub_size_fits(-1, 2, 8, 100));
}

/* ---- calls ---- */

static const char *const colors[] = {"red", "green", NULL};
static const struct ub_option options[] = {
    {.key = "widths", .kind = UB_OPTION_SIZES, .fallback = "64", .help = "widths"},
    {.key = "lr", .kind = UB_OPTION_RATE, .help = "learning rate"},
    {.key = "beta", .kind = UB_OPTION_REAL, .fallback = "0.9", .min = 0, .max = 1, .help = "b"},
    {.key = "color", .kind = UB_OPTION_NAME, .fallback = "red", .choices = colors, .help = "c"},
    {.key = "bias", .kind = UB_OPTION_FLAG, .fallback = "true", .help = "bias"},
    {.key = NULL}};

static char *canonical(const char *text, struct ub_error *err)
{
    struct ub_call *call = ub_call_parse(text, "here", err);
    char *out = call && ub_call_check(call, options, "here", err) ? ub_call_text(call, NULL) : NULL;
    ub_call_free(call);
    return out;
}

static void calls_have_one_canonical_text(void **state)
{
    (void)state;
    static const char *const same[] = {"m:lr=0.10,bias=yes", "m:bias=1,lr=1e-1",
                                       "m:widths=64,lr=.1,beta=0.90", "m:color=red,lr=0.1"};
    for (int i = 0; i < 4; i++) {
        struct ub_error err = {0};
        char *text = canonical(same[i], &err);
        assert_non_null(text);
        assert_string_equal(text, "m:beta=0.9,bias=true,color=red,lr=0.1,widths=64");
        ub_free(text);
    }
    struct ub_error err = {0};
    struct ub_call *call = ub_call_parse("m:lr=edge(40),widths=3x5x7,beta=0.9", "here", &err);
    assert_true(ub_call_check(call, options, "here", &err));
    char *label = ub_call_text(call, options);
    assert_string_equal(label, "m:lr=edge(40),widths=3x5x7");
    int64_t widths[2];
    assert_int_equal(ub_call_sizes(call, "widths", widths, 2), 3);
    assert_true(widths[0] == 3 && widths[1] == 5);
    struct ub_rate rate = ub_call_rate(call, "lr");
    assert_true(rate.kind == UB_RATE_EDGE && rate.value == 40);
    ub_free(label);
    ub_call_free(call);
}

/* A kind that gained an option after its runs were stored. */
struct grown {
    const char *name;
};
static const struct grown grown = {"grown"};
static const struct ub_option grown_options[] = {
    {.key = "beta", .kind = UB_OPTION_REAL, .fallback = "0.90", .help = "b"},
    {.key = "batch", .kind = UB_OPTION_INT | UB_OPTION_LATER, .fallback = "00", .help = "b"},
    {.key = NULL}};

static const void *grown_entry(size_t i)
{
    return i == 0 ? &grown : NULL;
}

static const struct ub_option *grown_table(const void *entry)
{
    (void)entry;
    return grown_options;
}

static const struct ub_registry grown_registry = {"kind", grown_entry, grown_table, NULL};

static void later_options_leave_old_texts_alone(void **state)
{
    (void)state;
    static const char *const texts[][2] = {{"grown", "grown:beta=0.9"},
                                           {"grown:batch=0", "grown:beta=0.9"},
                                           {"grown:batch=8", "grown:batch=8,beta=0.9"}};
    for (int i = 0; i < 3; i++) {
        struct ub_error err = {0};
        char *text = ub_registry_canonical(&grown_registry, texts[i][0], "here", NULL, &err);
        assert_string_equal(text, texts[i][1]);
        struct ub_call *call = ub_call_parse(text, "here", &err);
        ub_call_fill_later(call, grown_options);
        assert_string_equal(ub_call_get(call, "batch"), i == 2 ? "8" : "0");
        assert_string_equal(call->keys[0], "batch"); /* sorted, as texts are */
        ub_call_fill_later(call, NULL);
        assert_int_equal(call->count, 2);
        ub_call_free(call);
        ub_free(text);
    }
}

static void bad_calls_say_what_was_expected(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", "does not begin with a name"},
        {":lr=1", "does not begin with a name"},
        {"m:", "nothing after"},
        {"m:lr", "expected key=value"},
        {"m:lr=", "expected key=value"},
        {"m:lr=1,", "ends with a comma"},
        {"m:lr=1,lr=2", "gives lr twice"},
        {"m:lr=edge(1,b=2", "opens a parenthesis"},
        {"m:beta=0.5", "needs lr"},
        {"m:lr=-1", "expected a positive number"},
        {"m:lr=edge(-3)", "expected a positive number"},
        {"m:lr=edge(", "opens a parenthesis"},
        {"m:lr=1,beta=1.5", "expected a number from 0 to 1"},
        {"m:lr=1,widths=64x-3", "expected positive integers"},
        {"m:lr=1,widths=64xx3", "expected positive integers"},
        {"m:lr=1,widths=99999999999999999999", "expected positive integers"},
        {"m:lr=1,color=blue", "expected one of red, green"},
        {"m:lr=1,bias=maybe", "expected true or false"},
        {"m:lr=1,width=64", "did you mean 'widths'"},
        {"m:lr=1,zzzzzzz=64", "expected widths, lr, beta"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ub_error err = {0};
        assert_null(canonical(cases[i][0], &err));
        assert_input_error(&err, cases[i][1]);
    }
}

/* A bound is written as the table of options has it, not by the 17 digits of its double. */
static void bounds_are_named_in_shortest_form(void **state)
{
    (void)state;
    static const struct ub_option bounded[] = {
        {.key = "part", .kind = UB_OPTION_REAL, .min = 1e-6, .max = 0.9, .help = "p"},
        {.key = "rate", .kind = UB_OPTION_REAL, .min = 0.1, .max = 1e301, .help = "r"},
        {.key = "size", .kind = UB_OPTION_INT, .min = 0, .max = 1e9, .help = "s"},
        {.key = NULL}};
    static const char *const cases[][2] = {
        {"m:part=0.95,rate=1,size=1", "w: m: part=0.95; expected a number from 1e-06 to 0.9"},
        {"m:part=0.5,rate=0,size=1", "w: m: rate=0; expected a number from 0.1 up"},
        {"m:part=0.5,rate=1,size=-1", "w: m: size=-1; expected an integer from 0 to 1000000000"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ub_error err = {0};
        struct ub_call *call = ub_call_parse(cases[i][0], "w", &err);
        assert_non_null(call);
        assert_false(ub_call_check(call, bounded, "w", &err));
        assert_string_equal(err.text, cases[i][1]);
        ub_call_free(call);
    }
}

/* ---- random streams ---- */

static void streams_are_named_and_repeatable(void **state)
{
    (void)state;
    struct ub_random a = ub_random_stream(0, "init"), b = ub_random_stream(0, "init");
    struct ub_random c = ub_random_stream(1, "init"), d = ub_random_stream(0, "data");
    uint64_t first = ub_random_bits(&a);
    assert_true(first == ub_random_bits(&b));
    assert_true(first != ub_random_bits(&c));
    assert_true(first != ub_random_bits(&d));
}

static void draws_have_their_distributions(void **state)
{
    (void)state;
    enum { N = 200000 };
    struct ub_random r = ub_random_stream(5, "moments");
    double uniform = 0, normal = 0, square = 0, fourth = 0;
    int64_t faces[6] = {0};
    for (int i = 0; i < N; i++) {
        double u = ub_random_uniform(&r), z = ub_random_normal(&r);
        assert_true(u >= 0 && u < 1);
        uniform += u / N;
        normal += z / N;
        square += z * z / N;
        fourth += z * z * z * z / N;
        faces[ub_random_below(&r, 6)]++;
    }
    assert_near(uniform, 0.5, 5 * sqrt(1.0 / 12 / N));
    assert_near(normal, 0, 5 * sqrt(1.0 / N));
    assert_near(square, 1, 5 * sqrt(2.0 / N));
    assert_near(fourth, 3, 5 * sqrt(96.0 / N));
    double chi = 0;
    for (int i = 0; i < 6; i++)
        chi += pow((double)faces[i] - N / 6.0, 2) / (N / 6.0);
    assert_true(chi < 25.7); /* chi-squared, 5 degrees of freedom, p = 1e-4 */
}

static void permutations_are_permutations(void **state)
{
    (void)state;
    int64_t p[100];
    bool seen[100] = {false};
    struct ub_random r = ub_random_stream(1, "permutation");
    ub_random_permutation(&r, 100, p);
    int64_t fixed = 0;
    for (int i = 0; i < 100; i++) {
        assert_true(p[i] >= 0 && p[i] < 100 && !seen[p[i]]);
        seen[p[i]] = true;
        fixed += p[i] == i;
    }
    assert_true(fixed < 10);
}

/* ---- files ---- */

static void files_come_back(void **state)
{
    (void)state;
    char *folder = support_folder(), data[5000];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (char)(i * i % 251);
    static const char *const names[] = {"plain", "packed.gz"};
    for (int i = 0; i < 2; i++) {
        struct ub_error err = {0};
        size_t length = 0;
        support_write(folder, names[i], data, sizeof data);
        char *path = ub_path(folder, names[i]);
        unsigned char *back = ub_read_file(path, sizeof data, &length, &err);
        assert_non_null(back);
        assert_int_equal(length, sizeof data);
        assert_memory_equal(back, data, sizeof data);
        assert_int_equal(back[length], 0);
        ub_free(back);
        assert_null(ub_read_file(path, sizeof data - 1, &length, &err));
        assert_input_error(&err, "larger than expected");
        ub_free(path);
    }
    support_remove(folder);
}

static void damaged_gzip_is_an_error(void **state)
{
    (void)state;
    struct ub_error err = {0};
    char *folder = support_folder(), data[5000] = {0};
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (char)(i * 7919 % 256);
    support_write(folder, "whole.gz", data, sizeof data);
    char *path = ub_path(folder, "whole.gz");
    FILE *file = fopen(path, "rb");
    unsigned char packed[8000];
    size_t n = fread(packed, 1, sizeof packed, file), length;
    fclose(file);
    char *cut = ub_path(folder, "cut");
    for (size_t keep = 3; keep < n; keep += n / 7) {
        support_write(folder, "cut", packed, keep);
        assert_null(ub_read_file(cut, 1 << 20, &length, &err));
        assert_input_error(&err, "truncated gzip");
    }
    packed[n - 6] ^= 1; /* its checksum */
    support_write(folder, "cut", packed, n);
    assert_null(ub_read_file(cut, 1 << 20, &length, &err));
    assert_input_error(&err, "corrupt gzip");
    ub_free(cut);
    ub_free(path);
    support_remove(folder);
}

static void equal_data_make_equal_gzip(void **state)
{
    (void)state;
    char *folder = support_folder();
    unsigned char bytes[2][200];
    size_t n[2];
    for (int i = 0; i < 2; i++) {
        support_write(folder, i ? "b.gz" : "a.gz", "the same", 8);
        char *path = ub_path(folder, i ? "b.gz" : "a.gz");
        FILE *file = fopen(path, "rb");
        n[i] = fread(bytes[i], 1, sizeof bytes[i], file);
        fclose(file);
        ub_free(path);
    }
    assert_int_equal(n[0], n[1]);
    assert_memory_equal(bytes[0], bytes[1], n[0]);
    support_remove(folder);
}

static void a_failed_write_leaves_nothing(void **state)
{
    (void)state;
    struct ub_error err = {0};
    char *folder = support_folder();
    char *inside = ub_path(folder, "absent/file");
    assert_false(ub_write_file(inside, "x", 1, &err));
    assert_input_error(&err, "cannot write: No such file");
    ub_free(inside);
    char *taken = ub_path(folder, "taken");
    assert_true(ub_make_folders(taken, &err));
    assert_false(ub_write_file(taken, "x", 1, &err)); /* a folder is in the way of rename */
    assert_input_error(&err, "cannot write");
    assert_int_equal(rmdir(taken), 0);
    assert_int_equal(rmdir(folder), 0); /* empty: no temporary file was left */
    ub_free(taken);
    ub_free(folder);
}

static void folders_are_made_and_removed(void **state)
{
    (void)state;
    struct ub_error err = {0};
    char *folder = support_folder(), *deep = ub_path(folder, "a/b/c");
    assert_true(ub_make_folders(deep, &err));
    assert_true(ub_make_folders(deep, &err)); /* again is fine */
    assert_true(ub_exists(deep));
    support_write(deep, "file", "x", 1);
    char *through = ub_path(folder, "a/b/c/file/d");
    assert_false(ub_make_folders(through, &err));
    assert_input_error(&err, "a file is in its place");
    assert_true(ub_remove_tree(folder, &err));
    assert_false(ub_exists(folder));
    assert_true(ub_remove_tree(folder, &err)); /* absent is fine */
    ub_free(through);
    ub_free(deep);
    ub_free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_error_wins_and_is_one_line),
        cmocka_unit_test(texts_grow_by_any_piece),
        cmocka_unit_test(near_names_are_suggested),
        cmocka_unit_test(hash_is_fnv1a),
        cmocka_unit_test(sizes_that_overflow_do_not_fit),
        cmocka_unit_test(calls_have_one_canonical_text),
        cmocka_unit_test(later_options_leave_old_texts_alone),
        cmocka_unit_test(bad_calls_say_what_was_expected),
        cmocka_unit_test(bounds_are_named_in_shortest_form),
        cmocka_unit_test(streams_are_named_and_repeatable),
        cmocka_unit_test(draws_have_their_distributions),
        cmocka_unit_test(permutations_are_permutations),
        cmocka_unit_test(files_come_back),
        cmocka_unit_test(damaged_gzip_is_an_error),
        cmocka_unit_test(equal_data_make_equal_gzip),
        cmocka_unit_test(a_failed_write_leaves_nothing),
        cmocka_unit_test(folders_are_made_and_removed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
