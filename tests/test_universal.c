/* Laws on universal phenomena, on stores whose spectra are planted: where they hold, where the mean
 * fails, where the spread does, and their controls. Oracles: the values that were planted. */
#include "report/laws/spectral_decay.h"
#include "report/sections/sections.h"
#include "support.h"

#include <math.h>
#include <string.h>

extern const struct ub_law ub_law_hessian_outliers;

struct planted {
    char *folder;
    struct ub_expected run[256];
    size_t count;
    struct ub_store *store;
    struct ub_frame *frame;
};

/* `decays`: it measures how spectra fall, else Gauss-Newton's only. */
static struct ub_run_writer *begin(struct planted *p, const char *dataset, const char *model,
                                   uint64_t seed, bool decays, const char *control)
{
    struct ub_error err = {0};
    char *measures[] = {
        (char *)"covariance-spectrum:at=end", (char *)"kernel-spectrum:outputs=mean",
        (char *)"spectrum:operator=gauss-newton", (char *)"spectrum:layer=all,operator=hessian"};
    const struct ub_run_spec spec = {.dataset = (char *)dataset,
                                     .model = (char *)model,
                                     .loss = (char *)"ce",
                                     .init = (char *)"pytorch",
                                     .optimizer = (char *)"gd:lr=0.1",
                                     .steps = 9,
                                     .seed = seed,
                                     .n_measures = decays ? 4 : 1,
                                     .measures = decays ? measures : &measures[2]};
    struct ub_run_writer *w = ub_run_writer_new(p->folder, &spec, &err);
    assert_non_null(w);
    p->run[p->count++] =
        (struct ub_expected){ub_run_spec_copy(&spec), control ? ub_strdup(control) : NULL};
    return w;
}

static void finish(struct ub_run_writer *w)
{
    struct ub_error err = {0};
    if (!ub_run_writer_commit(w, UB_RUN_OK, "", NULL, 0, &err))
        fail_msg("%s", err.text);
}

static struct planted sow(void)
{
    return (struct planted){.folder = support_folder()};
}

static struct ub_law_verdict *grow(struct planted *p, const struct ub_law *law)
{
    struct ub_error err = {0};
    assert_true(ub_store_lock(p->folder, true, &err));
    assert_true(ub_manifest_write(p->folder, p->run, p->count, &err));
    p->store = ub_store_open(p->folder, &err);
    p->frame = p->store ? ub_frame_new(p->store, &err) : NULL;
    if (!p->frame)
        fail_msg("%s", err.text);
    return ub_law_verdict_new(law, p->frame);
}

static void reap(struct planted *p, struct ub_law_verdict *v)
{
    ub_law_verdict_free(v);
    ub_frame_free(p->frame);
    ub_store_free(p->store);
    for (size_t i = 0; i < p->count; i++) {
        ub_run_spec_clear(&p->run[i].spec);
        ub_free(p->run[i].control);
    }
    support_remove(p->folder);
}

/* ---- spectral decay ------------------------------------------------------------------------- */

/* A Hessian that decays with this exponent, known to 0.02; `best`: the form that fits best. */
static void plant_exponent(struct planted *p, const char *dataset, const char *model,
                           double exponent, double best, const char *control)
{
    const double half = 1.959963984540054 * 0.02;
    const double fit[] = {exponent, exponent - half, exponent + half, 1, 1, 9, 1, best};
    struct ub_run_writer *w = begin(p, dataset, model, p->count, true, control);
    ub_run_writer_add(w, 9, "spectrum.hessian", 0, 1, 1e-9);
    for (int i = 0; i < UB_EXPONENT_ROWS; i++)
        ub_run_writer_add(w, 9, "exponent.hessian", i, fit[i], (double)NAN);
    finish(w);
}

static const char *const models[] = {"mlp", "cnn", "vit", "resnet", "mlp:activation=relu"};
static const char *const datasets[] = {"digits", "mnist", "cifar10", "fashion-mnist"};
enum { MODELS = 5, DATASETS = 4 };

/* Exponents 1 + d/2 + spread * m, in this order of models, on dataset d. */
static void expect_spread(double spread, const char *word)
{
    static const double order[MODELS] = {0, 1, -1, 0.5, -0.5};
    struct planted p = sow();
    for (int d = 0; d < DATASETS; d++)
        for (int m = 0; m < MODELS; m++)
            plant_exponent(&p, datasets[d], models[m], 1 + d / 2.0 + spread * order[m], 0, NULL);
    plant_exponent(&p, "digits", "linear", 7, 2, NULL); /* no power law */
    struct ub_law_verdict *v = grow(&p, spectral_decay_laws[OF_HESSIAN]);
    assert_int_equal(v->groups.count, MODELS * DATASETS + 1);
    assert_int_equal(v->judgment.systems, DATASETS); /* clusters: never across datasets */
    assert_string_equal(ub_law_word(v), word);
    struct table *t = group_table(v, true); /* held against each other, not against 0 */
    assert_string_equal(t->header[4], "predicted or bound");
    for (size_t r = 0; r < table_rows(t); r++)
        assert_string_equal(t->cell[r * t->columns + 4], "-");
    table_free(t);
    size_t silent = 0;
    for (size_t g = 0; g < v->groups.count; g++)
        silent += v->data[g].why && strstr(v->data[g].why, "power law");
    assert_int_equal(silent, 1);
    reap(&p, v);
}

