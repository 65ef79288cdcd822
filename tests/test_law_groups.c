/* Laws over frames: groups, data, controls, shares, what is missing. */
#include "planted_laws.h"

#include "report/laws/group.h"

static void groups_yield_data_and_a_verdict(void **state)
{
    (void)state;
    struct made m = {0};
    for (int i = 0; i < RATES; i++)
        add_widths(&m, 0.1 * (i + 1), i < 4 ? -0.98 : -1.02, NULL);
    struct ub_law_verdict *v = judged(&m, &falls);
    assert_int_equal(v->groups.count, RATES);
    assert_near(v->data[0].value, -0.98, 1e-12);
    assert_string_equal(v->names[0], "GD, lr 0.1");
    assert_string_equal(ub_law_word(v), "holds, few systems");
    assert_int_equal(v->controls.count, 0);
    assert_int_equal(v->n_shares, 1); /* the only axis of four in which they differ */
    assert_string_equal(v->shares[0].axis, "optimizer");
    assert_near(v->shares[0].share.estimate, 1, 1e-6);
    ub_law_verdict_free(v);
    ub_frame_free(m.frame);
}

static void controls_judge_the_instrument(void **state)
{
    (void)state;
    const struct {
        double holds, fails;
        size_t right;
        const char *word;
    } cases[] = {{-1, -0.5, 2, "holds, few systems"},
                 {-0.5, -0.5, 1, "instrument at fault"},
                 {-1, -1, 1, "instrument at fault"},
                 {-0.5, -1, 0, "instrument at fault"}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        struct made m = {0};
        for (int i = 0; i < RATES; i++)
            add_widths(&m, 0.1 * (i + 1), -1, NULL);
        add_widths(&m, 3, cases[c].holds, "other=fails;falls=holds");
        add_widths(&m, 4, cases[c].fails, "falls=fails");
        add_widths(&m, 5, 0, "other=holds"); /* made for another law: no system of this one */
        struct ub_law_verdict *v = judged(&m, &falls);
        assert_int_equal(v->groups.count, RATES); /* controls are left out of the verdict */
        assert_int_equal(v->judgment.within, RATES);
        assert_int_equal(v->controls.count, 2);
        assert_int_equal(v->n_right, cases[c].right);
        assert_string_equal(ub_law_word(v), cases[c].word);
        ub_law_verdict_free(v);
        ub_frame_free(m.frame);
    }
}

static double y_of(const struct ub_frame *f, size_t row, const void *context)
{
    (void)context;
    return f->store->runs[row].status == UB_RUN_OK ? ub_frame_number(f, row, "y") : (double)NAN;
}

static struct ub_datum slope_of_group(const struct ub_frame *f, const struct ub_rows *group)
{
    return ub_group_slope(f, group, "model.width", y_of, NULL, "one width only");
}

/* A group that diverged whole stays in the denominator, as one that does not meet the law; one with
 * too few runs has nothing to say. */
static void groups_that_diverged_count(void **state)
{
    (void)state;
    struct ub_law counting = falls;
    struct made m = {0};
    counting.datum = slope_of_group;
    for (int i = 0; i < 4; i++)
        add_widths(&m, 0.1 * (i + 1), i % 2 ? -0.99 : -1.01, NULL);
    add_widths(&m, 3, -1, NULL);
    for (size_t i = m.store.count - WIDTHS; i < m.store.count; i++)
        m.run[i].status = UB_RUN_DIVERGED;
    add(&m, 64, 4, 1, NULL);
    struct ub_law_verdict *v = judged(&m, &counting);
    assert_int_equal(v->groups.count, 6);
    assert_string_equal(v->data[4].why, "diverged");
    assert_true(v->data[4].against);
    assert_false(v->data[5].against);
    assert_int_equal(v->judgment.spoke, 5);
    assert_int_equal(v->judgment.within, 4);
    ub_law_verdict_free(v);
    ub_frame_free(m.frame);
}

/* Neither for the instrument nor against it: only one that spoke is a fault. */
static void a_control_that_cannot_speak_has_shown_nothing(void **state)
{
    (void)state;
    for (int wrong = 0; wrong < 2; wrong++) {
        struct made m = {0};
        for (int i = 0; i < RATES; i++)
            add_widths(&m, 0.1 * (i + 1), -1, NULL);
        add(&m, 64, 4, 1, "falls=fails"); /* one width: no slope */
        add(&m, 64, 5, 1, "falls=holds");
        if (wrong)
            add_widths(&m, 6, -0.5, "falls=holds");
        struct ub_law_verdict *v = judged(&m, &falls);
        assert_int_equal(v->controls.count, 2 + wrong);
        assert_int_equal(v->n_right, 0);
        assert_int_equal(v->n_silent, 2);
        assert_string_equal(ub_law_word(v), wrong ? "instrument at fault" : "holds, few systems");
        ub_law_verdict_free(v);
        ub_frame_free(m.frame);
    }
}

