/* cli.h - the commands of `unibench`, one file each, and what they share. */
#ifndef UB_CLI_H
#define UB_CLI_H

#include "bench/store/store.h"
#include "bench/suite/plan.h"
#include "report/laws/law.h"

#include <argp.h>

/* `run` takes the command's own argument vector, argv[0] being "unibench NAME", and returns the
 * exit code. From `argp` come help and completion: of its args_doc the first word says what
 * arguments are (see completion.c). */
struct cli_command {
    const char *name, *summary;
    const struct argp *argp;
    int (*run)(int argc, char **argv);
};
extern const struct cli_command *const cli_commands[]; /* NULL-terminated; main.c */

extern const struct cli_command cli_run;
extern const struct cli_command cli_train;
extern const struct cli_command cli_report;
extern const struct cli_command cli_publish;
extern const struct cli_command cli_list;
extern const struct cli_command cli_show;
extern const struct cli_command cli_export;
extern const struct cli_command cli_compare;
extern const struct cli_command cli_history;
extern const struct cli_command cli_spectra;
extern const struct cli_command cli_seal;
extern const struct cli_command cli_new;
extern const struct cli_command cli_completion;

/* ---- arguments -------------------------------------------------------------------------- */

/* Parses; `input` goes to the parser, which fails by returning non-zero with *err set. An empty
 * argument or value is refused before the parser sees it. */
bool cli_parse(const struct argp *argp, int argc, char **argv, void *input, struct ub_error *err);

/* Strict numbers; `option` starts the message. */
bool cli_int(const char *option, const char *text, int64_t least, int64_t most, int64_t *out,
             struct ub_error *err);
bool cli_real(const char *option, const char *text, double least, double *out,
              struct ub_error *err);
/* Bytes: a number with K, M, G or T (powers of 1024) or none. */
bool cli_bytes(const char *option, const char *text, uint64_t *out, struct ub_error *err);
/* What is taken as it is written: the value of the option `key`, or, of ARGP_KEY_ARG, the arguments
 * in their order. `texts` ends with a place that is NULL; keys that are not in it are left with
 * ARGP_ERR_UNKNOWN, an argument beyond them is an error. */
struct cli_text {
    int key;
    const char **place;
};
error_t cli_parse_texts(int key, const char *text, const struct cli_text *texts,
                        struct ub_error *err);
/* Keys of options that several commands have, beyond those of their own. */
enum { CLI_DATA = 512, CLI_THREADS, CLI_TIMEOUT, CLI_MEMORY, CLI_AGAIN, CLI_STORE };

/* How runs are made, whichever command says which: --out, --data, --threads, --timeout, --memory,
 * --again. The parser takes their keys and leaves others with ARGP_ERR_UNKNOWN. */
struct cli_setting {
    const char *out, *data;
    int64_t threads;
    uint64_t memory;
    struct ub_plan_wish wish;
};
error_t cli_parse_setting(int key, char *text, struct cli_setting *setting, struct ub_error *err);

/* RUN and --store STORE, in the same way; and the help that explains RUN, for argp's help_filter.
 */
struct cli_run_name {
    const char *run, *store;
};
error_t cli_parse_run_name(int key, char *text, struct cli_run_name *name, struct ub_error *err);
char *cli_explain_run(int key, const char *text, void *input);

/* `folder` may be NULL; else it must be one. */
bool cli_check_folder(const char *option, const char *folder, struct ub_error *err);
/* What is in STORE/runs are runs: a folder of another kind there would be one that is damaged. */
bool cli_check_beside_runs(const char *option, const char *folder, const char *store,
                           struct ub_error *err);

/* ---- runs ------------------------------------------------------------------------------- */

enum { CLI_THREADS_LIMIT = 1024, CLI_JOBS_LIMIT = 4096, CLI_STEPS_LIMIT = 1000000000 };

/* RUN as people name it: STORE/runs/ID or STORE/ID, STORE:ID, or ID with --store STORE; ID may be
 * cut short as long as it names one run. */
struct cli_run {
    struct ub_store *store;
    const struct ub_run *run; /* within the store */
};
bool cli_find_run(const char *text, const char *store, struct cli_run *out, struct ub_error *err);

/* Makes what is pending of a plan in a locked store, and says on standard error what there was to
 * do. False with err->code UB_INTERRUPTED (and its text) when a signal ended it. */
struct cli_making {
    const char *store, *data;
    struct ub_contents *known; /* see bench/suite/identity.h */
    int jobs, threads;
    bool packed, record_failures; /* as in struct ub_sweep */
};
bool cli_make(const struct ub_plan *plan, const struct cli_making *making, struct ub_error *err);

/* "60 runs: 58 ok, 2 diverged" */
char *cli_counts(const struct ub_store *store);
/* Prints the store's notice (ub_store_notice) to standard error. */
void cli_warn(const struct ub_store *store);

/* ---- laws ------------------------------------------------------------------------------- */

/* Whether there are laws of the names that the suite's controls give. */
bool cli_check_controls(const struct ub_suite *suite, struct ub_error *err);
/* Prints whether a law can be decided by runs, what they lack for it, and its controls; false and
 * nothing when they have nothing to do with it. */
bool cli_list_law(const struct ub_law *law, const struct ub_frame *frame);

/* Prints a text to standard output and frees it. */
void cli_print(struct ub_text *text);

#endif
