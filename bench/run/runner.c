/* The sweep's one loop: start workers, wait for something to happen, take in what ended. Signals
 * arrive through a descriptor, so that they are events as all others and no handler runs. */
#include "bench/run/runner.h"
#include "base/clock.h"
#include "bench/run/board.h"
#include "bench/run/pack.h"
#include "bench/run/progress.h"
#include "bench/run/provenance.h"
#include "bench/run/train.h"
#include "bench/run/worker.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* Exit codes of workers that tell the parent something else than "failed". */
enum { STORED = 0, UNWRITABLE = 90, STOPPED = 91 };
enum { WAIT_MS = 100, STOP_SECONDS = 10 };

enum kill_reason { NOT_KILLED, KILLED_LATE, KILLED_STOPPING };

struct slot {
    struct ub_worker worker; /* pid 0: free */
    enum kill_reason killed;
};

struct crew {
    const struct ub_sweep *sweep;
    struct ub_sweep_result *result;
    struct ub_error *err;
    struct ub_provenance provenance;
    struct ub_progress progress;
    struct ub_board board;
    size_t n_slots, first; /* first: no cell before it is free */
    struct slot *slots;
    bool *taken;        /* cells whose end is known here */
    struct pollfd *fds; /* signals and ends first, then one a busy slot */
    int signals;
    sigset_t mask_before;
    bool stopping;
    double stopped_at;
};

/* ---- in the worker ---------------------------------------------------------------------- */

struct job {
    struct crew *crew;
    size_t slot, cell; /* the first that it makes */
    struct ub_pack *pack;
};

