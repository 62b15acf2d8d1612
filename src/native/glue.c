/*
 * Helpers of all functions of the addon, see glue.h.
 */
#include "glue.h"

#include <string.h>

#include "names.h"

napi_value make_number(napi_env env, double number) {
  napi_value value = NULL;
  napi_create_double(env, number, &value);
  return value;
}

napi_value make_null(napi_env env) {
  napi_value value = NULL;
  napi_get_null(env, &value);
  return value;
}

napi_value make_string(napi_env env, const char *text) {
  napi_value value = NULL;
  napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &value);
  return value;
}

napi_value make_object(napi_env env) {
  napi_value value = NULL;
  napi_create_object(env, &value);
  return value;
}

void set(napi_env env, napi_value object, const char *name, napi_value value) {
  napi_set_named_property(env, object, name, value);
}

napi_value throw_failure(napi_env env, int error, const char *syscall_name, const char *stage) {
  const char *code = error_name(error);
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

bool refuse_wrong(struct arguments *arguments) {
  const char *name = arguments->wrong != NULL ? arguments->wrong : arguments->with_nul;
  if (name == NULL) {
    return false;
  }
  arguments_free(arguments);
  napi_throw_type_error(arguments->env, "ERR_INVALID_ARG_VALUE", name);
  return true;
}

struct arguments begin(napi_env env, napi_callback_info info, napi_value *values, size_t count) {
  struct arguments arguments = {.env = env};
  size_t given = count;
  napi_get_cb_info(env, info, &given, values, NULL, NULL);
  return arguments;
}

int read_fd(struct arguments *arguments, napi_value value, const char *name) {
  return (int)read_integer(arguments, value, name, (struct range){0, LARGEST_DESCRIPTOR});
}

gid_t *read_ids(struct arguments *arguments, napi_value value, const char *name, size_t *count) {
  *count = array_length(arguments, value, name);
  gid_t *ids = arguments_allocate(arguments, *count, sizeof *ids);
  for (uint32_t i = 0; i < *count; ++i) {
    napi_value id = read_element(arguments, value, i, name);
    ids[i] = (gid_t)read_integer(arguments, id, name, (struct range){0, LARGEST_ID});
  }
  return ids;
}

struct child_limit read_limit(struct arguments *arguments, napi_value value) {
  const char *resource = read_string(arguments, read_property(arguments, value, "resource"), "resource");
  struct child_limit limit = {.resource = resource == NULL ? -1 : limit_number(resource)};
  if (limit.resource < 0) {
    arguments->wrong = "resource";
  }
  limit.value.rlim_cur = read_amount(arguments, read_property(arguments, value, "soft"), "soft");
  limit.value.rlim_max = read_amount(arguments, read_property(arguments, value, "hard"), "hard");
  return limit;
}

struct frame_bytes read_bytes(struct arguments *arguments, napi_value value, const char *name) {
  napi_typedarray_type type = napi_int8_array;
  void *bytes = NULL;
  size_t length = 0;
  const napi_status status = napi_get_typedarray_info(arguments->env, value, &type, &length, &bytes, NULL, NULL);
  if (status != napi_ok || type != napi_uint8_array) {
    arguments->wrong = name;
    return (struct frame_bytes){NULL, 0};
  }
  return (struct frame_bytes){bytes, length};
}

uint32_t *read_numbers(struct arguments *arguments, napi_value value, const char *name, size_t count) {
  napi_typedarray_type type = napi_int8_array;
  void *numbers = NULL;
  size_t length = 0;
  const napi_status status = napi_get_typedarray_info(arguments->env, value, &type, &length, &numbers, NULL, NULL);
  if (status != napi_ok || type != napi_uint32_array || length < count) {
    arguments->wrong = name;
    return NULL;
  }
  return numbers;
}
