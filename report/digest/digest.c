/* From a study to one row a run. */
#include "report/digest/digest.h"
#include "base/team.h"
#include "bench/store/axes.h"
#include "report/laws/level.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- runs with more facts ------------------------------------------------------------------- */

static void append_fact(struct ub_run *run, const char *name, double value)
{
    run->facts = ub_realloc(run->facts, (run->n_facts + 1) * sizeof *run->facts);
    run->facts[run->n_facts++] = (struct ub_fact){ub_strdup(name), value};
}

static void add_fact(struct ub_run *run, const char *name, double value)
{
    for (size_t i = 0; i < run->n_facts; i++)
        if (strcmp(run->facts[i].name, name) == 0)
            return; /* what the run itself recorded is the better source */
    append_fact(run, name, value);
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
    copy.control = run->control ? ub_strdup(run->control) : NULL;
    for (size_t i = 0; i < run->n_facts; i++)
        append_fact(&copy, run->facts[i].name, run->facts[i].value);
    for (size_t i = 0; i < run->n_provenance; i++)
        add_provenance(&copy, run->provenance[i].name, run->provenance[i].text);
    return copy;
}

static void clear_run(struct ub_run *run)
{
    ub_run_spec_clear(&run->spec);
    ub_free(run->label);
    ub_free(run->message);
    ub_free(run->control);
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

/* Index 0 of each name: names are interned, and rows of one name often come together. */
static void find_last_values(const struct ub_trace *trace, double *last)
{
    size_t at = 0;
    for (size_t k = 0; k < trace->n_names; k++)
        last[k] = (double)NAN;
    for (size_t i = 0; i < trace->count; i++) {
        if (trace->index[i] != 0 || !isfinite(trace->value[i]))
            continue;
        for (size_t k = 0; k < trace->n_names && trace->names[at] != trace->observable[i]; k++)
            at = (at + 1) % trace->n_names;
        last[at] = trace->value[i];
    }
}

static void add_last_values(struct ub_run *run, const struct ub_trace *trace)
{
    double *last = ub_calloc(trace ? trace->n_names + 1 : 1, sizeof *last);
    if (trace)
        find_last_values(trace, last);
    for (size_t k = 0; trace && k < trace->n_names; k++) {
        char *column = digest_row_column(trace->names[k]);
        if (column)
            add_fact(run, column, last[k]);
        ub_free(column);
    }
    ub_free(last);
}

/* Bit by bit: NAN, the infinities and -0 are values like others. */
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
                 trace->value[i],
                 trace->error[i]};
        hash = ub_hash(&row, sizeof row);
    }
    char text[17];
    snprintf(text, sizeof text, "%016" PRIx64, hash);
    add_provenance(run, "trace", text);
}

static void add_level(struct ub_run *run, const struct ub_law *law, const struct ub_level *l)
{
    const struct {
        const char *name;
        double value;
    } facts[] = {
        {"reached", l->window.reached},
        {"plateau", l->median},
        {"plateau-se", l->window.reached ? l->mean.se : (double)NAN},
        {"first-step", l->first_step},
        {"last-step", l->last_step},
        {"peak", l->peak},
    };
    for (size_t k = 0; k < sizeof facts / sizeof *facts; k++) {
        struct ub_text name = {0};
        ub_text_add(&name, "%s.%s", law->name, facts[k].name);
        add_fact(run, name.data, facts[k].value);
        ub_text_free(&name);
    }
}

/* What the study's verdict has of the run, where there is one. */
static struct ub_level level_of(const struct study *study, const struct ub_law *law,
                                const struct ub_frame *frame, size_t row)
{
    for (size_t i = 0; study && i < study->n_laws; i++)
        if (study->laws[i]->law == law)
            return study->laws[i]->level[row];
    return ub_level_of(law->series, law->window, &law->is, frame, row);
}

/* A run that did not measure what a law is about has no facts under it, whatever the rest of its
 * store measured: a row depends on no other. `run` may be the frame's own. */
static void complete_row(struct ub_run *run, const struct ub_frame *frame, size_t row,
                         const struct study *study)
{
    add_last_values(run, ub_frame_trace(frame, row));
    hash_trace(run, ub_frame_trace(frame, row));
    for (size_t k = 0; ub_laws[k]; k++) {
        const struct ub_law *law = ub_laws[k];
        if (!law->series || !law->applies(frame, row) ||
            !has_series(ub_frame_trace(frame, row), law->series))
            continue;
        const struct ub_level level = level_of(study, law, frame, row);
        add_level(run, law, &level);
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
        complete_row(&digest->runs[i], study->frame, i, study);
    }
    return digest;
}

