#include "systems/graph/team.h"

#include <pthread.h>
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
 * the rest, which the caller does not touch before `done` has reached `tasks`. Flags are
 * sequentially consistent: who is about to sleep raises his flag and looks once more, who has news
 * gives it and then looks at the flag, so one of the two sees the other. */
struct ub_team {
    int threads;
    int helpers; /* started */
    bool started;
    struct helper *helper;

    int64_t tasks;
    ub_team_work *work;
    void *context;

    _Alignas(64) _Atomic int64_t left; /* tasks that nobody has taken */
    _Alignas(64) _Atomic int64_t done;
    _Atomic int asleep;         /* helpers, or about to be */
    _Atomic bool caller_asleep; /* or about to be */
    _Alignas(64) pthread_mutex_t mutex;
    pthread_cond_t news, finished; /* helpers wait for news, the caller for the last task */
    bool leaving;                  /* under the mutex */
};

struct ub_team *ub_team_new(int threads)
{
    struct ub_team *t = ub_calloc(1, sizeof *t);
    t->threads = threads > 1 ? threads : 1;
    t->helper = ub_calloc((size_t)t->threads, sizeof *t->helper);
    pthread_mutex_init(&t->mutex, NULL);
    pthread_cond_init(&t->news, NULL);
    pthread_cond_init(&t->finished, NULL);
    return t;
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

/* False when the team is to go. */
static bool wait_for_work(struct ub_team *t)
{
    if (spin_until(t, has_work))
        return true;
    pthread_mutex_lock(&t->mutex);
    atomic_fetch_add(&t->asleep, 1);
    while (!has_work(t) && !t->leaving)
        pthread_cond_wait(&t->news, &t->mutex);
    atomic_fetch_sub(&t->asleep, 1);
    const bool leaving = t->leaving;
    pthread_mutex_unlock(&t->mutex);
    return !leaving;
}

static void wait_for_the_last(struct ub_team *t)
{
    if (spin_until(t, is_finished))
        return;
    pthread_mutex_lock(&t->mutex);
    atomic_store(&t->caller_asleep, true);
    while (!is_finished(t))
        pthread_cond_wait(&t->finished, &t->mutex);
    atomic_store(&t->caller_asleep, false);
    pthread_mutex_unlock(&t->mutex);
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
        if (!last || !atomic_load(&t->caller_asleep))
            continue;
        pthread_mutex_lock(&t->mutex);
        pthread_cond_signal(&t->finished);
        pthread_mutex_unlock(&t->mutex);
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

static void wake(struct ub_team *t, int64_t useful)
{
    const int asleep = atomic_load(&t->asleep);
    if (asleep == 0)
        return;
    pthread_mutex_lock(&t->mutex);
    if (useful >= asleep)
        pthread_cond_broadcast(&t->news);
    else
        for (int64_t i = 0; i < useful; i++)
            pthread_cond_signal(&t->news);
    pthread_mutex_unlock(&t->mutex);
}

void ub_team_run(struct ub_team *t, int64_t tasks, ub_team_work *work, void *context)
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
    wake(t, tasks - 1);
    do_tasks(t, 0);
    wait_for_the_last(t);
}

void ub_team_free(struct ub_team *t)
{
    if (!t)
        return;
    pthread_mutex_lock(&t->mutex);
    t->leaving = true;
    pthread_cond_broadcast(&t->news);
    pthread_mutex_unlock(&t->mutex);
    for (int i = 0; i < t->helpers; i++)
        pthread_join(t->helper[i].thread, NULL);
    pthread_cond_destroy(&t->news);
    pthread_cond_destroy(&t->finished);
    pthread_mutex_destroy(&t->mutex);
    ub_free(t->helper);
    ub_free(t);
}
