/*
 * System calls as functions, see syscalls.h.
 */
#include "syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel.h"

enum { FIRST_LOOKUP_BYTES = 1024, LAST_LOOKUP_BYTES = 4 * 1024 * 1024 };

static int result_of(int returned) { return returned < 0 ? -errno : returned; }

int sys_get_limit(int resource, struct rlimit *limit) {
  return result_of(getrlimit((__rlimit_resource_t)resource, limit));
}

int sys_set_limit(int resource, const struct rlimit *limit) {
  return result_of(setrlimit((__rlimit_resource_t)resource, limit));
}

int sys_reap(pid_t *pid, int *status, struct rusage *usage) {
  do {
    *pid = wait4(-1, status, WNOHANG, usage);
  } while (*pid < 0 && errno == EINTR);
  if (*pid < 0) {
    return errno == ECHILD ? 0 : -errno;
  }
  return *pid > 0;
}

int sys_kill(pid_t pid, int signal) { return result_of(kill(pid, signal)); }

int sys_set_subreaper(void) { return result_of(prctl(PR_SET_CHILD_SUBREAPER, 1UL, 0UL, 0UL, 0UL)); }

int sys_become_user(const struct sys_identity *identity, const char **failed) {
  const uid_t uid = identity->uid;
  const gid_t gid = identity->gid;
  *failed = "setgroups";
  if (setgroups(identity->group_count, identity->groups) != 0) {
    return -errno;
  }
  *failed = "setresgid";
  if (setresgid(gid, gid, gid) != 0) {
    return -errno;
  }
  *failed = "setresuid";
  return result_of(setresuid(uid, uid, uid));
}

int sys_open_pipe(int ends[2]) { return result_of(pipe2(ends, O_CLOEXEC)); }

long sys_read(int fd, void *target, size_t length) {
  for (;;) {
    const ssize_t count = read(fd, target, length);
    if (count >= 0) {
      return count;
    }
    if (errno != EINTR) {
      return -errno;
    }
  }
}

long sys_write(int fd, const void *bytes, size_t length) {
  for (;;) {
    const ssize_t count = write(fd, bytes, length);
    if (count >= 0) {
      return count;
    }
    if (errno != EINTR) {
      return -errno;
    }
  }
}

int sys_pipe_size(int fd) { return result_of(fcntl(fd, F_GETPIPE_SZ)); }

int sys_grow_pipe(int fd, int bytes) {
  const int size = fcntl(fd, F_SETPIPE_SZ, bytes);
  return size >= 0 ? size : sys_pipe_size(fd);
}

pid_t sys_foreground_group(int fd) { return result_of(tcgetpgrp(fd)); }

/* Signals that we ignore: bit n-1 stands for signal n. */
static uint64_t ignored;

uint64_t sys_ignored_signals(void) {
  static bool is_known;
  /* The raw call also reaches the two signals that glibc reserves. */
  for (int number = 1; !is_known && number <= LAST_SIGNAL; ++number) {
    struct {
      uintptr_t handler, flags, restorer;
      uint64_t mask;
    } action = {0};
    const long result = syscall(SYS_rt_sigaction, number, NULL, &action, (size_t)KERNEL_SIGSET_BYTES);
    if (result == 0 && action.handler == (uintptr_t)SIG_IGN) {
      ignored |= (uint64_t)1 << (number - 1);
    }
  }
  is_known = true;
  return ignored;
}

int sys_ignore_signal(int number) {
  if (signal(number, SIG_IGN) == SIG_ERR) {
    return -errno;
  }
  ignored |= (uint64_t)1 << (number - 1);
  return 0;
}

int sys_open_clock_watch(void) {
  const int fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
  if (fd < 0) {
    return -errno;
  }
  const int result = sys_rearm_clock_watch(fd);
  if (result < 0) {
    close(fd);
    return result;
  }
  return fd;
}

/* The timer expires in the year 2255. Only a change of the clock makes the descriptor readable (ECANCELED). */
int sys_rearm_clock_watch(int fd) {
  const struct itimerspec never = {.it_value = {.tv_sec = 9000000000}};
  uint64_t expirations = 0;
  const ssize_t taken = read(fd, &expirations, sizeof expirations);
  (void)taken;
  return result_of(timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, NULL));
}

int sys_unblock_signal(int number) {
  const uint64_t unblocked = (uint64_t)1 << (number - 1);
  return result_of(syscall(SYS_rt_sigprocmask, SIG_UNBLOCK, &unblocked, NULL, (size_t)KERNEL_SIGSET_BYTES));
}

int sys_replace_descriptor(int from, int to) {
  const int result = result_of(dup2(from, to));
  return result < 0 ? result : 0;
}

/*
 * The kernel stops a process of a background group with SIGTTOU when it calls tcsetpgrp(3), unless the calling thread
 * blocks or ignores SIGTTOU. The raw call changes the mask of this thread only.
 */
int sys_set_foreground_group(int fd, pid_t group) {
  const uint64_t blocked = (uint64_t)1 << (SIGTTOU - 1);
  uint64_t before = 0;
  syscall(SYS_rt_sigprocmask, SIG_BLOCK, &blocked, &before, (size_t)KERNEL_SIGSET_BYTES);
  const int result = result_of(tcsetpgrp(fd, group));
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, (size_t)KERNEL_SIGSET_BYTES);
  return result;
}

/* getpwnam(3): some name services report "not found" by one of these errors. */
static int outcome_of_failed_lookup(int error) {
  return error == 0 || error == ENOENT || error == ESRCH || error == EBADF || error == EPERM ? 0 : -error;
}

int sys_find_user(const char *name, uid_t uid, struct sys_user *user) {
  for (size_t size = FIRST_LOOKUP_BYTES;; size *= 2) {
    struct passwd *found = NULL;
    user->memory = malloc(size);
    if (user->memory == NULL) {
      return -ENOMEM;
    }
    const int error = name != NULL ? getpwnam_r(name, &user->entry, user->memory, size, &found)
                                   : getpwuid_r(uid, &user->entry, user->memory, size, &found);
    if (found != NULL) {
      return 1;
    }
    free(user->memory);
    user->memory = NULL;
    if (error != ERANGE || size >= LAST_LOOKUP_BYTES) {
      return outcome_of_failed_lookup(error);
    }
  }
}

int sys_find_group(const char *name, gid_t gid, struct sys_group *group) {
  for (size_t size = FIRST_LOOKUP_BYTES;; size *= 2) {
    struct group *found = NULL;
    group->memory = malloc(size);
    if (group->memory == NULL) {
      return -ENOMEM;
    }
    const int error = name != NULL ? getgrnam_r(name, &group->entry, group->memory, size, &found)
                                   : getgrgid_r(gid, &group->entry, group->memory, size, &found);
    if (found != NULL) {
      return 1;
    }
    free(group->memory);
    group->memory = NULL;
    if (error != ERANGE || size >= LAST_LOOKUP_BYTES) {
      return outcome_of_failed_lookup(error);
    }
  }
}

int sys_groups_of(const char *name, gid_t gid, gid_t **groups) {
  int capacity = 32;
  for (;;) {
    int count = capacity;
    *groups = malloc((size_t)capacity * sizeof(gid_t));
    if (*groups == NULL) {
      return -ENOMEM;
    }
    if (getgrouplist(name, gid, *groups, &count) >= 0) {
      return count;
    }
    free(*groups);
    *groups = NULL;
    /* Linux allows 65536 groups. `count` may stay too small: some name services do not report the number. */
    if (capacity > 65536) {
      return -ERANGE;
    }
    capacity = count > capacity ? count : capacity * 2;
  }
}
