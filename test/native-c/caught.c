/*
 * Tests of the queue of caught signals: sender, previous action, and that a full queue merges signals and loses none.
 */
#include "check.h"
#include "signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

static void ignore_it(int number) { (void)number; }

static void actions_before_are_told(void) {
  CHECK_EQUAL(sys_catch_signal(SIGTERM), 1);
  CHECK_EQUAL(sys_catch_signal(SIGTERM), 0);
  signal(SIGINT, ignore_it);
  CHECK_EQUAL(sys_catch_signal(SIGINT), 0);
  signal(SIGHUP, SIG_IGN);
  CHECK_EQUAL(sys_catch_signal(SIGHUP), 0);
  CHECK_EQUAL(sys_catch_signal(SIGKILL), -EINVAL);
  CHECK_EQUAL(sys_catch_signal(65), -EINVAL);
}

static void senders_are_told(void) {
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR1);
  sigprocmask(SIG_BLOCK, &blocked, NULL);
  CHECK_EQUAL(sys_catch_signal(SIGUSR1), 1);
  CHECK_EQUAL(sys_catch_signal(SIGALRM), 1);
  CHECK_EQUAL(fcntl(sys_signal_pipe(), F_GETFD), FD_CLOEXEC);
  const pid_t self = getpid();
  const pid_t child = fork();
  if (child == 0) {
    _exit(kill(self, SIGUSR1));
  }
  CHECK_EQUAL(waitpid(child, NULL, 0), child);
  kill(self, SIGALRM);
  struct caught_signal signals[4];
  memset(signals, -1, sizeof signals);
  CHECK_EQUAL(sys_read_signals(signals, 4), 2);
  CHECK_EQUAL(signals[0].number, SIGUSR1);
  CHECK_EQUAL(signals[0].code, SI_USER);
  CHECK_EQUAL(signals[0].sender, child);
  CHECK_EQUAL(signals[1].number, SIGALRM);
  CHECK_EQUAL(signals[1].sender, self);
  /* A signal of the kernel: a timer has no sender. */
  alarm(1);
  while (sys_read_signals(signals, 4) == 0) {
    usleep(1000);
  }
  CHECK_EQUAL(signals[0].number, SIGALRM);
  CHECK_EQUAL(signals[0].code, SI_KERNEL);
  CHECK_EQUAL(signals[0].sender, 0);
  CHECK_EQUAL(sys_read_signals(signals, 4), 0);
}

static void full_queue_merges(void) {
  sys_catch_signal(SIGUSR1);
  sys_catch_signal(SIGTERM);
  sys_catch_signal(64);
  for (int i = 0; i < 20000; ++i) {
    kill(getpid(), SIGUSR1);
  }
  kill(getpid(), SIGTERM);
  kill(getpid(), 64);
  struct caught_signal signals[64];
  long counts[65] = {0};
  for (size_t count = 64; count > 0;) {
    count = sys_read_signals(signals, 64);
    for (size_t i = 0; i < count; ++i) {
      ++counts[signals[i].number];
    }
  }
  CHECK(counts[SIGUSR1] > 4000);
  CHECK(counts[SIGUSR1] < 20000);
  CHECK_EQUAL(counts[SIGTERM], 1);
  CHECK_EQUAL(counts[64], 1);
}

void run_signal_cases(void) {
  RUN(actions_before_are_told);
  RUN(senders_are_told);
  RUN(full_queue_merges);
}
