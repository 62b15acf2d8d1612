/*
 * The N-API side of the addon: the functions of addon.ts, value by value. Every failure becomes an Error with code, errno
 * and syscall (and stage, for a spawn); sentences for people are made elsewhere. Called by one thread only.
 */
#include "arguments.h"
#include "frame.h"
#include "spawn.h"
#include "syscalls.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { LARGEST_DESCRIPTOR = 0x7fffffff, LAST_SIGNAL = 64 };
static const int64_t LARGEST_ID = 0xfffffffe;

/* Making results: N-API can fail here only when an exception is pending or the heap is full, so these return what there is. */

static napi_value make_number(napi_env env, double number) {
  napi_value value = NULL;
  napi_create_double(env, number, &value);
  return value;
}

static napi_value make_null(napi_env env) {
  napi_value value = NULL;
  napi_get_null(env, &value);
  return value;
}

static napi_value make_string(napi_env env, const char *text) {
  napi_value value = NULL;
  napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &value);
  return value;
}

static napi_value make_object(napi_env env) {
  napi_value value = NULL;
  napi_create_object(env, &value);
  return value;
}

static void set(napi_env env, napi_value object, const char *name, napi_value value) {
  napi_set_named_property(env, object, name, value);
}

/* The one place where a failure of the kernel becomes an Error. `stage` is NULL for all but a spawn. */
static napi_value throw_failure(napi_env env, int error, const char *syscall_name, const char *stage) {
  const char *code = sys_error_name(error);
  char message[64] = {0};
  strncat(message, syscall_name, 24);
  strncat(message, ": ", 3);
  strncat(message, code, 24);
  napi_value failure = NULL;
  napi_create_error(env, make_string(env, code), make_string(env, message), &failure);
  set(env, failure, "errno", make_number(env, error));
  set(env, failure, "syscall", make_string(env, syscall_name));
  if (stage != NULL) {
    set(env, failure, "stage", make_string(env, stage));
  }
  napi_throw(env, failure);
  return NULL;
}

/* True, with an exception pending and the memory given back, when a value was of a wrong kind: a mistake of the calling code. */
static bool refuse_wrong(struct arguments *arguments) {
  const char *name = arguments->wrong != NULL ? arguments->wrong : arguments->with_nul;
  if (name == NULL) {
    return false;
  }
  arguments_free(arguments);
  napi_throw_type_error(arguments->env, "ERR_INVALID_ARG_VALUE", name);
  return true;
}

static struct arguments begin(napi_env env, napi_callback_info info, napi_value *values, size_t count) {
  struct arguments arguments = {.env = env};
  size_t given = count;
  napi_get_cb_info(env, info, &given, values, NULL, NULL);
  return arguments;
}

static int read_fd(struct arguments *arguments, napi_value value, const char *name) {
  return (int)read_integer(arguments, value, name, 0, LARGEST_DESCRIPTOR);
}

/* ---- spawn ---- */

static struct spawn_stream read_stream(struct arguments *arguments, napi_value request, const char *name) {
  napi_value value = read_property(arguments, request, name);
  if (type_of(arguments, value) == napi_number) {
    return (struct spawn_stream){STREAM_DESCRIPTOR, read_fd(arguments, value, name)};
  }
  const char *text = read_string(arguments, value, name);
  if (text != NULL && strcmp(text, "pipe") == 0) {
    return (struct spawn_stream){STREAM_PIPE, -1};
  }
  if (text != NULL && strcmp(text, "null") == 0) {
    return (struct spawn_stream){STREAM_NULL, -1};
  }
  if (text == NULL || strcmp(text, "stdout") != 0 || strcmp(name, "stderr") != 0) {
    arguments->wrong = name;
  }
  return (struct spawn_stream){STREAM_AS_STDOUT, -1};
}

