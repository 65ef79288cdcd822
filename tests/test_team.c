/* Teams of threads: every task is done once, whoever waits sleeps, and a helper that the system
 * keeps from its core holds up nothing but the task it has begun. Nothing here asks how fast: held
 * threads are held for as long as it takes. Also run under ThreadSanitizer (make tsan). */
#define _GNU_SOURCE /* RTLD_NEXT, RUSAGE_THREAD, CPU_SET */
#include "kinds.h"
#include "support.h"
#include "systems/graph/unseen.h"
#include "systems/problem_express.h"
#include "systems/systems.h"

#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { TASKS = 37, MEMBERS = 4 };

struct tally {
    int done[TASKS];        /* plain: tasks are not shared */
    int by_member[MEMBERS]; /* plain: no two members at once are the same */
    _Atomic int at_work[MEMBERS];
    bool overlap;
};

static void count_task(void *context, int64_t task, int member)
{
    struct tally *t = context;
    assert_in_range(member, 0, MEMBERS - 1);
    if (atomic_fetch_add(&t->at_work[member], 1) != 0)
        t->overlap = true;
    t->done[task]++;
    t->by_member[member]++;
    if (task % 5 == 0)
        sched_yield();
    atomic_fetch_sub(&t->at_work[member], 1);
}

static void sleep_a_little(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 300000}, NULL); /* longer than any spinning */
}

static void every_task_is_done_once(void **state)
{
    (void)state;
    for (int threads = 1; threads <= MEMBERS; threads++) {
        struct ub_team *team = ub_team_new(threads);
        struct tally tally = {.overlap = false};
        int runs = 0, all = 0;
        assert_int_equal(ub_team_threads(team), threads);
        for (; runs < 2000; runs++) {
            ub_team_run(team, runs % 2 ? TASKS : 2 + runs % 3, count_task, &tally);
            if (runs % 100 == 99)
                sleep_a_little(); /* helpers fall asleep and are woken */
        }
        for (int i = 0; i < TASKS; i++) {
            const int small = i < 2 ? 1000 : i == 2 ? 667 : i == 3 ? 333 : 0;
            assert_in_range(tally.done[i], 1000 + small - 1, 1000 + small);
            all += tally.done[i];
        }
        for (int m = 0; m < MEMBERS; m++)
            all -= tally.by_member[m];
        assert_int_equal(all, 0);
        assert_false(tally.overlap);
        ub_team_free(team);
    }
}

static void sleep_through_a_task(void *context, int64_t task, int member)
{
    (void)context, (void)task, (void)member;
    sleep_a_little();
}

/* What is counted is what can be shared: not a run of one task. */
static void a_timed_team_counts_what_is_shared(void **state)
{
    (void)state;
    struct ub_team *team = ub_team_new(1);
    ub_team_run(team, 2, sleep_through_a_task, NULL);
    ub_team_time(team);
    ub_team_run(team, 1, sleep_through_a_task, NULL);
    assert_true(ub_team_seconds(team) == 0);
    ub_team_run(team, 2, sleep_through_a_task, NULL);
    assert_true(ub_team_seconds(team) >= 2 * 300e-6); /* a sleep is never shorter */
    ub_team_free(team);
}

static void nobody_and_nothing(void **state)
{
    (void)state;
    struct tally tally = {.overlap = false};
    ub_team_run(NULL, TASKS, count_task, &tally);
    assert_int_equal(tally.by_member[0], TASKS);
    assert_int_equal(ub_team_threads(NULL), 1);
    struct ub_team *team = ub_team_new(3);
    ub_team_run(team, 0, count_task, &tally);
    ub_team_run(team, 1, count_task, &tally); /* nothing to share: the caller's */
    assert_int_equal(tally.by_member[0], TASKS + 1);
    ub_team_free(team);
    ub_team_free(ub_team_new(5)); /* never run */
    ub_team_free(NULL);
}

static void wait_for_a_helper(void *context, int64_t task, int member)
{
    _Atomic int *helped = context;
    (void)task;
    if (member > 0) {
        atomic_store(helped, 1);
        return;
    }
    while (!atomic_load(helped))
        sched_yield();
}

/* The caller's task ends only when a helper has had one: helpers do take part, also from sleep. */
static void helpers_help(void **state)
{
    (void)state;
    struct ub_team *team = ub_team_new(2);
    for (int run = 0; run < 50; run++) {
        _Atomic int helped = 0;
        ub_team_run(team, 2, wait_for_a_helper, &helped);
        assert_int_equal(helped, 1);
        if (run % 10 == 0)
            sleep_a_little();
    }
    ub_team_free(team);
}

/* ---- held threads ---- */

enum { GIVE_UP = 120 /* s: whoever waits for a held thread would wait for ever */ };

