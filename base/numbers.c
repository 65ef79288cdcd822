/* numbers.c - numbers from text and as text.
 *
 * strtod works with numbers of any length, and takes a microsecond. Where a decimal has no more
 * than 19 digits and a small exponent its nearest double is that of one quotient of integers
 * (Clinger 1990, doi:10.1145/93542.93557, takes the doubles' own division and 15 digits, less than
 * we write); all others are left to strtod. */
#include "base/base.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- exact quotients ------------------------------------------------------------------------ */

__extension__ typedef unsigned __int128 wide; /* a compiler's own: ISO C has none */

enum { MOST_DIGITS = 19, MOST_POWER = 27 }; /* 10^19 < 2^64, 5^27 < 2^63 */

struct decimal { /* digits * 10^-power */
    bool negative;
    uint64_t digits;
    int power;
};

/* "-12.5e-3" and the like; false where it does not fit, whether or not it is a number. */
static bool read_decimal(const char *text, struct decimal *d)
{
    const char *at = text + (*text == '-' || *text == '+');
    int n = 0, seen = 0, exponent = 0;
    bool point = false;
    *d = (struct decimal){.negative = *text == '-'};
    for (; (*at >= '0' && *at <= '9') || (*at == '.' && !point); at++) {
        if (*at == '.') {
            point = true;
            continue;
        }
        d->digits = 10 * d->digits + (uint64_t)(*at - '0');
        n += d->digits > 0;
        d->power += point;
        seen = 1;
        if (n > MOST_DIGITS || d->power > MOST_POWER + MOST_DIGITS)
            return false;
    }
    if (*at == 'e' || *at == 'E') {
        const bool below = at[1] == '-';
        at += 1 + (at[1] == '-' || at[1] == '+');
        if (*at < '0' || *at > '9')
            return false;
        for (; *at >= '0' && *at <= '9' && exponent < 100; at++)
            exponent = 10 * exponent + (*at - '0');
        d->power += below ? exponent : -exponent;
    }
    return seen && !*at && d->power >= 0 && d->power <= MOST_POWER;
}

/* The double nearest to digits / 10^power, ties to even. Both operands are shifted until their
 * highest bit is set, so the quotient has 63 or 64 bits and what is beyond them is told by the
 * remainder. 2^power is taken out of 10^power. */
static double nearest_quotient(uint64_t digits, int power)
{
    uint64_t divisor = 1;
    for (int i = 0; i < power; i++)
        divisor *= 5;
    const int up = __builtin_clzll(digits), down = __builtin_clzll(divisor);
    const wide dividend = (wide)(digits << up) << 63;
    divisor <<= down;
    const uint64_t quotient = (uint64_t)(dividend / divisor);
    const bool more = dividend % divisor != 0;
    const int beyond = 11 - __builtin_clzll(quotient); /* bits that a double has no room for */
    const uint64_t rest = quotient & ((UINT64_C(1) << beyond) - 1);
    const uint64_t half = UINT64_C(1) << (beyond - 1);
    uint64_t kept = quotient >> beyond;
    kept += rest > half || (rest == half && (more || (kept & 1)));
    return ldexp((double)kept, beyond - 63 - up + down - power);
}

static bool read_exactly(const char *text, double *out)
{
    struct decimal d;
    if (!read_decimal(text, &d))
        return false;
    const double value = d.digits ? nearest_quotient(d.digits, d.power) : 0;
    *out = d.negative ? -value : value;
    return true;
}

/* ---- numbers from text ---------------------------------------------------------------------- */

/* strtod and printf follow LC_NUMERIC, which the program never changes from "C"; a host that
 * embeds these libraries is told to leave it so. */
static bool parse_real(const char *text, double *out)
{
    static const char allowed[] = "0123456789+-.eE";
    if (!text || !*text || strspn(text, allowed) != strlen(text))
        return false;
    if (read_exactly(text, out))
        return true;
    char *end;
    *out = strtod(text, &end);
    return end != text && !*end;
}

/* Whether `value`, read from `text`, has lost its magnitude: infinite, or 0 of digits that are not.
 * Subnormals are kept: they are what the program itself writes of such values. */
static bool is_beyond(const char *text, double value)
{
    if (value != 0)
        return !isfinite(value);
    return strcspn(text, "123456789") < strcspn(text, "eE");
}

bool ub_read_real(const char *text, double *out)
{
    double value;
    if (!parse_real(text, &value) || is_beyond(text, value))
        return false;
    *out = value;
    return true;
}

bool ub_real_beyond(const char *text)
{
    double value;
    return parse_real(text, &value) && is_beyond(text, value);
}

bool ub_read_int(const char *text, int64_t *out)
{
    if (!text || !*text)
        return false;
    const char *c = text + (*text == '-' || *text == '+');
    if (!*c)
        return false;
    int64_t value = 0;
    for (; *c; c++) {
        if (*c < '0' || *c > '9' || __builtin_mul_overflow(value, (int64_t)10, &value) ||
            __builtin_sub_overflow(value, (int64_t)(*c - '0'), &value))
            return false;
    }
    if (*text != '-' && __builtin_mul_overflow(value, (int64_t)-1, &value))
        return false;
    *out = value;
    return true;
}

void ub_real_text(double value, char out[UB_REAL_TEXT])
{
    if (value == trunc(value) && fabs(value) < 1e15) { /* 40, not 4e+01 */
        snprintf(out, UB_REAL_TEXT, "%.0f", value);
        return;
    }
    /* All decimals of 15 digits survive being a normal double (DBL_DIG): if any of so few reads
     * back, these do, and what follows its last digit are zeros, which %g drops. */
    const int least = fabs(value) >= DBL_MIN ? DBL_DIG : 1;
    for (int digits = least; digits <= 17; digits++) {
        snprintf(out, UB_REAL_TEXT, "%.*g", digits, value);
        double back;
        if (parse_real(out, &back) && back == value)
            return;
    }
    if (isnan(value))
        snprintf(out, UB_REAL_TEXT, "nan");
}
