/* The page to explore has what the store has: its JSON, read back by jansson, against the frame,
 * the digest, the verdicts and the traces; and no text of a store, however hostile, leaves its
 * place. */
#include "cli_support.h"
#include "report/explorer/explorer.h"
#include "report/frame/columns.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

static const char suite[] = "name: small\n"
                            "defaults:\n"
                            "  dataset: {digits: {size: 60}}\n"
                            "  loss: mse\n"
                            "  steps: 300\n"
                            "  measure: {loss: {every: 1}, sharpness: {every: 20}, "
                            "covariance-spectrum: {at: 0+end}}\n"
                            "runs:\n"
                            "  - model: [linear, {mlp: {widths: 8}}]\n"
                            "    optimizer: {gd: {lr: [{relative: 0.8}, 1e6]}}\n"
                            "    seed: 0..1\n";

/* ---- reading ----------------------------------------------------------------------------------
 */

static json_t *get(const json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);
    if (!value)
        fail_msg("no member %s", key);
    return value;
}

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(get(object, key));
}

static json_t *parse(const struct ub_text *text)
{
    json_error_t error;
    json_t *page = json_loadb(text->data, text->length, 0, &error);
    if (!page)
        fail_msg("%s at %d", error.text, error.position);
    return page;
}

static json_t *named(const json_t *list, const char *name)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (strcmp(text_of(json_array_get(list, i), "name"), name) == 0)
            return json_array_get(list, i);
    return NULL;
}

/* Half a unit of the last digit, relative. */
static void near(const json_t *value, double expected, int digits, const char *what)
{
    if (!isfinite(expected) || !value) {
        if (isfinite(expected) || (value && !json_is_null(value)))
            fail_msg("%s: expected %g", what, expected);
        return;
    }
    assert_true(json_is_number(value));
    const double off = fabs(json_number_value(value) - expected);
    if (off > 0.5001 * pow(10, 1 - digits) * fabs(expected))
        fail_msg("%s: %.17g, expected %.17g", what, json_number_value(value), expected);
}

/* ---- columns ----------------------------------------------------------------------------------
 */

static const char *word_at(const json_t *column, size_t row)
{
    const json_t *level = get(column, "level");
    const json_t *own = json_is_array(level) ? json_array_get(level, row) : level;
    const json_int_t at = json_integer_value(own);
    return at < 0 ? "" : json_string_value(json_array_get(get(column, "words"), (size_t)at));
}

/* NULL: the column has none for the row. */
static const json_t *number_at(const json_t *column, size_t row)
{
    const json_t *numbers = get(column, "number"), *rows = json_object_get(column, "rows");
    if (!rows)
        return json_array_get(numbers, row);
    for (size_t i = 0; i < json_array_size(rows); i++)
        if (json_integer_value(json_array_get(rows, i)) == (json_int_t)row)
            return json_array_get(numbers, i);
    return NULL;
}

static size_t check_axes(const json_t *page, const struct ub_frame *frame)
{
    size_t cells = 0;
    for (size_t c = 0; c < frame->columns; c++) {
        const struct ub_column *column = &frame->column[c];
        if (column->role != UB_COLUMN_AXIS)
            continue;
        const json_t *own = named(get(page, "columns"), column->name);
        assert_non_null(own);
        for (size_t row = 0; row < frame->rows; row++, cells++) {
            double word;
            assert_string_equal(word_at(own, row), ub_frame_word(frame, row, column->name));
            if (json_object_get(own, "number"))
                near(number_at(own, row), column->number[row], EXPLORER_DIGITS, column->name);
            else if (isfinite(column->number[row]))
                assert_true(ub_read_real(word_at(own, row), &word) && word == column->number[row]);
        }
    }
    return cells;
}

static size_t check_facts(const json_t *page, const struct digest *digest)
{
    struct labels facts = fact_names(digest);
    for (size_t i = 0; i < facts.count; i++) {
        const json_t *own = named(get(page, "columns"), facts.text[i]);
        assert_non_null(own);
        for (size_t row = 0; row < digest->count; row++)
            near(number_at(own, row), ub_run_fact(&digest->runs[row], facts.text[i]),
                 EXPLORER_DIGITS, facts.text[i]);
    }
    const size_t cells = facts.count * digest->count;
    labels_free(&facts);
    return cells;
}

