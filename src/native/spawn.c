/*
 * The parent's half of a spawn. Until its exec, the child runs in our memory on a stack of its own (CLONE_VM,
 * CLONE_VFORK), so the cost of a spawn does not depend on the size of our heap. All signals are blocked meanwhile: one
 * of our handlers, run by the child, would change our memory.
 */
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "clone.h"
#include "kernel.h"
#include "syscalls.h"

#if defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#endif
#ifdef WITH_ASAN
#include <sanitizer/asan_interface.h>
#endif

#ifndef TIOCGPTPEER
#define TIOCGPTPEER 0x5441
#endif

enum { STACK_BYTES = 128 * 1024 };

/* Descriptors of one spawn. On success the caller takes over `ours`; all others are closed. */
struct spawn_files {
  int theirs[3];
  int ours[3];
  int null;
};

static void close_if_open(int *fd) {
  if (*fd >= 0) {
    close(*fd);
    *fd = -1;
  }
}

static void close_childs(struct spawn_files *files) {
  for (int i = 0; i < 3; ++i) {
    close_if_open(&files->theirs[i]);
  }
  close_if_open(&files->null);
}

static void close_ours(struct spawn_files *files) {
  for (int i = 0; i < 3; ++i) {
    close_if_open(&files->ours[i]);
  }
}

/*
 * Makes the program's user the owner of a pipe or terminal. When a program opens /dev/stdout, the kernel checks the
 * owner. Without CAP_CHOWN the owner cannot be changed. The program is started anyway, because few programs open
 * /dev/stdout.
 */
static void give_pipe(const struct child_plan *plan, int fd) {
  if (plan->has_uid || plan->has_gid) {
    const int denied = fchown(fd, plan->has_uid ? plan->uid : (uid_t)-1, plan->has_gid ? plan->gid : (gid_t)-1);
    (void)denied;
  }
}

/*
 * Changes a new terminal: no byte of the output is changed (no OPOST, so a newline stays a newline), and nothing is
 * echoed. Sets its size, which programs read by TIOCGWINSZ.
 */
static int set_up_terminal(int slave, const struct spawn_stream *stream) {
  struct termios settings;
  const struct winsize size = {.ws_row = stream->rows, .ws_col = stream->columns};
  if (tcgetattr(slave, &settings) != 0) {
    return -1;
  }
  settings.c_oflag &= ~(tcflag_t)OPOST;
  settings.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
  return tcsetattr(slave, TCSANOW, &settings) != 0 ? -1 : ioctl(slave, TIOCSWINSZ, &size);
}

/*
 * Opens a pseudo terminal (pty(7)): the slave for the program, and the master for us, which does not block. TIOCGPTPEER
 * opens the slave without its path, so a /dev/pts of another mount namespace does no harm. O_NOCTTY: a supervisor that
 * leads a session must not get the terminal as its controlling terminal. Returns -1 with errno on failure; the caller
 * closes what is open.
 */
