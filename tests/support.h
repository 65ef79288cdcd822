/* support.h - what cmocka lacks: nearness, oracles, temporary folders, expected errors, real data.
 */
#ifndef UB_TEST_SUPPORT_H
#define UB_TEST_SUPPORT_H

#include "base/base.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* |a - b| <= tolerance, and neither is NaN. */
#define assert_near(a, b, tolerance) support_near((a), (b), (tolerance), #a, __FILE__, __LINE__)
static inline void support_near(double a, double b, double tolerance, const char *what,
                                const char *file, int line)
{
    if (fabs(a - b) <= tolerance)
        return;
    print_error("%s:%d: %s is %.17g; expected %.17g within %g\n", file, line, what, a, b,
                tolerance);
    _fail(file, line);
}

/* The oracle of a formula: what it was checked against, the largest error that was found, and the
 * most that it may be. `of` names what is checked, "law X", "observable X" or "edge X" (an
 * optimizer's), or several of them, parted by ", ". Prints the line that ci/oracles gathers: call
 * it once for many points, with the worst of them; and in units of standard errors where the oracle
 * is a simulation. */
#define assert_oracle(of, against, error, tolerance)                                               \
    support_oracle((of), (against), (error), (tolerance), __FILE__, __LINE__)
static inline void support_oracle(const char *of, const char *against, double error,
                                  double tolerance, const char *file, int line)
{
    print_message("oracle: %s: against %s: error %.2g (at most %g)\n", of, against, error,
                  tolerance);
    if (fabs(error) <= tolerance)
        return;
    print_error("%s:%d: %s is off by %.17g; expected at most %g of %s\n", file, line, of, error,
                tolerance, against);
    _fail(file, line);
}

/* The error is of bad input and its text holds `part`; clears it. */
#define assert_input_error(err, part) support_error((err), (part), __FILE__, __LINE__)
static inline void support_error(struct ub_error *err, const char *part, const char *file, int line)
{
    if (err->code == UB_INPUT && strstr(err->text, part)) {
        *err = (struct ub_error){0};
        return;
    }
    print_error("%s:%d: error %d '%s'; expected code 2 and '%s'\n", file, line, (int)err->code,
                err->text, part);
    _fail(file, line);
}

/* A new empty folder; remove and free it with support_remove. */
static inline char *support_folder(void)
{
    const char *base = getenv("TMPDIR");
    char *path = ub_path(base && *base ? base : P_tmpdir, "unibench-test-XXXXXX");
    assert_non_null(mkdtemp(path));
    return path;
}

static inline void support_remove(char *folder)
{
    struct ub_error err = {0};
    assert_true(ub_remove_tree(folder, &err));
    ub_free(folder);
}

static inline void support_write(const char *folder, const char *name, const void *data,
                                 size_t length)
{
    struct ub_error err = {0};
    char *path = ub_path(folder, name);
    if (!ub_write_file(path, data, length, &err))
        fail_msg("%s", err.text);
    ub_free(path);
}

/* Folder of real data sets, or NULL with a message: the test then calls skip(). */
static inline const char *support_real_data(void)
{
    const char *folder = getenv("UNIBENCH_DATA");
    if (folder && *folder && ub_exists(folder))
        return folder;
    print_message("skipped: UNIBENCH_DATA names no folder of real data\n");
    return NULL;
}

#endif
