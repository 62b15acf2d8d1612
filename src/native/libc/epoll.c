/*
 * epoll_ctl and epoll_pwait, for a kernel that has no memory for another watch, or whose user has too many of them
 * (ENOMEM, ENOSPC of epoll_ctl(2)). libuv aborts then. Here the watch is kept in a list, and each wait tries again to
 * add it. Until then the wait ends after a short time, and the descriptor gives no events.
 *
 * Both take the place of the functions in libc.a, and Node and the addon call them.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../kernel.h"

/* Pause between two attempts while a watch waits, and between two messages. */
enum { RETRY_MS = 50, QUIET_SECONDS = 60 };

/* Watches that could not be added. More than the list can hold get the error of the kernel. */
enum { MAX_WAITING = 256 };

struct waiting_watch {
  int epoll;
  int fd;
  struct epoll_event event;
};

static struct waiting_watch waiting[MAX_WAITING];
/* Read without the lock, as a hint. */
static size_t waiting_count;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static int change(int epoll, int operation, int fd, struct epoll_event *event) {
  return (int)syscall(SYS_epoll_ctl, epoll, operation, fd, event);
}

static bool is_shortage(int error) { return error == ENOMEM || error == ENOSPC; }

static struct waiting_watch *find_waiting(int epoll, int fd) {
  for (size_t i = 0; i < waiting_count; ++i) {
    if (waiting[i].epoll == epoll && waiting[i].fd == fd) {
      return &waiting[i];
    }
  }
  return NULL;
}

static void forget(struct waiting_watch *watch) {
  const size_t last = waiting_count - 1;
  *watch = waiting[last];
  __atomic_store_n(&waiting_count, last, __ATOMIC_RELAXED);
}

/* Says once a minute why connections and output come late. Does not wait for a reader of the standard error. */
static void tell_shortage(int error) {
  static const char no_memory[] =
      "cannot watch a descriptor: the kernel has no memory for it (ENOMEM, epoll); trying again\n";
  static const char too_many[] =
      "cannot watch a descriptor: too many watches of this user (ENOSPC, epoll); trying again; the kernel allows more "
      "with sysctl fs.epoll.max_user_watches, on the host\n";
  /* Of each error. */
  static time_t told[2];
  struct timespec now = {0};
  struct pollfd reader = {.fd = STDERR_FILENO, .events = POLLOUT};
  clock_gettime(CLOCK_MONOTONIC, &now);
  time_t *last = &told[error == ENOMEM];
  if ((*last != 0 && now.tv_sec - *last < QUIET_SECONDS) || poll(&reader, 1, 0) != 1 || reader.revents != POLLOUT) {
    return;
  }
  *last = now.tv_sec;
  const ssize_t written = error == ENOMEM ? write(STDERR_FILENO, no_memory, sizeof no_memory - 1)
                                          : write(STDERR_FILENO, too_many, sizeof too_many - 1);
  (void)written;
}

static bool keep(int epoll, int fd, const struct epoll_event *event) {
  if (waiting_count == MAX_WAITING) {
    return false;
  }
  tell_shortage(errno);
  waiting[waiting_count] = (struct waiting_watch){epoll, fd, *event};
  __atomic_store_n(&waiting_count, waiting_count + 1, __ATOMIC_RELAXED);
  return true;
}

/* A watch that waits is changed or removed in the list. The number of a closed descriptor may be used again (ADD). */
static int change_waiting(struct waiting_watch *watch, int operation, struct epoll_event *event) {
  if (operation == EPOLL_CTL_DEL) {
    forget(watch);
  } else {
    watch->event = *event;
  }
  return 0;
}

int epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event) {
  const bool is_idle = __atomic_load_n(&waiting_count, __ATOMIC_RELAXED) == 0;
  int result = is_idle ? change(epoll, operation, fd, event) : -1;
  if (is_idle && (result == 0 || operation != EPOLL_CTL_ADD || !is_shortage(errno))) {
    return result;
  }
  const int error = errno;
  pthread_mutex_lock(&lock);
  struct waiting_watch *watch = find_waiting(epoll, fd);
  if (watch != NULL) {
    result = change_waiting(watch, operation, event);
  } else {
    if (!is_idle) {
      result = change(epoll, operation, fd, event);
    } else {
      errno = error;
    }
    if (result != 0 && operation == EPOLL_CTL_ADD && is_shortage(errno) && keep(epoll, fd, event)) {
      result = 0;
    }
  }
  pthread_mutex_unlock(&lock);
  return result;
}

/* A descriptor that was closed without EPOLL_CTL_DEL leaves the list by another error. */
static void add_waiting(void) {
  pthread_mutex_lock(&lock);
  for (size_t i = waiting_count; i > 0; --i) {
    struct waiting_watch *watch = &waiting[i - 1];
    const int result = change(watch->epoll, EPOLL_CTL_ADD, watch->fd, &watch->event);
    if (result == 0 || !is_shortage(errno)) {
      forget(watch);
    }
  }
  pthread_mutex_unlock(&lock);
}

int epoll_pwait(int epoll, struct epoll_event *events, int count, int timeout, const sigset_t *signals) {
  if (__atomic_load_n(&waiting_count, __ATOMIC_RELAXED) > 0) {
    add_waiting();
    if (waiting_count > 0 && (timeout < 0 || timeout > RETRY_MS)) {
      timeout = RETRY_MS;
    }
  }
  return (int)syscall(SYS_epoll_pwait, epoll, events, count, timeout, signals, (size_t)KERNEL_SIGSET_BYTES);
}
