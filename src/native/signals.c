/*
 * Each handler call writes one record to a pipe; writes of up to PIPE_BUF bytes are atomic (pipe(7)). A handler must
 * not wait. If the pipe is full, with thousands of signals, the handler sets a bit for the signal number instead. The
 * signal is then still delivered, merged with others of its number, as the kernel merges pending signals.
 */
#include "signals.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "syscalls.h"

#include "kernel.h"

_Static_assert(sizeof(struct caught_signal) <= PIPE_BUF, "a record is written whole");

/* Ends of the pipe. They are set before the first handler is installed and do not change afterwards. */
static int ends[2] = {-1, -1};

/* Signals that came while the pipe was full: bit n-1 stands for signal n. */
static atomic_ullong unqueued;

static unsigned long long bit_of(int number) { return 1ULL << (number - 1); }

static int queue(const struct caught_signal *signal) {
  return write(ends[1], signal, sizeof *signal) == (ssize_t)sizeof *signal;
}

/* si_pid is valid only for these codes; for others, the field has another meaning (sigaction(2)). */
static int32_t sender_of(const siginfo_t *info) {
  return info->si_code == SI_USER || info->si_code == SI_QUEUE || info->si_code == SI_TKILL ? info->si_pid : 0;
}

static void catch_signal(int number, siginfo_t *info, void *context) {
  (void)context;
  const int error = errno;
  const struct caught_signal signal = {number, info->si_code, sender_of(info)};
  if (!queue(&signal)) {
    atomic_fetch_or(&unqueued, bit_of(number));
    /* The reader may have emptied the pipe and read the bits before this bit was set. A new record wakes the reader. */
    if (queue(&signal)) {
      atomic_fetch_and(&unqueued, ~bit_of(number));
    }
  }
  errno = error;
}

int sys_signal_pipe(void) {
  if (ends[0] < 0 && pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
    return -errno;
  }
  return ends[0];
}

int sys_catch_signal(int number) {
  const int fd = sys_signal_pipe();
  if (fd < 0) {
    return fd;
  }
  struct sigaction before;
  struct sigaction action = {.sa_sigaction = catch_signal, .sa_flags = SA_SIGINFO | SA_RESTART};
  sigfillset(&action.sa_mask);
  if (sigaction(number, &action, &before) != 0) {
    return -errno;
  }
  const int result = sys_unblock_signal(number);
  return result < 0 ? result : (before.sa_flags & SA_SIGINFO) == 0 && before.sa_handler == SIG_DFL;
}

size_t sys_read_signals(struct caught_signal *signals, size_t capacity) {
  const ssize_t bytes = read(ends[0], signals, capacity * sizeof *signals);
  size_t count = bytes < 0 ? 0 : (size_t)bytes / sizeof *signals;
  for (int number = 1; count < capacity && number <= LAST_SIGNAL; ++number) {
    if ((atomic_fetch_and(&unqueued, ~bit_of(number)) & bit_of(number)) != 0) {
      signals[count++] = (struct caught_signal){number, SI_USER, -1};
    }
  }
  return count;
}
