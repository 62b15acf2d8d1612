/*
 * A look at the memory that this process may reserve, the files it may open and the threads it may make, before Node
 * takes them. Node would abort with a stack trace, or wait for ever without a word.
 */
#include "limits.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

/* Those of Node before our first line, and one that it makes at its end. */
enum { NEEDED_THREADS = 3 };

#define MIB ((size_t)1 << 20)

/* The range that V8 reserves for machine code, a constant for each processor. */
#if defined __x86_64__
#define CODE_RANGE (512 * MIB)
#else
#define CODE_RANGE (256 * MIB)
#endif

/*
 * Memory that a supervisor with its full pool of threads may write: measured, without the segments of the file. Stacks
 * and heaps take most of the second part. RLIMIT_DATA counts all of it, and so does the kernel where
 * vm.overcommit_memory is 2.
 */
#define NEEDED_WRITABLE (CODE_RANGE + 128 * MIB)

/* With the tables of V8, for which it reserves addresses only. RLIMIT_AS counts them. */
#define NEEDED_ADDRESSES (NEEDED_WRITABLE + 592 * MIB)

/* Node opens 18 before our first line; one program needs some more. */
enum { NEEDED_FILES = 32 };

/* With 64 KiB, Node ends by SIGSEGV. */
#define NEEDED_STACK ((rlim_t)256 << 10)

/* As for a wrong configuration. */
enum { EXIT_CODE = 2 };

#define REFUSE(line) refuse(line, sizeof line - 1)

_Noreturn static void refuse(const char *line, size_t length) {
  const ssize_t written = write(STDERR_FILENO, line, length);
  (void)written;
  _exit(EXIT_CODE);
}

/*
 * Reserves memory for a moment. MAP_NORESERVE, which V8 also sets, changes nothing with vm.overcommit_memory=2, and
 * keeps the kernel from guesses otherwise.
 */
static int can_reserve(size_t size, int protection) {
  void *memory = mmap(NULL, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return memory != MAP_FAILED && munmap(memory, size) == 0;
}

static void require_memory(void) {
  if (!can_reserve(NEEDED_ADDRESSES, PROT_NONE)) {
    REFUSE("cannot start: the limit of address space is too low; allow 2 GB or more, or set none (ulimit -v)\n");
  }
  if (!can_reserve(NEEDED_WRITABLE, PROT_READ | PROT_WRITE)) {
    REFUSE(
        "cannot start: the limit of private memory is too low; allow 1 GB or more, or set none (ulimit -d, or "
        "CommitLimit of /proc/meminfo where vm.overcommit_memory is 2)\n");
  }
}

static int is_below(int resource, rlim_t needed) {
  struct rlimit limit;
  return getrlimit((__rlimit_resource_t)resource, &limit) == 0 && limit.rlim_cur < needed;
}

static void require_files(void) {
  if (is_below(RLIMIT_NOFILE, NEEDED_FILES)) {
    REFUSE(
        "cannot start: the limit of open files is too low; allow 1024 or more (docker run --ulimit nofile=1024, "
        "ulimit -n)\n");
  }
}

_Noreturn static void refuse_descriptor(void) {
  switch (errno) {
    case ENFILE:
      REFUSE("cannot start: the machine has too many open files (ENFILE); close some, or raise sysctl fs.file-max\n");
    case EMFILE:
      REFUSE("cannot start: too many files are open already (EMFILE); raise the limit (ulimit -n), or inherit fewer\n");
    case ENOMEM:
      REFUSE("cannot start: the kernel has no memory for descriptors (ENOMEM)\n");
    default:
      REFUSE("cannot start: pipe2, eventfd2 or epoll_create1 fails; a security profile may forbid it\n");
  }
}

/* Node needs a pipe, an eventfd and an epoll instance before our first line, and aborts without them. */
static void require_descriptors(void) {
  int pipes[2];
  if (pipe2(pipes, O_CLOEXEC) != 0) {
    refuse_descriptor();
  }
  close(pipes[0]);
  close(pipes[1]);
  const int others[] = {eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), epoll_create1(EPOLL_CLOEXEC)};
  for (size_t i = 0; i < sizeof others / sizeof *others; ++i) {
    if (others[i] < 0) {
      refuse_descriptor();
    }
    close(others[i]);
  }
}

static void require_stack(void) {
  if (is_below(RLIMIT_STACK, NEEDED_STACK)) {
    REFUSE("cannot start: the limit of the stack is too low; allow 1 MB or more (ulimit -s)\n");
  }
}

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void *wait_at_gate(void *unused) {
  pthread_mutex_lock(&gate);
  pthread_mutex_unlock(&gate);
  return unused;
}

static void require_threads(void) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, PTHREAD_STACK_MIN);
  pthread_t threads[NEEDED_THREADS];
  pthread_mutex_lock(&gate);
  for (int i = 0; i < NEEDED_THREADS; ++i) {
    if (pthread_create(&threads[i], &attributes, wait_at_gate, NULL) != 0) {
      /* As NO_THREADS in src/startup/pool-threads.ts, for limits that are even lower. */
      REFUSE(
          "cannot start: the limit of processes and threads is too low; allow 16 or more (docker run --pids-limit, "
          "pids.max of the cgroup, ulimit -u)\n");
    }
  }
  pthread_mutex_unlock(&gate);
  for (int i = 0; i < NEEDED_THREADS; ++i) {
    pthread_join(threads[i], NULL);
  }
  pthread_attr_destroy(&attributes);
}

void require_limits(void) {
  require_memory();
  require_stack();
  require_files();
  require_descriptors();
  require_threads();
}
