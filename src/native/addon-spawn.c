/*
 * addon.spawn: reads the whole request into a plan before the clone, starts the program, and makes the result.
 */
#include "glue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernel.h"
#include "spawn.h"

/* Most columns or rows of a terminal: struct winsize has 16 bits for each. */
enum { LARGEST_TERMINAL = 65535 };

static struct spawn_stream read_stream(struct arguments *arguments, napi_value request, const char *name) {
  napi_value value = read_property(arguments, request, name);
  if (type_of(arguments, value) == napi_number) {
    return (struct spawn_stream){STREAM_DESCRIPTOR, read_fd(arguments, value, name), 0, 0};
  }
  if (type_of(arguments, value) == napi_object) {
    const struct range range = {1, LARGEST_TERMINAL};
    struct spawn_stream terminal = {STREAM_TERMINAL, -1, 0, 0};
    terminal.columns = (unsigned short)read_integer(arguments, read_property(arguments, value, "columns"), name, range);
    terminal.rows = (unsigned short)read_integer(arguments, read_property(arguments, value, "rows"), name, range);
    return terminal;
  }
  const char *text = read_string(arguments, value, name);
  if (text != NULL && strcmp(text, "pipe") == 0) {
    return (struct spawn_stream){STREAM_PIPE, -1, 0, 0};
  }
  if (text != NULL && strcmp(text, "null") == 0) {
    return (struct spawn_stream){STREAM_NULL, -1, 0, 0};
  }
  if (text == NULL || strcmp(text, "stdout") != 0 || strcmp(name, "stderr") != 0) {
    arguments->wrong = name;
  }
  return (struct spawn_stream){STREAM_AS_STDOUT, -1, 0, 0};
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
    napi_value target = read_property(arguments, entry, "to");
    const int to = (int)read_integer(arguments, target, "to", (struct range){3, LARGEST_DESCRIPTOR});
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
  plan->uid = plan->has_uid ? (uid_t)read_integer(arguments, uid, "uid", (struct range){0, LARGEST_ID}) : 0;
  plan->gid = plan->has_gid ? (gid_t)read_integer(arguments, gid, "gid", (struct range){0, LARGEST_ID}) : 0;
  if (!is_null(arguments, groups)) {
    plan->groups = read_ids(arguments, groups, "groups", &plan->group_count);
    plan->has_groups = plan->has_uid;
  }
}

enum { LAST_CAPABILITY = 63 };

static uint64_t read_set(struct arguments *arguments, napi_value sets, const char *name) {
  napi_value list = read_property(arguments, sets, name);
  const uint32_t count = array_length(arguments, list, name);
  uint64_t set = 0;
  for (uint32_t i = 0; i < count; ++i) {
    napi_value number = read_element(arguments, list, i, name);
    set |= (uint64_t)1 << read_integer(arguments, number, name, (struct range){0, LAST_CAPABILITY});
  }
  return set;
}

static void read_capabilities(struct arguments *arguments, napi_value request, struct child_plan *plan) {
  napi_value sets = read_property(arguments, request, "capabilities");
  if (is_null(arguments, sets)) {
    return;
  }
  struct child_capabilities *capabilities = arguments_allocate(arguments, 1, sizeof *capabilities);
  capabilities->dropped = read_set(arguments, sets, "dropped");
  capabilities->kept = read_set(arguments, sets, "kept");
  capabilities->ambient = read_set(arguments, sets, "ambient");
  plan->capabilities = capabilities;
}

static void read_leadership(struct arguments *arguments, napi_value request, struct child_plan *plan) {
  const char *text = read_string(arguments, read_property(arguments, request, "leadership"), "leadership");
  plan->leadership = LEADER_OF_GROUP;
  if (text != NULL && strcmp(text, "session") == 0) {
    plan->leadership = LEADER_OF_SESSION;
  } else if (text != NULL && strcmp(text, "foreground") == 0) {
    plan->leadership = LEADER_IN_FOREGROUND;
  } else if (text != NULL && strcmp(text, "none") == 0) {
    plan->leadership = LEADER_OF_NOTHING;
  } else if (text == NULL || strcmp(text, "group") != 0) {
    arguments->wrong = "leadership";
  }
}

/* A value that no number in a request has; it stands for null. */
enum { ABSENT = -100000 };

