/*
 * System calls as functions that return 0 (or what is documented) or -errno, and the names of errors, signals and
 * limits. Knows nothing of JavaScript; never decides, never logs.
 */
#ifndef ONEVISOR_SYSCALLS_H
#define ONEVISOR_SYSCALLS_H

#include <grp.h>
#include <pwd.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/types.h>

/* The name of an errno, as ENOENT; "UNKNOWN" for one that has none here. */
const char *sys_error_name(int error);

/*
 * The number of a signal by its name, with or without SIG, in any case, also RTMIN+n and RTMAX-n; 0 when there is none.
 */
int sys_signal_number(const char *name);

/* RLIMIT_* by its name in lower case without the prefix; -1 when there is none. */
int sys_limit_number(const char *name);

int sys_get_limit(int resource, struct rlimit *limit);
int sys_set_limit(int resource, const struct rlimit *limit);

/* 1 and a child that has ended; 0 when none has; -errno otherwise. Never waits. */
int sys_reap(pid_t *pid, int *status);
int sys_kill(pid_t pid, int signal);
int sys_set_subreaper(void);
int sys_ignore_signal(int signal);
/* A descriptor that becomes readable when the wall clock is set (timerfd_create(2)); -errno on failure. */
int sys_open_clock_watch(void);
/* Makes it wait for the next time. Returns 0 or -errno. */
int sys_rearm_clock_watch(int fd);
/* Takes a signal out of the mask of the calling thread. */
int sys_unblock_signal(int signal);

/* Credentials of all threads of this process. `failed` names the call that failed. */
int sys_become_user(uid_t uid, gid_t gid, const gid_t *groups, size_t count, const char **failed);

/* A pipe, close-on-exec: its end to read from, its end to write to. */
int sys_open_pipe(int ends[2]);
/* Reads once from a descriptor that does not block: the number of bytes, 0 at end of file, or -errno. */
long sys_read(int fd, void *target, size_t length);
/* Capacity in bytes, or -errno. */
int sys_pipe_size(int fd);
/* The capacity afterwards, the old one when the kernel refused; -errno when fd is no pipe. */
int sys_grow_pipe(int fd, int bytes);

/* A process group, or -errno. */
pid_t sys_foreground_group(int fd);
int sys_set_foreground_group(int fd, pid_t group);
int sys_replace_descriptor(int from, int to);

/* An entry of passwd or group with the memory it points into, which the caller frees. */
struct sys_user {
  struct passwd entry;
  char *memory;
};
struct sys_group {
  struct group entry;
  char *memory;
};

/* 1 when found, 0 when there is none, -errno otherwise. `memory` is NULL unless found. A NULL name means: by id. */
int sys_find_user(const char *name, uid_t uid, struct sys_user *user);
int sys_find_group(const char *name, gid_t gid, struct sys_group *group);

/* The number of groups of a user, stored in *groups, which the caller frees; -errno otherwise. */
int sys_groups_of(const char *name, gid_t gid, gid_t **groups);

#endif