static gid_t *read_ids(struct arguments *arguments, napi_value value, const char *name, size_t *count) {
  *count = array_length(arguments, value, name);
  gid_t *ids = arguments_allocate(arguments, *count, sizeof *ids);
  for (uint32_t i = 0; i < *count; ++i) {
    ids[i] = (gid_t)read_integer(arguments, read_element(arguments, value, i, name), name, 0, LARGEST_ID);
  }
  return ids;
}

static struct child_limit read_limit(struct arguments *arguments, napi_value value) {
  const char *resource = read_string(arguments, read_property(arguments, value, "resource"), "resource");
  struct child_limit limit = {.resource = resource == NULL ? -1 : sys_limit_number(resource)};
  if (limit.resource < 0) {
    arguments->wrong = "resource";
  }
  limit.value.rlim_cur = read_amount(arguments, read_property(arguments, value, "soft"), "soft");
  limit.value.rlim_max = read_amount(arguments, read_property(arguments, value, "hard"), "hard");
  return limit;
}

static void read_limits(struct arguments *arguments, napi_value request, struct child_plan *plan) {
  napi_value list = read_property(arguments, request, "limits");
  plan->limit_count = array_length(arguments, list, "limits");
  struct child_limit *limits = arguments_allocate(arguments, plan->limit_count, sizeof *limits);
  for (uint32_t i = 0; i < plan->limit_count; ++i) {
    limits[i] = read_limit(arguments, read_element(arguments, list, i, "limits"));
  }
  plan->limits = limits;
}

static void read_moves(struct arguments *arguments, napi_value request, struct child_plan *plan) {
  napi_value list = read_property(arguments, request, "descriptors");
  const uint32_t count = array_length(arguments, list, "descriptors");
  plan->moves = arguments_allocate(arguments, count + 3, sizeof *plan->moves);
  plan->move_count = count + 3;
  for (uint32_t i = 0; i < count; ++i) {
    napi_value entry = read_element(arguments, list, i, "descriptors");
    const int from = read_fd(arguments, read_property(arguments, entry, "from"), "from");
    const int to = (int)read_integer(arguments, read_property(arguments, entry, "to"), "to", 3, LARGEST_DESCRIPTOR);
    for (uint32_t earlier = 3; earlier < i + 3; ++earlier) {
      if (plan->moves[earlier].to == to) {
        arguments->wrong = "to";
      }
    }
    plan->moves[i + 3] = (struct child_move){from, to};
  }
}

static void read_credentials(struct arguments *arguments, napi_value request, struct child_plan *plan) {
  napi_value uid = read_property(arguments, request, "uid");
  napi_value gid = read_property(arguments, request, "gid");
  napi_value groups = read_property(arguments, request, "groups");
  plan->has_uid = !is_null(arguments, uid);
  plan->has_gid = !is_null(arguments, gid);
  plan->uid = plan->has_uid ? (uid_t)read_integer(arguments, uid, "uid", 0, LARGEST_ID) : 0;
  plan->gid = plan->has_gid ? (gid_t)read_integer(arguments, gid, "gid", 0, LARGEST_ID) : 0;
  if (!is_null(arguments, groups)) {
    plan->groups = read_ids(arguments, groups, "groups", &plan->group_count);
    plan->has_groups = plan->has_uid;
  }
}

static void read_leadership(struct arguments *arguments, napi_value request, struct child_plan *plan) {
  const char *text = read_string(arguments, read_property(arguments, request, "leadership"), "leadership");
  plan->leadership = LEADER_OF_GROUP;
  if (text != NULL && strcmp(text, "session") == 0) {
    plan->leadership = LEADER_OF_SESSION;
  } else if (text != NULL && strcmp(text, "foreground") == 0) {
    plan->leadership = LEADER_IN_FOREGROUND;
  } else if (text == NULL || strcmp(text, "group") != 0) {
    arguments->wrong = "leadership";
  }
}

