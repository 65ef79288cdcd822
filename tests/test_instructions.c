/* ci/instructions: what it says of counts beside the baseline's. (Counting takes valgrind a minute:
 * CI does that.) */
#include "tests/support.h"

#include <stdio.h>
#include <sys/wait.h>

static const char baseline[] = "work,instructions\nmlp,1000000\nplan,50000000\n";

/* Exit code; what was printed in *out, to be freed. The baseline begins with `head`. */
static int compare(const char *head, const char *counts, char **out)
{
    struct ub_text command = {0}, text = {0}, base = {0};
    ub_text_add(&base, "%s%s", head, baseline);
    char *folder = support_folder(), piece[256];
    support_write(folder, "base.csv", base.data, base.length);
    support_write(folder, "counts.csv", counts, strlen(counts));
    ub_text_add(&command, "%s/ci/instructions --counts %s/counts.csv %s/base.csv 2>&1",
                UNIBENCH_SOURCE, folder, folder);
    FILE *pipe = popen(command.data, "r");
    assert_non_null(pipe);
    while (fgets(piece, sizeof piece, pipe))
        ub_text_add(&text, "%s", piece);
    const int status = pclose(pipe);
    assert_true(WIFEXITED(status));
    ub_text_free(&command);
    ub_text_free(&base);
    support_remove(folder);
    *out = text.data ? text.data : ub_strdup("");
    return WEXITSTATUS(status);
}

static void expect_beside(const char *head, const char *counts, int code, const char *part)
{
    char *out;
    const int got = compare(head, counts, &out);
    if (got != code || !strstr(out, part))
        fail_msg("exit code %d, expected %d; expected '%s' in\n%s", got, code, part, out);
    ub_free(out);
}

static void expect(const char *counts, int code, const char *part)
{
    expect_beside("", counts, code, part);
}

static void a_slowdown_of_three_percent_is_named(void **state)
{
    (void)state;
    expect("work,instructions\nmlp,1030000\nplan,50000000\n", 1, "+3.00%  SLOWER");
    expect("work,instructions\nmlp,1000000\nplan,51500000\n", 1, "+3.00%  SLOWER");
}

static void a_planted_regression_of_five_percent_is_named(void **state)
{
    (void)state;
    expect("work,instructions\nmlp,1050000\nplan,50000000\n", 1, "+5.00%  SLOWER");
}

static void counts_of_other_libraries_are_shown_and_not_judged(void **state)
{
    (void)state;
    const char counts[] = "# OpenBLAS 2\nwork,instructions\nmlp,1050000\nplan,50000000\n";
    const char same[] = "# OpenBLAS 1\nwork,instructions\nmlp,1050000\nplan,50000000\n";
    expect_beside("# OpenBLAS 1\n", counts, 4,
                  "baseline holds for\n  OpenBLAS 1; here are\n  OpenBLAS 2");
    expect_beside("# OpenBLAS 1\n", counts, 4, "+5.00%");
    expect_beside("# OpenBLAS 1\n", same, 1, "+5.00%  SLOWER");
}

static void what_is_within_two_percent_passes(void **state)
{
    (void)state;
    expect(baseline, 0, "+0.00%");
    expect("work,instructions\nmlp,1019000\nplan,49100000\n", 0, "+1.90%");
}

static void a_gain_is_to_be_written_down(void **state)
{
    (void)state;
    expect("work,instructions\nmlp,900000\nplan,50000000\n", 1, "faster: update the baseline");
}

static void work_that_one_side_lacks_is_named(void **state)
{
    (void)state;
    expect("work,instructions\nmlp,1000000\n", 1, "plan: not counted");
    expect("work,instructions\nmlp,1000000\nplan,50000000\nnew,1\n", 1, "new: no baseline");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slowdown_of_three_percent_is_named),
        cmocka_unit_test(a_planted_regression_of_five_percent_is_named),
        cmocka_unit_test(counts_of_other_libraries_are_shown_and_not_judged),
        cmocka_unit_test(what_is_within_two_percent_passes),
        cmocka_unit_test(a_gain_is_to_be_written_down),
        cmocka_unit_test(work_that_one_side_lacks_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