static void check_commands(const json_t *page, const struct study *study)
{
    const json_t *parts = get(get(page, "commands"), "parts"),
                 *of = get(get(page, "commands"), "of");
    for (size_t row = 0; row < study->store->count; row++) {
        char *expected = train_command(&study->store->runs[row].spec);
        struct ub_text joined = {0};
        const json_t *own = json_array_get(of, row);
        for (size_t i = 0; i < json_array_size(own); i++)
            ub_text_add(&joined, "%s%s", i ? " --" : "",
                        json_string_value(json_array_get(
                            parts, (size_t)json_integer_value(json_array_get(own, i)))));
        assert_string_equal(joined.data, expected);
        assert_string_equal(json_string_value(json_array_get(get(page, "ids"), row)),
                            study->store->runs[row].id);
        ub_text_free(&joined);
        ub_free(expected);
    }
}

/* ---- laws -------------------------------------------------------------------------------------
 */

static size_t check_laws(const json_t *page, const struct study *study)
{
    const json_t *laws = get(page, "laws");
    size_t all = 0;
    assert_int_equal(json_array_size(laws), study->n_laws);
    for (size_t i = 0; i < study->n_laws; i++) {
        const struct ub_law_verdict *v = study->laws[i];
        const json_t *own = named(laws, v->law->name);
        assert_non_null(own);
        const json_t *groups = get(own, "groups");
        assert_string_equal(text_of(own, "verdict"), ub_law_word(v));
        assert_int_equal(json_array_size(groups), v->groups.count + v->controls.count);
        for (size_t g = 0; g < v->groups.count; g++, all++) {
            const json_t *group = json_array_get(groups, g), *rows = get(group, "rows");
            assert_string_equal(text_of(group, "name"), v->names[g]);
            assert_int_equal(json_array_size(rows), v->groups.group[g].count);
            for (size_t k = 0; k < json_array_size(rows); k++)
                assert_int_equal(json_integer_value(json_array_get(rows, k)),
                                 v->groups.group[g].row[k]);
            near(get(group, "value"), v->data[g].why ? (double)NAN : v->data[g].value,
                 EXPLORER_DIGITS, v->law->name);
        }
    }
    return all;
}

/* ---- traces -----------------------------------------------------------------------------------
 */

/* The row's place in a member's list; the last of several. */
static size_t place_of(const json_t *entry, size_t row)
{
    const json_t *rows = get(entry, "rows");
    for (size_t i = json_array_size(rows); i-- > 0;)
        if (json_integer_value(json_array_get(rows, i)) == (json_int_t)row)
            return i;
    return SIZE_MAX;
}

static const json_t *list_of(const json_t *member, const char *lists, const json_t *entry,
                             size_t at)
{
    const json_t *place = json_array_get(get(entry, lists), at);
    return json_array_get(get(member, lists), (size_t)json_integer_value(place));
}

/* Each point is one of the series; the first, the last and the extremes are there. */
static size_t check_series(const json_t *page, const struct ub_frame *frame, size_t row,
                           const char *name)
{
    const json_t *member = get(page, "series"), *entry = named(get(member, "of"), name);
    struct ub_series s = ub_frame_series(frame, row, name, 0);
    assert_non_null(entry);
    const size_t at = place_of(entry, row);
    const json_t *steps = list_of(member, "steps", entry, at);
    const json_t *values = json_array_get(get(entry, "values"), at);
    const size_t n = json_array_size(values);
    double low = INFINITY, high = -INFINITY, kept_low = INFINITY, kept_high = -INFINITY;
    assert_int_equal(json_array_size(steps), n);
    assert_true(n <= s.count && (json_int_t)n <= json_integer_value(get(member, "limit")));
    for (size_t i = 0, k = 0; i < s.count; i++) {
        low = fmin(low, isfinite(s.value[i]) ? s.value[i] : INFINITY);
        high = fmax(high, isfinite(s.value[i]) ? s.value[i] : -INFINITY);
        if (k == n || json_number_value(json_array_get(steps, k)) != s.step[i]) {
            assert_true(i > 0 && i + 1 < s.count);
            continue;
        }
        near(json_array_get(values, k++), s.value[i], SERIES_DIGITS, name);
        kept_low = fmin(kept_low, isfinite(s.value[i]) ? s.value[i] : INFINITY);
        kept_high = fmax(kept_high, isfinite(s.value[i]) ? s.value[i] : -INFINITY);
    }
    assert_true(kept_low == low && kept_high == high);
    ub_series_clear(&s);
    return n;
}