/* An integer property that may be null, in which case `absent` stands for it. */
static int read_optional(struct arguments *arguments, napi_value request, const char *name, int lowest, int highest, int absent) {
  napi_value value = read_property(arguments, request, name);
  return is_null(arguments, value) ? absent : (int)read_integer(arguments, value, name, lowest, highest);
}

static char *format_integer(struct arguments *arguments, int number) {
  char digits[12];
  size_t at = sizeof digits;
  digits[--at] = '\0';
  for (unsigned rest = (unsigned)abs(number); at == sizeof digits - 1 || rest > 0; rest /= 10) {
    digits[--at] = (char)('0' + rest % 10);
  }
  if (number < 0) {
    digits[--at] = '-';
  }
  return strcpy(arguments_allocate(arguments, sizeof digits - at, 1), digits + at);
}

static struct spawn_order read_order(struct arguments *arguments, napi_value request) {
  enum { ABSENT = -100000 };
  struct spawn_order order = {0};
  struct child_plan *plan = &order.plan;
  plan->file = read_string(arguments, read_property(arguments, request, "file"), "file");
  plan->argv = read_strings(arguments, read_property(arguments, request, "argv"), "argv").strings;
  plan->envp = read_strings(arguments, read_property(arguments, request, "env"), "env").strings;
  napi_value directory = read_property(arguments, request, "directory");
  plan->directory = is_null(arguments, directory) ? NULL : read_string(arguments, directory, "directory");
  plan->umask = read_optional(arguments, request, "umask", 0, 07777, -1);
  read_credentials(arguments, request, plan);
  read_limits(arguments, request, plan);
  plan->nice = read_optional(arguments, request, "nice", -20, 19, ABSENT);
  plan->has_nice = plan->nice != ABSENT;
  const int oom = read_optional(arguments, request, "oomScoreAdj", -1000, 1000, ABSENT);
  plan->oom_score_adj = oom == ABSENT ? NULL : format_integer(arguments, oom);
  plan->death_signal = read_optional(arguments, request, "parentDeathSignal", 1, LAST_SIGNAL, 0);
  read_leadership(arguments, request, plan);
  read_moves(arguments, request, plan);
  static const char *const stream_names[3] = {"stdin", "stdout", "stderr"};
  for (int i = 0; i < 3; ++i) {
    order.streams[i] = read_stream(arguments, request, stream_names[i]);
  }
  return order;
}

static napi_value addon_spawn(napi_env env, napi_callback_info info) {
  napi_value request = NULL;
  struct arguments arguments = begin(env, info, &request, 1);
  struct spawn_order order = read_order(&arguments, request);
  if (arguments.wrong == NULL && arguments.with_nul != NULL) {
    /* Not a mistake of the calling code: the value of a variable or of an argument comes from a user. */
    const enum child_stage stage = strcmp(arguments.with_nul, "directory") == 0 ? STAGE_DIRECTORY : STAGE_EXEC;
    arguments_free(&arguments);
    return throw_failure(env, EINVAL, child_stage_names[stage].syscall, child_stage_names[stage].name);
  }
  if (refuse_wrong(&arguments)) {
    return NULL;
  }
  struct spawn_result spawned = {0};
  struct child_failure failure = {0};
  const bool started = spawn_program(&order, &spawned, &failure);
  arguments_free(&arguments);
  if (!started) {
    return throw_failure(env, failure.error, child_stage_names[failure.stage].syscall, child_stage_names[failure.stage].name);
  }
  static const char *const end_names[3] = {"stdin", "stdout", "stderr"};
  napi_value result = make_object(env);
  set(env, result, "pid", make_number(env, spawned.pid));
  for (int i = 0; i < 3; ++i) {
    set(env, result, end_names[i], spawned.ends[i] < 0 ? make_null(env) : make_number(env, spawned.ends[i]));
  }
  return result;
}

/* ---- processes ---- */

