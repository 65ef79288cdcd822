/* team.h - threads that share out independent tasks.
 *
 *     struct ub_team *team = ub_team_new(4);
 *     ub_team_run(team, 8, work, context); // work(context, task, member): tasks 0..7, members 0..3
 *     ub_team_free(team);
 *
 * The caller is member 0 and takes tasks as its helpers do; in the end it waits for tasks that
 * were begun, not for threads. A barrier, as at the end of OpenMP's loops, waits for every thread:
 * one that another process keeps from its core holds up all, though it has nothing to do. Here a
 * helper that comes late finds nothing left, and nobody holds a lock. Who waits spins for some
 * microseconds, then sleeps; where there are fewer cores than members he sleeps at once, and a run
 * wakes no more helpers than there are cores for. */
#ifndef UB_TEAM_H
#define UB_TEAM_H

#include "base/base.h"

struct ub_team;
/* One task; `member` is the index of the thread that does it: no two at once have the same. */
typedef void ub_team_work(void *context, int64_t task, int member);

/* A team of `threads` >= 1, the caller among them. Helpers are started by the first run that has
 * work for them (a team may be made before a fork and run after it); where the system refuses
 * one, those there are do its work. */
struct ub_team *ub_team_new(int threads);
/* One for reading so many files and the like, a fraction of a millisecond each: a thread a core, 8
 * at most; NULL for tasks so few that they are done before a thread has started. */
struct ub_team *ub_team_for(int64_t tasks);
void ub_team_free(struct ub_team *team);
int ub_team_threads(const struct ub_team *team); /* of NULL: 1 */

/* Does all tasks and returns when they are done; what they wrote is then seen by the caller. One
 * run at a time; not from inside a task. A NULL team is the caller alone. */
void ub_team_run(struct ub_team *team, int64_t tasks, ub_team_work *work, void *context);

/* From now on the seconds that runs of several tasks take are counted: of a team of one, the time
 * that more threads would share. */
void ub_team_time(struct ub_team *team);
double ub_team_seconds(const struct ub_team *team);

#endif
