/*
 * Tests of the C parts of the addon without Node, for a build with ASan and UBSan: every stage at which a spawn can
 * fail, and overlapping descriptors. The cases that start no process are in pure.c. A seccomp filter makes a stage
 * fail: it answers its system call with an errno. Each case runs in a process of its own.
 */
#include "check.h"
#include "spawn.h"
#include "names.h"
#include "syscalls.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

extern char **environ;

enum { MOST_MOVES = 16 };

static struct child_move moves[MOST_MOVES];
static char *const true_argv[] = {"true", NULL};

static struct spawn_order plain_order(void) {
  struct spawn_order order = {0};
  order.plan.file = "/bin/true";
  order.plan.argv = true_argv;
  order.plan.envp = environ;
  order.plan.umask = -1;
  order.plan.cgroup = -1;
  order.plan.moves = moves;
  order.plan.move_count = 3;
  for (int i = 0; i < 3; ++i) {
    order.streams[i] = (struct spawn_stream){STREAM_PIPE, -1, 0, 0};
  }
  return order;
}

static int count_descriptors(void) {
  DIR *directory = opendir("/proc/self/fd");
  CHECK(directory != NULL);
  int count = 0;
  while (readdir(directory) != NULL) {
    ++count;
  }
  closedir(directory);
  return count;
}