static void a_control_that_diverged_whole_speaks(void **state)
{
    (void)state;
    struct ub_law counting = falls;
    struct made m = {0};
    counting.datum = slope_of_group;
    add_widths(&m, 3, -1, "falls=holds");
    add_widths(&m, 4, -1, "falls=fails");
    for (size_t i = 0; i < m.store.count; i++)
        m.run[i].status = UB_RUN_DIVERGED;
    struct ub_law_verdict *v = judged(&m, &counting);
    assert_int_equal(v->n_silent, 0);
    assert_int_equal(v->n_right, 1);
    assert_true(v->at_fault);
    ub_law_verdict_free(v);
    ub_frame_free(m.frame);
}

/* What became of a group's runs, where none ended well. */
static void groups_say_what_became_of_their_runs(void **state)
{
    (void)state;
    static const struct {
        enum ub_run_status status[WIDTHS];
        const char *why;
    } cases[] = {
        {{UB_RUN_MISSING, UB_RUN_MISSING, UB_RUN_MISSING, UB_RUN_MISSING}, "not run"},
        {{UB_RUN_TIMEOUT, UB_RUN_TIMEOUT, UB_RUN_TIMEOUT, UB_RUN_TIMEOUT}, "ran out of time"},
        {{UB_RUN_MISSING, UB_RUN_FAILED, UB_RUN_FAILED, UB_RUN_TIMEOUT}, "failed"},
        {{UB_RUN_DIVERGED, UB_RUN_FAILED, UB_RUN_FAILED, UB_RUN_FAILED}, "one width only"},
        {{UB_RUN_OK, UB_RUN_MISSING, UB_RUN_MISSING, UB_RUN_MISSING}, "one width only"},
    };
    struct ub_law counting = falls;
    counting.datum = slope_of_group;
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        struct made m = {0};
        add_widths(&m, 0.1, -1, NULL);
        for (size_t i = 0; i < WIDTHS; i++)
            m.run[i].status = cases[c].status[i];
        struct ub_law_verdict *v = judged(&m, &counting);
        assert_string_equal(v->data[0].why, cases[c].why);
        assert_false(v->data[0].against);
        ub_law_verdict_free(v);
        ub_frame_free(m.frame);
    }
}

static void controls_only_says_so(void **state)
{
    (void)state;
    struct made m = {0};
    add_widths(&m, 3, -1, "falls=holds");
    struct ub_law_verdict *v = judged(&m, &falls);
    char *sentence = ub_judgment_sentence(&falls.is, &v->judgment);
    assert_string_equal(sentence, "only controls were run");
    ub_free(sentence);
    ub_law_verdict_free(v);
    ub_frame_free(m.frame);
}

/* Other laws' controls are runs like any, whatever part of a group they are. */
static void controls_of_other_laws_split_no_group(void **state)
{
    (void)state;
    struct made m = {0};
    for (int i = 0; i < RATES; i++)
        for (int w = 0; w < WIDTHS; w++)
            add(&m, 64 << w, 0.1 * (i + 1), 1.0 / (64 << w),
                w % 2 ? "fallsy=fails;other=holds" : NULL);
    struct ub_law_verdict *v = judged(&m, &falls);
    assert_int_equal(v->groups.count, RATES);
    assert_int_equal(v->controls.count, 0);
    assert_string_equal(ub_law_word(v), "holds, few systems");
    ub_law_verdict_free(v);
    ub_frame_free(m.frame);
}

/* Marks of both kinds on runs that differ in nothing but seeds: two controls. */
static void kinds_of_controls_are_kept_apart(void **state)
{
    (void)state;
    struct made m = {0};
    add_widths(&m, 0.1, -1, "falls=holds");
    add_widths(&m, 0.1, -0.5, "falls=fails");
    struct ub_law_verdict *v = judged(&m, &falls);
    assert_int_equal(v->groups.count, 0);
    assert_int_equal(v->controls.count, 2);
    assert_int_equal(v->control[0], UB_CONTROL_HOLDS);
    assert_int_equal(v->control[1], UB_CONTROL_FAILS);
    assert_int_equal(v->n_right, 2);
    struct ub_law_controls c = ub_law_controls(&falls, m.frame);
    assert_int_equal(c.hold, 1);
    assert_int_equal(c.fail, 1);
    assert_null(c.lacks);
    ub_law_verdict_free(v);
    ub_frame_free(m.frame);
    m = (struct made){0};
    add(&m, 64, 0.1, 1, "falls=fails");
    ub_law_verdict_free(judged(&m, &falls));
    c = ub_law_controls(&falls, m.frame);
    assert_int_equal(c.hold, 0);
    assert_int_equal(c.fail, 1);
    assert_string_equal(c.lacks, "1 different model.width in a group, needs 3");
    ub_free(c.lacks);
    ub_frame_free(m.frame);
}