static size_t check_spectrum(const json_t *page, const struct ub_frame *frame, size_t row,
                             const char *name)
{
    const json_t *member = get(page, "spectra"), *entry = named(get(member, "of"), name);
    struct ub_series s = ub_frame_spectrum(frame, row, name, -1);
    assert_non_null(entry);
    const size_t at = place_of(entry, row);
    const json_t *ranks = list_of(member, "ranks", entry, at);
    const json_t *values = json_array_get(get(entry, "values"), at);
    const size_t n = json_array_size(values);
    assert_true(n > 0 && n <= s.count);
    for (size_t k = 0; k < n; k++) {
        const size_t rank = (size_t)json_integer_value(json_array_get(ranks, k));
        assert_true(rank < s.count);
        assert_true(k == 0 || json_integer_value(json_array_get(ranks, k - 1)) < (json_int_t)rank);
        near(json_array_get(values, k), s.value[rank], SERIES_DIGITS, name);
    }
    assert_int_equal(json_integer_value(json_array_get(ranks, n - 1)), s.count - 1);
    ub_series_clear(&s);
    return n;
}

/* ---- a store that was run ---------------------------------------------------------------------
 */

/* The page's data are those of `page`, as a browser reads them: up to the end of the element. Where
 * the store is called otherwise, `store` says how. */
static void check_page(const char *html, json_t *page, const char *store)
{
    static const char head[] = "<script type=\"application/json\" id=\"data\">";
    const char *begin = strstr(html, head), *end;
    assert_non_null(begin);
    begin += sizeof head - 1;
    end = strstr(begin, "</script");
    assert_non_null(end);
    struct ub_text data = {0};
    ub_text_append(&data, begin, (size_t)(end - begin));
    json_t *own = parse(&data);
    assert_string_equal(text_of(own, "store"), store);
    json_object_set(own, "store", get(page, "store"));
    assert_true(json_equal(own, page));
    size_t opened = 0, closed = 0;
    for (const char *at = html; (at = strstr(at, "<script")); at++)
        opened++;
    for (const char *at = html; (at = strstr(at, "</script")); at++)
        closed++;
    assert_int_equal(opened, closed);
    json_decref(own);
    ub_text_free(&data);
}

static void the_page_has_what_the_store_has(void **state)
{
    (void)state;
    struct ub_error err = {0};
    char *folder = cli_folder_with("small.yaml", suite), *at = ub_path(folder, "S");
    ub_free(cli_expect(folder, "run small.yaml --out S --jobs 1", 0, ""));
    ub_free(cli_expect(folder, "report S --out R", 0, "R/index.html"));
    char *html = cli_read(folder, "R/index.html");
    struct ub_store *store = ub_store_open(at, &err);
    assert_non_null(store);
    struct study *study = study_new(store, &err);
    struct digest *digest = digest_of(study);
    struct ub_text json = explorer_json(study, digest, &err);
    json_t *page = parse(&json);
    const size_t axes = check_axes(page, study->frame), facts = check_facts(page, digest);
    const size_t groups = check_laws(page, study);
    size_t points = 0, values = 0, runs = 0;
    check_commands(page, study);
    for (size_t row = 0; row < store->count; row++) {
        if (store->runs[row].status != UB_RUN_OK)
            continue;
        points += check_series(page, study->frame, row, "loss");
        points += check_series(page, study->frame, row, "sharpness");
        values += check_spectrum(page, study->frame, row, "covariance-spectrum.inputs");
        runs++;
    }
    assert_true(runs > 0 && runs < store->count); /* some diverge */
    print_message("%zu words, %zu numbers, %zu groups, %zu points of series, %zu of spectra\n",
                  axes, facts, groups, points, values);
    check_page(html, page, "S");
    json_decref(page);
    ub_text_free(&json);
    digest_free(digest);
    study_free(study);
    ub_store_free(store);
    ub_free(html);
    ub_free(at);
    support_remove(folder);
}

/* ---- hostile texts ----------------------------------------------------------------------------
 */