/* Makes the system call `number` of this process and its children fail with `error` from now on. */
static void deny(long number, int error) {
  struct sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)number, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ((unsigned)error & SECCOMP_RET_DATA)),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const struct sock_fprog program = {.len = sizeof filter / sizeof filter[0], .filter = filter};
  CHECK_EQUAL(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
  CHECK_EQUAL(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

void in_process(const char *name, void (*run)(void)) {
  const pid_t pid = fork();
  CHECK(pid >= 0);
  if (pid == 0) {
    run();
    _exit(0);
  }
  int status = 0;
  CHECK_EQUAL(waitpid(pid, &status, 0), pid);
  if (status != 0) {
    fprintf(stderr, "case %s ended with status %#x\n", name, (unsigned)status);
    exit(1);
  }
  printf("ok %s\n", name);
}

/* Expects the spawn to fail at this stage, and to leave no descriptor and no process behind. */
static void expect_failure(struct spawn_order *order, enum child_stage stage, int error) {
  const int before = count_descriptors();
  struct spawn_result result = {0};
  struct child_failure failure = {-1, 0};
  CHECK(!spawn_program(order, &result, &failure));
  CHECK_EQUAL(failure.stage, stage);
  CHECK_EQUAL(failure.error, error);
  CHECK_EQUAL(count_descriptors(), before);
  CHECK_EQUAL(waitpid(-1, NULL, WNOHANG), -1);
  CHECK_EQUAL(errno, ECHILD);
}

static void expect_denied(struct spawn_order *order, long number, int error, enum child_stage stage) {
  deny(number, error);
  expect_failure(order, stage, error);
}

static void pipe_fails(void) {
  struct spawn_order order = plain_order();
  const struct rlimit few = {(rlim_t)count_descriptors() - 2 + 3, 4096};
  CHECK_EQUAL(setrlimit(RLIMIT_NOFILE, &few), 0);
  const int before = open("/dev/null", O_RDONLY);
  close(before);
  struct spawn_result result = {0};
  struct child_failure failure = {-1, 0};
  CHECK(!spawn_program(&order, &result, &failure));
  CHECK_EQUAL(failure.stage, STAGE_PIPE);
  CHECK_EQUAL(failure.error, EMFILE);
  CHECK_EQUAL(open("/dev/null", O_RDONLY), before);
}

static void fork_fails(void) {
  struct spawn_order order = plain_order();
  expect_denied(&order, SYS_clone3, EAGAIN, STAGE_FORK);
}

static void fork_without_clone3_fails(void) {
  struct spawn_order order = plain_order();
  deny(SYS_clone3, ENOSYS);
  expect_denied(&order, SYS_clone, EAGAIN, STAGE_FORK);
}

static void group_fails(void) {
  struct spawn_order order = plain_order();
  expect_denied(&order, SYS_setpgid, EPERM, STAGE_GROUP);
}

static void session_fails(void) {
  struct spawn_order order = plain_order();
  order.plan.leadership = LEADER_OF_SESSION;
  expect_denied(&order, SYS_setsid, EPERM, STAGE_GROUP);
}

static void terminal_fails(void) {
  struct spawn_order order = plain_order();
  order.plan.leadership = LEADER_IN_FOREGROUND;
  CHECK_EQUAL(dup2(open("/dev/null", O_RDONLY), 0), 0);
  expect_failure(&order, STAGE_TERMINAL, ENOTTY);
}

static void stdio_fails(void) {
  struct spawn_order order = plain_order();
  order.streams[1] = (struct spawn_stream){STREAM_DESCRIPTOR, 987, 0, 0};
  expect_failure(&order, STAGE_STDIO, EBADF);
}

static void null_fails(void) {
  struct spawn_order order = plain_order();
  order.streams[2] = (struct spawn_stream){STREAM_NULL, -1, 0, 0};
  const int before = count_descriptors();
  deny(SYS_openat, ENOENT);
  struct spawn_result result = {0};
  struct child_failure failure = {-1, 0};
  CHECK(!spawn_program(&order, &result, &failure));
  CHECK_EQUAL(failure.stage, STAGE_STDIO);
  CHECK_EQUAL(failure.error, ENOENT);
  /* The directory of descriptors can no longer be opened. The lowest free number shows a leak. */
  CHECK(dup(0) < before);
}

static struct spawn_order terminal_order(void) {
  struct spawn_order order = plain_order();
  order.streams[1] = (struct spawn_stream){STREAM_TERMINAL, -1, 80, 24};
  order.streams[2] = (struct spawn_stream){STREAM_AS_STDOUT, -1, 0, 0};
  return order;
}

static void pseudo_terminal_fails(void) {
  struct spawn_order order = terminal_order();
  expect_denied(&order, SYS_ioctl, ENOTTY, STAGE_PTY);
}

static void exec_on_terminal_fails(void) {
  struct spawn_order order = terminal_order();
  order.plan.file = "/nowhere";
  expect_failure(&order, STAGE_EXEC, ENOENT);
}

static void limits_fail(void) {
  struct spawn_order order = plain_order();
  const struct child_limit wrong = {RLIMIT_NOFILE, {10, 5}};
  order.plan.limits = &wrong;
  order.plan.limit_count = 1;
  expect_failure(&order, STAGE_LIMITS, EINVAL);
}

static void nice_fails(void) {
  struct spawn_order order = plain_order();
  order.plan.has_nice = true;
  order.plan.nice = -5;
  expect_denied(&order, SYS_setpriority, EACCES, STAGE_NICE);
}

static void oom_fails(void) {
  struct spawn_order order = plain_order();
  order.plan.oom_score_adj = "2000";
  expect_failure(&order, STAGE_OOM, EINVAL);
}

static void set_all_credentials(struct spawn_order *order) {
  static const gid_t groups[] = {12};
  order->plan.has_uid = order->plan.has_gid = order->plan.has_groups = true;
  order->plan.uid = getuid();
  order->plan.gid = getgid();
  order->plan.groups = groups;
  order->plan.group_count = 1;
}

static void groups_fail(void) {
  struct spawn_order order = plain_order();
  set_all_credentials(&order);
  expect_denied(&order, SYS_setgroups, EPERM, STAGE_GROUPS);
}

static void gid_fails(void) {
  struct spawn_order order = plain_order();
  set_all_credentials(&order);
  order.plan.has_groups = false;
  expect_denied(&order, SYS_setresgid, EPERM, STAGE_GID);
}

static void uid_fails(void) {
  struct spawn_order order = plain_order();
  set_all_credentials(&order);
  order.plan.has_groups = false;
  expect_denied(&order, SYS_setresuid, EAGAIN, STAGE_UID);
}

static void directory_fails(void) {
  struct spawn_order order = plain_order();
  order.plan.directory = "/nowhere";
  expect_failure(&order, STAGE_DIRECTORY, ENOENT);
}

static void descriptors_fail(void) {
  struct spawn_order order = plain_order();
  moves[3] = (struct child_move){987, 5};
  order.plan.move_count = 4;
  expect_failure(&order, STAGE_DESCRIPTORS, EBADF);
}

static void death_signal_fails(void) {
  struct spawn_order order = plain_order();
  order.plan.death_signal = 1000;
  expect_failure(&order, STAGE_EXEC, EINVAL);
}

static void exec_fails(void) {
  struct spawn_order order = plain_order();
  order.plan.file = "/nowhere/true";
  expect_failure(&order, STAGE_EXEC, ENOENT);
  order.plan.file = "/etc/passwd";
  expect_failure(&order, STAGE_EXEC, EACCES);
}

/* Reads the few bytes that a child wrote to its stdout, and its exit status. */
static void expect_output(const struct spawn_result *result, const char *expected) {
  char text[256] = {0};
  size_t length = 0;
  ssize_t got;
  while ((got = read(result->ends[1], text + length, sizeof text - 1 - length)) > 0) {
    length += (size_t)got;
  }
  int status = -1;
  CHECK_EQUAL(waitpid(result->pid, &status, 0), result->pid);
  if (strcmp(text, expected) != 0 || status != 0) {
    fprintf(stderr, "got <%s> with status %#x, not <%s>\n", text, (unsigned)status, expected);
    _exit(1);
  }
  for (int i = 0; i < 3; ++i) {
    if (result->ends[i] >= 0) {
      close(result->ends[i]);
    }
  }
}

static void expect_spawned(struct spawn_order *order, struct spawn_result *result) {
  struct child_failure failure = {-1, 0};
  if (!spawn_program(order, result, &failure)) {
    fprintf(stderr, "stage %s: %s\n", child_stage_names[failure.stage].name, error_name(failure.error));
    _exit(1);
  }
}

/*
 * Numbers that are swapped, that equal the pipes of the spawn itself, and one that does not change.
 */
static void descriptors_overlap(void) {
  static char *const argv[] = {"sh", "-c", "cat <&3; cat <&4; cat <&5; cat <&7; ls -m /proc/$$/fd; :", NULL};
  struct spawn_order order = plain_order();
  order.plan.file = "/bin/sh";
  order.plan.argv = argv;
  order.streams[0] = (struct spawn_stream){STREAM_NULL, -1, 0, 0};
  int ends[5];
  for (int i = 0; i < 5; ++i) {
    int both[2];
    CHECK_EQUAL(pipe2(both, O_CLOEXEC), 0);
    const char text[2] = {(char)('a' + i), 0};
    CHECK_EQUAL(write(both[1], text, 1), 1);
    ends[i] = fcntl(both[0], F_DUPFD_CLOEXEC, 40);
    close(both[0]);
    close(both[1]);
  }
  for (int fd = 3; fd < 40; ++fd) {
    close(fd);
  }
  /* a → 3 and b → 4, the numbers of pipes that the spawn opens; c and d are swapped: 5 and 6 → 6 and 5; e stays 7. */
  CHECK_EQUAL(dup2(ends[2], 6), 6);
  CHECK_EQUAL(dup2(ends[3], 5), 5);
  CHECK_EQUAL(fcntl(ends[4], F_DUPFD_CLOEXEC, 7), 7);
  moves[3] = (struct child_move){ends[0], 3};
  moves[4] = (struct child_move){ends[1], 4};
  moves[5] = (struct child_move){6, 5};
  moves[6] = (struct child_move){5, 6};
  moves[7] = (struct child_move){7, 7};
  order.plan.move_count = 8;
  struct spawn_result result = {0};
  expect_spawned(&order, &result);
  expect_output(&result, "abce0, 1, 2, 3, 4, 5, 6, 7\n");
}

/* Three streams with each other's numbers. */
static void streams_rotate(void) {
  static char *const argv[] = {"sh", "-c", "printf e >&2; printf o; cat", NULL};
  int out[2], in[2];
  CHECK_EQUAL(pipe2(out, O_CLOEXEC), 0);
  CHECK_EQUAL(pipe2(in, O_CLOEXEC), 0);
  CHECK_EQUAL(write(in[1], "i", 1), 1);
  CHECK_EQUAL(dup2(out[1], 0), 0);
  CHECK_EQUAL(dup2(in[0], 1), 1);
  close(in[1]);
  struct spawn_order order = plain_order();
  order.plan.file = "/bin/sh";
  order.plan.argv = argv;
  order.streams[0] = (struct spawn_stream){STREAM_DESCRIPTOR, 1, 0, 0};
  order.streams[1] = (struct spawn_stream){STREAM_DESCRIPTOR, 0, 0, 0};
  order.streams[2] = (struct spawn_stream){STREAM_AS_STDOUT, -1, 0, 0};
  struct spawn_result result = {0};
  expect_spawned(&order, &result);
  close(0);
  close(out[1]);
  result.ends[1] = out[0];
  expect_output(&result, "eoi");
}

/* Answers of old kernels and old seccomp profiles. Without the fallbacks an inheritable descriptor would leak. */
static void seal_without_close_range(void) {
  static char *const argv[] = {"sh", "-c", "ls -m /proc/$$/fd; :", NULL};
  deny(SYS_close_range, EPERM);
  for (int fd = 3; fd < 300; ++fd) {
    dup2(2, fd);
  }
  struct spawn_order order = plain_order();
  order.plan.file = "/bin/sh";
  order.plan.argv = argv;
  order.streams[0] = order.streams[2] = (struct spawn_stream){STREAM_NULL, -1, 0, 0};
  struct spawn_result result = {0};
  expect_spawned(&order, &result);
  expect_output(&result, "0, 1, 2\n");
}

static void credentials_keep_us_dumpable(void) {
  struct spawn_order order = plain_order();
  set_all_credentials(&order);
  order.plan.uid = 65534;
  order.plan.gid = 65534;
  CHECK_EQUAL(prctl(PR_GET_DUMPABLE), 1);
  struct spawn_result result = {0};
  expect_spawned(&order, &result);
  CHECK_EQUAL(prctl(PR_GET_DUMPABLE), 1);
  CHECK_EQUAL(getuid(), 0);
  expect_output(&result, "");
}

static sigset_t mask_now(void) {
  sigset_t mask;
  sigemptyset(&mask);
  sigprocmask(SIG_SETMASK, NULL, &mask);
  return mask;
}

static void mask_is_restored(void) {
  sigset_t odd;
  sigemptyset(&odd);
  sigaddset(&odd, SIGUSR1);
  sigprocmask(SIG_SETMASK, &odd, NULL);
  struct spawn_order order = plain_order();
  struct spawn_result result = {0};
  expect_spawned(&order, &result);
  const sigset_t after = mask_now();
  CHECK(sigismember(&after, SIGUSR1) && !sigismember(&after, SIGTERM));
  expect_output(&result, "");
}

static void note_signal(int number) { (void)number; }

/* The program finds no signal ignored. */
static void expect_default_signals(void) {
  struct sigaction caught = {.sa_handler = note_signal};
  for (int number = SIGRTMIN; number <= SIGRTMAX; ++number) {
    CHECK_EQUAL(sigaction(number, &caught, NULL), 0);
  }
  static char *const argv[] = {"grep", "-c", "^SigIgn:.0*$", "/proc/self/status", NULL};
  struct spawn_order order = plain_order();
  order.plan.file = "/bin/grep";
  order.plan.argv = argv;
  struct spawn_result result = {0};
  expect_spawned(&order, &result);
  expect_output(&result, "1\n");
}

static void signals_are_default(void) {
  CHECK(signal(SIGHUP, SIG_IGN) != SIG_ERR && signal(SIGPIPE, SIG_IGN) != SIG_ERR);
  expect_default_signals();
}

/* The list of ignored signals was read before. */
static void later_ignored_signals_are_default(void) {
  expect_default_signals();
  CHECK_EQUAL(sys_ignore_signal(SIGTTOU), 0);
  expect_default_signals();
}

static void signals_are_default_without_clone3(void) {
  CHECK(signal(SIGHUP, SIG_IGN) != SIG_ERR && signal(SIGPIPE, SIG_IGN) != SIG_ERR);
  deny(SYS_clone3, EPERM);
  expect_default_signals();
}

/* Each child writes its own pid into the one environment, over the digits of the child before. */
static void pid_is_written(void) {
  static char *const argv[] = {"sh", "-c", "echo $A $OWN_PID", NULL};
  char variable[sizeof "OWN_PID=" + PID_DIGITS] = "OWN_PID=4294967295";
  char *const environment[] = {"A=1", variable, NULL};
  for (int i = 0; i < 3; ++i) {
    struct spawn_order order = plain_order();
    order.plan.file = "/bin/sh";
    order.plan.argv = argv;
    order.plan.envp = environment;
    order.plan.pid_digits = variable + strlen("OWN_PID=");
    struct spawn_result result = {0};
    expect_spawned(&order, &result);
    char expected[32];
    snprintf(expected, sizeof expected, "1 %d\n", (int)result.pid);
    expect_output(&result, expected);
  }
}

/* The frames of failing and of succeeding children are on one stack, one after another. */
static void many_spawns(void) {
  const int before = count_descriptors();
  for (int i = 0; i < 300; ++i) {
    struct spawn_order order = plain_order();
    struct spawn_result result = {0};
    if (i % 3 == 0) {
      order.plan.directory = "/nowhere";
      expect_failure(&order, STAGE_DIRECTORY, ENOENT);
    } else {
      expect_spawned(&order, &result);
      expect_output(&result, "");
    }
  }
  CHECK_EQUAL(count_descriptors(), before);
}

int main(void) {
  setvbuf(stdout, NULL, _IONBF, 0);
  RUN(pipe_fails);
  RUN(fork_fails);
  RUN(fork_without_clone3_fails);
  RUN(group_fails);
  RUN(session_fails);
  RUN(terminal_fails);
  RUN(stdio_fails);
  RUN(null_fails);
  RUN(pseudo_terminal_fails);
  RUN(exec_on_terminal_fails);
  RUN(limits_fail);
  RUN(nice_fails);
  RUN(oom_fails);
  RUN(groups_fail);
  RUN(gid_fails);
  RUN(uid_fails);
  RUN(directory_fails);
  RUN(descriptors_fail);
  RUN(death_signal_fails);
  RUN(exec_fails);
  RUN(descriptors_overlap);
  RUN(streams_rotate);
  RUN(seal_without_close_range);
  RUN(mask_is_restored);
  RUN(signals_are_default);
  RUN(later_ignored_signals_are_default);
  RUN(signals_are_default_without_clone3);
  RUN(pid_is_written);
  RUN(many_spawns);
  run_pure_cases();
  run_socket_cases();
  run_signal_cases();
  run_early_cases();
  if (getuid() == 0) {
    RUN(credentials_keep_us_dumpable);
  } else {
    printf("skipped credentials_keep_us_dumpable: not root\n");
  }
  return 0;
}
