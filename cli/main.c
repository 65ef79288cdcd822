/* unibench: a measuring instrument for the mechanics of deep learning. */
#define _GNU_SOURCE
#include "bench/run/blas_core.h"
#include "bench/run/build_info.h"
#include "cli/cli.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

const struct cli_command *const cli_commands[] = {
    &cli_run,     &cli_train,   &cli_report,  &cli_publish, &cli_list, &cli_show,       &cli_export,
    &cli_compare, &cli_history, &cli_spectra, &cli_seal,    &cli_new,  &cli_completion, NULL,
};
enum { COMMANDS = sizeof cli_commands / sizeof *cli_commands - 1 };

static void print_help(FILE *out)
{
    fputs("Usage: unibench COMMAND [OPTION...]\n"
          "unibench trains many small systems (model x loss x dataset x optimizer), measures what\n"
          "theory says about each of them, and draws the verdict over all.\n\n"
          "Commands:\n",
          out);
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(out, "  %-10s  %s\n", cli_commands[i]->name, cli_commands[i]->summary);
    fputs(
        "\n  unibench COMMAND --help   says more of a command\n"
        "  unibench --version        version and commit\n\n"
        "Examples:\n"
        "  unibench run quick --out out/quick        a few minutes; interrupt and rerun at will\n"
        "  unibench report out/quick                 writes out/quick/report: report.md, a page\n"
        "                                            a law, topics.md, runs.md; tables (CSV) and\n"
        "                                            results.db (SQLite)\n"
        "  unibench list models mlp                  what a model is and which options it takes\n"
        "  unibench list columns                     what each column of the tables is\n"
        "  unibench train --dataset digits --model mlp:widths=64x64,activation=tanh --loss mse \\\n"
        "      --optimizer gd:lr=0.05 --steps 1000 --measure sharpness:every=10,top=2 --out "
        "out/one\n\n"
        "Exit codes: 0 done, 1 drift found (compare), 2 bad input, 3 internal error,\n"
        "4 nothing to compare with (compare), 130 interrupted.\n",
        out);
}

static void print_version(void)
{
    const char *commit = *ub_build_commit ? ub_build_commit : "no commit";
    printf("unibench %s (%.12s%s; %s)\n", ub_build_version, commit,
           strcmp(ub_build_changed, "true") == 0 ? ", changed" : "", ub_build_compiler);
}

static int unknown_command(const char *given)
{
    struct ub_error err = {0};
    const char *names[COMMANDS];
    for (size_t i = 0; i < COMMANDS; i++)
        names[i] = cli_commands[i]->name;
    const char *near = ub_suggest(given, names, COMMANDS);
    const char *what = *given == '-' ? "option" : "command";
    if (near)
        ub_fail(&err, UB_INPUT, "unknown %s '%s'; did you mean '%s'?", what, given, near);
    else
        ub_fail(&err, UB_INPUT, "unknown %s '%s'; 'unibench --help' lists the commands", what,
                given);
    return ub_report(&err);
}

static int run_command(const struct cli_command *command, int argc, char **argv)
{
    struct ub_text name = {0};
    ub_text_add(&name, "unibench %s", command->name);
    char *own = argv[0];
    argv[0] = name.data; /* what argp calls the program in its messages */
    int code = command->run(argc, argv);
    argv[0] = own;
    ub_text_free(&name);
    return code;
}

static int dispatch(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return UB_INPUT;
    }
    const char *given = argv[1];
    if (strcmp(given, "--help") == 0 || strcmp(given, "-?") == 0 || strcmp(given, "-h") == 0 ||
        strcmp(given, "help") == 0)
        return print_help(stdout), UB_OK;
    if (strcmp(given, "--version") == 0 || strcmp(given, "-V") == 0)
        return print_version(), UB_OK;
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(given, cli_commands[i]->name) == 0)
            return run_command(cli_commands[i], argc - 1, argv + 1);
    return unknown_command(given);
}

/* What was printed must have arrived, or the exit code says that it has not. */
static int close_output(int code)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    struct ub_error err = {0};
    ub_fail(&err, UB_INPUT, "standard output: cannot write: %s", strerror(errno));
    return ub_report(&err);
}

int main(int argc, char **argv)
{
    ub_blas_core_select(argv);
    signal(SIGXFSZ, SIG_IGN); /* a file-size limit is a write error as a full disk is */
    argp_err_exit_status = UB_INPUT;
    return close_output(dispatch(argc, argv));
}
