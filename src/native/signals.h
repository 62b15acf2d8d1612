/*
 * Catching signals, and a queue of the caught signals with their senders. A handler only writes to the queue; one
 * thread reads it.
 */
#ifndef ONEVISOR_SIGNALS_H
#define ONEVISOR_SIGNALS_H

#include <stddef.h>
#include <stdint.h>

/*
 * One signal: its number, and si_code and si_pid of sigaction(2). si_pid is 0 for signals of the kernel and for senders
 * in other PID namespaces. It is -1 if the queue was full and the sender was lost.
 */
struct caught_signal {
  int32_t number;
  int32_t code;
  int32_t sender;
};

/*
 * Catches a signal from now on, and removes it from the mask of the calling thread. A second call for the same number
 * replaces a handler that other code has installed since. Returns 1 if the action was the default until now, 0 if not,
 * or -errno.
 */
int sys_catch_signal(int number);

/*
 * Read end of the pipe that holds the queue: readable while signals wait, non-blocking, close-on-exec. The first call
 * makes the pipe. Returns -errno on failure.
 */
int sys_signal_pipe(void);

/* Takes up to `capacity` signals from the queue, the oldest first. Returns their number. Never waits. */
size_t sys_read_signals(struct caught_signal *signals, size_t capacity);

#endif