/* Reads a whole number; ABSENT for null. */
static int read_optional(struct arguments *arguments, napi_value request, const char *name, struct range range) {
  napi_value value = read_property(arguments, request, name);
  return is_null(arguments, value) ? ABSENT : (int)read_integer(arguments, value, name, range);
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

/* Reads the environment. The variable with the pid gets room for its digits, which the child writes. */
static void read_environment(struct arguments *arguments, napi_value request, struct child_plan *plan) {
  const struct string_list list = read_strings(arguments, read_property(arguments, request, "env"), "env");
  napi_value value = read_property(arguments, request, "pidVariable");
  const char *name = is_null(arguments, value) ? NULL : read_string(arguments, value, "pidVariable");
  plan->envp = list.strings;
  if (name == NULL) {
    return;
  }
  const size_t length = strlen(name);
  char *variable = arguments_allocate(arguments, length + 1 + PID_DIGITS + 1, 1);
  memcpy(variable, name, length);
  variable[length] = '=';
  plan->pid_digits = variable + length + 1;
  char **strings = arguments_allocate(arguments, (size_t)list.count + 2, sizeof *strings);
  memcpy(strings, list.strings, list.count * sizeof *strings);
  strings[list.count] = variable;
  plan->envp = strings;
}

static struct spawn_order read_order(struct arguments *arguments, napi_value request) {
  struct spawn_order order = {0};
  struct child_plan *plan = &order.plan;
  plan->file = read_string(arguments, read_property(arguments, request, "file"), "file");
  plan->argv = read_strings(arguments, read_property(arguments, request, "argv"), "argv").strings;
  read_environment(arguments, request, plan);
  napi_value directory = read_property(arguments, request, "directory");
  plan->directory = is_null(arguments, directory) ? NULL : read_string(arguments, directory, "directory");
  const int umask = read_optional(arguments, request, "umask", (struct range){0, 07777});
  plan->umask = umask == ABSENT ? -1 : umask;
  read_credentials(arguments, request, plan);
  read_limits(arguments, request, plan);
  plan->nice = read_optional(arguments, request, "nice", (struct range){-20, 19});
  plan->has_nice = plan->nice != ABSENT;
  const int oom = read_optional(arguments, request, "oomScoreAdj", (struct range){-1000, 1000});
  plan->oom_score_adj = oom == ABSENT ? NULL : format_integer(arguments, oom);
  const int death_signal = read_optional(arguments, request, "parentDeathSignal", (struct range){1, LAST_SIGNAL});
  plan->death_signal = death_signal == ABSENT ? 0 : death_signal;
  read_capabilities(arguments, request, plan);
  napi_value no_new_privileges = read_property(arguments, request, "noNewPrivileges");
  plan->no_new_privileges = read_boolean(arguments, no_new_privileges, "noNewPrivileges");
  napi_value cgroup = read_property(arguments, request, "cgroup");
  plan->cgroup = is_null(arguments, cgroup) ? -1 : read_fd(arguments, cgroup, "cgroup");
  read_leadership(arguments, request, plan);
  read_moves(arguments, request, plan);
  static const char *const stream_names[3] = {"stdin", "stdout", "stderr"};
  for (int i = 0; i < 3; ++i) {
    order.streams[i] = read_stream(arguments, request, stream_names[i]);
  }
  return order;
}

static napi_value throw_stage(napi_env env, int stage, int error) {
  return throw_failure(env, error, child_stage_names[stage].syscall, child_stage_names[stage].name);
}

napi_value addon_spawn(napi_env env, napi_callback_info info) {
  napi_value request = NULL;
  struct arguments arguments = begin(env, info, &request, 1);
  struct spawn_order order = read_order(&arguments, request);
  if (arguments.wrong == NULL && arguments.with_nul != NULL) {
    /* A user may have written the NUL in an argument or a variable, so this is a failed spawn and no TypeError. */
    const int stage = strcmp(arguments.with_nul, "directory") == 0 ? STAGE_DIRECTORY : STAGE_EXEC;
    arguments_free(&arguments);
    return throw_stage(env, stage, EINVAL);
  }
  if (refuse_wrong(&arguments)) {
    return NULL;
  }
  struct spawn_result spawned = {0};
  struct child_failure failure = {0};
  const bool started = spawn_program(&order, &spawned, &failure);
  arguments_free(&arguments);
  if (!started) {
    return throw_stage(env, failure.stage, failure.error);
  }
  static const char *const end_names[3] = {"stdin", "stdout", "stderr"};
  napi_value result = make_object(env);
  set(env, result, "pid", make_number(env, spawned.pid));
  for (int i = 0; i < 3; ++i) {
    set(env, result, end_names[i], spawned.ends[i] < 0 ? make_null(env) : make_number(env, spawned.ends[i]));
  }
  return result;
}
