/* Files for readers that take paths, and what is expected of every reader. */
#include "tests/fuzz/fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void fuzz_require(bool true_of_it, const char *what)
{
    if (true_of_it)
        return;
    fprintf(stderr, "fuzz: not so: %s\n", what);
    abort();
}

static int64_t accepted;

int64_t fuzz_accepted(void)
{
    return accepted;
}

void fuzz_expect(bool good, const struct ub_error *err)
{
    accepted += good;
    if (good == (err->code == UB_OK) && (good || (err->code == UB_INPUT && *err->text)))
        return;
    fprintf(stderr, "fuzz: %s, code %d, '%s'\n", good ? "read" : "refused", (int)err->code,
            err->text);
    abort();
}

/* Linked with --wrap=_Exit: running out of memory on a damaged input is a finding, and libFuzzer,
 * which exits by other codes, keeps the input of those only that end by a signal. */
_Noreturn void __wrap__Exit(int code);
_Noreturn void __real__Exit(int code);
_Noreturn void __wrap__Exit(int code)
{
    if (code != UB_INTERNAL)
        __real__Exit(code);
    fprintf(stderr, "fuzz: out of memory while reading\n");
    abort();
}

static char folder[4096];

static void remove_folder(void)
{
    struct ub_error ignored = {0};
    ub_remove_tree(folder, &ignored);
}

const char *fuzz_folder(void)
{
    if (*folder)
        return folder;
    const char *base = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/unibench-fuzz-XXXXXX", base && *base ? base : P_tmpdir);
    fuzz_require(mkdtemp(folder) != NULL, "a temporary folder");
    atexit(remove_folder);
    return folder;
}

/* Without fsync, unlike ub_write_file: thousands a second. */
const char *fuzz_file(const char *name, const uint8_t *data, size_t size)
{
    static char path[sizeof folder + 64];
    snprintf(path, sizeof path, "%s/%s", fuzz_folder(), name);
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    fuzz_require(file >= 0 && write(file, data, size) == (ssize_t)size && close(file) == 0, path);
    return path;
}

char *fuzz_text(const uint8_t *data, size_t size)
{
    char *text = ub_calloc(size + 1, 1);
    if (size)
        memcpy(text, data, size);
    return text;
}