static void exponents_are_compared_within_a_dataset(void **state)
{
    (void)state;
    expect_spread(0, "holds, few systems");
    expect_spread(0.05, "holds, few systems");
    expect_spread(0.6, "violated");
}

static void says(const struct ub_law_verdict *v, const char *part)
{
    struct ub_text out = {0};
    add_verdict(&out, v, false);
    if (!strstr(out.data, part))
        fail_msg("'%s' does not say '%s'", out.data, part);
    ub_text_free(&out);
}

/* Those that must hold are compared within their cluster, those that must fail all together. */
static void controls_of_sameness(void **state)
{
    (void)state;
    static const char holds[] = "spectral-decay-hessian=holds",
                      fails[] = "spectral-decay-hessian=fails";
    const struct {
        double apart[2]; /* exponents: of two models that must be the same, of two datasets */
        size_t right;
        const char *word;
    } cases[] = {{{0, 1}, 4, "holds, few systems"},
                 {{1, 1}, 2, "instrument at fault"},
                 {{0, 0}, 2, "instrument at fault"}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        struct planted p = sow();
        for (int d = 0; d < DATASETS; d++)
            for (int m = 0; m < MODELS; m++)
                plant_exponent(&p, datasets[d], models[m], 1, 0, NULL);
        plant_exponent(&p, "gaussian", "linear", 1, 0, holds);
        plant_exponent(&p, "gaussian", "deep-linear", 1 + cases[c].apart[0], 0, holds);
        plant_exponent(&p, "chebyshev", "linear", 2, 0, fails);
        plant_exponent(&p, "sorting", "linear", 2 + cases[c].apart[1], 0, fails);
        struct ub_law_verdict *v = grow(&p, spectral_decay_laws[OF_HESSIAN]);
        assert_int_equal(v->judgment.systems, DATASETS);
        assert_int_equal(v->controls.count, 4);
        assert_int_equal(v->n_right, cases[c].right);
        assert_string_equal(ub_law_word(v), cases[c].word);
        reap(&p, v);
    }
    struct planted p = sow(); /* one alone has shown nothing */
    plant_exponent(&p, "gaussian", "linear", 1, 0, holds);
    plant_exponent(&p, "sorting", "linear", 1, 0, fails);
    struct ub_law_verdict *v = grow(&p, spectral_decay_laws[OF_HESSIAN]);
    assert_int_equal(v->n_right, 0);
    assert_int_equal(v->n_silent, 2);
    assert_false(v->at_fault);
    says(v, "0 of 2 controls came out as they must; 2 said nothing: nothing to compare with.");
    reap(&p, v);
}

/* What is beyond a claim of sameness is a cluster; all of its systems are, so its first are named
 * and the others counted. */
static void clusters_beyond_are_named_by_their_systems(void **state)
{
    (void)state;
    static const char *const more[] = {"linear", "deep-linear"};
    for (int clusters = 1; clusters < 3; clusters++) {
        struct planted p = sow();
        for (int d = 0; d < DATASETS; d++)
            for (int m = 0; m < MODELS; m++)
                plant_exponent(&p, datasets[d], models[m], 1 + (d < clusters ? m : 0), 0, NULL);
        for (int m = 0; m < 2; m++)
            plant_exponent(&p, datasets[0], more[m], 6 + m, 0, NULL);
        struct ub_law_verdict *v = grow(&p, spectral_decay_laws[OF_HESSIAN]);
        assert_int_equal(v->judgment.exceptions, clusters);
        says(v, clusters > 1 ? "; 2 clusters beyond it past doubt; "
                             : "; 1 cluster beyond it past doubt; ");
        says(v, clusters > 1 ? " Their systems: " : " Its systems: ");
        /* seven systems of the first cluster, five of the second, five named */
        says(v, clusters > 1 ? ") and 7 more." : ") and 2 more.");
        reap(&p, v);
    }
}

/* ---- outliers ------------------------------------------------------------------------------- */

enum { SUBSETS = 5, SYSTEMS = 10 };
static const char *const subsets[SUBSETS] = {"0x1", "0x1x2x3", "0x1x2x3x4x5", "0x1x2x3x4x5x6x7",
                                             "0x1x2x3x4x5x6x7x8x9"};