static int open_terminal(const struct spawn_stream *stream, int *master, int *slave) {
  const int unlocked = 0;
  *master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  if (*master < 0 || ioctl(*master, TIOCSPTLCK, &unlocked) != 0) {
    return -1;
  }
  *slave = ioctl(*master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  return *slave < 0 ? -1 : set_up_terminal(*slave, stream);
}

static bool open_files(const struct spawn_order *order, struct spawn_files *files, struct child_failure *failure) {
  for (int i = 0; i < 3; ++i) {
    if (order->streams[i].kind == STREAM_PIPE) {
      int ends[2];
      if (pipe2(ends, O_CLOEXEC) != 0) {
        *failure = (struct child_failure){STAGE_PIPE, errno};
        return false;
      }
      files->theirs[i] = ends[i == 0 ? 0 : 1];
      files->ours[i] = ends[i == 0 ? 1 : 0];
      give_pipe(&order->plan, files->theirs[i]);
    } else if (order->streams[i].kind == STREAM_TERMINAL) {
      if (open_terminal(&order->streams[i], &files->ours[i], &files->theirs[i]) != 0) {
        *failure = (struct child_failure){STAGE_PTY, errno};
        return false;
      }
      give_pipe(&order->plan, files->theirs[i]);
    } else if (order->streams[i].kind == STREAM_NULL && files->null < 0) {
      files->null = open("/dev/null", O_RDWR | O_CLOEXEC);
      if (files->null < 0) {
        *failure = (struct child_failure){STAGE_STDIO, errno};
        return false;
      }
    }
  }
  return true;
}

static void plan_streams(struct spawn_order *order, const struct spawn_files *files) {
  struct child_move *moves = order->plan.moves;
  for (int i = 0; i < 3; ++i) {
    const struct spawn_stream *stream = &order->streams[i];
    int from = stream->fd;
    if (stream->kind == STREAM_PIPE || stream->kind == STREAM_TERMINAL) {
      from = files->theirs[i];
    } else if (stream->kind == STREAM_NULL) {
      from = files->null;
    } else if (stream->kind == STREAM_AS_STDOUT) {
      from = moves[1].from;
    }
    moves[i] = (struct child_move){from, i};
  }
}

/* One stack for all spawns, with a guard page below. CLONE_VFORK makes sure that only one child uses it at a time. */
static void *child_stack(void) {
  static char *stack;
  if (stack == NULL) {
    const size_t guard = (size_t)sysconf(_SC_PAGESIZE);
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK;
    char *mapping = mmap(NULL, guard + STACK_BYTES, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (mapping == MAP_FAILED) {
      return NULL;
    }
    if (mprotect(mapping, guard, PROT_NONE) != 0) {
      const int error = errno;
      munmap(mapping, guard + STACK_BYTES);
      errno = error;
      return NULL;
    }
    stack = mapping + guard;
  }
#ifdef WITH_ASAN
  /* The functions of the previous child never returned, so ASan still has the redzones of their frames marked. */
  __asan_unpoison_memory_region(stack, STACK_BYTES);
#endif
  return stack;
}

static pid_t clone_child(struct child_plan *plan) {
  void *stack = child_stack();
  if (stack == NULL) {
    return -1;
  }
  const uint64_t all_signals = ~(uint64_t)0;
  uint64_t before = 0;
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all_signals, &before, (size_t)KERNEL_SIGSET_BYTES);
  plan->ignored = sys_ignored_signals();
  const pid_t pid = clone_in_our_memory(child_main, plan, stack, STACK_BYTES, &plan->has_default_handlers);
  const int error = errno;
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, (size_t)KERNEL_SIGSET_BYTES);
  errno = error;
  return pid;
}

/*
 * Collects a child whose exec has failed. The reaper (sys_reap) cannot take this child first, as both run on the one
 * thread that calls the addon, and no other code has heard of its pid.
 */
static void reap_failed(pid_t pid) {
  while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
  }
}

bool spawn_program(struct spawn_order *order, struct spawn_result *result, struct child_failure *failure) {
  struct spawn_files files = {{-1, -1, -1}, {-1, -1, -1}, -1};
  if (!open_files(order, &files, failure)) {
    close_childs(&files);
    close_ours(&files);
    return false;
  }
  plan_streams(order, &files);
  order->plan.failure = (struct child_failure){0, 0};
  order->plan.parent = getpid();

  /* A change of credentials in the child marks the memory as not dumpable (prctl(2)), and the memory is shared. */
  const int dumpable = prctl(PR_GET_DUMPABLE, 0UL, 0UL, 0UL, 0UL);
  const pid_t pid = clone_child(&order->plan);
  const int clone_error = errno;
  if (dumpable == 1 && (order->plan.has_uid || order->plan.has_gid)) {
    prctl(PR_SET_DUMPABLE, 1UL, 0UL, 0UL, 0UL);
  }
  close_childs(&files);
  if (pid < 0) {
    *failure = (struct child_failure){STAGE_FORK, clone_error};
    close_ours(&files);
    return false;
  }
  /*
   * CLONE_VFORK: by now the child has executed the program or has ended. A pipe as a report would cost a third of the
   * spawn: it closes only after the child has left our memory, so that its reader has to sleep once more.
   */
  if (order->plan.failure.error != 0) {
    *failure = order->plan.failure;
    reap_failed(pid);
    close_ours(&files);
    return false;
  }
  result->pid = pid;
  for (int i = 0; i < 3; ++i) {
    result->ends[i] = files.ours[i];
  }
  return true;
}