static napi_value addon_reap(napi_env env, napi_callback_info info) {
  napi_value limit_value = NULL;
  struct arguments arguments = begin(env, info, &limit_value, 1);
  const int64_t limit = read_integer(&arguments, limit_value, "limit", 1, 1 << 20);
  if (refuse_wrong(&arguments)) {
    return NULL;
  }
  napi_value list = NULL;
  napi_create_array(env, &list);
  for (uint32_t i = 0; i < (uint32_t)limit; ++i) {
    pid_t pid = 0;
    int status = 0;
    const int result = sys_reap(&pid, &status);
    if (result < 0 && i == 0) {
      return throw_failure(env, -result, "waitpid", NULL);
    }
    /* What has been collected is never lost to a later error, which the next call meets again. */
    if (result <= 0) {
      break;
    }
    napi_value reaped = make_object(env);
    set(env, reaped, "pid", make_number(env, pid));
    set(env, reaped, "status", make_number(env, status));
    napi_set_element(env, list, i, reaped);
  }
  return list;
}

static napi_value addon_kill(napi_env env, napi_callback_info info) {
  napi_value values[2] = {NULL};
  struct arguments arguments = begin(env, info, values, 2);
  const pid_t pid = (pid_t)read_integer(&arguments, values[0], "pid", INT32_MIN + 1, INT32_MAX);
  const int number = (int)read_integer(&arguments, values[1], "signal", 0, LAST_SIGNAL);
  return refuse_wrong(&arguments) ? NULL : make_number(env, -sys_kill(pid, number));
}

static napi_value addon_set_subreaper(napi_env env, napi_callback_info info) {
  (void)info;
  const int result = sys_set_subreaper();
  return result < 0 ? throw_failure(env, -result, "prctl", NULL) : NULL;
}

static napi_value addon_ignore_signal(napi_env env, napi_callback_info info) {
  napi_value value = NULL;
  struct arguments arguments = begin(env, info, &value, 1);
  const int number = (int)read_integer(&arguments, value, "signal", 1, LAST_SIGNAL);
  if (refuse_wrong(&arguments)) {
    return NULL;
  }
  const int result = sys_ignore_signal(number);
  return result < 0 ? throw_failure(env, -result, "sigaction", NULL) : NULL;
}

static napi_value addon_catch_realtime_signals(napi_env env, napi_callback_info info) {
  (void)info;
  const int fd = sys_catch_realtime_signals();
  return fd < 0 ? throw_failure(env, -fd, "sigaction", NULL) : make_number(env, fd);
}

static napi_value addon_exit_now(napi_env env, napi_callback_info info) {
  napi_value value = NULL;
  struct arguments arguments = begin(env, info, &value, 1);
  const int code = (int)read_integer(&arguments, value, "code", 0, 255);
  if (refuse_wrong(&arguments)) {
    return NULL;
  }
  _exit(code);
}

static napi_value addon_signal_number(napi_env env, napi_callback_info info) {
  napi_value value = NULL;
  struct arguments arguments = begin(env, info, &value, 1);
  const char *name = read_string(&arguments, value, "name");
  if (refuse_wrong(&arguments)) {
    return NULL;
  }
  const int number = sys_signal_number(name);
  arguments_free(&arguments);
  return number == 0 ? make_null(env) : make_number(env, number);
}

/* ---- users and groups ---- */

static napi_value finish_user(napi_env env, int found, struct sys_user *user) {
  if (found < 0) {
    return throw_failure(env, -found, "getpwnam", NULL);
  }
  if (found == 0) {
    return make_null(env);
  }
  napi_value result = make_object(env);
  set(env, result, "name", make_string(env, user->entry.pw_name));
  set(env, result, "uid", make_number(env, user->entry.pw_uid));
  set(env, result, "gid", make_number(env, user->entry.pw_gid));
  set(env, result, "home", make_string(env, user->entry.pw_dir));
  set(env, result, "shell", make_string(env, user->entry.pw_shell));
  free(user->memory);
  return result;
}