static void lacks_are_said_before_a_run(void **state)
{
    (void)state;
    struct made m = {0};
    bool applies;
    add(&m, 64, 0.1, 1, NULL);
    add(&m, 128, 0.1, 1, NULL);
    ub_law_verdict_free(judged(&m, &falls));
    char *lacks = ub_law_lacks(&falls, m.frame, &applies);
    assert_true(applies);
    assert_string_equal(lacks, "2 different model.width in a group, needs 3");
    ub_free(lacks);
    ub_frame_free(m.frame);
    loss_only[0] = (char *)"loss-like:every=1";
    add(&m, 256, 0.1, 1, NULL);
    ub_law_verdict_free(judged(&m, &falls));
    lacks = ub_law_lacks(&falls, m.frame, &applies);
    assert_string_equal(lacks, "loss is not measured");
    ub_free(lacks);
    ub_frame_free(m.frame);
    loss_only[0] = (char *)"loss:every=1";
    ub_law_verdict_free(judged(&m, &falls));
    assert_null(ub_law_lacks(&falls, m.frame, &applies));
    assert_true(applies);
    ub_frame_free(m.frame);
    struct made none = {0};
    assert_null(judged(&none, &falls));
    assert_null(ub_law_lacks(&falls, none.frame, &applies));
    assert_false(applies);
    ub_frame_free(none.frame);
}

static struct ub_window nowhere(const struct ub_frame *frame, size_t row,
                                const struct ub_series *series, const struct ub_series *loss)
{
    (void)frame, (void)row, (void)series, (void)loss;
    return (struct ub_window){.why = "asked of no series"};
}

/* Of laws about levels: of systems and of controls. */
static void a_series_that_is_not_measured_is_lacked(void **state)
{
    (void)state;
    struct ub_law level = falls;
    struct made m = {0};
    bool applies;
    level.datum = NULL;
    level.series = "edge-ratio";
    level.window = nowhere;
    add_widths(&m, 0.1, -1, NULL);
    add_widths(&m, 0.2, -1, "falls=holds");
    ub_law_verdict_free(judged(&m, &level));
    char *lacks = ub_law_lacks(&level, m.frame, &applies);
    assert_string_equal(lacks, "edge-ratio is not measured");
    struct ub_law_controls c = ub_law_controls(&level, m.frame);
    assert_string_equal(c.lacks, "edge-ratio is not measured");
    ub_free(c.lacks);
    ub_free(lacks);
    ub_frame_free(m.frame);
}

/* Sameness: exponents equal across optimizers at one rate, not across rates. */
static void clusters_differ_in_one_axis(void **state)
{
    (void)state;
    static const char *const inside[] = {"model.width", NULL};
    struct ub_law same = falls;
    struct made m = {0};
    same.within = inside;
    same.across = "optimizer.lr";
    same.is = (struct ub_claim){UB_SAME, .margin = 0.3};
    for (int i = 0; i < RATES; i++)
        add_widths(&m, 0.1 * (i + 1), i < 4 ? -1 : -2, NULL); /* gd four times, adam eight */
    struct ub_law_verdict *v = judged(&m, &same);
    for (size_t g = 0; g < v->groups.count; g++)
        assert_int_equal(v->data[g].cluster, g >= 4);
    assert_string_equal(ub_law_word(v), "holds, few systems"); /* -1 and -2 are never compared */
    ub_law_verdict_free(v);
    ub_frame_free(m.frame);
    same.across = "optimizer";
    v = judged(&m, &same);
    for (size_t g = 0; g < v->groups.count; g++)
        assert_int_equal(v->data[g].cluster, 0);
    assert_string_equal(ub_law_word(v), "violated");
    ub_law_verdict_free(v);
    ub_frame_free(m.frame);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_yield_data_and_a_verdict),
        cmocka_unit_test(controls_judge_the_instrument),
        cmocka_unit_test(groups_that_diverged_count),
        cmocka_unit_test(a_control_that_cannot_speak_has_shown_nothing),
        cmocka_unit_test(a_control_that_diverged_whole_speaks),
        cmocka_unit_test(groups_say_what_became_of_their_runs),
        cmocka_unit_test(controls_only_says_so),
        cmocka_unit_test(a_series_that_is_not_measured_is_lacked),
        cmocka_unit_test(controls_of_other_laws_split_no_group),
        cmocka_unit_test(kinds_of_controls_are_kept_apart),
        cmocka_unit_test(lacks_are_said_before_a_run),
        cmocka_unit_test(clusters_differ_in_one_axis),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
