/* From a study to one row a run. */
#include "report/digest.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- runs with more facts ------------------------------------------------------------------- */

static void add_fact(struct ub_run *run, const char *name, double value)
{
    for (size_t i = 0; i < run->n_facts; i++)
        if (strcmp(run->facts[i].name, name) == 0)
            return; /* what the run itself recorded is the better source */
    run->facts = ub_realloc(run->facts, (run->n_facts + 1) * sizeof *run->facts);
    run->facts[run->n_facts++] = (struct ub_fact){ub_strdup(name), value};
}

static void add_provenance(struct ub_run *run, const char *name, const char *text)
{
    const size_t n = run->n_provenance + 1;
    run->provenance = ub_realloc(run->provenance, n * sizeof *run->provenance);
    run->provenance[run->n_provenance++] = (struct ub_pair){ub_strdup(name), ub_strdup(text)};
}

static struct ub_run copy_run(const struct ub_run *run)
{
    struct ub_run copy = {.status = run->status, .spec = ub_run_spec_copy(&run->spec)};
    memcpy(copy.id, run->id, sizeof copy.id);
    copy.label = ub_strdup(run->label);
    copy.message = ub_strdup(run->message ? run->message : "");
    for (size_t i = 0; i < run->n_facts; i++)
        add_fact(&copy, run->facts[i].name, run->facts[i].value);
    for (size_t i = 0; i < run->n_provenance; i++)
        add_provenance(&copy, run->provenance[i].name, run->provenance[i].text);
    return copy;
}

static void clear_run(struct ub_run *run)
{
    ub_run_spec_clear(&run->spec);
    ub_free(run->label);
    ub_free(run->message);
    for (size_t i = 0; i < run->n_facts; i++)
        ub_free(run->facts[i].name);
    ub_free(run->facts);
    for (size_t i = 0; i < run->n_provenance; i++) {
        ub_free(run->provenance[i].name);
        ub_free(run->provenance[i].text);
    }
    ub_free(run->provenance);
}

const char *provenance_of(const struct ub_run *run, const char *name)
{
    for (size_t i = 0; i < run->n_provenance; i++)
        if (strcmp(run->provenance[i].name, name) == 0)
            return run->provenance[i].text;
    return "";
}

/* ---- what a trace comes to --------------------------------------------------------------------
 */

static bool starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static void add_last_values(struct ub_run *run, const struct ub_trace *trace)
{
    static const char *const scalars[] = {"loss",     "accuracy",      "test-loss", "test-accuracy",
                                          "distance", "gradient-norm", "sharpness", "edge-ratio"};
    for (size_t i = 0; i < sizeof scalars / sizeof *scalars; i++) {
        char name[64];
        snprintf(name, sizeof name, "final-%s", scalars[i]);
        if (has_series(trace, scalars[i]))
            add_fact(run, name, last_value(trace, scalars[i], 0));
    }
    for (size_t i = 0; trace && i < trace->n_names; i++) {
        const char *name = trace->names[i];
        if (strcmp(name, "hessian-exponent") == 0 || starts_with(name, "exponent."))
            add_fact(run, name, last_value(trace, name, 0));
    }
}

static void hash_trace(struct ub_run *run, const struct ub_trace *trace)
{
    if (!trace)
        return;
    uint64_t hash = 0;
    for (size_t i = 0; i < trace->count; i++) {
        const struct {
            uint64_t before, name;
            int64_t step, index;
            double value, error;
        } row = {hash,
                 ub_hash(trace->observable[i], strlen(trace->observable[i])),
                 trace->step[i],
                 trace->index[i],
                 isnan(trace->value[i]) ? 0.0 : trace->value[i],
                 isnan(trace->error[i]) ? -1.0 : trace->error[i]};
        hash = ub_hash(&row, sizeof row);
    }
    char text[17];
    snprintf(text, sizeof text, "%016" PRIx64, hash);
    add_provenance(run, "trace", text);
}

