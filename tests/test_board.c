/* All laws beside each other: scoreboard, forests, the diagonal, the matrix. */
#include "planted_laws.h"

#include "report/sections/board.h"
#include "report/sections/forest.h"

#include <stdlib.h>
#include <unistd.h>

static struct made *holding(void)
{
    struct made *m = ub_calloc(1, sizeof *m);
    for (int i = 0; i < RATES; i++)
        add_widths(m, 0.1 * (i + 1), i == 7 ? -0.5 : i % 2 ? -0.98 : -1.02, NULL);
    add_widths(m, 3, -1, "falls=holds");
    add_widths(m, 4, 0, "falls=fails");
    return m;
}

static void a_row_says_what_became_of_a_law(void **state)
{
    (void)state;
    struct made *m = holding();
    struct ub_law_verdict *v = judged(m, &falls);
    const struct board board = {m->frame, 1, &v};
    struct table *t = scoreboard_table(&board, false);
    assert_int_equal(table_rows(t), 2);
    assert_string_equal(t->cell[0], "limits");
    char *const *row = t->cell + t->columns;
    assert_string_equal(row[0], "  falls");
    assert_string_equal(row[1], "11/12");
    assert_true(strncmp(row[2], "-0.96 ±", 8) == 0); /* -11.52 / 12 */
    assert_string_equal(row[3], "-1 ± 0.1");
    assert_string_equal(row[4], ub_law_word(v));
    assert_string_equal(row[5], "2/2");
    table_free(t);
    ub_law_verdict_free(v);
    ub_frame_free(m->frame);
    ub_free(m);
}

/* What each kind of claim is held against, and the number that stands on its axis. */
static void claims_have_words_and_values(void **state)
{
    (void)state;
    const struct {
        struct ub_claim claim;
        const char *words;
        double value;
    } cases[] = {{{UB_EQUAL, 1, 0.1}, "1 ± 0.1", 1.5},
                 {{UB_AT_MOST, 0.05, 0}, "at most 0.05", 2.5},
                 {{UB_AT_LEAST, 0.8, 0}, "at least 0.8", 2.5},
                 {{UB_EXACT, 0, 1e-6}, "error ≤ 1e-06", 0.25},
                 {{UB_SAME, 0, 0.15}, "spread ≤ 0.15", 2.5}};
    const struct ub_datum d = {.value = 2.5, .predicts = true, .prediction = 2};
    const struct ub_datum silent = {.why = "diverged"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ub_text words = {0};
        board_claim(&cases[i].claim, &words);
        assert_string_equal(words.data, cases[i].words);
        assert_near(board_value(&cases[i].claim, &d), cases[i].value, 1e-12);
        assert_true(isnan(board_value(&cases[i].claim, &silent)));
        ub_text_free(&words);
    }
}

/* A theory that is 5% off. */
static void plane(const struct ub_frame *frame, size_t row, const struct ub_level *level,
                  struct ub_plane *points)
{
    assert_null(level);
    const double y = ub_frame_number(frame, row, "y");
    ub_plane_add(points, 1.05 * y, y);
}

/* Figures are drawn where there is something to show, and only there. */
static void figures_are_drawn_where_there_is_something(void **state)
{
    (void)state;
    char folder[] = "/tmp/unibench-board-XXXXXX";
    assert_non_null(mkdtemp(folder));
    struct ub_error err = {0};
    struct ub_law bringing = falls;
    bringing.name = "bringing";
    bringing.plane = plane;
    struct made *m = holding(), *again = holding();
    struct ub_law_verdict *v[] = {judged(m, &falls), judged(again, &bringing)};
    const struct board none = {m->frame, 0, v}, one = {m->frame, 1, v}, two = {m->frame, 2, v};
    const struct board *const boards[] = {&none, &one, &two};
    static const size_t forests[] = {0, 1, 2}, diagonals[] = {0, 0, 1}, matrices[] = {0, 0, 1};
    for (size_t i = 0; i < 3; i++) {
        struct plates plates = {.folder = folder};
        assert_true(plot_forests(boards[i], &plates, &err));
        assert_int_equal(plates.count, forests[i]);
        assert_true(plot_diagonal(boards[i], &plates, &err));
        assert_int_equal(plates.count, forests[i] + diagonals[i]);
        assert_true(plot_matrix(boards[i], &plates, &err));
        assert_int_equal(plates.count, forests[i] + diagonals[i] + matrices[i]);
        plates_free(&plates);
    }
    char *path = ub_path(folder, "law-falls.png");
    assert_true(ub_exists(path));
    ub_free(path);
    assert_true(ub_remove_tree(folder, &err));
    ub_law_verdict_free(v[0]);
    ub_law_verdict_free(v[1]);
    ub_frame_free(m->frame);
    ub_frame_free(again->frame);
    ub_free(m);
    ub_free(again);
}

