/* Variables of suites' blocks and arithmetic on them. Oracles: the same arithmetic in C, and the
 * same suite written out by hand. */
#include "support.h"

#include "bench/suite/expression.h"
#include "bench/suite/suite.h"

static struct ub_variable values[] = {
    {"w", "64", false}, {"beta", "0.9", false}, {"L_2", "3", false}, {"act", "tanh", false}};
static struct ub_variables variables = {4, values};

static double value_of(const char *text)
{
    double value = NAN;
    struct ub_text why = {0};
    if (!ub_expression_value(text, &variables, &value, &why))
        fail_msg("%s: %s", text, why.data);
    return value;
}

static void arithmetic_is_c_s(void **state)
{
    (void)state;
    const double w = 64, beta = 0.9, L = 3;
    const struct {
        const char *text;
        double value;
    } cases[] = {
        {"1 + 2 * 3 - 4 / 8", 1 + 2 * 3 - 4.0 / 8},
        {"(1 + 2) * (3 - 4) / 8", (1 + 2) * (3 - 4) / 8.0},
        {"8 - 4 - 2", 8 - 4 - 2},
        {"64 / 4 / 2", 64.0 / 4 / 2},
        {"2^3^2", 512},
        {"-2^2", -4},
        {"2^-2", 0.25},
        {"--3", 3},
        {"0.1 * (1 - beta)", 0.1 * (1 - beta)},
        {"4*w", 4 * w},
        {" w ^ L_2 ", pow(w, L)},
        {"sqrt(w) + log2(w)", sqrt(w) + log2(w)},
        {"exp(log(w)) - w", exp(log(w)) - w},
        {"round(w / 3) + floor(w / 3) + ceil(w / 3)", 21 + 21 + 22},
        {"1e-3 * .5", 1e-3 * .5},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_near(value_of(cases[i].text), cases[i].value, 0);
}

static void what_is_no_expression_is_said(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"", "ends too early"},
        {"1 +", "ends too early"},
        {"1 2", "follows its end; expected an operator"},
        {"* 2", "no value"},
        {"(1", "not closed"},
        {"1)", "follows its end"},
        {"beat", "unknown variable 'beat'; expected 'beta'?"},
        {"sqr(2)", "unknown variable 'sqr'; expected 'sqrt'?"},
        {"2 * act", "'act' is 'tanh'; expected a number"},
        {"1 / 0", "not finite"},
        {"log(0 - w)", "not finite"},
        {"1 % 2", "follows its end"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double value;
        struct ub_text why = {0};
        assert_false(ub_expression_value(cases[i].text, &variables, &value, &why));
        if (!strstr(why.data, cases[i].says))
            fail_msg("'%s': %s", cases[i].text, why.data);
        ub_text_free(&why);
    }
    struct ub_text deep = {0}, why = {0};
    double value;
    for (int i = 0; i < 100000; i++)
        ub_text_add(&deep, i % 2 ? "(" : "-");
    assert_false(ub_expression_value(deep.data, &variables, &value, &why));
    assert_non_null(strstr(why.data, "deeply"));
    ub_text_free(&deep);
    ub_text_free(&why);
}

/* ---- suites ---- */

static struct ub_suite *suite_of(const char *text)
{
    struct ub_error err = {0};
    struct ub_suite *s = ub_suite_parse(text, "s.yaml", &err);
    if (!s)
        fail_msg("%s", err.text);
    return s;
}

static void expect_same(const char *short_text, const char *long_text, size_t count)
{
    struct ub_suite *a = suite_of(short_text), *b = suite_of(long_text);
    assert_int_equal(a->count, count);
    assert_int_equal(b->count, count);
    for (size_t i = 0; i < count; i++) {
        char id[2][17];
        ub_run_spec_id(&a->cells[i].spec, id[0]);
        ub_run_spec_id(&b->cells[i].spec, id[1]);
        if (strcmp(id[0], id[1]) != 0) {
            char *texts[] = {ub_run_spec_text(&a->cells[i].spec),
                             ub_run_spec_text(&b->cells[i].spec)};
            fail_msg("%s\nis not\n%s", texts[0], texts[1]);
        }
    }
    ub_suite_free(a);
    ub_suite_free(b);
}

#define HEAD "name: x\nruns:\n"
#define REST "loss: mse, dataset: digits"

