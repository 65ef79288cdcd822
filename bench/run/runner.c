/* The sweep's one loop: start workers, wait for something to happen, take in what ended. Signals
 * arrive through a descriptor, so that they are events as all others and no handler runs. */
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include "bench/run/runner.h"
#include "bench/run/progress.h"
#include "bench/run/provenance.h"
#include "bench/run/train.h"
#include "bench/run/worker.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Exit codes of workers that tell the parent something else than "failed". */
enum { STORED = 0, UNWRITABLE = 90, STOPPED = 91 };
enum { WAIT_MS = 100, STOP_SECONDS = 10, ALL_STORED = -1 };

/* Seen by parent and workers. */
struct board {
    atomic_bool stop;
    atomic_llong steps[]; /* done, one a slot; ALL_STORED when the run is in the store */
};

enum kill_reason { NOT_KILLED, KILLED_LATE, KILLED_STOPPING };

struct slot {
    struct ub_worker worker; /* pid 0: free */
    const struct ub_suite_cell *cell;
    double started;
    enum kill_reason killed;
};

struct crew {
    const struct ub_sweep *sweep;
    struct ub_sweep_result *result;
    struct ub_error *err;
    struct ub_provenance provenance;
    struct ub_progress progress;
    struct board *board;
    size_t board_bytes;
    size_t n_slots, next; /* next: cell to start */
    struct slot *slots;
    struct pollfd *fds; /* signals first, then one a busy slot */
    int signals;
    sigset_t mask_before;
    bool stopping;
    double stopped_at;
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- in the worker ---------------------------------------------------------------------- */

struct job {
    const struct crew *crew;
    const struct ub_suite_cell *cell;
    atomic_llong *steps;
};

static int work(void *context)
{
    const struct job *job = context;
    const struct ub_sweep *sweep = job->crew->sweep;
    const struct ub_train_setting setting = {
        .store = sweep->store,
        .data = sweep->data,
        .known = sweep->known,
        .threads = sweep->threads,
        .timeout = job->cell->timeout,
        .progress = job->steps,
        .stop = &job->crew->board->stop,
        .provenance = job->crew->provenance.pairs,
        .n_provenance = job->crew->provenance.count,
    };
    enum ub_run_status status;
    struct ub_error err = {0};
    switch (ub_train(&job->cell->spec, &setting, &status, &err)) {
    case UB_TRAIN_STORED:
        atomic_store(job->steps, ALL_STORED);
        return STORED;
    case UB_TRAIN_STOPPED:
        return STOPPED;
    case UB_TRAIN_UNWRITABLE:
        ub_report(&err);
        return UNWRITABLE;
    default:
        return ub_report(&err);
    }
}

/* ---- slots ------------------------------------------------------------------------------ */

static size_t busy(const struct crew *c)
{
    size_t n = 0;
    for (size_t i = 0; i < c->n_slots; i++)
        n += c->slots[i].worker.pid > 0;
    return n;
}

static bool start_worker(struct crew *c, size_t index)
{
    struct slot *slot = &c->slots[index];
    *slot = (struct slot){.cell = c->sweep->cells[c->next], .started = now()};
    atomic_store(&c->board->steps[index], 0);
    struct job job = {.crew = c, .cell = slot->cell, .steps = &c->board->steps[index]};
    if (!ub_worker_start(&slot->worker, work, &job, c->err))
        return false;
    c->next++;
    return true;
}

static bool fill_slots(struct crew *c)
{
    for (size_t i = 0; i < c->n_slots && c->next < c->sweep->count; i++)
        if (c->slots[i].worker.pid == 0 && !start_worker(c, i))
            return false;
    return true;
}

static void stop(struct crew *c)
{
    if (c->stopping)
        return;
    c->stopping = true;
    c->stopped_at = now();
    atomic_store(&c->board->stop, true);
}

static void kill_worker(struct slot *slot, enum kill_reason why)
{
    if (slot->worker.pid == 0 || slot->killed)
        return;
    slot->killed = why;
    ub_worker_kill(&slot->worker);
}

static void kill_all(struct crew *c)
{
    for (size_t i = 0; i < c->n_slots; i++)
        kill_worker(&c->slots[i], KILLED_STOPPING);
}

/* ---- ends of runs ----------------------------------------------------------------------- */

static void count_end(struct crew *c, const struct slot *slot, enum ub_run_status status,
                      const char *message)
{
    char *label = ub_run_spec_label(&slot->cell->spec);
    c->result->ended[status]++;
    ub_progress_run(&c->progress, label, (double)slot->cell->spec.steps, status, message,
                    now() - slot->started);
    ub_free(label);
}

/* Stores a run of which nothing but its end is known. */
static bool record_end(struct crew *c, const struct slot *slot, enum ub_run_status status,
                       const char *message)
{
    struct ub_run_writer *w = ub_run_writer_new(c->sweep->store, &slot->cell->spec, c->err);
    if (!w)
        return false;
    ub_run_writer_fact(w, "seconds", now() - slot->started);
    if (slot->cell->timeout > 0)
        ub_run_writer_fact(w, "timeout", slot->cell->timeout);
    if (!ub_run_writer_commit(w, status, message, c->provenance.pairs, c->provenance.count, c->err))
        return false;
    count_end(c, slot, status, message);
    return true;
}

static bool take_stored(struct crew *c, const struct slot *slot)
{
    char id[17];
    struct ub_run run;
    ub_run_spec_id(&slot->cell->spec, id);
    if (!ub_store_read_run(c->sweep->store, id, &run, c->err))
        return false;
    bool present = run.status != UB_RUN_MISSING;
    if (present)
        count_end(c, slot, run.status, run.message);
    else
        ub_fail(c->err, UB_INPUT, "%s: run %s has gone from the store", c->sweep->store, id);
    ub_run_clear(&run);
    return present;
}

static bool take_failure(struct crew *c, const struct slot *slot, int code, const char *reason)
{
    if (c->sweep->record_failures)
        return record_end(c, slot, UB_RUN_FAILED, reason);
    return ub_fail(c->err, code == UB_INPUT ? UB_INPUT : UB_INTERNAL, "%s", reason);
}

static bool take_late(struct crew *c, const struct slot *slot)
{
    struct ub_text text = {0};
    ub_text_add(&text, "killed: no step ended for %.3g seconds after the timeout of %g seconds",
                now() - slot->started - slot->cell->timeout, slot->cell->timeout);
    bool good = record_end(c, slot, UB_RUN_TIMEOUT, text.data);
    ub_text_free(&text);
    return good;
}

/* False when the sweep cannot go on. */
static bool take_end(struct crew *c, const struct slot *slot, int wait_status)
{
    int code = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : -1;
    long long steps = atomic_load(&c->board->steps[slot - c->slots]);
    if (code == STORED || steps == ALL_STORED) /* whatever killed it after that */
        return take_stored(c, slot);
    ub_store_clean(c->sweep->store, slot->worker.pid);
    if (code == STOPPED || slot->killed == KILLED_STOPPING)
        return true;
    if (slot->killed == KILLED_LATE)
        return take_late(c, slot);
    char *reason = ub_worker_reason(&slot->worker, wait_status);
    bool good = code == UNWRITABLE ? ub_fail(c->err, UB_INPUT, "%s", reason)
                                   : take_failure(c, slot, code, reason);
    ub_free(reason);
    return good;
}

static bool reap_all(struct crew *c)
{
    bool good = true;
    for (size_t i = 0; i < c->n_slots; i++) {
        struct slot *slot = &c->slots[i];
        int wait_status;
        if (slot->worker.pid == 0)
            continue;
        ub_worker_read(&slot->worker);
        if (!ub_worker_reap(&slot->worker, false, &wait_status))
            continue;
        good = take_end(c, slot, wait_status) && good;
        slot->worker.pid = 0;
    }
    return good;
}

/* ---- events ----------------------------------------------------------------------------- */

static void wait_for_events(struct crew *c)
{
    nfds_t n = 0;
    c->fds[n++] = (struct pollfd){.fd = c->signals, .events = POLLIN};
    for (size_t i = 0; i < c->n_slots; i++)
        if (c->slots[i].worker.pid > 0)
            c->fds[n++] = (struct pollfd){.fd = c->slots[i].worker.output, .events = POLLIN};
    poll(c->fds, n, WAIT_MS);
}

static void read_signals(struct crew *c)
{
    struct signalfd_siginfo info;
    while (read(c->signals, &info, sizeof info) == sizeof info) {
        if (info.ssi_signo == SIGCHLD)
            continue;
        if (c->stopping)
            kill_all(c);
        c->result->interrupted = true;
        stop(c);
    }
}

static void enforce_limits(struct crew *c)
{
    double time = now();
    for (size_t i = 0; i < c->n_slots; i++) {
        struct slot *slot = &c->slots[i];
        double limit = slot->worker.pid > 0 ? slot->cell->timeout : 0;
        if (limit > 0 && time - slot->started > limit + 2 + 0.5 * limit)
            kill_worker(slot, KILLED_LATE);
    }
    if (c->stopping && time - c->stopped_at > STOP_SECONDS)
        kill_all(c);
}

static void show_progress(struct crew *c)
{
    double partial = 0;
    for (size_t i = 0; i < c->n_slots; i++)
        if (c->slots[i].worker.pid > 0)
            partial += fmax(0, (double)atomic_load(&c->board->steps[i]));
    ub_progress_update(&c->progress, partial);
}

/* True unless the sweep ended in error. */
static bool loop(struct crew *c)
{
    bool good = true;
    while (good) {
        if (!c->stopping)
            good = fill_slots(c);
        if (!good || busy(c) == 0)
            break;
        show_progress(c);
        wait_for_events(c);
        read_signals(c);
        enforce_limits(c);
        good = reap_all(c);
    }
    if (good)
        return true;
    kill_all(c);
    for (size_t i = 0; i < c->n_slots; i++) {
        int ignored;
        if (c->slots[i].worker.pid == 0)
            continue;
        ub_worker_reap(&c->slots[i].worker, true, &ignored);
        ub_store_clean(c->sweep->store, c->slots[i].worker.pid);
    }
    return false;
}

/* ---- setting up ------------------------------------------------------------------------- */

/* Blocks the signals that end a sweep and reads them from a descriptor. Those that were ignored
 * before (nohup, a background job of a script) stay so. */
static bool open_signals(struct crew *c)
{
    static const int ending[] = {SIGINT, SIGTERM, SIGHUP};
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    for (size_t i = 0; i < sizeof ending / sizeof *ending; i++) {
        struct sigaction old;
        if (sigaction(ending[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
            sigaddset(&set, ending[i]);
    }
    signal(SIGCHLD, SIG_DFL); /* an inherited "ignore" would hide how workers end */
    c->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (c->signals < 0)
        return ub_fail(c->err, UB_INTERNAL, "no signal descriptor: %s", strerror(errno));
    sigprocmask(SIG_BLOCK, &set, &c->mask_before);
    return true;
}

static bool open_board(struct crew *c)
{
    c->board_bytes = sizeof *c->board + c->n_slots * sizeof *c->board->steps;
    void *shared =
        mmap(NULL, c->board_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return ub_fail(c->err, UB_INTERNAL, "no shared memory: %s", strerror(errno));
    c->board = shared; /* zeroed by the system */
    return true;
}

static double total_steps(const struct ub_sweep *sweep)
{
    double steps = 0;
    for (size_t i = 0; i < sweep->count; i++)
        steps += (double)sweep->cells[i]->spec.steps;
    return steps;
}

bool ub_sweep_run(const struct ub_sweep *sweep, struct ub_sweep_result *result,
                  struct ub_error *err)
{
    size_t jobs = sweep->jobs > 0 ? (size_t)sweep->jobs : 1, most = sweep->count;
    struct crew c = {
        .sweep = sweep,
        .result = result,
        .err = err,
        .n_slots = jobs < most ? jobs : most,
        .signals = -1,
    };
    double started = now();
    *result = (struct ub_sweep_result){0};
    c.slots = ub_calloc(c.n_slots + 1, sizeof *c.slots);
    c.fds = ub_calloc(c.n_slots + 1, sizeof *c.fds);
    bool good = open_board(&c) && open_signals(&c);
    if (good) {
        c.provenance = ub_provenance_collect(sweep->threads, (int)jobs);
        c.progress = ub_progress_start(sweep->count, total_steps(sweep));
        good = loop(&c);
        ub_progress_end(&c.progress);
        read_signals(&c);
        sigprocmask(SIG_SETMASK, &c.mask_before, NULL);
        close(c.signals);
    }
    ub_provenance_clear(&c.provenance);
    if (c.board)
        munmap(c.board, c.board_bytes);
    ub_free(c.slots);
    ub_free(c.fds);
    result->seconds = now() - started;
    return good;
}
