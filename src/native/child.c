/*
 * The code that runs between clone and exec, and nothing else. The child shares the parent's memory while the other
 * threads of the parent run, so only async-signal-safe calls are allowed: no allocation, no locks, no N-API. Raw system
 * calls change the credentials, because glibc's setuid, setgroups and similar functions signal every thread of the
 * process, and in shared memory those are the parent's threads.
 */
#include "child.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernel.h"

#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

/* Without close_range and without /proc, only descriptors up to this number are found and closed. */
enum { HIGHEST_GUESSED_DESCRIPTOR = 65535 };

const struct child_stage_name child_stage_names[] = {
#define CHILD_STAGE_NAME(stage, name, call) [stage] = {name, call},
    CHILD_STAGES(CHILD_STAGE_NAME)
#undef CHILD_STAGE_NAME
};
#define COUNT_NAMED(stage, name, call) +(sizeof(name) > 1 && sizeof(call) > 1)
static_assert(0 CHILD_STAGES(COUNT_NAMED) == STAGE_COUNT, "each stage has a name and a system call");
#undef COUNT_NAMED

/*
 * Notes a failure in the plan, which is the parent's memory, and ends the child; does not return. It is not declared
 * _Noreturn: before a call of such a function, ASan would unpoison the stack of the parent.
 */
static void fail(struct child_plan *plan, enum child_stage stage, int error) {
  plan->failure = (struct child_failure){.stage = stage, .error = error};
  syscall(SYS_exit_group, 127);
}

/* A zeroed kernel sigaction is SIG_DFL. The raw call also reaches the two signals that glibc reserves. */
static void reset_dispositions(const struct child_plan *plan) {
  static const unsigned char default_action[64] = {0};
  const uint64_t left = plan->has_default_handlers ? plan->ignored : ~(uint64_t)0;
  for (int number = 1; number <= LAST_SIGNAL; ++number) {
    if ((left >> (number - 1) & 1U) == 0) {
      continue;
    }
    syscall(SYS_rt_sigaction, number, default_action, NULL, (size_t)KERNEL_SIGSET_BYTES);
  }
}

static bool is_target(const struct child_plan *plan, int fd) {
  for (size_t i = 0; i < plan->move_count; ++i) {
    if (plan->moves[i].to == fd) {
      return true;
    }
  }
  return false;
}

/*
 * Duplicates fd to a number that no move overwrites. Copies that land on the target of a move on the way stay open:
 * that move overwrites them later.
 */
static int lift(const struct child_plan *plan, int fd) {
  int lowest = 3;
  for (;;) {
    const int copy = fcntl(fd, F_DUPFD_CLOEXEC, lowest);
    if (copy < 0 || !is_target(plan, copy)) {
      return copy;
    }
    lowest = copy + 1;
  }
}

static int parse_descriptor(const char *text) {
  int number = 0;
  for (; *text >= '0' && *text <= '9'; ++text) {
    number = number * 10 + (*text - '0');
  }
  return number;
}

struct kernel_dirent {
  uint64_t inode;
  int64_t offset;
  uint16_t length;
  uint8_t type;
  char name[];
};

/*
 * Sets the close-on-exec flag of every descriptor from 3 on. The descriptors for the program are duplicated afterwards,
 * and the copies do not have the flag.
 */
static int seal_descriptors(void) {
  if (syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) == 0) {
    return 0;
  }
  /* Older kernels do not have the call or its flag, and older seccomp profiles answer EPERM. */
  const int directory = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) {
    for (int fd = 3; fd <= HIGHEST_GUESSED_DESCRIPTOR; ++fd) {
      fcntl(fd, F_SETFD, FD_CLOEXEC);
    }
    return 0;
  }
  _Alignas(struct kernel_dirent) char entries[2048];
  long length;
  while ((length = syscall(SYS_getdents64, directory, entries, sizeof entries)) > 0) {
    for (long at = 0; at < length;) {
      const struct kernel_dirent *entry = (const struct kernel_dirent *)(const void *)(entries + at);
      const int fd = parse_descriptor(entry->name);
      if (fd >= 3) {
        fcntl(fd, F_SETFD, FD_CLOEXEC);
      }
      at += entry->length;
    }
  }
  const int error = length < 0 ? errno : 0;
  close(directory);
  return error;
}