static struct ub_datum as_y(const struct ub_frame *f, const struct ub_rows *group)
{
    const double y = ub_frame_number(f, group->row[0], "y");
    return (struct ub_datum){.value = y, .se = y > 5 ? 10 : 0.01, .df = INFINITY};
}

/* Systems whose values are y: `n` of them at 1 +- 0.01 by place, then what is given. */
static struct made *valued(size_t n, const double *more, size_t n_more)
{
    struct made *m = ub_calloc(1, sizeof *m);
    for (size_t i = 0; i < n; i++)
        add(m, 64, 0.01 * (double)(i + 1), i % 2 ? 1.01 : 0.99, NULL);
    for (size_t i = 0; i < n_more; i++)
        add(m, 64, 1 + (double)i, more[i], NULL);
    return m;
}

static void done(struct made *m, struct ub_law_verdict *v)
{
    ub_law_verdict_free(v);
    ub_frame_free(m->frame);
    ub_free(m);
}

static const struct ub_law levels = {
    .name = "levels",
    .strand = UB_LIMITS,
    .claim = "y is 1",
    .quantity = "y",
    .citation = "these tests",
    .who = "two-layer networks",
    .because = "ten times the error",
    .applies = is_two_layer,
    .datum = as_y,
    .is = {UB_EQUAL, .target = 1, .margin = 0.1},
};

/* A system off the claim by less than its error is unclear, one off it past doubt is not; a value
 * far out widens no axis, and on an axis of logarithms an interval below 0 goes to the axis' end.
 */
static void rows_look_as_tables_answer(void **state)
{
    (void)state;
    struct made *m = valued(6, (double[]){2, 40}, 2);
    struct ub_law_verdict *v = judged(m, &levels);
    struct forest f = forest_of(v, m->frame);
    assert_int_equal(f.count, 8);
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(f.row[i].look, MEETS);
    assert_int_equal(f.row[6].look, BEYOND);
    assert_near(f.row[6].value, 2, 1e-12);
    assert_int_equal(f.row[7].look, BEYOND); /* 40 +- 20 */
    assert_true(f.logarithmic);
    forest_clear(&f);
    done(m, v);
    m = valued(6, (double[]){6}, 1); /* 6 +- 20 */
    v = judged(m, &levels);
    f = forest_of(v, m->frame);
    assert_int_equal(f.row[6].look, UNCLEAR);
    assert_false(f.logarithmic);
    assert_true(f.row[6].value > f.high && f.high < 2); /* it stands at the axis' end */
    forest_clear(&f);
    done(m, v);
}

/* Rows that differ have different names, controls among them, which say model and dataset. */
static void rows_are_named_together(void **state)
{
    (void)state;
    struct made *m = ub_calloc(1, sizeof *m);
    add_widths(m, 0.1, -1, NULL);
    add_widths(m, 0.2, -1, "falls=holds");
    add_widths(m, 0.3, 0, "falls=fails");
    struct ub_law_verdict *v = judged(m, &falls);
    struct forest f = forest_of(v, m->frame);
    assert_int_equal(f.count, 3);
    assert_string_equal(f.row[0].name, "lr 0.1");
    assert_string_equal(f.row[1].name, "two-layer net, lr 0.2, digits");
    assert_string_equal(f.row[2].name, "two-layer net, lr 0.3, digits");
    assert_int_equal(f.row[1].look, MUST_HOLD);
    assert_int_equal(f.row[2].look, MUST_FAIL);
    forest_clear(&f);
    done(m, v);
    m = ub_calloc(1, sizeof *m); /* nothing differs but what was measured */
    add_widths(m, 0.1, -1, "falls=holds");
    add_widths(m, 0.1, 0, "falls=fails");
    v = judged(m, &falls);
    f = forest_of(v, m->frame);
    assert_int_equal(f.count, 2);
    assert_string_equal(f.row[0].name, "two-layer net, digits, must hold");
    assert_string_equal(f.row[1].name, "two-layer net, digits, must fail");
    forest_clear(&f);
    done(m, v);
}

/* Sameness: clusters stand together, by mean. By hand: of equal errors and a spread beyond them the
 * mean is the plain one. */
