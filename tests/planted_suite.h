/* planted_suite.h - stores of runs whose numbers are planted, and what a law says of them.
 *
 *     struct law_suite s = planted_suite_new(&path);
 *     struct ub_run_writer *w = planted_run(path, "digits", "gd:lr=0.1", "loss", 100, seed);
 *     ub_run_writer_add(w, 100, "loss", 0, 0.5, (double)NAN);
 *     planted_run_end(w);
 *     planted_suite_read(&s, path);
 *     ... law_suite_datum(&s, ...)
 *     law_suite_free(&s);
 */
#ifndef UB_TEST_PLANTED_SUITE_H
#define UB_TEST_PLANTED_SUITE_H

#include "law_suite.h"
#include "systems/systems.h"

static inline struct law_suite planted_suite_new(char **path)
{
    struct ub_error err = {0};
    const struct law_suite s = {.folder = support_folder()};
    *path = ub_path(s.folder, "S");
    if (!ub_make_folders(*path, &err) || !ub_store_lock(*path, false, &err))
        fail_msg("%s", err.text);
    return s;
}

/* Frees the path. */
static inline void planted_suite_read(struct law_suite *s, char *path)
{
    struct ub_error err = {0};
    s->store = ub_store_open(path, &err);
    s->frame = s->store ? ub_frame_new(s->store, &err) : NULL;
    if (!s->frame)
        fail_msg("%s", err.text);
    ub_free(path);
}

/* A linear model under squared loss; dataset and optimizer in any spelling. */
static inline struct ub_run_writer *planted_run(const char *folder, const char *dataset,
                                                const char *optimizer, const char *measure,
                                                int64_t steps, uint64_t seed)
{
    struct ub_error err = {0};
    char *measures[] = {(char *)measure};
    const struct ub_run_spec spec = {
        .dataset = ub_registry_canonical(&ub_dataset_registry, dataset, "test", NULL, &err),
        .model = (char *)"linear",
        .loss = (char *)"mse",
        .init = (char *)"pytorch:gain=1",
        .optimizer = ub_registry_canonical(&ub_optimizer_registry, optimizer, "test", NULL, &err),
        .steps = steps,
        .seed = seed,
        .n_measures = 1,
        .measures = measures};
    struct ub_run_writer *w = ub_run_writer_new(folder, &spec, &err);
    if (!w)
        fail_msg("%s", err.text);
    ub_free(spec.dataset);
    ub_free(spec.optimizer);
    return w;
}

static inline void planted_run_end(struct ub_run_writer *w)
{
    struct ub_error err = {0};
    const struct ub_pair provenance[] = {{(char *)"unibench", (char *)"test"}};
    if (!ub_run_writer_commit(w, UB_RUN_OK, "", provenance, 1, &err))
        fail_msg("%s", err.text);
}

#endif
