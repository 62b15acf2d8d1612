/*
 * The functions of the addon about users and groups.
 */
#include "glue.h"

#include <stdlib.h>

#include "syscalls.h"

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

napi_value addon_user_by_name(napi_env env, napi_callback_info info) {
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

napi_value addon_user_by_id(napi_env env, napi_callback_info info) {
  napi_value value = NULL;
  struct arguments arguments = begin(env, info, &value, 1);
  const uid_t uid = (uid_t)read_integer(&arguments, value, "uid", (struct range){0, LARGEST_ID});
  if (refuse_wrong(&arguments)) {
    return NULL;
  }
  struct sys_user user = {0};
  return finish_user(env, sys_find_user(NULL, uid, &user), &user);
}

napi_value addon_group_by_name(napi_env env, napi_callback_info info) {
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

napi_value addon_group_by_id(napi_env env, napi_callback_info info) {
  napi_value value = NULL;
  struct arguments arguments = begin(env, info, &value, 1);
  const gid_t gid = (gid_t)read_integer(&arguments, value, "gid", (struct range){0, LARGEST_ID});
  if (refuse_wrong(&arguments)) {
    return NULL;
  }
  struct sys_group group = {0};
  return finish_group(env, sys_find_group(NULL, gid, &group), &group);
}

napi_value addon_groups_of(napi_env env, napi_callback_info info) {
  napi_value values[2] = {NULL};
  struct arguments arguments = begin(env, info, values, 2);
  const char *name = read_string(&arguments, values[0], "name");
  const gid_t gid = (gid_t)read_integer(&arguments, values[1], "gid", (struct range){0, LARGEST_ID});
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

napi_value addon_become_user(napi_env env, napi_callback_info info) {
  napi_value values[3] = {NULL};
  struct arguments arguments = begin(env, info, values, 3);
  const uid_t uid = (uid_t)read_integer(&arguments, values[0], "uid", (struct range){0, LARGEST_ID});
  const gid_t gid = (gid_t)read_integer(&arguments, values[1], "gid", (struct range){0, LARGEST_ID});
  size_t count = 0;
  const gid_t *groups = read_ids(&arguments, values[2], "groups", &count);
  if (refuse_wrong(&arguments)) {
    return NULL;
  }
  const struct sys_identity identity = {.uid = uid, .gid = gid, .groups = groups, .group_count = count};
  const char *failed = NULL;
  const int result = sys_become_user(&identity, &failed);
  arguments_free(&arguments);
  return result < 0 ? throw_failure(env, -result, failed, NULL) : NULL;
}
