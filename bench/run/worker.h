/* worker.h - a child process that does one thing and may die of it.
 *
 * The child ignores SIGINT, SIGTERM and SIGHUP (its parent decides what they mean), dies with its
 * parent, reads nothing from standard input, and writes both its outputs to a pipe whose last line
 * is kept: the reason why it failed, whoever printed it. */
#ifndef UB_WORKER_H
#define UB_WORKER_H

#include "base/base.h"

#include <sys/types.h>

struct ub_worker {
    pid_t pid; /* 0 = none */
    int output;
    char tail[2048]; /* the last bytes the child wrote */
    size_t length;
};

/* Forks; the child runs `work`, whose result is its exit code. The parent must not have started
 * threads. */
bool ub_worker_start(struct ub_worker *w, int (*work)(void *context), void *context,
                     struct ub_error *err);
void ub_worker_read(struct ub_worker *w); /* drains the pipe without waiting */
/* True when the child has ended: *wait_status is waitpid's, and the pipe is drained and closed. */
bool ub_worker_reap(struct ub_worker *w, bool wait, int *wait_status);
void ub_worker_kill(struct ub_worker *w);
/* Why the child ended as it did: its last line, with the signal's name if there was one. */
char *ub_worker_reason(const struct ub_worker *w, int wait_status);

#endif