static napi_value finish_group(napi_env env, int found, struct sys_group *group) {
  if (found < 0) {
    return throw_failure(env, -found, "getgrnam", NULL);
  }
  if (found == 0) {
    return make_null(env);
  }
  napi_value result = make_object(env);
  set(env, result, "name", make_string(env, group->entry.gr_name));
  set(env, result, "gid", make_number(env, group->entry.gr_gid));
  free(group->memory);
  return result;
}

static napi_value addon_user_by_name(napi_env env, napi_callback_info info) {
  napi_value value = NULL;
  struct arguments arguments = begin(env, info, &value, 1);
  const char *name = read_string(&arguments, value, "name");
  if (refuse_wrong(&arguments)) {
    return NULL;
  }
  struct sys_user user = {0};
  const int found = sys_find_user(name, 0, &user);
  arguments_free(&arguments);
  return finish_user(env, found, &user);
}

static napi_value addon_user_by_id(napi_env env, napi_callback_info info) {
  napi_value value = NULL;
  struct arguments arguments = begin(env, info, &value, 1);
  const uid_t uid = (uid_t)read_integer(&arguments, value, "uid", 0, LARGEST_ID);
  if (refuse_wrong(&arguments)) {
    return NULL;
  }
  struct sys_user user = {0};
  return finish_user(env, sys_find_user(NULL, uid, &user), &user);
}

static napi_value addon_group_by_name(napi_env env, napi_callback_info info) {
  napi_value value = NULL;
  struct arguments arguments = begin(env, info, &value, 1);
  const char *name = read_string(&arguments, value, "name");
  if (refuse_wrong(&arguments)) {
    return NULL;
  }
  struct sys_group group = {0};
  const int found = sys_find_group(name, 0, &group);
  arguments_free(&arguments);
  return finish_group(env, found, &group);
}

static napi_value addon_group_by_id(napi_env env, napi_callback_info info) {
  napi_value value = NULL;
  struct arguments arguments = begin(env, info, &value, 1);
  const gid_t gid = (gid_t)read_integer(&arguments, value, "gid", 0, LARGEST_ID);
  if (refuse_wrong(&arguments)) {
    return NULL;
  }
  struct sys_group group = {0};
  return finish_group(env, sys_find_group(NULL, gid, &group), &group);
}

static napi_value addon_groups_of(napi_env env, napi_callback_info info) {
  napi_value values[2] = {NULL};
  struct arguments arguments = begin(env, info, values, 2);
  const char *name = read_string(&arguments, values[0], "name");
  const gid_t gid = (gid_t)read_integer(&arguments, values[1], "gid", 0, LARGEST_ID);
  if (refuse_wrong(&arguments)) {
    return NULL;
  }
  gid_t *groups = NULL;
  const int count = sys_groups_of(name, gid, &groups);
  arguments_free(&arguments);
  if (count < 0) {
    return throw_failure(env, -count, "getgrouplist", NULL);
  }
  napi_value list = NULL;
  napi_create_array_with_length(env, (size_t)count, &list);
  for (int i = 0; i < count; ++i) {
    napi_set_element(env, list, (uint32_t)i, make_number(env, groups[i]));
  }
  free(groups);
  return list;
}

static napi_value addon_become_user(napi_env env, napi_callback_info info) {
  napi_value values[3] = {NULL};
  struct arguments arguments = begin(env, info, values, 3);
  const uid_t uid = (uid_t)read_integer(&arguments, values[0], "uid", 0, LARGEST_ID);
  const gid_t gid = (gid_t)read_integer(&arguments, values[1], "gid", 0, LARGEST_ID);
  size_t count = 0;
  const gid_t *groups = read_ids(&arguments, values[2], "groups", &count);
  if (refuse_wrong(&arguments)) {
    return NULL;
  }
  const char *failed = NULL;
  const int result = sys_become_user(uid, gid, groups, count, &failed);
  arguments_free(&arguments);
  return result < 0 ? throw_failure(env, -result, failed, NULL) : NULL;
}