static void clusters_stand_together(void **state)
{
    (void)state;
    struct ub_law same = levels;
    same.is = (struct ub_claim){UB_SAME, .margin = 0.5};
    same.across = "optimizer.lr";
    struct made *m = ub_calloc(1, sizeof *m);
    static const double y[] = {3, 1.1, 3.2, 0.9, 3.1, 1};
    for (int i = 0; i < 6; i++)
        add(m, i % 2 ? 64 : 128, 0.1 + 0.01 * i, y[i], NULL);
    struct ub_law_verdict *v = judged(m, &same);
    struct forest f = forest_of(v, m->frame);
    static const double sorted[] = {0.9, 1, 1.1, 3, 3.1, 3.2};
    assert_int_equal(f.n_clusters, 2);
    for (size_t i = 0; i < 6; i++) {
        assert_near(f.row[i].value, sorted[i], 1e-12);
        assert_int_equal(f.row[i].cluster, i / 3);
    }
    assert_near(f.cluster[0].mean, 1, 1e-9);
    assert_near(f.cluster[1].mean, 3.1, 1e-9);
    assert_int_equal(f.cluster[1].first, 3);
    assert_int_equal(f.cluster[1].count, 3);
    assert_false(f.deviations || f.logarithmic);
    assert_near(f.low, 0.5, 1e-9); /* the lower mean less the margin */
    assert_near(f.high, 3.6, 1e-9);
    forest_clear(&f);
    done(m, v);
    m = ub_calloc(1, sizeof *m); /* of another optimizer, alone */
    for (int i = 0; i < 3; i++)
        add(m, 64, i < 2 ? 0.1 + 0.1 * i : 2, i < 2 ? 1 + 3 * i : 1, NULL);
    v = judged(m, &same);
    f = forest_of(v, m->frame);
    assert_int_equal(f.n_clusters, 2);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(f.row[i].look, f.cluster[f.row[i].cluster].count == 1 ? UNCLEAR : BEYOND);
    forest_clear(&f);
    done(m, v);
}

/* Beyond 60 rows those beyond the claim are named, the farthest sixteen of them. */
static void many_rows_are_summarized(void **state)
{
    (void)state;
    double more[20];
    for (int i = 0; i < 20; i++)
        more[i] = 1.5 + 0.01 * i;
    struct made *m = valued(MOST - 20, more, 20);
    struct ub_law_verdict *v = judged(m, &levels);
    struct forest f = forest_of(v, m->frame);
    size_t named[MOST];
    assert_true(f.count > FOREST_MOST);
    assert_int_equal(forest_named(&f, named), FOREST_NAMED);
    for (size_t i = 0; i < FOREST_NAMED; i++) {
        assert_int_equal(f.row[named[i]].look, BEYOND);
        assert_near(f.row[named[i]].value, 1.54 + 0.01 * (double)i, 1e-9);
    }
    forest_clear(&f);
    done(m, v);
}

/* Two laws of which one has nothing but controls: no table of where laws hold. */
static void controls_are_no_matrix(void **state)
{
    (void)state;
    char *folder = support_folder();
    struct ub_error err = {0};
    struct made *m = holding(), *only = ub_calloc(1, sizeof *only);
    add_widths(only, 3, -1, "falls=holds");
    add_widths(only, 4, 0, "falls=fails");
    struct ub_law_verdict *v[] = {judged(m, &falls), judged(only, &falls)};
    const struct board board = {m->frame, 2, v};
    struct plates plates = {.folder = folder};
    assert_true(plot_matrix(&board, &plates, &err));
    assert_int_equal(plates.count, 0);
    plates_free(&plates);
    done(m, v[0]);
    done(only, v[1]);
    support_remove(folder);
}

/* Sections that are a law's stand with it; by themselves where it is not judged. */
static void sections_find_their_laws(void **state)
{
    (void)state;
    size_t of_laws = 0;
    for (size_t i = 0; ub_sections[i]; i++) {
        const struct ub_section *s = ub_sections[i];
        const struct study none = {.n_laws = 0};
        assert_null(section_verdict(s, &none));
        of_laws += s->laws != NULL;
        for (size_t k = 0; s->laws && s->laws[k]; k++) {
            const struct ub_law *law = ub_law_find(s->laws[k]);
            if (!law)
                fail_msg("section %s is of '%s', which is no law", s->name, s->laws[k]);
            struct ub_law_verdict other = {.law = &falls}, verdict = {.law = law};
            struct ub_law_verdict *all[] = {&other, &verdict};
            const struct study study = {.n_laws = 2, .laws = all},
                               without = {.n_laws = 1, .laws = all};
            assert_ptr_equal(section_verdict(s, &study), &verdict);
            assert_null(section_verdict(s, &without));
        }
    }
    assert_true(of_laws >= 6); /* of the figures that were there before laws were */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sections_find_their_laws),
        cmocka_unit_test(a_row_says_what_became_of_a_law),
        cmocka_unit_test(claims_have_words_and_values),
        cmocka_unit_test(rows_look_as_tables_answer),
        cmocka_unit_test(rows_are_named_together),
        cmocka_unit_test(clusters_stand_together),
        cmocka_unit_test(many_rows_are_summarized),
        cmocka_unit_test(controls_are_no_matrix),
        cmocka_unit_test(figures_are_drawn_where_there_is_something),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
