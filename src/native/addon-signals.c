/*
 * The functions of the addon about signals of this process: ignoring, unblocking and catching them, and the queue of
 * caught signals.
 */
#include "glue.h"

#include "kernel.h"
#include "signals.h"
#include "syscalls.h"

/* Maximum number of signals that one call takes; the rest stays in the queue. */
enum { SIGNALS_A_CALL = 64, NUMBERS_A_SIGNAL = 3 };

static int read_signal(struct arguments *arguments, napi_value value) {
  return (int)read_integer(arguments, value, "signal", (struct range){1, LAST_SIGNAL});
}

/* A function of signals.h that takes a signal number and returns 0 or -errno. */
static napi_value call_with_signal(napi_env env, napi_callback_info info, int (*call)(int), const char *syscall_name) {
  napi_value value = NULL;
  struct arguments arguments = begin(env, info, &value, 1);
  const int number = read_signal(&arguments, value);
  if (refuse_wrong(&arguments)) {
    return NULL;
  }
  const int result = call(number);
  return result < 0 ? throw_failure(env, -result, syscall_name, NULL) : NULL;
}

napi_value addon_ignore_signal(napi_env env, napi_callback_info info) {
  return call_with_signal(env, info, sys_ignore_signal, "sigaction");
}

napi_value addon_unblock_signal(napi_env env, napi_callback_info info) {
  return call_with_signal(env, info, sys_unblock_signal, "rt_sigprocmask");
}

napi_value addon_catch_signal(napi_env env, napi_callback_info info) {
  napi_value value = NULL;
  struct arguments arguments = begin(env, info, &value, 1);
  const int number = read_signal(&arguments, value);
  if (refuse_wrong(&arguments)) {
    return NULL;
  }
  const int result = sys_catch_signal(number);
  if (result < 0) {
    return throw_failure(env, -result, "sigaction", NULL);
  }
  napi_value was_default = NULL;
  napi_get_boolean(env, result == 1, &was_default);
  return was_default;
}

napi_value addon_signal_pipe(napi_env env, napi_callback_info info) {
  (void)info;
  const int fd = sys_signal_pipe();
  return fd < 0 ? throw_failure(env, -fd, "pipe2", NULL) : make_number(env, fd);
}

napi_value addon_read_signals(napi_env env, napi_callback_info info) {
  napi_value value = NULL;
  struct arguments arguments = begin(env, info, &value, 1);
  uint32_t *out = read_numbers(&arguments, value, "out", SIGNALS_A_CALL * NUMBERS_A_SIGNAL);
  if (refuse_wrong(&arguments)) {
    return NULL;
  }
  struct caught_signal signals[SIGNALS_A_CALL];
  const size_t count = sys_read_signals(signals, SIGNALS_A_CALL);
  for (size_t i = 0; i < count; ++i) {
    out[i * NUMBERS_A_SIGNAL] = (uint32_t)signals[i].number;
    out[i * NUMBERS_A_SIGNAL + 1] = (uint32_t)signals[i].code;
    out[i * NUMBERS_A_SIGNAL + 2] = (uint32_t)signals[i].sender;
  }
  return make_number(env, (double)count);
}