static void add_law_facts(struct digest *digest, const struct study *study,
                          const struct ub_law_result *result)
{
    for (size_t i = 0; i < result->n_runs; i++) {
        const struct ub_law_run *r = &result->runs[i];
        struct ub_run *run = &digest->runs[r->run - study->store->runs];
        const struct {
            const char *name;
            double value;
        } facts[] = {
            {"reached", r->window.reached},
            {"plateau", r->median},
            {"plateau-se", r->window.reached ? r->mean.se : (double)NAN},
            {"first-step", r->first_step},
            {"last-step", r->last_step},
            {"peak", r->peak},
        };
        for (size_t k = 0; k < sizeof facts / sizeof *facts; k++) {
            struct ub_text name = {0};
            ub_text_add(&name, "%s.%s", result->law->name, facts[k].name);
            add_fact(run, name.data, facts[k].value);
            ub_text_free(&name);
        }
    }
}

struct digest *digest_of(const struct study *study)
{
    struct digest *digest = ub_calloc(1, sizeof *digest);
    digest->path = ub_strdup(study->store->path);
    digest->count = study->store->count;
    digest->runs = ub_calloc(digest->count + 1, sizeof *digest->runs);
    for (size_t i = 0; i < digest->count; i++) {
        digest->runs[i] = copy_run(&study->store->runs[i]);
        add_last_values(&digest->runs[i], study->traces[i]);
        hash_trace(&digest->runs[i], study->traces[i]);
    }
    for (size_t i = 0; i < study->n_laws; i++)
        add_law_facts(digest, study, study->laws[i]);
    return digest;
}

void digest_free(struct digest *digest)
{
    if (!digest)
        return;
    for (size_t i = 0; i < digest->count; i++)
        clear_run(&digest->runs[i]);
    ub_free(digest->runs);
    ub_free(digest->path);
    ub_free(digest->notice);
    ub_free(digest);
}

/* ---- names in order ---------------------------------------------------------------------------
 */

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* What people look for first, then everything else by name. */
struct labels fact_names(const struct digest *digest)
{
    static const char *const first[] = {
        "parameters",
        "samples",
        "classes",
        "steps-done",
        "lr",
        "threshold",
        "initial-loss",
        "final-loss",
        "final-test-loss",
        "initial-sharpness",
        "final-sharpness",
        "final-accuracy",
        "final-test-accuracy",
    };
    const size_t n_first = sizeof first / sizeof *first;
    struct labels all = {0}, ordered = {0};
    for (size_t i = 0; i < digest->count; i++)
        for (size_t k = 0; k < digest->runs[i].n_facts; k++)
            labels_add(&all, digest->runs[i].facts[k].name);
    if (all.count)
        qsort(all.text, all.count, sizeof *all.text, compare_texts);
    for (size_t i = 0; i < n_first; i++)
        if (labels_find(&all, first[i]) < all.count)
            labels_add(&ordered, first[i]);
    for (size_t i = 0; i < all.count; i++)
        labels_add(&ordered, all.text[i]);
    labels_free(&all);
    return ordered;
}

/* ---- the command that makes a run again ---------------------------------------------------------
 */

static void add_argument(struct ub_text *text, const char *option, const char *value)
{
    ub_text_add(text, " --%s ", option);
    ub_text_add_shell(text, value);
}

char *train_command(const struct ub_run_spec *spec)
{
    struct ub_text text = {0};
    ub_text_add(&text, "unibench train");
    add_argument(&text, "dataset", spec->dataset);
    add_argument(&text, "model", spec->model);
    add_argument(&text, "loss", spec->loss);
    if (strcmp(spec->init, "pytorch") != 0)
        add_argument(&text, "init", spec->init);
    add_argument(&text, "optimizer", spec->optimizer);
    ub_text_add(&text, " --steps %" PRId64 " --seed %" PRIu64, spec->steps, spec->seed);
    if (spec->data_seed)
        ub_text_add(&text, " --data-seed %" PRIu64, spec->data_seed);
    if (spec->double_precision)
        ub_text_add(&text, " --precision f64");
    for (size_t i = 0; i < spec->n_measures; i++)
        add_argument(&text, "measure", spec->measures[i]);
    if (spec->save_weights)
        ub_text_add(&text, " --save-weights");
    ub_text_add(&text, " --out STORE");
    return text.data;
}
