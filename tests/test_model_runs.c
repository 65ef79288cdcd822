/* Architectures as people run them: what does not fit is refused before anything is written, memory
 * is estimated first, exports are whole, and the report has its figures across models. */
#include "tests/cli_support.h"

#include "bench/store/store.h"

static void misfits_are_refused_before_training(void **state)
{
    static const char *const cases[][2] = {
        {"--dataset markov --model cnn", "a sequence of tokens; expected images"},
        {"--dataset digits --model gpt", "images; expected a sequence"},
        {"--dataset digits --model vit:patch=3", "patch=3 does not divide images of 8 x 8"},
        {"--dataset digits --model vit:width=30", "heads=4 does not divide width=30"},
        {"--dataset sorting --model mlp", "expected numbers"},
        {"--dataset digits --model autoencoder", "target=inputs"},
        {"--dataset digits:size=10 --model cnn:channels=4x4x4x4", "expected fewer blocks"},
    };
    (void)state;
    char *folder = support_folder();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char line[256];
        snprintf(line, sizeof line, "train %s --loss mse --optimizer gd:lr=0.1 --steps 5 --out S",
                 cases[i][0]);
        cli_run(folder, line, 2, cases[i][1]);
        assert_false(cli_exists(folder, "S"));
    }
    support_remove(folder);
}

static void memory_is_estimated_first(void **state)
{
    static const char suite[] = "name: large\n"
                                "runs:\n"
                                "  dataset: digits\n"
                                "  model: {mlp: {widths: [16, 4096x4096]}}\n"
                                "  loss: mse\n"
                                "  optimizer: gd:lr=0.05\n"
                                "  steps: 3\n";
    (void)state;
    char *folder = support_folder();
    support_write(folder, "large.yaml", suite, strlen(suite));
    cli_run(folder, "run large.yaml --out S --memory 100M", 2, "GiB of memory");
    assert_int_equal(cli_count_runs(folder, "S", false), 0);
    cli_run(folder,
            "train --dataset digits --model mlp:widths=4096x4096 --loss mse --optimizer gd:lr=0.1 "
            "--steps 3 --out S --memory 100M",
            2, "(--memory)");
    cli_run(folder,
            "train --dataset digits --model mlp:widths=16 --loss mse --optimizer gd:lr=0.1 "
            "--steps 3 --out S --memory 1G",
            0, "");
    cli_run(folder,
            "train --dataset digits --model mlp:widths=16 --loss mse --optimizer gd:lr=0.1 "
            "--steps 3 --out T --memory lots",
            2, "--memory");
    support_remove(folder);
}

/* Batches are checked before the first run. */
static void batches_fit_the_training_set(void **state)
{
    (void)state;
    char *folder = support_folder();
    cli_run(folder,
            "train --dataset digits --model mlp:widths=16 --loss mse "
            "--optimizer sgd:lr=0.1,batch=100000 --steps 9 --out S",
            2, "a batch of 100000 samples; expected 1 to 1797");
    assert_int_equal(cli_count_runs(folder, "S", false), 0);
    cli_run(folder,
            "train --dataset digits --model mlp:widths=16 --loss mse "
            "--optimizer sgd:lr=0.1,batch=100 --steps 9 --measure loss:at=end --out S",
            0, "");
    support_remove(folder);
}

/* unibench export of the only run of a store. */
static void export_only(const char *folder, const char *store, const char *file)
{
    struct ub_error err = {0};
    char *path = ub_path(folder, store), line[256];
    struct ub_store *s = ub_store_open(path, &err);
    assert_non_null(s);
    assert_int_equal(s->count, 1);
    snprintf(line, sizeof line, "export %s:%s --out %s", store, s->runs[0].id, file);
    cli_run(folder, line, 0, "");
    ub_store_free(s);
    ub_free(path);
}

/* The array's header holds the text of its shape. */
static void assert_shape(const char *folder, const char *file, const char *name, const char *shape)
{
    struct ub_error err = {0};
    size_t length;
    char *path = ub_path(folder, file);
    unsigned char *bytes = ub_read_file(path, 1 << 24, &length, &err);
    assert_non_null(bytes);
    bool found = false;
    const size_t n = strlen(name);
    for (size_t i = 0; i + n + 300 < length && !found; i++)
        if (memcmp(bytes + i, name, n) == 0 && memcmp(bytes + i + n, ".npy", 4) == 0) {
            char head[256] = "";
            for (size_t k = 0; k + 1 < sizeof head; k++)
                head[k] = bytes[i + k] ? (char)bytes[i + k] : ' ';
            found = strstr(head, shape) != NULL;
        }
    if (!found)
        fail_msg("%s: no array %s of shape %s", file, name, shape);
    ub_free(bytes);
    ub_free(path);
}

static void exports_are_whole(void **state)
{
    (void)state;
    char *folder = support_folder();
    cli_run(folder,
            "train --dataset sorting:length=3,samples=7 --model "
            "gpt:width=8,depth=1,heads=2,parametrization=mup --loss ce --optimizer gd:lr=0.01 "
            "--steps 2 --save-weights --out S",
            0, "");
    export_only(folder, "S", "a.npz");
    assert_shape(folder, "a.npz", "inputs", "(7, 5)");
    assert_shape(folder, "a.npz", "targets", "(7, 5)");
    assert_shape(folder, "a.npz", "multiplier.head.weight", "()");
    cli_run(folder,
            "train --dataset digits:size=9 --model random-features:width=6 --loss mse "
            "--optimizer gd:lr=0.01 --steps 2 --out T",
            0, "");
    export_only(folder, "T", "b.npz");
    assert_shape(folder, "b.npz", "frozen.fc1.weight", "(6, 64)");
    assert_shape(folder, "b.npz", "init.fc2.weight", "(10, 6)");
    support_remove(folder);
}

