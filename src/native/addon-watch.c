/*
 * addon.watchReadable: makes Node's event loop watch a descriptor for which Node has no stream, such as a unix datagram
 * socket. It reads nothing, and owns no descriptor. The loop runs on the one thread that calls the addon.
 */
#include "glue.h"

#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "syscalls.h"

/* A function that watches call. The watches of thousands of pipes share one. */
struct ready {
  napi_env env;
  napi_ref function;
  size_t watches;
};

struct watch {
  uv_poll_t poll;
  struct ready *ready;
  int fd;
};

/* The function that was used last; NULL for none. */
static struct ready *latest;

/* The watches by descriptor. With thousands of programs, a search for each exit would be slow. */
static struct watch **watches;
static size_t watch_slots;

static struct watch *find_watch(int fd) { return (size_t)fd < watch_slots ? watches[fd] : NULL; }

/* Makes room for the watch of an open descriptor. Returns 0 or the errno. */
static int make_slot(int fd) {
  if ((size_t)fd < watch_slots) {
    return 0;
  }
  const size_t slots = (size_t)fd * 2 + 64;
  struct watch **larger = realloc(watches, slots * sizeof *larger);
  if (larger == NULL) {
    return ENOMEM;
  }
  memset(larger + watch_slots, 0, (slots - watch_slots) * sizeof *larger);
  watches = larger;
  watch_slots = slots;
  return 0;
}

static bool is_latest(napi_env env, napi_value function) {
  if (latest == NULL || latest->env != env) {
    return false;
  }
  napi_value known = NULL;
  bool is_same = false;
  napi_get_reference_value(env, latest->function, &known);
  return napi_strict_equals(env, known, function, &is_same) == napi_ok && is_same;
}

/* Counts a watch of a function. Returns NULL if there is no memory. */
static struct ready *hold_ready(napi_env env, napi_value function) {
  if (!is_latest(env, function)) {
    struct ready *ready = calloc(1, sizeof *ready);
    if (ready == NULL) {
      return NULL;
    }
    ready->env = env;
    napi_create_reference(env, function, 1, &ready->function);
    latest = ready;
  }
  ++latest->watches;
  return latest;
}

static void release_ready(struct ready *ready) {
  if (--ready->watches > 0) {
    return;
  }
  napi_delete_reference(ready->env, ready->function);
  if (latest == ready) {
    latest = NULL;
  }
  free(ready);
}

static void free_watch(uv_handle_t *handle) { free(handle->data); }

/* Stops watching at once. The memory is freed when the loop has closed the handle. */
static void end_watch(struct watch *watch) {
  watches[watch->fd] = NULL;
  release_ready(watch->ready);
  uv_close((uv_handle_t *)&watch->poll, free_watch);
}

void addon_end_watches(void *env) {
  for (size_t fd = 0; fd < watch_slots; fd++) {
    if (watches[fd] != NULL && watches[fd]->ready->env == env) {
      end_watch(watches[fd]);
    }
  }
}

static void tell_readable(uv_poll_t *poll, int status, int events) {
  (void)events;
  struct watch *watch = poll->data;
  napi_env env = watch->ready->env;
  napi_handle_scope scope = NULL;
  if (napi_open_handle_scope(env, &scope) != napi_ok) {
    return;
  }
  napi_value receiver = NULL;
  napi_value ready = NULL;
  napi_value values[2] = {make_number(env, -status), make_number(env, watch->fd)};
  napi_get_global(env, &receiver);
  napi_get_reference_value(env, watch->ready->function, &ready);
  if (status < 0) {
    end_watch(watch);
  }
  /* The callback may end this watch, so `watch` must not be used after the call. */
  if (napi_make_callback(env, NULL, receiver, ready, 2, values, NULL) == napi_pending_exception) {
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
  if (make_slot(fd) != 0) {
    uv_close((uv_handle_t *)&watch->poll, free_watch);
    return throw_failure(env, ENOMEM, "realloc", NULL);
  }
  watch->ready = hold_ready(env, values[1]);
  if (watch->ready == NULL) {
    uv_close((uv_handle_t *)&watch->poll, free_watch);
    return throw_failure(env, ENOMEM, "calloc", NULL);
  }
  watch->fd = fd;
  watches[fd] = watch;
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
  struct watch *watch = find_watch(fd);
  if (watch != NULL) {
    end_watch(watch);
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
