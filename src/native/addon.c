/*
 * The N-API side of the addon: the functions of addon.ts, value by value. Every failure becomes an Error with code,
 * errno and syscall (and stage, for a spawn). Node calls these functions from its main thread only.
 */
#include "glue.h"

#include <unistd.h>

#include "array.h"
#include "frame.h"
#include "record.h"
#include "kernel.h"
#include "names.h"
#include "syscalls.h"

/* ---- processes ---- */

static double milliseconds(struct timeval time) { return (double)time.tv_sec * 1e3 + (double)time.tv_usec / 1e3; }

static napi_value addon_reap(napi_env env, napi_callback_info info) {
  napi_value limit_value = NULL;
  struct arguments arguments = begin(env, info, &limit_value, 1);
  const int64_t limit = read_integer(&arguments, limit_value, "limit", (struct range){1, 1 << 20});
  if (refuse_wrong(&arguments)) {
    return NULL;
  }
  napi_value list = NULL;
  napi_create_array(env, &list);
  for (uint32_t i = 0; i < (uint32_t)limit; ++i) {
    pid_t pid = 0;
    int status = 0;
    struct rusage usage;
    const int result = sys_reap(&pid, &status, &usage);
    if (result < 0 && i == 0) {
      return throw_failure(env, -result, "wait4", NULL);
    }
    /* An error ends the batch. The children collected so far are returned; the next call meets the error again. */
    if (result <= 0) {
      break;
    }
    napi_value reaped = make_object(env);
    set(env, reaped, "pid", make_number(env, pid));
    set(env, reaped, "status", make_number(env, status));
    set(env, reaped, "cpuMs", make_number(env, milliseconds(usage.ru_utime) + milliseconds(usage.ru_stime)));
    napi_set_element(env, list, i, reaped);
  }
  return list;
}

static napi_value addon_kill(napi_env env, napi_callback_info info) {
  napi_value values[2] = {NULL};
  struct arguments arguments = begin(env, info, values, 2);
  const pid_t pid = (pid_t)read_integer(&arguments, values[0], "pid", (struct range){INT32_MIN + 1, INT32_MAX});
  const int number = (int)read_integer(&arguments, values[1], "signal", (struct range){0, LAST_SIGNAL});
  return refuse_wrong(&arguments) ? NULL : make_number(env, -sys_kill(pid, number));
}

static napi_value addon_set_subreaper(napi_env env, napi_callback_info info) {
  (void)info;
  const int result = sys_set_subreaper();
  return result < 0 ? throw_failure(env, -result, "prctl", NULL) : NULL;
}

static napi_value addon_exit_now(napi_env env, napi_callback_info info) {
  napi_value value = NULL;
  struct arguments arguments = begin(env, info, &value, 1);
  const int code = (int)read_integer(&arguments, value, "code", (struct range){0, 255});
  if (refuse_wrong(&arguments)) {
    return NULL;
  }
  _exit(code);
}

/* ---- limits, pipes, terminals ---- */

static double amount_of(rlim_t value) { return value == RLIM_INFINITY ? __builtin_inf() : (double)value; }

static napi_value addon_get_limit(napi_env env, napi_callback_info info) {
  napi_value value = NULL;
  struct arguments arguments = begin(env, info, &value, 1);
  const char *resource = read_string(&arguments, value, "resource");
  const int number = resource == NULL ? -1 : limit_number(resource);
  if (number < 0) {
    arguments.wrong = "resource";
  }
  if (refuse_wrong(&arguments)) {
    return NULL;
  }
  arguments_free(&arguments);
  struct rlimit limit;
  const int result = sys_get_limit(number, &limit);
  if (result < 0) {
    return throw_failure(env, -result, "getrlimit", NULL);
  }
  napi_value object = make_object(env);
  set(env, object, "resource", value);
  set(env, object, "soft", make_number(env, amount_of(limit.rlim_cur)));
  set(env, object, "hard", make_number(env, amount_of(limit.rlim_max)));
  return object;
}

static napi_value addon_set_limit(napi_env env, napi_callback_info info) {
  napi_value value = NULL;
  struct arguments arguments = begin(env, info, &value, 1);
  const struct child_limit limit = read_limit(&arguments, value);
  if (refuse_wrong(&arguments)) {
    return NULL;
  }
  arguments_free(&arguments);
  const int result = sys_set_limit(limit.resource, &limit.value);
  return result < 0 ? throw_failure(env, -result, "setrlimit", NULL) : NULL;
}

