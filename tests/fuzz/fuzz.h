/* fuzz.h - what every target shares: fuzz_NAME.c reads one kind of input and holds what comes out
 * to what must be true of it. Built twice: by clang's libFuzzer (`make fuzz`), and with replay.c as
 * a test that any compiler can build, over corpus/NAME and deterministic mutations of it.
 *
 *     int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
 *     {
 *         struct ub_error err = {0};
 *         struct ub_csv *csv = ub_csv_read(fuzz_file("input.csv", data, size), true, &err);
 *         fuzz_expect(csv != NULL, &err);        // a table, or one line of bad input
 *         ub_csv_free(csv);
 *         return 0;
 *     }
 *
 * What the sanitizers find, a crash, a hang of ten seconds, exit instead of return, and a broken
 * fuzz_expect or fuzz_require end the process by a signal. The input that did it becomes a seed. */
#ifndef UB_FUZZ_H
#define UB_FUZZ_H

#include "base/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A folder of this process, empty at first, removed when it ends. */
const char *fuzz_folder(void);
/* Writes fuzz_folder()/NAME with exactly these bytes; its path, until the next call. */
const char *fuzz_file(const char *name, const uint8_t *data, size_t size);
/* The same, NUL-terminated in memory; caller frees with ub_free. */
char *fuzz_text(const uint8_t *data, size_t size);

/* Readers give a result and no error, or no result and one non-empty line of code UB_INPUT. */
void fuzz_expect(bool good, const struct ub_error *err);
int64_t fuzz_accepted(void); /* how often `good` was true so far */
/* Ends by SIGABRT with `what` unless `true_of_it`. */
void fuzz_require(bool true_of_it, const char *what);

/* Changes data[0..size) in place as files get damaged or as people mistype: cut, bits flipped,
 * ranges lost or doubled, numbers replaced by extreme ones. At most `room` bytes; the new size. */
size_t fuzz_mutate(uint8_t *data, size_t size, size_t room, struct ub_random *r);

#endif
