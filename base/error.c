/* error.c - the one way errors travel: a code and one line. */
#include "base/base.h"

bool ub_fail(struct ub_error *err, enum ub_code code, const char *format, ...)
{
    if (!err || err->code != UB_OK)
        return false;
    va_list args;
    va_start(args, format);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    for (char *c = err->text; *c; c++) /* one line, whatever a file name holds */
        if ((unsigned char)*c < ' ')
            *c = ' ';
    err->code = code;
    return false;
}

int ub_report(const struct ub_error *err)
{
    fprintf(stderr, "unibench: %s\n", err->text);
    return (int)err->code;
}