static napi_value addon_pipe_size(napi_env env, napi_callback_info info) {
  napi_value value = NULL;
  struct arguments arguments = begin(env, info, &value, 1);
  const int fd = read_fd(&arguments, value, "fd");
  if (refuse_wrong(&arguments)) {
    return NULL;
  }
  const int size = sys_pipe_size(fd);
  return size < 0 ? throw_failure(env, -size, "fcntl", NULL) : make_number(env, size);
}

static napi_value addon_grow_pipe(napi_env env, napi_callback_info info) {
  napi_value values[2] = {NULL};
  struct arguments arguments = begin(env, info, values, 2);
  const int fd = read_fd(&arguments, values[0], "fd");
  const int bytes = (int)read_integer(&arguments, values[1], "bytes", (struct range){1, INT32_MAX});
  if (refuse_wrong(&arguments)) {
    return NULL;
  }
  const int size = sys_grow_pipe(fd, bytes);
  return size < 0 ? throw_failure(env, -size, "fcntl", NULL) : make_number(env, size);
}

static napi_value addon_read_now(napi_env env, napi_callback_info info) {
  napi_value values[2] = {NULL};
  struct arguments arguments = begin(env, info, values, 2);
  const int fd = read_fd(&arguments, values[0], "fd");
  const struct frame_bytes target = read_bytes(&arguments, values[1], "target");
  return refuse_wrong(&arguments) ? NULL : make_number(env, (double)sys_read(fd, (void *)target.bytes, target.length));
}

static napi_value addon_open_pipe(napi_env env, napi_callback_info info) {
  (void)info;
  int ends[2];
  const int result = sys_open_pipe(ends);
  if (result < 0) {
    return throw_failure(env, -result, "pipe2", NULL);
  }
  napi_value object = make_object(env);
  set(env, object, "readEnd", make_number(env, ends[0]));
  set(env, object, "writeEnd", make_number(env, ends[1]));
  return object;
}

static napi_value addon_foreground_group(napi_env env, napi_callback_info info) {
  napi_value value = NULL;
  struct arguments arguments = begin(env, info, &value, 1);
  const int fd = read_fd(&arguments, value, "fd");
  if (refuse_wrong(&arguments)) {
    return NULL;
  }
  const pid_t group = sys_foreground_group(fd);
  return make_number(env, group < 0 ? -1 : group);
}

static napi_value addon_set_foreground_group(napi_env env, napi_callback_info info) {
  napi_value values[2] = {NULL};
  struct arguments arguments = begin(env, info, values, 2);
  const int fd = read_fd(&arguments, values[0], "fd");
  const pid_t group = (pid_t)read_integer(&arguments, values[1], "group", (struct range){1, INT32_MAX});
  return refuse_wrong(&arguments) ? NULL : make_number(env, -sys_set_foreground_group(fd, group));
}

static napi_value addon_replace_descriptor(napi_env env, napi_callback_info info) {
  napi_value values[2] = {NULL};
  struct arguments arguments = begin(env, info, values, 2);
  const int from = read_fd(&arguments, values[0], "from");
  const int to = read_fd(&arguments, values[1], "to");
  return refuse_wrong(&arguments) ? NULL : make_number(env, -sys_replace_descriptor(from, to));
}

/* ---- framing ---- */

static napi_value addon_frame(napi_env env, napi_callback_info info) {
  napi_value values[4] = {NULL};
  struct arguments arguments = begin(env, info, values, 4);
  const struct frame_bytes lines = read_bytes(&arguments, values[0], "lines");
  const struct frame_bytes prefix = read_bytes(&arguments, values[1], "prefix");
  const struct frame_bytes target = read_bytes(&arguments, values[2], "target");
  uint32_t *out = read_numbers(&arguments, values[3], "out", 2);
  if (refuse_wrong(&arguments)) {
    return NULL;
  }
  if (lines.length == 0 || target.length == 0) {
    out[0] = out[1] = 0;
    return NULL;
  }
  const struct frame_outcome outcome = frame_lines(lines, prefix, (uint8_t *)target.bytes, target.length);
  out[0] = (uint32_t)outcome.taken;
  out[1] = (uint32_t)outcome.written;
  return NULL;
}

