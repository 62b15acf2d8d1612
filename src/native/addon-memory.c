/* addon.trimMemory: returns unused memory of the C library to the system. Only glibc has the call. */
#include "glue.h"

#include <malloc.h>

napi_value addon_trim_memory(napi_env env, napi_callback_info info) {
  (void)env;
  (void)info;
#ifdef __GLIBC__
  malloc_trim(0);
#endif
  return NULL;
}
