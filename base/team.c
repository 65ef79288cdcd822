#include "base/team.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

enum {
    SPIN_NANOSECONDS = 20000, /* about what falling asleep and being woken costs */
    LOOKS = 32                /* at the flag between two looks at the clock */
};

struct helper {
    struct ub_team *team;
    int member;
    pthread_t thread;
};

/* A run publishes its tasks by raising `left`; a member that lowers it has a task and may read
 * the rest, which the caller does not touch before `done` has reached `tasks`.
 *
 * No lock is held by anyone: a member that the system stops keeps nothing that another needs but
 * the task it has begun. Who is about to sleep counts himself in and looks once more; who has news
 * gives it and then counts out whom he wakes, one post for each. Both are sequentially consistent,
 * so one of the two sees the other. Who was counted out by another has a post to wait for. */
struct ub_team {
    int threads;
    int helpers; /* started */
    int useful;  /* most that a run wakes: those for whom there is a core, and at least one */
    bool spins;  /* who waits, at first: there is a core for every member */
    bool started;
    bool timed;
    int64_t nanoseconds; /* of all runs since then */
    struct helper *helper;

    int64_t tasks;
    ub_team_work *work;
    void *context;

    _Alignas(64) _Atomic int64_t left; /* tasks that nobody has taken */
    _Alignas(64) _Atomic int64_t done;
    _Atomic int asleep;        /* helpers, or about to be, whom nobody has woken yet */
    _Atomic int caller_asleep; /* the same of the caller: 0 or 1 */
    _Atomic bool leaving;
    sem_t news, finished; /* helpers wait for news, the caller for the last task */
};

struct ub_team *ub_team_new(int threads)
{
    struct ub_team *t = ub_calloc(1, sizeof *t);
    t->threads = threads > 1 ? threads : 1;
    t->helper = ub_calloc((size_t)t->threads, sizeof *t->helper);
    sem_init(&t->news, 0, 0);
    sem_init(&t->finished, 0, 0);
    return t;
}

struct ub_team *ub_team_for(int64_t tasks)
{
    enum { FEW = 64, MOST = 8 };
    const int cores = ub_available_cpus();
    return tasks < FEW ? NULL : ub_team_new(cores < MOST ? cores : MOST);
}

int ub_team_threads(const struct ub_team *t)
{
    return t ? t->threads : 1;
}

/* ---- waiting ---- */

static int64_t nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void pause_a_little(void)
{
#ifdef __x86_64__
    __builtin_ia32_pause();
#endif
}

static bool has_work(const struct ub_team *t)
{
    return atomic_load(&t->left) > 0;
}

static bool is_finished(const struct ub_team *t)
{
    return atomic_load(&t->done) == t->tasks;
}

static bool spin_until(const struct ub_team *t, bool (*happened)(const struct ub_team *))
{
    if (!t->spins)
        return happened(t);
    const int64_t end = nanoseconds() + SPIN_NANOSECONDS;
    do
        for (int i = 0; i < LOOKS; i++) {
            if (happened(t))
                return true;
            pause_a_little();
        }
    while (nanoseconds() < end);
    return false;
}

static void sleep_until_posted(sem_t *post)
{
    while (sem_wait(post) != 0 && errno == EINTR)
        ;
}

/* Lowers a count of sleepers by at most `most`; by how many. */
static int take_sleepers(_Atomic int *asleep, int64_t most)
{
    int found = atomic_load(asleep), n = 0;
    do
        n = found < most ? found : (int)most;
    while (n > 0 && !atomic_compare_exchange_weak(asleep, &found, found - n));
    return n;
}

/* False when the team is to go. */
static bool wait_for_work(struct ub_team *t)
{
    while (!atomic_load(&t->leaving) && !spin_until(t, has_work)) {
        atomic_fetch_add(&t->asleep, 1);
        const bool stay_up = has_work(t) || atomic_load(&t->leaving);
        if (!stay_up || take_sleepers(&t->asleep, 1) == 0)
            sleep_until_posted(&t->news);
    }
    return !atomic_load(&t->leaving);
}

static void wait_for_the_last(struct ub_team *t)
{
    if (spin_until(t, is_finished))
        return;
    while (!is_finished(t)) {
        atomic_store(&t->caller_asleep, 1);
        if (!is_finished(t) || take_sleepers(&t->caller_asleep, 1) == 0)
            sleep_until_posted(&t->finished);
    }
}

/* ---- work ---- */

static bool take(struct ub_team *t, int64_t *task)
{
    int64_t left = atomic_load(&t->left);
    while (left > 0)
        if (atomic_compare_exchange_weak(&t->left, &left, left - 1)) {
            *task = t->tasks - left;
            return true;
        }
    return false;
}

static void do_tasks(struct ub_team *t, int member)
{
    int64_t task;
    while (take(t, &task)) {
        const int64_t tasks = t->tasks; /* the caller's once all are done */
        t->work(t->context, task, member);
        const bool last = atomic_fetch_add(&t->done, 1) + 1 == tasks;
        if (last && take_sleepers(&t->caller_asleep, 1) == 1)
            sem_post(&t->finished);
    }
}

static void *help(void *own)
{
    const struct helper *h = own;
    while (wait_for_work(h->team))
        do_tasks(h->team, h->member);
    return NULL;
}

/* Signals are the caller's: a helper that ran a handler could do so amid a task. */
static void start_helpers(struct ub_team *t)
{
    sigset_t all, before;
    t->started = true;
    const int cores = ub_available_cpus();
    t->spins = cores >= t->threads;
    t->useful = cores > 2 ? cores - 1 : 1;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (int i = 0; i + 1 < t->threads; i++) {
        struct helper *h = &t->helper[i];
        *h = (struct helper){.team = t, .member = i + 1};
        if (pthread_create(&h->thread, NULL, help, h) != 0)
            break;
        t->helpers++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void wake(struct ub_team *t, int64_t helpers)
{
    for (int n = take_sleepers(&t->asleep, helpers); n > 0; n--)
        sem_post(&t->news);
}

static void run(struct ub_team *t, int64_t tasks, ub_team_work *work, void *context)
{
    if (!t || t->threads == 1 || tasks < 2) {
        for (int64_t task = 0; task < tasks; task++)
            work(context, task, 0);
        return;
    }
    if (!t->started)
        start_helpers(t);
    t->tasks = tasks;
    t->work = work;
    t->context = context;
    atomic_store(&t->done, 0);
    atomic_store(&t->left, tasks);
    wake(t, tasks - 1 < t->useful ? tasks - 1 : t->useful);
    do_tasks(t, 0);
    wait_for_the_last(t);
}

void ub_team_run(struct ub_team *t, int64_t tasks, ub_team_work *work, void *context)
{
    const bool timed = t && t->timed && tasks > 1;
    const int64_t start = timed ? nanoseconds() : 0;
    run(t, tasks, work, context);
    if (timed)
        t->nanoseconds += nanoseconds() - start;
}

void ub_team_time(struct ub_team *t)
{
    t->timed = true;
    t->nanoseconds = 0;
}

double ub_team_seconds(const struct ub_team *t)
{
    return 1e-9 * (double)t->nanoseconds;
}

void ub_team_free(struct ub_team *t)
{
    if (!t)
        return;
    atomic_store(&t->leaving, true);
    wake(t, t->helpers);
    for (int i = 0; i < t->helpers; i++)
        pthread_join(t->helper[i].thread, NULL);
    sem_destroy(&t->news);
    sem_destroy(&t->finished);
    ub_free(t->helper);
    ub_free(t);
}