static _Atomic bool gate_closed; /* new threads stop before their first line */
static _Atomic int at_gate;
static _Atomic bool gave_up;

static void open_gate(int number)
{
    (void)number;
    atomic_store(&gave_up, true);
    atomic_store(&gate_closed, false);
}

static void close_gate(void)
{
    atomic_store(&gave_up, false);
    atomic_store(&at_gate, 0);
    atomic_store(&gate_closed, true);
    signal(SIGALRM, open_gate);
    alarm(GIVE_UP);
}

static void leave_gate(void)
{
    alarm(0);
    atomic_store(&gate_closed, false);
}

struct start {
    void *(*run)(void *);
    void *context;
};

static void *start_at_gate(void *context)
{
    const struct start s = *(struct start *)context;
    ub_free(context);
    while (atomic_load(&gate_closed))
        sleep_a_little();
    return s.run(s.context);
}

/* Takes the place of the C library's for us and for every library (OpenMP's, too). */
int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                   void *context)
{
    typedef int create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    create *real = NULL;
    *(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
    if (!atomic_load(&gate_closed))
        return real(thread, attributes, run, context);
    struct start *s = ub_alloc(sizeof *s);
    *s = (struct start){run, context};
    atomic_fetch_add(&at_gate, 1);
    return real(thread, attributes, start_at_gate, s);
}

/* With all helpers held before their first line, the caller does their work and returns. */
static void helpers_that_never_come_hold_up_nobody(void **state)
{
    (void)state;
    struct tally tally = {.overlap = false};
    struct ub_team *team = ub_team_new(MEMBERS);
    close_gate();
    for (int run = 0; run < 20; run++)
        ub_team_run(team, TASKS, count_task, &tally);
    leave_gate();
    assert_false(gave_up);
    assert_int_equal(at_gate, MEMBERS - 1);
    assert_int_equal(tally.by_member[0], 20 * TASKS);
    ub_team_free(team);
}

/* The same of a problem's gradients and products, however its threads are made. */
static void problems_wait_for_no_thread(void **state)
{
    (void)state;
    struct ub_error err = {0};
    struct ub_dataset *data = ub_dataset_load("digits:size=150", 0, NULL, &err);
    double *gradient[2], *product[2], *theta = NULL;
    for (int held = 0; held < 2; held++) {
        struct ub_problem *p = ub_problem_new(
            &(struct ub_problem_spec){
                .model = "mlp:widths=16", .loss = "ce", .data = data, .threads = MEMBERS},
            &err);
        assert_non_null(p);
        const int64_t n = ub_problem_size(p);
        gradient[held] = ub_calloc((size_t)n, sizeof(double));
        product[held] = ub_calloc((size_t)n, sizeof(double));
        theta = held ? theta : ub_calloc((size_t)n, sizeof *theta);
        if (held)
            close_gate();
        ub_problem_init(p, 1, theta);
        ub_problem_gradient(p, theta, gradient[held]);
        ub_problem_linearize(p, theta);
        ub_problem_hvp(p, 1, theta, product[held]);
        if (held)
            leave_gate();
        ub_problem_free(p);
        if (!held)
            continue;
        assert_false(gave_up);
        assert_int_equal(at_gate, MEMBERS - 1);
        assert_memory_equal(gradient[0], gradient[1], (size_t)n * sizeof(double));
        assert_memory_equal(product[0], product[1], (size_t)n * sizeof(double));
    }
    for (int held = 0; held < 2; held++) {
        ub_free(gradient[held]);
        ub_free(product[held]);
    }
    ub_free(theta);
    ub_dataset_free(data);
}

/* ---- a helper held amid its task ---- */

struct hold {
    int tasks;
    _Atomic int done;
    _Atomic bool holding;
    bool others_first; /* the held task ends when all others have, else after a while */
    int64_t nanoseconds;
    double caller_cpu; /* s that the caller had used at its last task's end */
};

static double cpu_seconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void hold_a_helper(void *context, int64_t task, int member)
{
    struct hold *h = context;
    (void)task;
    if (member > 0 && !atomic_exchange(&h->holding, true)) {
        while (h->others_first && atomic_load(&h->done) < h->tasks - 1 && !atomic_load(&gave_up))
            sleep_a_little();
        nanosleep(&(struct timespec){.tv_nsec = h->nanoseconds}, NULL);
    }
    while (member == 0 && !atomic_load(&h->holding) && !atomic_load(&gave_up))
        sleep_a_little();
    atomic_fetch_add(&h->done, 1);
    if (member == 0)
        h->caller_cpu = cpu_seconds(CLOCK_THREAD_CPUTIME_ID);
}

/* A member held amid a task keeps that task only: the others do the rest. */
static void a_held_helper_keeps_one_task(void **state)
{
    (void)state;
    for (int threads = 2; threads <= MEMBERS; threads++) {
        struct ub_team *team = ub_team_new(threads);
        struct hold h = {.tasks = TASKS, .others_first = true};
        atomic_store(&gave_up, false);
        signal(SIGALRM, open_gate);
        alarm(GIVE_UP);
        ub_team_run(team, TASKS, hold_a_helper, &h);
        alarm(0);
        assert_false(gave_up);
        assert_int_equal(h.done, TASKS);
        ub_team_free(team);
    }
}

/* ---- who waits, sleeps ---- */

enum { ROUNDS = 25, AWHILE = 10000000 /* ns */ };

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, ascending);
    return values[count / 2];
}

