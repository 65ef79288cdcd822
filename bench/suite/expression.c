#include "bench/suite/expression.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_DEPTH = 100 };

struct parser {
    const char *at;
    struct ub_variables *variables;
    struct ub_text *why;
    bool good;
    int depth;
};

const char *ub_variable_text(struct ub_variables *v, const char *name, size_t length)
{
    for (size_t i = 0; i < v->count; i++)
        if (strlen(v->variable[i].name) == length &&
            strncmp(v->variable[i].name, name, length) == 0) {
            v->variable[i].used = true;
            return v->variable[i].text;
        }
    return NULL;
}

/* The first cause wins. */
static double wrong(struct parser *p, const char *what, const char *expected)
{
    if (p->good)
        ub_text_add(p->why, "%s; expected %s", what, expected);
    p->good = false;
    return 0;
}

static char next(struct parser *p)
{
    while (isspace((unsigned char)*p->at))
        p->at++;
    return *p->at;
}

static bool eat(struct parser *p, char c)
{
    if (!p->good || next(p) != c)
        return false;
    p->at++;
    return true;
}

static double sum(struct parser *p);

static double in_parentheses(struct parser *p)
{
    if (++p->depth > MOST_DEPTH)
        return wrong(p, "parentheses are nested too deeply", "100 levels at most");
    const double value = sum(p);
    p->depth--;
    if (!eat(p, ')') && p->good)
        return wrong(p, "a parenthesis is not closed", "')'");
    return value;
}

static const struct {
    const char *name;
    double (*of)(double);
} functions[] = {{"sqrt", sqrt},   {"log", log},     {"log2", log2}, {"exp", exp},
                 {"round", round}, {"floor", floor}, {"ceil", ceil}};
enum { FUNCTIONS = sizeof functions / sizeof *functions };

static double unknown(struct parser *p, const char *name, size_t length)
{
    const size_t n = p->variables->count;
    const char **names = ub_calloc(n + FUNCTIONS, sizeof *names);
    struct ub_text given = {0}, what = {0}, expected = {0};
    for (size_t i = 0; i < n; i++)
        names[i] = p->variables->variable[i].name;
    for (size_t i = 0; i < FUNCTIONS; i++)
        names[n + i] = functions[i].name;
    ub_text_append(&given, name, length);
    ub_text_add(&what, "unknown variable '%s'", given.data);
    const char *near = ub_suggest(given.data, names, n + FUNCTIONS);
    if (near)
        ub_text_add(&expected, "'%s'?", near);
    wrong(p, what.data, near ? expected.data : "one of the block's 'with'");
    ub_text_free(&given);
    ub_text_free(&what);
    ub_text_free(&expected);
    ub_free(names);
    return 0;
}

static double named(struct parser *p)
{
    const char *name = p->at;
    while (isalnum((unsigned char)*p->at) || *p->at == '_')
        p->at++;
    const size_t length = (size_t)(p->at - name);
    if (next(p) == '(')
        for (size_t i = 0; i < FUNCTIONS; i++)
            if (strlen(functions[i].name) == length &&
                strncmp(functions[i].name, name, length) == 0) {
                p->at++;
                return functions[i].of(in_parentheses(p));
            }
    const char *text = ub_variable_text(p->variables, name, length);
    double value = 0;
    if (!text)
        return unknown(p, name, length);
    if (ub_read_real(text, &value))
        return value;
    struct ub_text what = {0};
    ub_text_add(&what, "'%.*s' is '%s'", (int)length, name, text);
    wrong(p, what.data, "a number in an expression");
    ub_text_free(&what);
    return 0;
}

static double atom(struct parser *p)
{
    const char c = next(p);
    if (eat(p, '('))
        return in_parentheses(p);
    if (isalpha((unsigned char)c) || c == '_')
        return named(p);
    if (!isdigit((unsigned char)c) && c != '.')
        return wrong(p, *p->at ? "no value where one should be" : "it ends too early",
                     "a number, a variable or '('");
    char *end;
    const double value = strtod(p->at, &end);
    if (end == p->at)
        return wrong(p, "no value where one should be", "a number, a variable or '('");
    p->at = end;
    return value;
}

static double power(struct parser *p)
{
    if (++p->depth > MOST_DEPTH)
        return wrong(p, "it is nested too deeply", "100 levels at most");
    double value;
    if (eat(p, '-')) {
        value = -power(p);
    } else {
        value = atom(p);
        if (eat(p, '^'))
            value = pow(value, power(p));
    }
    p->depth--;
    return value;
}

static double product(struct parser *p)
{
    double value = power(p);
    while (p->good)
        if (eat(p, '*'))
            value *= power(p);
        else if (eat(p, '/'))
            value /= power(p);
        else
            break;
    return value;
}

static double sum(struct parser *p)
{
    double value = product(p);
    while (p->good)
        if (eat(p, '+'))
            value += product(p);
        else if (eat(p, '-'))
            value -= product(p);
        else
            break;
    return value;
}

bool ub_expression_value(const char *text, struct ub_variables *variables, double *value,
                         struct ub_text *why)
{
    struct parser p = {.at = text, .variables = variables, .why = why, .good = true};
    *value = sum(&p);
    if (p.good && next(&p))
        wrong(&p, "something follows its end", "an operator: + - * / ^");
    if (p.good && !isfinite(*value))
        wrong(&p, "it is not finite", "a finite number");
    return p.good;
}
