/*
 * A look at the limits of processes and threads that can be read: RLIMIT_NPROC, and pids.max of our control group and
 * of those above it. Other limits may exist: a control group above the ones that are visible here, or the number of
 * processes that a user has already. So a limit that is far away only makes a trial shorter (addon-threads.c).
 */
#ifndef ONEVISOR_TASK_ROOM_H
#define ONEVISOR_TASK_ROOM_H

#include <stdbool.h>

/* The files that are read; others in tests only. */
struct task_files {
  /* /proc/self/cgroup, see cgroups(7). */
  const char *own_groups;
  /* The mount of version 2, and of the controller `pids` of version 1. */
  const char *unified;
  const char *pids;
};

extern const struct task_files system_task_files;

/* True if every limit that can be read leaves room for `tasks` more, and our control group can be read. */
bool sys_has_task_room(const struct task_files *files, long tasks);

#endif