/* Gives the program its descriptors. Old and new numbers may overlap in any way. */
static void move_descriptors(struct child_plan *plan) {
  const int error = seal_descriptors();
  if (error != 0) {
    fail(plan, STAGE_DESCRIPTORS, error);
  }
  for (size_t i = 0; i < plan->move_count; ++i) {
    struct child_move *move = &plan->moves[i];
    if (move->from != move->to && is_target(plan, move->from)) {
      move->from = lift(plan, move->from);
      if (move->from < 0) {
        fail(plan, move->to <= 2 ? STAGE_STDIO : STAGE_DESCRIPTORS, errno);
      }
    }
  }
  for (size_t i = 0; i < plan->move_count; ++i) {
    const struct child_move *move = &plan->moves[i];
    const int result = move->from == move->to ? fcntl(move->to, F_SETFD, 0) : dup2(move->from, move->to);
    if (result < 0) {
      fail(plan, move->to <= 2 ? STAGE_STDIO : STAGE_DESCRIPTORS, errno);
    }
  }
}

static int write_oom_score(const char *text) {
  const int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (fd < 0) {
    return -1;
  }
  size_t length = 0;
  while (text[length] != '\0') {
    ++length;
  }
  const ssize_t written = write(fd, text, length);
  const int error = errno;
  close(fd);
  errno = error;
  return written < 0 ? -1 : 0;
}

/* "0" is the process that writes. Comes before the limits, of which RLIMIT_FSIZE might forbid the write. */
static void enter_cgroup(struct child_plan *plan) {
  if (write(plan->cgroup, "0", 1) != 1) {
    fail(plan, STAGE_CGROUP, errno);
  }
}

/*
 * Comes before the change of credentials: raising a limit or a priority may need the privileges of the supervisor. The
 * file is opened before the limits: a low RLIMIT_NOFILE would refuse its descriptor, since ours are still open.
 */
static void set_resources(struct child_plan *plan) {
  if (plan->oom_score_adj != NULL && write_oom_score(plan->oom_score_adj) != 0) {
    fail(plan, STAGE_OOM, errno);
  }
  for (size_t i = 0; i < plan->limit_count; ++i) {
    if (setrlimit((__rlimit_resource_t)plan->limits[i].resource, &plan->limits[i].value) != 0) {
      fail(plan, STAGE_LIMITS, errno);
    }
  }
  if (plan->has_nice && setpriority(PRIO_PROCESS, 0, plan->nice) != 0) {
    fail(plan, STAGE_NICE, errno);
  }
}

/* Needs CAP_SETPCAP, so this comes before the change of credentials. */
static void drop_from_bounding_set(struct child_plan *plan) {
  for (unsigned long capability = 0; capability < 64; ++capability) {
    const bool is_dropped = (plan->capabilities->dropped >> capability & 1U) != 0;
    if (is_dropped && prctl(PR_CAPBSET_DROP, capability, 0UL, 0UL, 0UL) != 0) {
      fail(plan, STAGE_CAPABILITIES, errno);
    }
  }
}

/* Comes after the change of credentials, which clears the effective and the ambient set. */
static void set_capabilities(struct child_plan *plan) {
  const struct child_capabilities *wanted = plan->capabilities;
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  struct __user_cap_data_struct sets[2];
  for (unsigned half = 0; half < 2; ++half) {
    sets[half].permitted = (uint32_t)(wanted->kept >> (32 * half));
    sets[half].effective = sets[half].permitted;
    sets[half].inheritable = (uint32_t)(wanted->ambient >> (32 * half));
  }
  if (syscall(SYS_capset, &header, sets) != 0) {
    fail(plan, STAGE_CAPABILITIES, errno);
  }
  prctl(PR_CAP_AMBIENT, (unsigned long)PR_CAP_AMBIENT_CLEAR_ALL, 0UL, 0UL, 0UL);
  for (unsigned long capability = 0; capability < 64; ++capability) {
    if ((wanted->ambient >> capability & 1U) != 0 &&
        prctl(PR_CAP_AMBIENT, (unsigned long)PR_CAP_AMBIENT_RAISE, capability, 0UL, 0UL) != 0) {
      fail(plan, STAGE_CAPABILITIES, errno);
    }
  }
}