static napi_value addon_record(napi_env env, napi_callback_info info) {
  enum { LINES, LINES_TO_OBJECT, TEXT };
  napi_value values[6] = {NULL};
  struct arguments arguments = begin(env, info, values, 6);
  const struct frame_bytes source = read_bytes(&arguments, values[0], "source");
  const struct record_form form = {
      .head = read_bytes(&arguments, values[1], "head"), .tail = read_bytes(&arguments, values[2], "tail")};
  const int64_t unit = read_integer(&arguments, values[3], "unit", (struct range){LINES, TEXT});
  const struct frame_bytes target = read_bytes(&arguments, values[4], "target");
  uint32_t *out = read_numbers(&arguments, values[5], "out", 2);
  if (refuse_wrong(&arguments)) {
    return NULL;
  }
  /* Node gives an empty buffer as NULL, which memcpy may not get. */
  if (form.head.length == 0 || form.tail.length == 0 || target.length == 0) {
    out[0] = out[1] = 0;
    return NULL;
  }
  const struct frame_outcome outcome =
      unit == TEXT ? record_text(source, &form, (uint8_t *)target.bytes, target.length)
                   : record_lines(source, &form, unit == LINES_TO_OBJECT, (uint8_t *)target.bytes, target.length);
  out[0] = (uint32_t)outcome.taken;
  out[1] = (uint32_t)outcome.written;
  return NULL;
}

static napi_value addon_count_newlines(napi_env env, napi_callback_info info) {
  napi_value value = NULL;
  struct arguments arguments = begin(env, info, &value, 1);
  const struct frame_bytes bytes = read_bytes(&arguments, value, "bytes");
  return refuse_wrong(&arguments) ? NULL : make_number(env, (double)count_newlines(bytes));
}

NAPI_MODULE_INIT() {
  static const struct {
    const char *name;
    napi_callback function;
  } functions[] = {
      {"spawn", addon_spawn},
      {"reap", addon_reap},
      {"kill", addon_kill},
      {"setSubreaper", addon_set_subreaper},
      {"ignoreSignal", addon_ignore_signal},
      {"unblockSignal", addon_unblock_signal},
      {"userByName", addon_user_by_name},
      {"userById", addon_user_by_id},
      {"groupByName", addon_group_by_name},
      {"groupById", addon_group_by_id},
      {"groupsOf", addon_groups_of},
      {"becomeUser", addon_become_user},
      {"getLimit", addon_get_limit},
      {"setLimit", addon_set_limit},
      {"pipeSize", addon_pipe_size},
      {"growPipe", addon_grow_pipe},
      {"readNow", addon_read_now},
      {"writeNow", addon_write_now},
      {"openPipe", addon_open_pipe},
      {"foregroundGroup", addon_foreground_group},
      {"setForegroundGroup", addon_set_foreground_group},
      {"replaceDescriptor", addon_replace_descriptor},
      {"frame", addon_frame},
      {"record", addon_record},
      {"countNewlines", addon_count_newlines},
      {"catchSignal", addon_catch_signal},
      {"signalPipe", addon_signal_pipe},
      {"readSignals", addon_read_signals},
      {"exitNow", addon_exit_now},
      {"listenUnix", addon_listen_unix},
      {"listenTcp", addon_listen_tcp},
      {"openConnectionWatch", addon_open_connection_watch},
      {"connectDatagram", addon_connect_datagram},
      {"sendDatagram", addon_send_datagram},
      {"openDatagram", addon_open_datagram},
      {"receiveDatagram", addon_receive_datagram},
      {"peerOf", addon_peer_of},
      {"peerAt", addon_peer_at},
      {"countThreads", addon_count_threads},
      {"trimMemory", addon_trim_memory},
      {"textInPlace", addon_text_in_place},
      {"openClockWatch", addon_open_clock_watch},
      {"rearmClockWatch", addon_rearm_clock_watch},
      {"watchReadable", addon_watch_readable},
      {"unwatchReadable", addon_unwatch_readable},
  };
  for (size_t i = 0; i < COUNT(functions); ++i) {
    napi_value function = NULL;
    const char *name = functions[i].name;
    if (napi_create_function(env, name, NAPI_AUTO_LENGTH, functions[i].function, NULL, &function) != napi_ok) {
      return NULL;
    }
    set(env, exports, name, function);
  }
  napi_add_env_cleanup_hook(env, addon_end_watches, env);
  return exports;
}
