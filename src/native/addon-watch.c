/*
 * addon.watchReadable: makes Node's event loop watch a descriptor for which Node has no stream, such as a unix datagram
 * socket. It reads nothing, and owns no descriptor. The loop runs on the one thread that calls the addon.
 */
#include "glue.h"

#include <stdlib.h>
#include <uv.h>

#include "syscalls.h"

struct watch {
  uv_poll_t poll;
  struct watch *next;
  napi_env env;
  napi_ref ready;
  int fd;
};

static struct watch *watches;

static struct watch **find_watch(int fd) {
  struct watch **place = &watches;
  while (*place != NULL && (*place)->fd != fd) {
    place = &(*place)->next;
  }
  return place;
}

static void free_watch(uv_handle_t *handle) { free(handle->data); }

/* Stops watching at once. The memory is freed when the loop has closed the handle. */
static void end_watch(struct watch **place) {
  struct watch *watch = *place;
  *place = watch->next;
  napi_delete_reference(watch->env, watch->ready);
  uv_close((uv_handle_t *)&watch->poll, free_watch);
}

void addon_end_watches(void *env) {
  for (struct watch **place = &watches; *place != NULL;) {
    if ((*place)->env == env) {
      end_watch(place);
    } else {
      place = &(*place)->next;
    }
  }
}

static void tell_readable(uv_poll_t *poll, int status, int events) {
  (void)events;
  const struct watch *watch = poll->data;
  napi_env env = watch->env;
  napi_handle_scope scope = NULL;
  if (napi_open_handle_scope(env, &scope) != napi_ok) {
    return;
  }
  napi_value receiver = NULL;
  napi_value ready = NULL;
  napi_value error = make_number(env, -status);
  napi_get_global(env, &receiver);
  napi_get_reference_value(env, watch->ready, &ready);
  if (status < 0) {
    end_watch(find_watch(watch->fd));
  }
  /* The callback may end this watch, so `watch` must not be used after the call. */
  if (napi_make_callback(env, NULL, receiver, ready, 1, &error, NULL) == napi_pending_exception) {
    napi_value exception = NULL;
    napi_get_and_clear_last_exception(env, &exception);
    napi_fatal_exception(env, exception);
  }
  napi_close_handle_scope(env, scope);
}

napi_value addon_watch_readable(napi_env env, napi_callback_info info) {
  napi_value values[2] = {NULL};
  struct arguments arguments = begin(env, info, values, 2);
  const int fd = read_fd(&arguments, values[0], "fd");
  if (type_of(&arguments, values[1]) != napi_function) {
    arguments.wrong = "ready";
  }
  if (refuse_wrong(&arguments)) {
    return NULL;
  }
  uv_loop_t *loop = NULL;
  struct watch *watch = calloc(1, sizeof *watch);
  if (watch == NULL) {
    return throw_failure(env, ENOMEM, "calloc", NULL);
  }
  napi_get_uv_event_loop(env, &loop);
  const int result = uv_poll_init(loop, &watch->poll, fd);
  if (result < 0) {
    free(watch);
    return throw_failure(env, -result, "epoll_ctl", NULL);
  }
  watch->poll.data = watch;
  watch->env = env;
  watch->fd = fd;
  watch->next = watches;
  watches = watch;
  napi_create_reference(env, values[1], 1, &watch->ready);
  uv_unref((uv_handle_t *)&watch->poll);
  uv_poll_start(&watch->poll, UV_READABLE, tell_readable);
  return NULL;
}

napi_value addon_unwatch_readable(napi_env env, napi_callback_info info) {
  napi_value value = NULL;
  struct arguments arguments = begin(env, info, &value, 1);
  const int fd = read_fd(&arguments, value, "fd");
  if (refuse_wrong(&arguments)) {
    return NULL;
  }
  struct watch **place = find_watch(fd);
  if (*place != NULL) {
    end_watch(place);
  }
  return NULL;
}

napi_value addon_open_clock_watch(napi_env env, napi_callback_info info) {
  (void)info;
  const int fd = sys_open_clock_watch();
  return fd < 0 ? throw_failure(env, -fd, "timerfd", NULL) : make_number(env, fd);
}

napi_value addon_rearm_clock_watch(napi_env env, napi_callback_info info) {
  napi_value value = NULL;
  struct arguments arguments = begin(env, info, &value, 1);
  const int fd = read_fd(&arguments, value, "fd");
  return refuse_wrong(&arguments) ? NULL : make_number(env, -sys_rearm_clock_watch(fd));
}
