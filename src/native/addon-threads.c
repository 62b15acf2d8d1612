/*
 * addon.countThreads: counts the threads that the kernel still lets this process make (cgroup pids.max, RLIMIT_NPROC).
 * The only way is to make them: the limit may be in a cgroup that is not visible here, or count all processes of a
 * user. libuv aborts if it cannot make a thread of its pool.
 */
#include "glue.h"

#include <uv.h>

enum { MOST_THREADS = 64, STACK_BYTES = 64 * 1024 };

static void wait_for_post(void *semaphore) { uv_sem_wait(semaphore); }

napi_value addon_count_threads(napi_env env, napi_callback_info info) {
  napi_value value = NULL;
  struct arguments arguments = begin(env, info, &value, 1);
  const int most = (int)read_integer(&arguments, value, "most", (struct range){1, MOST_THREADS});
  if (refuse_wrong(&arguments)) {
    return NULL;
  }
  uv_sem_t semaphore;
  if (uv_sem_init(&semaphore, 0) != 0) {
    return make_number(env, 0);
  }
  const uv_thread_options_t options = {.flags = UV_THREAD_HAS_STACK_SIZE, .stack_size = STACK_BYTES};
  uv_thread_t threads[MOST_THREADS];
  int count = 0;
  while (count < most && uv_thread_create_ex(&threads[count], &options, wait_for_post, &semaphore) == 0) {
    ++count;
  }
  for (int i = 0; i < count; ++i) {
    uv_sem_post(&semaphore);
  }
  for (int i = 0; i < count; ++i) {
    uv_thread_join(&threads[i]);
  }
  uv_sem_destroy(&semaphore);
  return make_number(env, count);
}