/* Makes one run; returns an exit code. */
static int make(const struct job *job, size_t cell)
{
    const struct crew *c = job->crew;
    const struct ub_sweep *sweep = c->sweep;
    const struct ub_train_setting setting = {
        .store = sweep->store,
        .data = sweep->data,
        .known = sweep->known,
        .pack = job->pack,
        .threads = sweep->threads,
        .timeout = sweep->cells[cell]->timeout,
        .progress = ub_board_steps(&c->board, job->slot),
        .stop = c->board.stop,
        .provenance = c->provenance.pairs,
        .n_provenance = c->provenance.count,
    };
    enum ub_run_status status;
    struct ub_error err = {0};
    switch (ub_train(&sweep->cells[cell]->spec, &setting, &status, &err)) {
    case UB_TRAIN_STORED:
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

static int work(void *context)
{
    struct job *job = context;
    struct ub_board *board = &job->crew->board;
    const bool packed = job->crew->sweep->packed;
    size_t cell = job->cell;
    int code;
    job->pack = packed ? ub_pack_new() : NULL;
    for (;;) {
        code = make(job, cell);
        if (code != STORED)
            break;
        ub_board_stored(board, job->slot);
        if (!packed || !ub_board_next_of_pack(board, job->slot, &cell))
            break;
        ub_board_begin(board, job->slot, cell);
    }
    ub_pack_free(job->pack);
    return code;
}

/* ---- slots ------------------------------------------------------------------------------ */

static size_t busy(const struct crew *c)
{
    size_t n = 0;
    for (size_t i = 0; i < c->n_slots; i++)
        n += c->slots[i].worker.pid > 0;
    return n;
}

static const struct ub_suite_cell *cell_at(const struct crew *c, size_t cell)
{
    return c->sweep->cells[cell];
}

static size_t place_of(const struct crew *c, const struct slot *slot)
{
    return (size_t)(slot - c->slots);
}

/* The cell that a slot's worker is at. */
static size_t cell_of(const struct crew *c, const struct slot *slot)
{
    return ub_board_cell(&c->board, place_of(c, slot));
}

static double seconds_of(const struct crew *c, const struct slot *slot)
{
    return ub_seconds() - ub_board_started(&c->board, place_of(c, slot));
}

static bool start_worker(struct crew *c, size_t index, size_t cell)
{
    struct slot *slot = &c->slots[index];
    struct job job = {.crew = c, .slot = index, .cell = cell};
    *slot = (struct slot){.killed = NOT_KILLED};
    ub_board_begin(&c->board, index, cell);
    return ub_worker_start(&slot->worker, work, &job, c->err);
}

static bool fill_slots(struct crew *c)
{
    for (size_t i = 0; i < c->n_slots; i++) {
        if (c->slots[i].worker.pid > 0)
            continue;
        while (c->first < c->sweep->count && !ub_board_claim(&c->board, c->first, i))
            c->first++;
        if (c->first < c->sweep->count && !start_worker(c, i, c->first++))
            return false;
    }
    return true;
}

static void stop(struct crew *c)
{
    if (c->stopping)
        return;
    c->stopping = true;
    c->stopped_at = ub_seconds();
    atomic_store(c->board.stop, true);
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

static void count_end(struct crew *c, size_t cell, enum ub_run_status status, const char *message,
                      double seconds)
{
    const struct ub_run_spec *spec = &cell_at(c, cell)->spec;
    char *label = ub_run_spec_label(spec);
    c->result->ended[status]++;
    c->taken[cell] = true;
    ub_board_settle(&c->board, cell);
    ub_progress_run(&c->progress, label, (double)spec->steps, status, message, seconds);
    ub_free(label);
}

/* Stores a run of which nothing but its end is known. */
static bool record_end(struct crew *c, const struct slot *slot, enum ub_run_status status,
                       const char *message)
{
    const size_t index = cell_of(c, slot);
    const struct ub_suite_cell *cell = cell_at(c, index);
    const double seconds = seconds_of(c, slot);
    struct ub_run_writer *w = ub_run_writer_new(c->sweep->store, &cell->spec, c->err);
    if (!w)
        return false;
    ub_run_writer_fact(w, "seconds", seconds);
    if (cell->timeout > 0)
        ub_run_writer_fact(w, "timeout", cell->timeout);
    if (!ub_run_writer_commit(w, status, message, c->provenance.pairs, c->provenance.count, c->err))
        return false;
    count_end(c, index, status, message, seconds);
    return true;
}

static bool take_stored(struct crew *c, size_t cell, double seconds)
{
    char id[17];
    struct ub_run run;
    ub_run_spec_id(&cell_at(c, cell)->spec, id);
    if (!ub_store_read_run(c->sweep->store, id, &run, c->err))
        return false;
    bool present = run.status != UB_RUN_MISSING;
    if (present)
        count_end(c, cell, run.status, run.message, seconds);
    else
        ub_fail(c->err, UB_INPUT, "%s: run %s has gone from the store", c->sweep->store, id);
    ub_run_clear(&run);
    return present;
}

/* Takes in the runs that workers have told of. False when one cannot be read. */
static bool take_told(struct crew *c)
{
    struct ub_end end;
    bool good = true;
    while (good && ub_board_next_end(&c->board, &end))
        good = c->taken[end.cell] || take_stored(c, end.cell, end.seconds);
    return good;
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
    const double timeout = cell_at(c, cell_of(c, slot))->timeout;
    ub_text_add(&text, "killed: no step ended for %.3g seconds after the timeout of %g seconds",
                seconds_of(c, slot) - timeout, timeout);
    bool good = record_end(c, slot, UB_RUN_TIMEOUT, text.data);
    ub_text_free(&text);
    return good;
}

/* Takes in what a worker that ended has left; false when the sweep cannot go on. */
static bool take_end(struct crew *c, const struct slot *slot, int wait_status)
{
    const int code = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : -1;
    const size_t cell = cell_of(c, slot);
    if (!take_told(c))
        return false;
    const size_t freed = ub_board_release(&c->board, place_of(c, slot));
    c->first = freed < c->first ? freed : c->first;
    if (ub_board_is_settled(&c->board, cell)) /* whatever killed it after that */
        return c->taken[cell] || take_stored(c, cell, seconds_of(c, slot));
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
    c->fds[n++] = (struct pollfd){.fd = c->board.ends[0], .events = POLLIN};
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
    const double time = ub_seconds();
    for (size_t i = 0; i < c->n_slots; i++) {
        struct slot *slot = &c->slots[i];
        double limit = slot->worker.pid > 0 ? cell_at(c, cell_of(c, slot))->timeout : 0;
        if (limit > 0 && seconds_of(c, slot) > limit + 2 + 0.5 * limit)
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
            partial += (double)atomic_load(ub_board_steps(&c->board, i));
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
        good = take_told(c) && reap_all(c);
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
    double started = ub_seconds();
    *result = (struct ub_sweep_result){0};
    c.slots = ub_calloc(c.n_slots + 1, sizeof *c.slots);
    c.fds = ub_calloc(c.n_slots + 2, sizeof *c.fds);
    c.taken = ub_calloc(most + 1, sizeof *c.taken);
    bool good = ub_board_open(&c.board, sweep->cells, most, c.n_slots, err) && open_signals(&c);
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
    ub_board_close(&c.board);
    ub_free(c.taken);
    ub_free(c.slots);
    ub_free(c.fds);
    result->seconds = ub_seconds() - started;
    return good;
}