/* One system on all subsets of C classes: C outliers at the start and slope C + 3 more. */
static void plant_outliers(struct planted *p, int width, double slope, const char *control)
{
    char model[32];
    snprintf(model, sizeof model, "mlp:widths=%d", width);
    for (int s = 0; s < SUBSETS; s++) {
        char dataset[64];
        const double classes = 2 + 2 * s;
        snprintf(dataset, sizeof dataset, "digits:classes=%s", subsets[s]);
        struct ub_run_writer *w = begin(p, dataset, model, 0, false, control);
        ub_run_writer_fact(w, "classes", classes);
        ub_run_writer_add(w, 0, "outliers.gauss-newton", 0, classes, (double)NAN);
        ub_run_writer_add(w, 0, "outliers.gauss-newton", 1, 5, (double)NAN);
        ub_run_writer_add(w, 9, "outliers.gauss-newton", 0, classes + 3 + slope * classes,
                          (double)NAN);
        ub_run_writer_add(w, 9, "outliers.gauss-newton", 1, 2, (double)NAN);
        finish(w);
    }
}

static void expect_outliers(const double slope[2], double holds, double fails, const char *word,
                            size_t right)
{
    struct planted p = sow();
    for (int i = 0; i < SYSTEMS; i++)
        plant_outliers(&p, 8 + i, slope[i % 2], NULL);
    plant_outliers(&p, 100, holds, "hessian-outliers=holds");
    plant_outliers(&p, 101, fails, "hessian-outliers=fails");
    struct ub_law_verdict *v = grow(&p, &ub_law_hessian_outliers);
    assert_int_equal(v->groups.count, SYSTEMS);
    double worst = 0;
    for (size_t g = 0; g < v->groups.count; g++)
        worst =
            fmax(worst, fmin(fabs(v->data[g].value - slope[0]), fabs(v->data[g].value - slope[1])));
    assert_oracle("law hessian-outliers", "planted counts against classes", worst, 1e-12);
    assert_string_equal(ub_law_word(v), word);
    assert_int_equal(v->n_right, right);
    reap(&p, v);
}

static void outliers_against_classes(void **state)
{
    (void)state;
    expect_outliers((double[]){1, 1}, 1, 0, "holds, few systems", 2);
    expect_outliers((double[]){0.98, 1.02}, 1, 0, "holds, few systems", 2);
    expect_outliers((double[]){0.5, 0.5}, 1, 0, "violated", 2);
    expect_outliers((double[]){0, 0}, 1, 0, "violated", 2);
    expect_outliers((double[]){0.7, 1.3}, 1, 0, "violated", 2); /* the mean is 1, no system is */
    expect_outliers((double[]){1, 1}, 1, 1, "instrument at fault", 1);
    expect_outliers((double[]){1, 1}, 0.5, 0, "instrument at fault", 1);
}

/* Which matrix a law is about says what its runs measure. */
static void laws_apply_to_what_is_measured(void **state)
{
    (void)state;
    struct planted p = sow();
    plant_exponent(&p, "digits", "mlp", 1, 0, NULL);
    struct ub_law_verdict *v = grow(&p, spectral_decay_laws[OF_KERNEL]);
    assert_non_null(v);
    assert_non_null(v->data[0].why);
    ub_law_verdict_free(v);
    v = ub_law_verdict_new(spectral_decay_laws[OF_GAUSS_NEWTON], p.frame);
    assert_non_null(v);
    assert_null(ub_law_verdict_new(&ub_law_hessian_outliers, p.frame)); /* of no subset */
    bool applies;
    char *lacks = ub_law_lacks(spectral_decay_laws[OF_HESSIAN], p.frame, &applies);
    assert_true(applies);
    assert_string_equal(lacks, "no two groups that differ in nothing but model");
    ub_free(lacks);
    reap(&p, v);
    p = sow();
    plant_exponent(&p, "digits", "mlp", 1, 0, NULL);
    plant_exponent(&p, "digits", "cnn", 1, 0, NULL);
    v = grow(&p, spectral_decay_laws[OF_HESSIAN]);
    assert_null(ub_law_lacks(spectral_decay_laws[OF_HESSIAN], p.frame, &applies));
    reap(&p, v);
    p = sow();
    plant_outliers(&p, 8, 1, NULL);
    v = grow(&p, &ub_law_hessian_outliers);
    assert_non_null(v);
    for (int m = OF_FIRST_LAYER; m < EXPONENT_MATRICES; m++)
        assert_null(ub_law_verdict_new(spectral_decay_laws[m], p.frame));
    reap(&p, v);
}

/* One list, each law once; those of this test are in it. */
static void laws_are_registered_once(void **state)
{
    (void)state;
    size_t here = 0;
    for (size_t i = 0; ub_laws[i]; i++) {
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(ub_laws[i]->name, ub_laws[k]->name);
        here += ub_laws[i] == &ub_law_hessian_outliers;
        for (int m = 0; m < EXPONENT_MATRICES; m++)
            here += ub_laws[i] == spectral_decay_laws[m];
    }
    assert_int_equal(here, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exponents_are_compared_within_a_dataset),
        cmocka_unit_test(controls_of_sameness),
        cmocka_unit_test(clusters_beyond_are_named_by_their_systems),
        cmocka_unit_test(laws_apply_to_what_is_measured),
        cmocka_unit_test(outliers_against_classes),
        cmocka_unit_test(laws_are_registered_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
