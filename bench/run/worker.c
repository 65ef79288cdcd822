#define _GNU_SOURCE /* pipe2, sigabbrev_np */
#include "bench/run/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void become_worker(int output, pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) /* it died before prctl */
        _exit(UB_INTERNAL);
    static const int ignored[] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
        signal(ignored[i], SIG_IGN);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    dup2(nothing, STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    setvbuf(stdout, NULL, _IOLBF, 0);
}

bool ub_worker_start(struct ub_worker *w, int (*work)(void *context), void *context,
                     struct ub_error *err)
{
    int ends[2];
    *w = (struct ub_worker){.output = -1};
    if (pipe2(ends, O_CLOEXEC) != 0)
        return ub_fail(err, UB_INTERNAL, "cannot start a worker: %s", strerror(errno));
    fflush(NULL); /* or the child would print what the parent has buffered */
    pid_t parent = getpid();
    w->pid = fork();
    if (w->pid == 0) {
        become_worker(ends[1], parent);
        int code = work(context);
        fflush(NULL);
        _exit(code);
    }
    int cause = errno;
    close(ends[1]);
    if (w->pid < 0) {
        close(ends[0]);
        w->pid = 0;
        return ub_fail(err, UB_INTERNAL, "cannot start a worker: %s", strerror(cause));
    }
    w->output = ends[0];
    fcntl(w->output, F_SETFL, O_NONBLOCK);
    return true;
}

void ub_worker_read(struct ub_worker *w)
{
    char piece[512];
    ssize_t n;
    while ((n = read(w->output, piece, sizeof piece)) > 0) {
        size_t got = (size_t)n, room = sizeof w->tail - 1;
        if (w->length + got > room) {
            size_t drop = w->length + got - room;
            memmove(w->tail, w->tail + drop, w->length - drop);
            w->length -= drop;
        }
        memcpy(w->tail + w->length, piece, got);
        w->length += got;
    }
    w->tail[w->length] = '\0';
}

bool ub_worker_reap(struct ub_worker *w, bool wait, int *wait_status)
{
    pid_t ended;
    do
        ended = waitpid(w->pid, wait_status, wait ? 0 : WNOHANG);
    while (ended < 0 && errno == EINTR);
    if (ended == 0)
        return false;
    ub_worker_read(w);
    close(w->output);
    w->output = -1;
    return true;
}

void ub_worker_kill(struct ub_worker *w)
{
    kill(w->pid, SIGKILL);
}

/* The last line that says something, without the program's name. */
static char *last_line(const char *tail)
{
    size_t end = strlen(tail);
    while (end > 0 && strchr("\r\n\t ", tail[end - 1]))
        end--;
    size_t start = end;
    while (start > 0 && tail[start - 1] != '\n')
        start--;
    static const char program[] = "unibench: ";
    if (strncmp(tail + start, program, strlen(program)) == 0)
        start += strlen(program);
    char *line = ub_calloc(end - start + 1, 1);
    for (size_t i = start; i < end; i++)
        line[i - start] = (unsigned char)tail[i] < ' ' ? ' ' : tail[i];
    return line;
}

char *ub_worker_reason(const struct ub_worker *w, int wait_status)
{
    char *line = last_line(w->tail);
    struct ub_text text = {0};
    if (WIFSIGNALED(wait_status)) {
        int number = WTERMSIG(wait_status);
        const char *name = sigabbrev_np(number);
        ub_text_add(&text, "killed by SIG%s", name ? name : "?");
        if (number == SIGKILL)
            ub_text_add(&text, " (out of memory?)");
        if (*line)
            ub_text_add(&text, ": %s", line);
    } else if (*line) {
        ub_text_add(&text, "%s", line);
    } else {
        ub_text_add(&text, "ended with exit code %d and no message", WEXITSTATUS(wait_status));
    }
    ub_free(line);
    return text.data;
}