static void axes_are_tied_together(void **state)
{
    (void)state;
    expect_same(HEAD "  - {with: {w: [64, 128]}, " REST
                     ", model: {mlp: {widths: $(w)x$(w)}}, steps: $(4*w), optimizer: "
                     "{gd: {lr: {edge: [10, $(w / 2)]}}}, measure: {loss: {at: [0, $(w), end]}}}\n",
                HEAD
                "  - {" REST ", model: {mlp: {widths: 64x64}}, steps: 256, optimizer: {gd: {lr: "
                "{edge: [10, 32]}}}, measure: {loss: {at: [0, 64, end]}}}\n"
                "  - {" REST ", model: {mlp: {widths: 128x128}}, steps: 512, optimizer: {gd: {lr: "
                "{edge: [10, 64]}}}, measure: {loss: {at: [0, 128, end]}}}\n",
                4);
}

/* A map crosses its variables; a list of maps goes along them. */
static void lists_are_zipped(void **state)
{
    (void)state;
    expect_same(
        HEAD "  - {with: [{b: 0, s: 5}, {b: 0.9, s: 7}], " REST
             ", model: linear, steps: $(s), optimizer: {sgd: {lr: $(0.1*(1-b)), beta: $(b)}}}\n",
        HEAD "  - {" REST ", model: linear, steps: 5, optimizer: {sgd: {lr: 0.1, beta: 0}}}\n"
             "  - {" REST ", model: linear, steps: 7, optimizer: {sgd: {lr: 0.01, beta: 0.9}}}\n",
        2);
    expect_same(HEAD "  - {with: {m: [2, 3], L: 1..2}, " REST
                     ", model: linear, steps: $(10*m^L), optimizer: {gd: {lr: 0.1}}}\n",
                HEAD "  - {" REST
                     ", model: linear, steps: [20, 40, 30, 90], optimizer: {gd: {lr: 0.1}}}\n",
                4);
}

/* Names alone stand for any text; variables may be made of those before; defaults know them, too.
 */
static void values_may_be_texts_and_of_others(void **state)
{
    (void)state;
    expect_same("name: x\n"
                "defaults: {steps: $(s), loss: $(nothing)}\n"
                "runs:\n"
                "  - {with: {act: [tanh, relu], w: 4, s: $(2*w)}, " REST
                ", model: {mlp: {widths: $( w ), activation: $(act)}}, optimizer: {gd: {lr: 1}}}\n",
                HEAD "  - {" REST
                     ", model: {mlp: {widths: 4, activation: [tanh, relu]}}, steps: 8, optimizer: "
                     "{gd: {lr: 1}}}\n",
                2);
}

static void bad_variables_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *block, *says;
    } cases[] = {
        {"with: {w: 3}\n    steps: 5", "s.yaml:7: 'w' is used nowhere; expected $(w)"},
        {"with: {w: 3}\n    steps: $(v)", "s.yaml:8: $(v): unknown variable 'v'"},
        {"with: {w: 3}\n    steps: $(w", "s.yaml:8: $(w: a parenthesis is not closed"},
        {"with: {w: 3}\n    steps: $(w/2)", "s.yaml:8: steps is '1.5'; expected a whole number"},
        {"with: {w: [3, relu]}\n    steps: $(2*w)", "s.yaml:8: $(2*w): 'w' is 'relu'"},
        {"with: {}\n    steps: 5", "s.yaml:7: expected a map of variables"},
        {"with: []\n    steps: 5", "s.yaml:7: 'with' is empty"},
        {"with: 3\n    steps: 5", "s.yaml:7: expected a map of variables"},
        {"with: {w: {a: 1}}\n    steps: 5", "s.yaml:7: expected a value for 'w'"},
        {"with: {2w: 1}\n    steps: 5", "s.yaml:7: variable '2w'; expected a name"},
        {"wiht: {w: 1}\n    steps: 5", "s.yaml:7: unknown key 'wiht'; did you mean 'with'?"},
        {"steps: $(w)", "s.yaml:7: steps is '$(w)'; expected a whole number"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ub_error err = {0};
        struct ub_text text = {0};
        ub_text_add(&text,
                    "name: x\nruns:\n  - model: linear\n    dataset: digits\n    loss: mse\n"
                    "    optimizer: {gd: {lr: 0.1}}\n    %s\n",
                    cases[i].block);
        assert_null(ub_suite_parse(text.data, "s.yaml", &err));
        assert_input_error(&err, cases[i].says);
        ub_text_free(&text);
    }
    struct ub_error err = {0};
    assert_null(ub_suite_parse("name: x\ndefaults:\n  with: {w: 1}\nruns: [{model: linear}]\n",
                               "s.yaml", &err));
    assert_input_error(&err, "s.yaml:3: 'with' is a block's");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arithmetic_is_c_s),
        cmocka_unit_test(what_is_no_expression_is_said),
        cmocka_unit_test(axes_are_tied_together),
        cmocka_unit_test(lists_are_zipped),
        cmocka_unit_test(values_may_be_texts_and_of_others),
        cmocka_unit_test(bad_variables_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
