/*
 * Signals that come in: which are caught, and a queue of them that keeps who sent each one.
 * A handler only writes; the queue is read by one thread. Nothing here decides what a signal means.
 */
#ifndef ONEVISOR_SIGNALS_H
#define ONEVISOR_SIGNALS_H

#include <stddef.h>
#include <stdint.h>

/*
 * One signal: its number, si_code and si_pid of sigaction(2). si_pid is 0 for the kernel and for senders of other pid
 * namespaces.
 */
struct caught_signal {
  int32_t number;
  int32_t code;
  int32_t sender;
};

/*
 * Catches a signal from now on, and takes it out of the mask of the calling thread. May be called again for the same
 * number, to replace the handler of somebody else. Returns 1 if its action was the default one until now, 0 if not, or
 * -errno.
 */
int sys_catch_signal(int number);

/*
 * Read end of the pipe that is readable while signals wait (non-blocking, close-on-exec); made at the first call.
 * -errno on failure.
 */
int sys_signal_pipe(void);

/* Takes the signals that wait, the oldest first, at most `capacity` of them. Returns their number. Never waits. */
size_t sys_read_signals(struct caught_signal *signals, size_t capacity);

#endif