static void reports_show_every_architecture(void **state)
{
    static const char suite[] =
        "name: small\n"
        "defaults: {dataset: 'digits:size=20', loss: mse, optimizer: 'gd:lr=0.01', steps: 4,\n"
        "           measure: {sharpness: {every: 2}}}\n"
        "runs:\n"
        "  - model: [linear, 'mlp:widths=4', 'deep-linear:widths=4', 'cnn:channels=2',\n"
        "            'random-features:width=8', 'vit:width=4,depth=1,heads=2']\n";
    (void)state;
    char *folder = support_folder();
    support_write(folder, "small.yaml", suite, strlen(suite));
    cli_run(folder, "run small.yaml --out S", 0, "6 runs: 6 ok");
    cli_run(folder, "report S", 0, "");
    assert_true(cli_exists(folder, "S/report/architectures.png"));
    assert_true(cli_exists(folder, "S/report/architectures.svg"));
    char *page = cli_read(folder, "S/report/law-edge-of-stability.md");
    assert_non_null(strstr(page, "](architectures.png)"));
    ub_free(page);
    assert_false(cli_exists(folder, "S/report/law-coordinate-check.md"));
    support_remove(folder);
}

static void reports_show_the_coordinate_check(void **state)
{
    static const char suite[] =
        "name: check\n"
        "defaults: {dataset: 'digits:size=10', loss: mse, optimizer: 'gd:lr=0.05', steps: 4,\n"
        "           measure: {coordinates: {at: end}}}\n"
        "runs:\n"
        "  - model: {mlp: {widths: [64, 128, 256], parametrization: [sp, mup],\n"
        "                  zero-readout: true}}\n";
    (void)state;
    char *folder = support_folder();
    support_write(folder, "check.yaml", suite, strlen(suite));
    cli_run(folder, "run check.yaml --dry-run", 0,
            "coordinate-check: 3 different model.width in a group, needs 4");
    cli_run(folder, "run check.yaml --out S", 0, "6 runs: 6 ok");
    cli_run(folder, "report S", 0, "");
    assert_true(cli_exists(folder, "S/report/coordinates-MLP-GD.png"));
    assert_true(cli_exists(folder, "S/report/data.csv"));
    char *page = cli_read(folder, "S/report/law-coordinate-check.md");
    const char *row = strstr(page, "| MLP, GD |");
    assert_non_null(row);
    double sp, sp_output, mup, mup_output;
    if (sscanf(row, "| MLP, GD | %lf | %lf | %lf | %lf |", &mup, &mup_output, &sp, &sp_output) != 4)
        fail_msg("%.80s", row);
    assert_true(fabs(sp) > 0.2 && sp_output > 0.2);
    assert_near(mup, 0, 0.15);
    assert_near(mup_output, 0, 0.15);
    assert_non_null(strstr(page, "**coordinate-check: undecided** (under mup each layer's"));
    assert_non_null(strstr(page, "1 of 1 systems that speak are within 0.1"));
    ub_free(page);
    support_remove(folder);
}

static void reports_show_central_flows(void **state)
{
    static const char suite[] =
        "name: flow\n"
        "runs:\n"
        "  dataset: teacher-student:features=3,samples=12,outputs=2\n"
        "  model: mlp:widths=8x8\n"
        "  loss: mse\n"
        "  precision: f64\n"
        "  optimizer: {gd: {lr: {relative: 0.8}}}\n"
        "  steps: 300\n"
        "  measure: {loss: {every: 1}, sharpness: {every: 10}, central-flow: {every: 20}}\n";
    (void)state;
    char *folder = support_folder();
    support_write(folder, "flow.yaml", suite, strlen(suite));
    cli_run(folder, "run flow.yaml --out S", 0, "1 run: 1 ok");
    cli_run(folder, "report S", 0, "");
    assert_true(cli_exists(folder, "S/report/central-flows.png"));
    char *page = cli_read(folder, "S/report/law-central-flow.md");
    const char *row = strstr(page, "# central-flow\n\n"); /* the law, its figure, its table */
    row = row ? strstr(row, "\n## Central flows\n\n![Central flows](central-flows.png)") : NULL;
    row = row ? strstr(row, "\n## Groups\n") : NULL;
    row = row ? strstr(row, "\n## Central flows\n\nMean") : NULL;
    assert_non_null(row);
    row = strstr(row, ", teacher-student |");
    assert_non_null(row);
    row = strchr(row + 2, '|');
    double value[6];
    assert_int_equal(sscanf(row, "| 1 of 1 | %lf | %lf | %lf | %lf | %lf | %lf |", &value[0],
                            &value[1], &value[2], &value[3], &value[4], &value[5]),
                     6);
    assert_true(value[0] < 0.2 && value[2] < 0.1); /* the central flow predicts */
    ub_free(page);
    support_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(misfits_are_refused_before_training),
        cmocka_unit_test(memory_is_estimated_first),
        cmocka_unit_test(exports_are_whole),
        cmocka_unit_test(reports_show_every_architecture),
        cmocka_unit_test(reports_show_the_coordinate_check),
        cmocka_unit_test(reports_show_central_flows),
        cmocka_unit_test(batches_fit_the_training_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
