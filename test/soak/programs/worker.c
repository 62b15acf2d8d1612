/*
 * worker FOLDER NAME MODE SEED: writes numbered lines "L SLOT NUMBER xxx" in a way that MODE names, and keeps a record
 * of them in FOLDER/ledger. SLOT is the number of this run in the ledger. A write has whole lines and at most PIPE_BUF
 * bytes, so that it happens completely or not at all, even if the program is killed. Runs of one NAME count themselves
 * in FOLDER/locks/NAME, so that SEED and the count decide what a run does. Two runs of one NAME at a time are counted
 * as `overlaps`.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { SLOT_BYTES = 64, NAME_BYTES = 40, LONGEST_LINE = 160 };

/* The first slot of the ledger. */
struct header {
  int64_t runs;
  int64_t overlaps;
  int64_t failures;
};

/* A slot. `attempted` is set before a write, `written` after it. */
struct slot {
  int64_t attempted;
  int64_t written;
  int32_t pid;
  int32_t reserved;
  char name[NAME_BYTES];
};

_Static_assert(sizeof(struct slot) == SLOT_BYTES, "the reader knows the size");

static volatile struct header *header;
static volatile struct slot *slot;
static int64_t slot_number;
static volatile sig_atomic_t is_asked_to_end;
static uint64_t state;

static void ask_to_end(int signal) {
  (void)signal;
  is_asked_to_end = 1;
}

/* splitmix64 */
static uint64_t next_random(void) {
  uint64_t z = (state += 0x9e3779b97f4a7c15U);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31);
}

static int below(int limit) { return (int)(next_random() % (uint64_t)limit); }

static void pause_ms(int ms) {
  const struct timespec time = {ms / 1000, (long)(ms % 1000) * 1000000};
  nanosleep(&time, NULL);
}

/* Writes `count` lines, as many in one write as fit. */
static void write_lines(int count) {
  char block[PIPE_BUF];
  while (count > 0) {
    size_t length = 0;
    int64_t number = slot->written;
    for (; count > 0 && length + LONGEST_LINE <= sizeof block; count--) {
      number++;
      length += (size_t)snprintf(block + length, LONGEST_LINE, "L %lld %lld %.*s\n", (long long)slot_number,
                                 (long long)number, below(100),
                                 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
                                 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
    }
    slot->attempted = number;
    ssize_t done;
    while ((done = write(STDOUT_FILENO, block, length)) < 0 && errno == EINTR) {
    }
    if (done != (ssize_t)length) {
      /* The reader of the pipe is gone. The lines were not written. */
      slot->attempted = slot->written;
      __atomic_fetch_add(&header->failures, 1, __ATOMIC_SEQ_CST);
      _exit(3);
    }
    slot->written = number;
  }
}

/* Maps the ledger and takes a slot. */
static int open_ledger(const char *folder, const char *name) {
  char path[PATH_MAX];
  snprintf(path, sizeof path, "%s/ledger", folder);
  const int fd = open(path, O_RDWR | O_CLOEXEC);
  struct stat status;
  if (fd < 0 || fstat(fd, &status) != 0) {
    return -1;
  }
  char *map = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (map == MAP_FAILED) {
    return -1;
  }
  header = (volatile struct header *)map;
  slot_number = __atomic_add_fetch(&header->runs, 1, __ATOMIC_SEQ_CST);
  if ((slot_number + 1) * SLOT_BYTES > status.st_size) {
    return -1;
  }
  slot = (volatile struct slot *)(map + slot_number * SLOT_BYTES);
  slot->pid = getpid();
  strncpy((char *)slot->name, name, NAME_BYTES - 1);
  return 0;
}

/* Counts the runs of this name. The lock is that of this process alone, and ends with it. */
static int64_t count_run(const char *folder, const char *name) {
  char path[PATH_MAX];
  snprintf(path, sizeof path, "%s/locks/%s", folder, name);
  const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  if (fd < 0 || fcntl(fd, F_SETLK, &lock) != 0) {
    __atomic_fetch_add(&header->overlaps, 1, __ATOMIC_SEQ_CST);
    return 0;
  }
  int64_t count = 0;
  if (pread(fd, &count, sizeof count, 0) < 0) {
    count = 0;
  }
  count++;
  return pwrite(fd, &count, sizeof count, 0) == (ssize_t)sizeof count ? count : 0;
}

/* Leaves orphans, some of which live for a while. They write nothing. */
static void leave_orphans(int count) {
  for (int i = 0; i < count; i++) {
    const int ms = below(4) == 0 ? below(1000) : 0;
    if (fork() != 0) {
      continue;
    }
    if (fork() == 0) {
      close(STDOUT_FILENO);
      close(STDERR_FILENO);
      pause_ms(ms);
    }
    _exit(0);
  }
}

/* Ends in one of several ways. */
static void end_somehow(void) {
  static const int signals[] = {SIGKILL, SIGSEGV, SIGTERM, SIGABRT};
  if (below(4) == 0) {
    signal(SIGABRT, SIG_DFL);
    raise(signals[below(4)]);
  }
  _exit(below(3));
}

int main(int argc, char **argv) {
  if (argc != 5 || open_ledger(argv[1], argv[2]) != 0) {
    return 4;
  }
  const char *mode = argv[3];
  state = strtoull(argv[4], NULL, 10) * 1000003 + (uint64_t)count_run(argv[1], argv[2]);
  for (const char *letter = argv[2]; *letter != '\0'; letter++) {
    state = state * 31 + (unsigned char)*letter;
  }
  if (strcmp(mode, "stubborn") == 0) {
    signal(SIGTERM, SIG_IGN);
  }
  if (strcmp(mode, "polite") == 0) {
    struct sigaction action = {.sa_handler = ask_to_end};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
  }
  signal(SIGUSR1, SIG_IGN);
  if (strcmp(mode, "loop") == 0) {
    write_lines(1 + below(8));
    pause_ms(below(50));
    write_lines(below(3));
    end_somehow();
  }
  const int is_burst = strcmp(mode, "burst") == 0;
  const int is_parent = strcmp(mode, "parent") == 0;
  const int lives = 20 + below(600);
  for (int turn = 0; !is_asked_to_end && turn < lives; turn++) {
    write_lines(is_burst && below(10) == 0 ? 500 + below(1500) : below(3));
    if (is_parent && below(4) == 0) {
      signal(SIGCHLD, SIG_IGN);
      leave_orphans(1 + below(5));
    }
    pause_ms(20 + below(180));
  }
  write_lines(1 + below(40));
  end_somehow();
}
