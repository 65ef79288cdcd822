/* The datasets there are, and how one is asked for by name. */
#include "base/extensions.h"
#include "base/option_units.h"
#include "datasets/source.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

extern const struct ub_dataset_source ub_dataset_digits, ub_dataset_chebyshev, ub_dataset_gaussian,
    ub_dataset_teacher_student, ub_dataset_mnist, ub_dataset_fashion_mnist, ub_dataset_cifar10,
    ub_dataset_committee, ub_dataset_csv, ub_dataset_text, ub_dataset_sorting,
    ub_dataset_modular_addition, ub_dataset_sparse_parity, ub_dataset_in_context_regression,
    ub_dataset_random_hierarchy, ub_dataset_markov, ub_dataset_pcfg, ub_dataset_free_features;

const struct ub_dataset_source *const ub_dataset_sources[] = {
    &ub_dataset_digits,
    &ub_dataset_chebyshev,
    &ub_dataset_gaussian,
    &ub_dataset_teacher_student,
    &ub_dataset_mnist,
    &ub_dataset_fashion_mnist,
    &ub_dataset_cifar10,
    &ub_dataset_csv,
    &ub_dataset_text,
    &ub_dataset_sorting,
    &ub_dataset_modular_addition,
    &ub_dataset_sparse_parity,
    &ub_dataset_in_context_regression,
    &ub_dataset_random_hierarchy,
    &ub_dataset_markov,
    &ub_dataset_pcfg,
    &ub_dataset_free_features,
    &ub_dataset_committee,
    UB_EXTRA_DATASET NULL,
};

static const char *const targets[] = {"labels", "inputs", "basis", "shuffled", NULL};
static const char *const clones[] = {"none", "gaussian", NULL};
static const char *const scales[] = {"none", "center", "standardize", "global", "whiten", NULL};

const struct ub_option ub_dataset_common_options[] = {
    {.key = "size",
     .kind = UB_OPTION_INT | UB_OPTION_OF_SAMPLES,
     .fallback = "0",
     .min = 0,
     .max = 1e9,
     .help = "samples kept, the first of a permutation by the data seed; 0 = all"},
    {.key = "classes",
     .kind = UB_OPTION_TEXT,
     .fallback = "none",
     .help = "classes kept, renumbered in the order given: 0x3x7, or by name, cat+dog; none = all"},
    {.key = "scale",
     .kind = UB_OPTION_NAME,
     .fallback = "none",
     .choices = scales,
     .help = "inputs: none; center (each feature to mean 0); standardize (and deviation 1); global "
             "(one mean and deviation for all features); whiten (covariance I). From the training "
             "samples"},
    {.key = "test",
     .kind = UB_OPTION_REAL,
     .fallback = "0",
     .min = 0,
     .max = 0.99,
     .help = "fraction held out for test, chosen by the data seed; 0 = the source's own test set"},
    {.key = "target",
     .kind = UB_OPTION_NAME,
     .fallback = "labels",
     .choices = targets,
     .help = "labels: the source's own; inputs: the inputs themselves, for autoencoders; basis: an "
             "orthonormal basis of all functions on the samples, train and test; shuffled: the "
             "source's own, in random order in training"},
    {.key = "clone",
     .kind = UB_OPTION_NAME | UB_OPTION_LATER,
     .fallback = "none",
     .choices = clones,
     .help = "training inputs: none = as they are; gaussian: normal ones of the same mean and "
             "covariance for each class"},
    {.key = NULL},
};

static const void *source(size_t i)
{
    return ub_dataset_sources[i];
}

static const struct ub_option *source_options(const void *entry)
{
    return ((const struct ub_dataset_source *)entry)->options;
}

const struct ub_registry ub_dataset_registry = {"dataset", source, source_options,
                                                ub_dataset_common_options};

const struct ub_dataset_source *ub_dataset_find(const char *name)
{
    return ub_registry_find(&ub_dataset_registry, name);
}

static struct ub_call *checked(const char *text, const char *where,
                               const struct ub_dataset_source **source_of_call,
                               struct ub_error *err)
{
    const void *entry = NULL;
    struct ub_call *call = ub_registry_call(&ub_dataset_registry, text, where, &entry, err);
    *source_of_call = entry;
    return call;
}

char *ub_dataset_canonical(const char *text, const char *where, char **label, struct ub_error *err)
{
    return ub_registry_canonical(&ub_dataset_registry, text, where, label, err);
}

/* The folder that is meant, NULL when there is none. */
static const char *data_folder(const char *given)
{
    const char *folder = given && *given ? given : getenv("UNIBENCH_DATA");
    return folder && *folder ? folder : NULL;
}

bool ub_dataset_present(const char *text, const char *folder)
{
    const struct ub_dataset_source *kind;
    struct ub_error ignored = {0};
    struct ub_call *call = checked(text, "dataset", &kind, &ignored);
    const bool present = call && (!kind->present || kind->present(call, data_folder(folder)));
    ub_call_free(call);
    return present;
}

void ub_paths_add(struct ub_paths *paths, char *path)
{
    if (!path)
        return;
    paths->path = ub_realloc(paths->path, (paths->count + 1) * sizeof *paths->path);
    paths->path[paths->count++] = path;
}

void ub_paths_clear(struct ub_paths *paths)
{
    for (size_t i = 0; i < paths->count; i++)
        ub_free(paths->path[i]);
    ub_free(paths->path);
    *paths = (struct ub_paths){0};
}

bool ub_dataset_files(const char *text, const char *folder, struct ub_paths *out,
                      struct ub_error *err)
{
    const struct ub_dataset_source *kind;
    struct ub_call *call = checked(text, "dataset", &kind, err);
    *out = (struct ub_paths){0};
    const bool good = call && (!kind->files || kind->files(call, data_folder(folder), out, err));
    ub_call_free(call);
    return good;
}

struct ub_dataset *ub_dataset_load(const char *text, uint64_t data_seed, const char *folder,
                                   struct ub_error *err)
{
    const struct ub_dataset_source *kind;
    struct ub_call *call = checked(text, "dataset", &kind, err);
    if (!call)
        return NULL;
    struct ub_dataset *d = ub_calloc(1, sizeof *d);
    d->name = ub_registry_text(&ub_dataset_registry, call);
    d->theory_exponent = d->entropy = d->noise = NAN;
    d->test_entropy = d->entropy_given_one = NAN;
    bool good = kind->load(d, call, data_seed, data_folder(folder), err) &&
                ub_dataset_prepare(d, call, data_seed, call->name, err);
    ub_call_free(call);
    if (good)
        return d;
    ub_dataset_free(d);
    return NULL;
}

void ub_dataset_free(struct ub_dataset *d)
{
    if (!d)
        return;
    ub_split_clear(&d->train);
    ub_split_clear(&d->test);
    ub_class_names_free(d);
    ub_planted_free(d->population);
    ub_committee_free(d->committee);
    ub_free(d->name);
    ub_free(d);
}
