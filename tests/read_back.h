/* read_back.h - what a report or a command has written: texts, tables, and how often something is
 * said. */
#ifndef UB_TEST_READ_BACK_H
#define UB_TEST_READ_BACK_H

#include "tests/support.h"

/* A text file of the folder, which must be there; free it with ub_free. */
static inline char *read_text(const char *folder, const char *name)
{
    struct ub_error err = {0};
    char *path = ub_path(folder, name);
    char *text = (char *)ub_read_file(path, UINT64_C(1) << 26, NULL, &err);
    if (!text)
        fail_msg("%s", err.text);
    ub_free(path);
    return text;
}

/* The same of a table; free it with ub_csv_free. */
static inline struct ub_csv *read_table(const char *folder, const char *name)
{
    struct ub_error err = {0};
    char *path = ub_path(folder, name);
    struct ub_csv *csv = ub_csv_read(path, true, &err);
    if (!csv)
        fail_msg("%s", err.text);
    ub_free(path);
    return csv;
}

/* Places where the text has the part, none overlapping. */
static inline size_t count_of(const char *text, const char *part)
{
    size_t n = 0;
    for (const char *at = text; (at = strstr(at, part)) != NULL; at += strlen(part))
        n++;
    return n;
}

#endif
