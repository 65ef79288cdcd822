/* cli_support.h - running the program: in a folder, to its end or until something happens. */
#ifndef UB_TEST_CLI_SUPPORT_H
#define UB_TEST_CLI_SUPPORT_H

#include "tests/support.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Six runs of some tenths of a second. */
#define CLI_SWEEP                                                                                  \
    "name: sweep\n"                                                                                \
    "runs:\n"                                                                                      \
    "  dataset: digits\n"                                                                          \
    "  model: mlp:widths=32\n"                                                                     \
    "  loss: [mse, ce]\n"                                                                          \
    "  optimizer: gd:lr=0.05\n"                                                                    \
    "  steps: 400\n"                                                                               \
    "  seed: 0..2\n"                                                                               \
    "  measure: {loss: {every: 10}, sharpness: {every: 100}}\n"

/* A run of some hundredths of a second, its store to be named. */
#define CLI_TINY                                                                                   \
    "train --dataset chebyshev --model mlp:widths=8 --loss mse --optimizer gd:lr=0.05 "            \
    "--steps 20 "

enum { CLI_ARGUMENTS = 64 };

struct cli_outcome {
    int code; /* exit code; 1000 + signal when killed */
    char *out, *err;
};

static inline void cli_pause(double seconds)
{
    const struct timespec t = {.tv_sec = (time_t)seconds,
                               .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9)};
    nanosleep(&t, NULL);
}

/* Splits at blanks; '' is an empty word. Writes into `line`. */
static inline void cli_split(char *line, char **argv)
{
    size_t n = 0;
    argv[n++] = (char *)UNIBENCH_PROGRAM;
    for (char *word = strtok(line, " "); word; word = strtok(NULL, " ")) {
        assert_true(n + 1 < CLI_ARGUMENTS);
        if (strcmp(word, "''") == 0)
            *word = '\0';
        argv[n++] = word;
    }
    argv[n] = NULL;
}

/* Starts "unibench ARGUMENTS" in `folder` (its working folder, too); outputs go to files there.
 * `file_limit` > 0: no file may grow beyond so many bytes, as on a full disk. */
static inline pid_t cli_start_limited(const char *folder, const char *arguments, long file_limit)
{
    char *out = ub_path(folder, ".out"), *err = ub_path(folder, ".err");
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        char *line = ub_strdup(arguments), *argv[CLI_ARGUMENTS];
        cli_split(line, argv);
        int o = open(out, O_WRONLY | O_CREAT | O_TRUNC, 0666);
        int e = open(err, O_WRONLY | O_CREAT | O_TRUNC, 0666);
        dup2(o, STDOUT_FILENO);
        dup2(e, STDERR_FILENO);
        static const int defaults[] = {SIGINT, SIGTERM, SIGHUP};
        for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++)
            signal(defaults[i], SIG_DFL);
        /* Pango keeps fontconfig's caches until the process ends. */
        setenv("LSAN_OPTIONS",
               "print_suppressions=0:suppressions=" UNIBENCH_SOURCE "/tests/leaks.txt", 0);
        if (file_limit > 0)
            setrlimit(RLIMIT_FSIZE, &(struct rlimit){(rlim_t)file_limit, (rlim_t)file_limit});
        if (chdir(folder) == 0)
            execv(argv[0], argv);
        _exit(127);
    }
    ub_free(out);
    ub_free(err);
    return pid;
}

static inline pid_t cli_start(const char *folder, const char *arguments)
{
    return cli_start_limited(folder, arguments, 0);
}

static inline char *cli_read(const char *folder, const char *name)
{
    struct ub_error err = {0};
    size_t length;
    char *path = ub_path(folder, name);
    char *text = (char *)ub_read_file(path, 1 << 24, &length, &err);
    ub_free(path);
    return text ? text : ub_strdup("");
}

static inline struct cli_outcome cli_wait(const char *folder, pid_t pid)
{
    int status;
    while (waitpid(pid, &status, 0) < 0)
        assert_int_equal(errno, EINTR);
    return (struct cli_outcome){
        .code = WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status),
        .out = cli_read(folder, ".out"),
        .err = cli_read(folder, ".err"),
    };
}

static inline void cli_clear(struct cli_outcome *o)
{
    ub_free(o->out);
    ub_free(o->err);
    *o = (struct cli_outcome){0};
}

static inline struct cli_outcome cli_finish(const char *folder, const char *arguments)
{
    return cli_wait(folder, cli_start(folder, arguments));
}

/* Runs it, expects the exit code and the part of its output ("" = any), and returns the output. */
#define cli_expect(folder, arguments, code, part)                                                  \
    cli_expect_at((folder), (arguments), (code), (part), __FILE__, __LINE__)
static inline char *cli_expect_at(const char *folder, const char *arguments, int code,
                                  const char *part, const char *file, int line)
{
    struct cli_outcome o = cli_finish(folder, arguments);
    if (o.code != code || !(strstr(o.out, part) || strstr(o.err, part))) {
        print_error("%s:%d: unibench %s\n  exit code %d, expected %d; expected '%s' in\n%s%s\n",
                    file, line, arguments, o.code, code, part, o.out, o.err);
        _fail(file, line);
    }
    char *out = o.out;
    ub_free(o.err);
    return out;
}
#define cli_run(folder, arguments, code, part) ub_free(cli_expect(folder, arguments, code, part))

/* Entries of STORE/runs. */
struct cli_runs {
    size_t finished, temporary;
    pid_t maker; /* of a temporary one, whose name it ends; 0 when there is none */
};
static inline struct cli_runs cli_find_runs(const char *folder, const char *store)
{
    struct cli_runs found = {0};
    struct ub_text path = {0};
    ub_text_add(&path, "%s/%s/runs", folder, store);
    DIR *runs = opendir(path.data);
    for (const struct dirent *e; runs && (e = readdir(runs));)
        if (strncmp(e->d_name, ".tmp-", 5) == 0) {
            found.temporary++;
            found.maker = (pid_t)strtol(strrchr(e->d_name, '-') + 1, NULL, 10);
        } else if (e->d_name[0] != '.') {
            found.finished++;
        }
    if (runs)
        closedir(runs);
    ub_text_free(&path);
    return found;
}

static inline size_t cli_count_runs(const char *folder, const char *store, bool temporary)
{
    const struct cli_runs found = cli_find_runs(folder, store);
    return temporary ? found.temporary : found.finished;
}

/* Waits until the store has `count` runs, at most 60 s. */
static inline void cli_wait_for_runs(const char *folder, const char *store, size_t count)
{
    for (int i = 0; i < 6000 && cli_count_runs(folder, store, false) < count; i++)
        cli_pause(0.01);
    assert_true(cli_count_runs(folder, store, false) >= count);
}

/* Waits until the store has `count` runs and then until one is in flight, at most 60 s for each;
 * returns the process that makes it. */
static inline pid_t cli_await_maker(const char *folder, const char *store, size_t count)
{
    pid_t maker;
    cli_wait_for_runs(folder, store, count);
    for (int i = 0; (maker = cli_find_runs(folder, store).maker) == 0 && i < 6000; i++)
        cli_pause(0.01);
    assert_true(maker > 0);
    return maker;
}

/* A new folder with one file in it. */
static inline char *cli_folder_with(const char *name, const char *text)
{
    char *folder = support_folder();
    support_write(folder, name, text, strlen(text));
    return folder;
}

static inline bool cli_exists(const char *folder, const char *name)
{
    char *path = ub_path(folder, name);
    const bool found = ub_exists(path);
    ub_free(path);
    return found;
}

#endif