static void set_credentials(struct child_plan *plan) {
  if (plan->capabilities != NULL) {
    drop_from_bounding_set(plan);
    /* The change of the user would clear the permitted set. */
    if (plan->has_uid && prctl(PR_SET_KEEPCAPS, 1UL, 0UL, 0UL, 0UL) != 0) {
      fail(plan, STAGE_CAPABILITIES, errno);
    }
  }
  if (plan->has_groups && syscall(SYS_setgroups, plan->group_count, plan->groups) != 0) {
    fail(plan, STAGE_GROUPS, errno);
  }
  if (plan->has_gid && syscall(SYS_setresgid, plan->gid, plan->gid, plan->gid) != 0) {
    fail(plan, STAGE_GID, errno);
  }
  if (plan->has_uid && syscall(SYS_setresuid, plan->uid, plan->uid, plan->uid) != 0) {
    fail(plan, STAGE_UID, errno);
  }
  if (plan->capabilities != NULL) {
    set_capabilities(plan);
  }
}

/*
 * Comes after the change of credentials, which clears the death signal (prctl(2)). The parent may have died before this
 * call. Then no signal would come, so the child sends the signal to itself.
 */
static void ask_for_death_signal(struct child_plan *plan) {
  if (prctl(PR_SET_PDEATHSIG, (unsigned long)plan->death_signal, 0UL, 0UL, 0UL) != 0) {
    fail(plan, STAGE_EXEC, errno);
  }
  if (getppid() != plan->parent) {
    kill(getpid(), plan->death_signal);
  }
}

/* Only the child knows its pid before the exec. The memory is shared, and the parent does not read these digits. */
static void write_pid(char *digits, pid_t pid) {
  char backwards[PID_DIGITS];
  int count = 0;
  for (unsigned rest = (unsigned)pid; rest > 0 && count < PID_DIGITS; rest /= 10) {
    backwards[count++] = (char)('0' + rest % 10);
  }
  while (count > 0) {
    *digits++ = backwards[--count];
  }
  *digits = '\0';
}

int child_main(void *argument) {
  struct child_plan *plan = argument;

  reset_dispositions(plan);
  if (plan->leadership != LEADER_OF_NOTHING &&
      (plan->leadership == LEADER_OF_SESSION ? setsid() : setpgid(0, 0)) < 0) {
    fail(plan, STAGE_GROUP, errno);
  }
  /* All signals are blocked, so SIGTTOU does not stop this process although its group is in the background. */
  if (plan->leadership == LEADER_IN_FOREGROUND && tcsetpgrp(0, getpid()) != 0) {
    fail(plan, STAGE_TERMINAL, errno);
  }
  /* Before the descriptors are moved, which may overwrite this one. */
  if (plan->cgroup >= 0) {
    enter_cgroup(plan);
  }
  /* Before the limits: a low RLIMIT_NOFILE would refuse high descriptor numbers. */
  move_descriptors(plan);
  set_resources(plan);
  set_credentials(plan);
  if (plan->directory != NULL && chdir(plan->directory) != 0) {
    fail(plan, STAGE_DIRECTORY, errno);
  }
  if (plan->umask >= 0) {
    umask((mode_t)plan->umask);
  }
  if (plan->death_signal != 0) {
    ask_for_death_signal(plan);
  }
  if (plan->no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1UL, 0UL, 0UL, 0UL) != 0) {
    fail(plan, STAGE_PRIVILEGES, errno);
  }
  if (plan->pid_digits != NULL) {
    write_pid(plan->pid_digits, getpid());
  }
  /*
   * A signal may have been sent to the new group already. When the mask is cleared, it ends this process, as it would
   * have ended the program.
   */
  const uint64_t no_signal = 0;
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &no_signal, NULL, (size_t)KERNEL_SIGSET_BYTES);
  execve(plan->file, plan->argv, plan->envp);
  fail(plan, STAGE_EXEC, errno);
  return 127;
}
