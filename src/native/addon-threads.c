/*
 * addon.countThreads: counts the threads that the kernel still lets this process make (cgroup pids.max, RLIMIT_NPROC).
 * The only way is to make them: the limit may be in a cgroup that is not visible here, or count all processes of a
 * user. libuv aborts if it cannot make a thread of its pool. A thread costs 50 us, so only some are made if the limits
 * that can be read are far away: the full pool of a supervisor, and some more.
 */
#include "glue.h"

#include <uv.h>

#include "task-room.h"

enum { MOST_THREADS = 64, STACK_BYTES = 64 * 1024, FEW_THREADS = 12, AMPLE_TASKS = 256 };

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
  const bool is_ample = most > FEW_THREADS && sys_has_task_room(&system_task_files, AMPLE_TASKS);
  const int tried = is_ample ? FEW_THREADS : most;
  int count = 0;
  while (count < tried && uv_thread_create_ex(&threads[count], &options, wait_for_post, &semaphore) == 0) {
    ++count;
  }
  for (int i = 0; i < count; ++i) {
    uv_sem_post(&semaphore);
  }
  for (int i = 0; i < count; ++i) {
    uv_thread_join(&threads[i]);
  }
  uv_sem_destroy(&semaphore);
  return make_number(env, is_ample && count == tried ? most : count);
}
