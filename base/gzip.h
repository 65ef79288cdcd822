/* gzip.h - gzip in memory, for files that are written in parts: members one after the other are a
 * gzip file (RFC 1952), and several threads can pack them.
 *
 *     size_t packed;
 *     unsigned char *member = ub_gzip(text, length, &packed, &err);
 *     fwrite(member, 1, packed, file);
 *     ub_free(member); */
#ifndef UB_GZIP_H
#define UB_GZIP_H

#include "base/base.h"

/* Without name or time stamp, so that equal data make equal bytes. NULL beyond 4 GiB. Caller frees.
 */
unsigned char *ub_gzip(const void *data, size_t length, size_t *packed, struct ub_error *err);

#endif
