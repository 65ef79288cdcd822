/* gzip.h - gzip in memory, for files that are written in parts: members one after the other are a
 * gzip file (RFC 1952), and several threads can pack them.
 *
 *     size_t packed;
 *     unsigned char *member = ub_gzip(text, length, 6, &packed, &err);
 *     fwrite(member, 1, packed, file);
 *     ub_free(member); */
#ifndef UB_GZIP_H
#define UB_GZIP_H

#include "base/base.h"

/* At zlib's level, 1 to 9; without name or time stamp, so that equal data make equal bytes. NULL
 * beyond 4 GiB. Caller frees.
 */
unsigned char *ub_gzip(const void *data, size_t length, int level, size_t *packed,
                       struct ub_error *err);

#endif
