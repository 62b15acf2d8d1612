/* addon.trimMemory, addon.textInPlace: memory of the C library and of V8. */

/* The version of Node-API with strings outside of V8's heap. */
#define NAPI_VERSION 10

#include "glue.h"

#include <malloc.h>

/* Returns unused memory of the C library to the system. Only glibc has the call. */
napi_value addon_trim_memory(napi_env env, napi_callback_info info) {
  (void)env;
  (void)info;
#ifdef __GLIBC__
  malloc_trim(0);
#endif
  return NULL;
}

napi_value addon_text_in_place(napi_env env, napi_callback_info info) {
  napi_value value = NULL;
  struct arguments arguments = begin(env, info, &value, 1);
  const struct frame_bytes bytes = read_bytes(&arguments, value, "bytes");
  if (refuse_wrong(&arguments)) {
    return NULL;
  }
  napi_value text = NULL;
  bool is_copied = false;
  /* V8 only reads the bytes. */
  char *place = (char *)(uintptr_t)bytes.bytes;
  if (node_api_create_external_string_latin1(env, place, bytes.length, NULL, NULL, &text, &is_copied) != napi_ok) {
    napi_throw_error(env, NULL, "V8 takes no such string");
  }
  return text;
}
