/* Numbers from text, as strtod reads them, and the shortest text of a number. */
#include "support.h"

static void numbers_are_read_strictly(void **state)
{
    (void)state;
    static const char *const bad[] = {"",     "x",   "1x", " 1", "1 ", "nan", "inf",   "1e999",
                                      "0x10", "1,5", ".",  "e5", "-",  "1e",  "1e-400"};
    double real;
    int64_t whole;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(ub_read_real(bad[i], &real));
        assert_false(ub_read_int(bad[i], &whole));
    }
    assert_true(ub_read_real("-1.5e-3", &real));
    assert_true(real == -1.5e-3);
    assert_true(ub_read_int("-9223372036854775808", &whole) && whole == INT64_MIN);
    assert_true(ub_read_int("9223372036854775807", &whole) && whole == INT64_MAX);
    assert_false(ub_read_int("9223372036854775808", &whole));
    assert_false(ub_read_int("-9223372036854775809", &whole));
    assert_false(ub_read_int("1.0", &whole));
}

/* Halfway to the least double, 2^-1075 = 2.4703282292062327...e-324, rounds to 0 (to even) and is
 * refused; anything above rounds to 2^-1074. */
static void numbers_lose_no_magnitude(void **state)
{
    (void)state;
    static const char *const beyond[] = {"1e-400", "-0.001e-330", "2.4703282292062327e-324",
                                         "1e400",  "-1e309",      "1.7976931348623159e308"};
    static const char *const zeros[] = {"0", "-0.000", "0e5", "0.0e-400", "0e999"};
    double real;
    for (size_t i = 0; i < sizeof beyond / sizeof *beyond; i++)
        if (ub_read_real(beyond[i], &real) || !ub_real_beyond(beyond[i]))
            fail_msg("'%s' is read as %g", beyond[i], real);
    for (size_t i = 0; i < sizeof zeros / sizeof *zeros; i++)
        assert_true(ub_read_real(zeros[i], &real) && real == 0 && !ub_real_beyond(zeros[i]));
    assert_true(ub_read_real("2.4703282292062328e-324", &real) && real == 0x1p-1074);
    assert_true(ub_read_real("5e-324", &real) && real == 0x1p-1074);
    assert_true(ub_read_real("1.7976931348623157e308", &real) && real == 0x1.fffffffffffffp1023);
    assert_false(ub_real_beyond("x") || ub_real_beyond("") || ub_real_beyond("1e-300"));
}

static void real_text_is_shortest_and_exact(void **state)
{
    (void)state;
    char text[UB_REAL_TEXT];
    ub_real_text(0.1, text);
    assert_string_equal(text, "0.1");
    ub_real_text(-40, text);
    assert_string_equal(text, "-40");
    ub_real_text((double)NAN, text);
    assert_string_equal(text, "nan");
    struct ub_random r = ub_random_stream(3, "text");
    for (int i = 0; i < 2000; i++) {
        double x = ub_random_normal(&r) * pow(10, (double)ub_random_below(&r, 600) - 300);
        ub_real_text(x, text);
        assert_true(strtod(text, NULL) == x);
    }
}

/* A decimal of up to 21 digits, some of them halfway between two doubles, as people and printf
 * write them. */
static void any_decimal(struct ub_random *r, char *text, size_t room)
{
    const int digits = 1 + (int)ub_random_below(r, 19), kind = (int)ub_random_below(r, 4);
    const double x = ub_random_normal(r) * pow(10, (double)ub_random_below(r, 50) - 30);
    const int64_t odd = 2 * ub_random_below(r, INT64_C(1) << 53) + 1; /* 54 bits: a tie */
    if (kind == 0)
        snprintf(text, room, "%.*g", digits, x);
    else if (kind == 1)
        snprintf(text, room, "%.*f", digits, ub_random_normal(r));
    else if (kind == 2)
        snprintf(text, room, "%lld%s", (long long)odd,
                 (const char *const[]){"", ".", ".0", "e0", "e-1", ".000"}[ub_random_below(r, 6)]);
    else /* a tie with a fraction: odd / 2^3 has three decimals */
        snprintf(text, room, "%s%lld.%03d", ub_random_below(r, 2) ? "-" : "",
                 (long long)(odd % (INT64_C(1) << 51) | INT64_C(1) << 50),
                 125 * (int)(1 + 2 * ub_random_below(r, 4)));
}

/* Oracle: strtod, which the C library documents as correctly rounded. */
static void reals_are_read_to_the_nearest_double(void **state)
{
    (void)state;
    char text[64];
    struct ub_random r = ub_random_stream(5, "decimals");
    for (int i = 0; i < 200000; i++) {
        double real;
        any_decimal(&r, text, sizeof text);
        const double exact = strtod(text, NULL);
        if (!ub_read_real(text, &real) || memcmp(&real, &exact, sizeof real) != 0)
            fail_msg("'%s' is read as %.17g; expected %.17g", text, real, exact);
    }
}

/* Oracle: one digit more until it reads back. */
static void no_text_of_a_real_is_shorter(void **state)
{
    (void)state;
    struct ub_random r = ub_random_stream(6, "shortest");
    for (int i = 0; i < 20000; i++) {
        char text[UB_REAL_TEXT], least[UB_REAL_TEXT];
        double x = ub_random_normal(&r) * pow(10, (double)ub_random_below(&r, 640) - 322);
        if (i % 2) { /* few digits */
            snprintf(text, sizeof text, "%.*g", 1 + (int)ub_random_below(&r, 17), x);
            x = strtod(text, NULL);
        }
        if (x == trunc(x) && fabs(x) < 1e15)
            continue; /* whole numbers have no exponent */
        for (int digits = 1; digits == 1 || strtod(least, NULL) != x; digits++)
            snprintf(least, sizeof least, "%.*g", digits, x);
        ub_real_text(x, text);
        assert_string_equal(text, least);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_read_strictly),
        cmocka_unit_test(numbers_lose_no_magnitude),
        cmocka_unit_test(real_text_is_shortest_and_exact),
        cmocka_unit_test(reals_are_read_to_the_nearest_double),
        cmocka_unit_test(no_text_of_a_real_is_shorter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