static const char *const hostile[] = {"</script><script>alert(1)</script>",
                                      "<!--<script>",
                                      "\xe2\x80\xa8\xe2\x80\xa9",
                                      "\"\\\n\t\x01",
                                      "\xff\xc0\xaf broken",
                                      "]]>&lt;&#x3c;",
                                      "{{data}}",
                                      "__proto__"};
enum { HOSTILE = sizeof hostile / sizeof *hostile, LONG = 3000 };

/* A spike of one step up and one down, which no even sample of 200 would meet. */
static struct ub_trace *long_trace(void)
{
    struct ub_trace *t = ub_calloc(1, sizeof *t);
    t->count = LONG;
    t->n_names = 1;
    t->names = ub_calloc(1, sizeof *t->names);
    t->names[0] = ub_strdup("loss");
    t->step = ub_calloc(LONG, sizeof *t->step);
    t->index = ub_calloc(LONG, sizeof *t->index);
    t->observable = ub_calloc(LONG, sizeof *t->observable);
    t->value = ub_calloc(LONG, sizeof *t->value);
    t->error = ub_calloc(LONG, sizeof *t->error);
    for (int i = 0; i < LONG; i++) {
        t->step[i] = 3 * i;
        t->observable[i] = t->names[0];
        t->value[i] = i == 1234   ? 1e9
                      : i == 2345 ? -7.25
                      : i == 777  ? (double)INFINITY
                                  : 1.0 / (1 + i);
    }
    return t;
}

static bool is_utf8(const char *text)
{
    struct ub_error err = {0};
    return ub_utf8_holds(text, "", &err);
}

static void hostile_texts_stay_texts(void **state)
{
    (void)state;
    struct ub_error err = {0};
    struct ub_run runs[HOSTILE];
    struct ub_fact facts[2] = {{(char *)"</script>", 1e300}, {(char *)"thirds", 1.0 / 3}};
    for (size_t i = 0; i < HOSTILE; i++) {
        struct ub_text dataset = {0};
        ub_text_add(&dataset, "csv:file=%s", is_utf8(hostile[i]) ? hostile[i] : "broken");
        runs[i] = (struct ub_run){.spec = {.dataset = dataset.data,
                                           .model = (char *)"linear",
                                           .loss = (char *)"mse",
                                           .init = (char *)"pytorch",
                                           .optimizer = (char *)"gd:lr=0.1",
                                           .seed = i},
                                  .label = (char *)hostile[i],
                                  .status = UB_RUN_FAILED,
                                  .message = (char *)hostile[i],
                                  .n_facts = 2,
                                  .facts = facts};
        snprintf(runs[i].id, sizeof runs[i].id, "%016zx", i);
    }
    struct ub_store store = {.path = (char *)"</title>", .count = HOSTILE, .runs = runs};
    struct study *study = study_new(&store, &err);
    if (!study)
        fail_msg("%s", err.text);
    ub_trace_cache_put(study->frame->traces, 0, long_trace());
    struct digest *digest = digest_of(study);
    struct ub_text json = explorer_json(study, digest, &err);
    assert_null(strchr(json.data, '<'));
    for (size_t i = 0; i < json.length; i++)
        assert_true((unsigned char)json.data[i] < 0x80 && json.data[i] >= ' ');
    json_t *page = parse(&json);
    const json_t *messages = named(get(page, "columns"), "message");
    for (size_t i = 0; i < HOSTILE; i++) {
        const char *expected =
            is_utf8(hostile[i]) ? hostile[i] : "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd broken";
        assert_string_equal(word_at(messages, i), expected);
        near(number_at(named(get(page, "columns"), "thirds"), i), 1.0 / 3, EXPLORER_DIGITS,
             "thirds");
        near(number_at(named(get(page, "columns"), "</script>"), i), 1e300, EXPLORER_DIGITS,
             "1e300");
    }
    assert_int_equal(check_series(page, study->frame, 0, "loss"), 200);
    char *folder = support_folder(), *path = ub_path(folder, "index.html");
    assert_true(explorer_write(study, digest, path, &err));
    char *html = cli_read(folder, "index.html");
    check_page(html, page, store.path);
    json_decref(page);
    ub_text_free(&json);
    digest_free(digest);
    study_free(study);
    for (size_t i = 0; i < HOSTILE; i++)
        ub_free(runs[i].spec.dataset);
    ub_free(html);
    ub_free(path);
    support_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_has_what_the_store_has),
        cmocka_unit_test(hostile_texts_stay_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