/* Rows of a store, each completed by itself. */
struct filling {
    struct ub_store *store;
    char **failed; /* one a run: why, NULL where it went well */
};

static void fill_row(void *context, int64_t task, int member)
{
    const struct filling *f = context;
    struct ub_error err = {0};
    struct ub_store one = *f->store;
    (void)member;
    one.runs = &f->store->runs[task];
    one.count = 1;
    struct ub_frame *frame = ub_frame_new(&one, &err);
    if (frame)
        complete_row(one.runs, frame, 0, NULL);
    if (!frame || !ub_frame_good(frame, &err))
        f->failed[task] = ub_strdup(err.text);
    ub_frame_free(frame);
}

/* Several threads share the rows out: a row depends on no other. Of several that fail, the first of
 * the store is named. */
static bool fill_rows(struct ub_store *store, struct ub_error *err)
{
    struct filling f = {store, ub_calloc(store->count + 1, sizeof(char *))};
    struct ub_team *team = ub_team_for((int64_t)store->count);
    bool good = true;
    ub_team_run(team, (int64_t)store->count, fill_row, &f);
    ub_team_free(team);
    for (size_t i = 0; i < store->count; i++) {
        if (f.failed[i])
            good = ub_fail(err, UB_INPUT, "%s", f.failed[i]);
        ub_free(f.failed[i]);
    }
    ub_free(f.failed);
    return good;
}

struct digest *digest_of_store(struct ub_store *store, struct ub_error *err)
{
    struct digest *digest = ub_calloc(1, sizeof *digest);
    digest->path = ub_strdup(store->path);
    digest->notice = ub_store_notice(store);
    digest->store = store;
    digest->runs = store->runs;
    digest->count = store->count;
    if (fill_rows(store, err))
        return digest;
    digest_free(digest);
    return NULL;
}

void digest_free(struct digest *digest)
{
    if (!digest)
        return;
    if (digest->store) {
        ub_store_free(digest->store);
    } else {
        for (size_t i = 0; i < digest->count; i++)
            clear_run(&digest->runs[i]);
        ub_free(digest->runs);
    }
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

/* Names of one run mostly come in the order in which an earlier run had them: look there first. */
void labels_add_next(struct labels *set, size_t *next, const char *text)
{
    if (*next >= set->count || strcmp(set->text[*next], text) != 0)
        *next = labels_add(set, text);
    ++*next;
}

static void add_headline(struct labels *ordered, const struct labels *all,
                         const struct ub_quantity *q, const char *prefix)
{
    struct ub_text name = {0};
    ub_text_add(&name, "%s%s", prefix, q->name);
    if (q->headline && labels_find(all, name.data) < all->count)
        labels_add(ordered, name.data);
    ub_text_free(&name);
}

/* Headlines first, of runs and of observables, then everything else by name. */
struct labels fact_names(const struct digest *digest)
{
    struct labels all = {0}, ordered = {0};
    for (size_t i = 0; i < digest->count; i++)
        for (size_t k = 0, next = 0; k < digest->runs[i].n_facts; k++)
            labels_add_next(&all, &next, digest->runs[i].facts[k].name);
    if (all.count)
        qsort(all.text, all.count, sizeof *all.text, compare_texts);
    for (const struct ub_quantity *q = ub_run_facts; q->name; q++)
        add_headline(&ordered, &all, q, "");
    for (size_t i = 0; ub_observables[i]; i++)
        for (const struct ub_quantity *q = ub_observables[i]->rows; q && q->name; q++)
            add_headline(&ordered, &all, q, q->column ? q->column : "");
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
    if (strcmp(spec->init, ub_run_axis_find("init")->fallback) != 0)
        add_argument(&text, "init", spec->init);
    add_argument(&text, "optimizer", spec->optimizer);
    ub_text_add(&text, " --steps %" PRId64 " --seed %" PRIu64, spec->steps, spec->seed);
    if (spec->data_seed)
        ub_text_add(&text, " --data-seed %" PRIu64, spec->data_seed);
    if (spec->precision != UB_F32)
        ub_text_add(&text, " --precision %s", ub_precision_name(spec->precision));
    for (size_t i = 0; i < spec->n_measures; i++)
        add_argument(&text, "measure", spec->measures[i]);
    if (spec->save_weights)
        ub_text_add(&text, " --save-weights");
    ub_text_add(&text, " --out STORE");
    return text.data;
}
