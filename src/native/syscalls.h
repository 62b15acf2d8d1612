/*
 * System calls as functions. Unless documented otherwise, each returns 0 or -errno. Nothing here knows JavaScript.
 */
#ifndef ONEVISOR_SYSCALLS_H
#define ONEVISOR_SYSCALLS_H

#include <grp.h>
#include <pwd.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

int sys_get_limit(int resource, struct rlimit *limit);
int sys_set_limit(int resource, const struct rlimit *limit);

/*
 * Collects any child that has ended: wait4(-1) with WNOHANG. `usage` gets the resources of the child and of the
 * descendants that were waited for. Returns 1, 0 if no child has ended, or -errno.
 */
int sys_reap(pid_t *pid, int *status, struct rusage *usage);
int sys_kill(pid_t pid, int signal);
int sys_set_subreaper(void);
int sys_ignore_signal(int signal);
/*
 * Signals that we ignore, with those that we have inherited so: bit n-1 stands for signal n. The kernel is asked once:
 * Node ignores some at its start, and later only sys_ignore_signal does.
 */
uint64_t sys_ignored_signals(void);
/* A descriptor that becomes readable when the wall clock is set (timerfd_create(2)), or -errno. */
int sys_open_clock_watch(void);
/* Makes the descriptor wait for the next change of the clock. */
int sys_rearm_clock_watch(int fd);
/* Removes a signal from the mask of the calling thread. */
int sys_unblock_signal(int signal);

struct sys_identity {
  uid_t uid;
  gid_t gid;
  const gid_t *groups;
  size_t group_count;
};

/* Changes the credentials of all threads of this process. On failure `failed` is the name of the system call. */
int sys_become_user(const struct sys_identity *identity, const char **failed);

/* A pipe, close-on-exec. ends[0] is the read end, ends[1] the write end. */
int sys_open_pipe(int ends[2]);
/* Reads once from a non-blocking descriptor. Returns the number of bytes, 0 at end of file, or -errno. */
long sys_read(int fd, void *target, size_t length);
/* Writes once to a non-blocking descriptor. Returns the number of bytes, or -errno. */
long sys_write(int fd, const void *bytes, size_t length);
/* Capacity of a pipe in bytes, or -errno. */
int sys_pipe_size(int fd);
/* Asks for a capacity and returns the capacity afterwards: the old one if the kernel refused, -errno for no pipe. */
int sys_grow_pipe(int fd, int bytes);

/* The foreground process group of a terminal, or -errno. */
pid_t sys_foreground_group(int fd);
int sys_set_foreground_group(int fd, pid_t group);
/* dup2(2): `to` becomes a copy of `from` in one step. */
int sys_replace_descriptor(int from, int to);

/* An entry of passwd or group, and the memory that it points into. The caller frees `memory`. */
struct sys_user {
  struct passwd entry;
  char *memory;
};
struct sys_group {
  struct group entry;
  char *memory;
};

/* Returns 1 if found, 0 if not, or -errno. `memory` is NULL unless found. With a NULL name, the id is looked up. */
int sys_find_user(const char *name, uid_t uid, struct sys_user *user);
int sys_find_group(const char *name, gid_t gid, struct sys_group *group);

/* Stores the groups of a user in *groups, which the caller frees. Returns their number or -errno. */
int sys_groups_of(const char *name, gid_t gid, gid_t **groups);

#endif
