/* sha256.c - digests of memory and of files. */
#include "base/base.h"

#include <errno.h>
#include <fcntl.h>
#include <nettle/sha2.h>
#include <string.h>
#include <unistd.h>

enum { PIECE = 1 << 16 };

static void write_digits(struct sha256_ctx *context, char out[UB_SHA256_TEXT])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t digest[SHA256_DIGEST_SIZE];
    sha256_digest(context, sizeof digest, digest);
    for (size_t i = 0; i < sizeof digest; i++) {
        out[2 * i] = digits[digest[i] >> 4];
        out[2 * i + 1] = digits[digest[i] & 15];
    }
    out[UB_SHA256_TEXT - 1] = '\0';
}

void ub_sha256(const void *data, size_t length, char out[UB_SHA256_TEXT])
{
    struct sha256_ctx context;
    sha256_init(&context);
    sha256_update(&context, length, data);
    write_digits(&context, out);
}

bool ub_sha256_file(const char *path, char out[UB_SHA256_TEXT], struct ub_error *err)
{
    struct sha256_ctx context;
    uint8_t piece[PIECE];
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return ub_fail(err, UB_INPUT, "%s: cannot open: %s", path, strerror(errno));
    ssize_t got;
    sha256_init(&context);
    while ((got = read(file, piece, sizeof piece)) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            break;
        sha256_update(&context, (size_t)got, piece);
    }
    const int cause = errno;
    close(file);
    if (got < 0)
        return ub_fail(err, UB_INPUT, "%s: cannot read: %s", path, strerror(cause));
    write_digits(&context, out);
    return true;
}

bool ub_is_sha256(const char *text)
{
    return strlen(text) == UB_SHA256_TEXT - 1 &&
           strspn(text, "0123456789abcdef") == UB_SHA256_TEXT - 1;
}