/* Processor time, not time: a thread that waits may look about for 20 us, and fall asleep. Ten
 * times that is far from AWHILE's 10 ms, and from what a core's share is where many want it. The
 * median, since a hypervisor's pauses are booked on whoever runs. */
static const double little = 200e-6;

static void nothing(void *context, int64_t task, int member)
{
    (void)context, (void)task, (void)member;
}

static void an_idle_team_uses_no_processor(void **state)
{
    (void)state;
    const int cores = ub_available_cpus(), sizes[] = {2, cores < 2 ? 2 : cores, 2 * cores + 1};
    for (int s = 0; s < 3; s++) {
        struct ub_team *team = ub_team_new(sizes[s]);
        double used[ROUNDS];
        for (int round = 0; round < ROUNDS; round++) {
            ub_team_run(team, sizes[s], nothing, NULL);
            const double before = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID);
            nanosleep(&(struct timespec){.tv_nsec = AWHILE}, NULL);
            used[round] = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID) - before;
        }
        ub_team_free(team);
        const double each = median(used, ROUNDS) / sizes[s];
        print_message("%d threads: %.0f us a thread while idle\n", sizes[s], 1e6 * each);
        assert_true(each < little);
    }
}

static void the_caller_sleeps_until_the_last_task(void **state)
{
    (void)state;
    struct ub_team *team = ub_team_new(2);
    double used[ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
        struct hold h = {.tasks = 2, .nanoseconds = AWHILE};
        ub_team_run(team, 2, hold_a_helper, &h);
        used[round] = cpu_seconds(CLOCK_THREAD_CPUTIME_ID) - h.caller_cpu;
    }
    ub_team_free(team);
    const double each = median(used, ROUNDS);
    print_message("%.0f us while a helper ends its task\n", 1e6 * each);
    assert_true(each < little);
}

#ifndef UB_THREAD_SANITIZER /* its own threads sleep and wake, too */
/* Voluntary switches of all threads but the caller: each ends a waking. */
static long wakings(void)
{
    struct rusage all, caller;
    getrusage(RUSAGE_SELF, &all);
    getrusage(RUSAGE_THREAD, &caller);
    return all.ru_nvcsw - caller.ru_nvcsw;
}

/* On one core a team of four wakes one helper a run, not three that could not run. */
static void no_more_helpers_are_woken_than_have_cores(void **state)
{
    (void)state;
    cpu_set_t before, one;
    assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
    CPU_ZERO(&one);
    for (size_t core = 0; core < CPU_SETSIZE && CPU_COUNT(&one) == 0; core++)
        if (CPU_ISSET(core, &before))
            CPU_SET(core, &one);
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    struct ub_team *team = ub_team_new(MEMBERS);
    ub_team_run(team, TASKS, nothing, NULL);
    nanosleep(&(struct timespec){.tv_nsec = AWHILE}, NULL);
    const long start = wakings();
    for (int round = 0; round < ROUNDS; round++) {
        ub_team_run(team, TASKS, nothing, NULL);
        nanosleep(&(struct timespec){.tv_nsec = AWHILE}, NULL);
    }
    const long woken = wakings() - start;
    ub_team_free(team);
    sched_setaffinity(0, sizeof before, &before);
    print_message("%ld wakings in %d runs\n", woken, ROUNDS);
    assert_true(woken <= ROUNDS + MEMBERS); /* some may have fallen asleep after `start` only */
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_task_is_done_once),
        cmocka_unit_test(a_timed_team_counts_what_is_shared),
        cmocka_unit_test(nobody_and_nothing),
        cmocka_unit_test(helpers_help),
        cmocka_unit_test(helpers_that_never_come_hold_up_nobody),
        cmocka_unit_test(problems_wait_for_no_thread),
        cmocka_unit_test(a_held_helper_keeps_one_task),
        cmocka_unit_test(an_idle_team_uses_no_processor),
        cmocka_unit_test(the_caller_sleeps_until_the_last_task),
#ifndef UB_THREAD_SANITIZER
        cmocka_unit_test(no_more_helpers_are_woken_than_have_cores),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
