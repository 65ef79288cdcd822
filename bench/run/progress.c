#include "bench/run/progress.h"
#include "base/clock.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

void ub_duration(double seconds, char out[16])
{
    if (!(seconds < 359999))
        snprintf(out, 16, "?");
    else if (seconds < 60)
        snprintf(out, 16, "%.0fs", ceil(seconds));
    else if (seconds < 3600)
        snprintf(out, 16, "%dm%02ds", (int)seconds / 60, (int)seconds % 60);
    else
        snprintf(out, 16, "%dh%02dm", (int)seconds / 3600, (int)seconds / 60 % 60);
}

struct ub_progress ub_progress_start(size_t total, double work)
{
    const char *kind = getenv("TERM");
    bool dumb = !kind || strcmp(kind, "dumb") == 0;
    return (struct ub_progress){
        .terminal = isatty(STDERR_FILENO) && !dumb,
        .total = total,
        .work = work,
        .started = ub_seconds(),
    };
}

static int terminal_width(void)
{
    struct winsize size;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

static void clear_line(void)
{
    fputs("\r\033[K", stderr);
}

void ub_progress_update(struct ub_progress *p, double partial)
{
    double time = ub_seconds();
    if (!p->terminal || time - p->drawn < 0.2)
        return;
    p->drawn = time;
    double elapsed = time - p->started;
    double share = p->work > 0 ? fmin((p->work_done + partial) / p->work, 1) : 0;
    char left[16] = "?", rest[128];
    if (share > 0)
        ub_duration(elapsed * (1 - share) / share, left);
    int width = snprintf(rest, sizeof rest, " %zu/%zu runs  %.2f runs/s  ETA %s", p->done, p->total,
                         elapsed > 0 ? (double)p->done / elapsed : 0, left);
    if (p->failed)
        width += snprintf(rest + width, sizeof rest - (size_t)width, "  %zu failed", p->failed);
    int bar = terminal_width() - width - 3;
    bar = bar > 40 ? 40 : bar;
    clear_line();
    if (bar >= 5) {
        fputc('[', stderr);
        for (int i = 0; i < bar; i++)
            fputc(i < (int)(share * bar) ? '#' : '.', stderr);
        fputc(']', stderr);
    }
    fputs(rest + (bar >= 5 ? 0 : 1), stderr);
    fflush(stderr);
}

void ub_progress_run(struct ub_progress *p, const char *label, double work,
                     enum ub_run_status status, const char *message, double seconds)
{
    bool bad = status == UB_RUN_FAILED || status == UB_RUN_TIMEOUT;
    p->done++;
    p->failed += bad;
    p->work_done += work;
    if (p->terminal && !bad)
        return;
    if (p->terminal)
        clear_line();
    fprintf(stderr, "[%zu/%zu] %-8s %7.2fs  %s%s%s\n", p->done, p->total,
            ub_run_status_name(status), seconds, label, *message ? ": " : "", message);
}

void ub_progress_end(struct ub_progress *p)
{
    if (p->terminal)
        clear_line();
}
