/* The law bounded-parameters: what it takes from runs written by hand, and whom it judges. */
#include "tests/support.h"

#include "bench/store/store.h"
#include "report/laws/law.h"

#include <math.h>

static void write_run(const char *store, const char *model, double value)
{
    struct ub_error err = {0};
    char *measures[] = {(char *)"largest-parameter:at=end"};
    const struct ub_run_spec spec = {.dataset = (char *)"digits",
                                     .model = (char *)model,
                                     .loss = (char *)"mse",
                                     .init = (char *)"pytorch:gain=1",
                                     .optimizer = (char *)"gd:lr=0.1",
                                     .steps = 10,
                                     .n_measures = 1,
                                     .measures = measures};
    const struct ub_pair provenance[] = {{(char *)"unibench", (char *)"test"}};
    struct ub_run_writer *w = ub_run_writer_new(store, &spec, &err);
    if (!w)
        fail_msg("%s", err.text);
    ub_run_writer_add(w, 10, "largest-parameter", 0, value, (double)NAN);
    if (!ub_run_writer_commit(w, UB_RUN_OK, "", provenance, 1, &err))
        fail_msg("%s", err.text);
}

/* A system that meets the claim and one that does not. */
static void it_judges_what_runs_measured(void **state)
{
    struct ub_error err = {0};
    const struct ub_law *law = ub_law_find("bounded-parameters");
    (void)state;
    assert_non_null(law); /* it is in the registry */
    char *folder = support_folder();
    assert_true(ub_store_lock(folder, false, &err));
    write_run(folder, "mlp:widths=4", 1);
    write_run(folder, "mlp:widths=8", 3);
    struct ub_store *store = ub_store_open(folder, &err);
    struct ub_frame *frame = store ? ub_frame_new(store, &err) : NULL;
    struct ub_law_verdict *v = frame ? ub_law_verdict_new(law, frame) : NULL;
    assert_non_null(v);
    assert_int_equal(v->groups.count, 2);
    for (int i = 0; i < 2; i++) {
        const bool meets = v->data[i].value < 2;
        assert_near(v->data[i].value, meets ? 1 : 3, 1e-12);
        assert_int_equal(v->judgment.meets[i], meets);
    }
    ub_law_verdict_free(v);
    ub_frame_free(frame);
    ub_store_free(store);
    support_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(it_judges_what_runs_measured)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