/* ---- limits, pipes, terminals ---- */

static double amount_of(rlim_t value) { return value == RLIM_INFINITY ? __builtin_inf() : (double)value; }

static napi_value addon_get_limit(napi_env env, napi_callback_info info) {
  napi_value value = NULL;
  struct arguments arguments = begin(env, info, &value, 1);
  const char *resource = read_string(&arguments, value, "resource");
  const int number = resource == NULL ? -1 : sys_limit_number(resource);
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
  const int bytes = (int)read_integer(&arguments, values[1], "bytes", 1, INT32_MAX);
  if (refuse_wrong(&arguments)) {
    return NULL;
  }
  const int size = sys_grow_pipe(fd, bytes);
  return size < 0 ? throw_failure(env, -size, "fcntl", NULL) : make_number(env, size);
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
  const pid_t group = (pid_t)read_integer(&arguments, values[1], "group", 1, INT32_MAX);
  return refuse_wrong(&arguments) ? NULL : make_number(env, -sys_set_foreground_group(fd, group));
}

/* ---- framing ---- */

static struct frame_bytes read_bytes(struct arguments *arguments, napi_value value, const char *name) {
  napi_typedarray_type type = napi_int8_array;
  void *bytes = NULL;
  size_t length = 0;
  if (napi_get_typedarray_info(arguments->env, value, &type, &length, &bytes, NULL, NULL) != napi_ok || type != napi_uint8_array) {
    arguments->wrong = name;
    return (struct frame_bytes){NULL, 0};
  }
  return (struct frame_bytes){bytes, length};
}

static napi_value addon_frame(napi_env env, napi_callback_info info) {
  napi_value values[7] = {NULL};
  struct arguments arguments = begin(env, info, values, 7);
  const struct frame_bytes source = read_bytes(&arguments, values[0], "source");
  const size_t end = (size_t)read_integer(&arguments, values[2], "end", 0, (int64_t)source.length);
  const size_t start = (size_t)read_integer(&arguments, values[1], "start", 0, (int64_t)end);
  const struct frame_bytes prefix = read_bytes(&arguments, values[3], "prefix");
  const struct frame_bytes target = read_bytes(&arguments, values[4], "target");
  const size_t at = (size_t)read_integer(&arguments, values[5], "at", 0, (int64_t)target.length);
  napi_typedarray_type type = napi_int8_array;
  uint32_t *out = NULL;
  size_t out_length = 0;
  if (napi_get_typedarray_info(env, values[6], &type, &out_length, (void **)&out, NULL, NULL) != napi_ok ||
      type != napi_uint32_array || out_length < 2) {
    arguments.wrong = "out";
  }
  if (refuse_wrong(&arguments)) {
    return NULL;
  }
  if (start == end || at == target.length) {
    out[0] = out[1] = 0;
    return NULL;
  }
  const struct frame_bytes lines = {source.bytes + start, end - start};
  const struct frame_outcome outcome = frame_lines(lines, prefix, (uint8_t *)target.bytes + at, target.length - at);
  out[0] = (uint32_t)outcome.taken;
  out[1] = (uint32_t)outcome.written;
  return NULL;
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
      {"foregroundGroup", addon_foreground_group},
      {"setForegroundGroup", addon_set_foreground_group},
      {"signalNumber", addon_signal_number},
      {"frame", addon_frame},
      {"catchRealtimeSignals", addon_catch_realtime_signals},
      {"exitNow", addon_exit_now},
  };
  for (size_t i = 0; i < COUNT(functions); ++i) {
    napi_value function = NULL;
    if (napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].function, NULL, &function) != napi_ok) {
      return NULL;
    }
    set(env, exports, functions[i].name, function);
  }
  return exports;
}
