/* Runs a target without libFuzzer: replay CORPUS MUTATIONS. Every file of the folder goes in as it
 * is and in so many deterministic mutations. An input that ends the process is left beside the
 * program as PROGRAM.input: copied into the corpus it is tried first from then on. */
#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LARGEST = 1 << 16, GROWTH = 4096, SECONDS = 10 };

struct replay {
    char left[PATH_MAX]; /* the input being tried */
    int64_t tried;
};

static void try(struct replay *replay, const uint8_t *data, size_t size)
{
    FILE *left = fopen(replay->left, "wbe");
    fuzz_require(left && fwrite(data, 1, size, left) == size, replay->left);
    fclose(left);
    alarm(SECONDS); /* a hang ends by SIGALRM */
    LLVMFuzzerTestOneInput(data, size);
    alarm(0);
    replay->tried++;
}

static void try_seed(struct replay *replay, const char *folder, const char *name, int64_t mutations)
{
    char *path = ub_path(folder, name);
    static uint8_t seed[LARGEST], mutant[LARGEST + GROWTH];
    FILE *file = fopen(path, "rbe");
    fuzz_require(file != NULL, path);
    const size_t size = fread(seed, 1, sizeof seed, file);
    fclose(file);
    fuzz_require(size < sizeof seed, "a seed below 64 KiB");
    try(replay, seed, size);
    struct ub_random r = ub_random_stream(ub_hash(name, strlen(name)), "mutations");
    for (int64_t i = 0; i < mutations; i++) {
        memcpy(mutant, seed, size);
        try(replay, mutant, fuzz_mutate(mutant, size, sizeof mutant, &r));
    }
    ub_free(path);
}

static int not_hidden(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

int main(int argc, char **argv)
{
    int64_t mutations = 0;
    struct dirent **entries;
    if (argc != 3 || !ub_read_int(argv[2], &mutations)) {
        fprintf(stderr, "usage: %s CORPUS MUTATIONS\n", argv[0]);
        return 2;
    }
    const int n = scandir(argv[1], &entries, not_hidden, alphasort);
    if (n <= 0) {
        fprintf(stderr, "%s: %s; expected a folder of seeds\n", argv[1],
                n < 0 ? strerror(errno) : "empty");
        return 2;
    }
    struct replay replay = {0};
    const int length = snprintf(replay.left, sizeof replay.left, "%s.input", argv[0]);
    fuzz_require(length > 0 && (size_t)length < sizeof replay.left,
                 "a shorter path of the program");
    for (int i = 0; i < n; i++)
        try_seed(&replay, argv[1], entries[i]->d_name, 0);
    fuzz_require(fuzz_accepted() > 0, "a seed is read: not all are refused");
    for (int i = 0; i < n; i++) {
        try_seed(&replay, argv[1], entries[i]->d_name, mutations);
        free(entries[i]);
    }
    free(entries);
    unlink(replay.left);
    printf("%s: %d seeds, %lld inputs, %lld of them read\n", argv[1], n, (long long)replay.tried,
           (long long)fuzz_accepted());
    return 0;
}
