/*
 * Signals that come to PID 1 before our handlers stand. The kernel drops a signal for PID 1 that has no handler, but it
 * keeps one that is blocked. So the signals that end or reload a container are blocked from the first instruction on,
 * until the addon catches them (signals.c). Node sets the mask of its main thread anew when it begins; the one call of
 * it that does is answered here.
 */
#include "entry.h"

#include <signal.h>
#include <stddef.h>

#include "../kernel.h"
#include "kernel-calls.h"

#define BIT(number) ((uint64_t)1 << ((number)-1))

/* As HELD_SIGNALS in src/process/signals.ts. */
#define HELD_SIGNALS (BIT(SIGHUP) | BIT(SIGINT) | BIT(SIGQUIT) | BIT(SIGTERM))
/* Used by glibc itself for cancellation and credentials; pthread_sigmask(3) never blocks them. */
#define GLIBC_SIGNALS (BIT(32) | BIT(33))

/* Signals that stay blocked when Node sets its mask for the first time. */
static uint64_t held;

void hold_early_signals(void) {
  if (kernel_call(SYS_getpid, 0, 0, 0, 0, 0, 0) == 1) {
    held = HELD_SIGNALS;
    kernel_call(SYS_rt_sigprocmask, SIG_BLOCK, (long)&held, 0, KERNEL_SIGSET_BYTES, 0, 0);
  }
}

int inside_pthread_sigmask(int how, const sigset_t *set, sigset_t *before) {
  uint64_t mask = 0;
  if (set != NULL) {
    mask = *(const uint64_t *)set & ~GLIBC_SIGNALS;
    if (how == SIG_SETMASK) {
      mask |= held;
      held = 0;
    }
  }
  const long sent = set == NULL ? 0 : (long)&mask;
  return (int)-kernel_call(SYS_rt_sigprocmask, how, sent, (long)before, KERNEL_SIGSET_BYTES, 0, 0);
}
