/*
 * Lets system calls of a process fail or hang, by seccomp user notification (seccomp_unotify(2)). Two forms:
 *
 *   injector enter SOCKET CALL[,CALL…] COMMAND…   installs a filter for the calls, and executes the command.
 *   injector serve SOCKET                         answers the calls; takes orders on stdin, reports on stdout.
 *
 * Orders, one on a line. WHO is `pid1` (the process of `enter`, all threads), `child` (a process between clone and
 * exec), or `any`. TARGET is part of the path, or of what the descriptor leads to; `!` before it means all others,
 * and `*` is any.
 *
 *   fail CALL ERRNO SKIP COUNT WHO TARGET         after SKIP calls, COUNT calls fail
 *   hold CALL WHO TARGET                          calls get no answer
 *   tally                                         counts the calls of PID 1 and of its children before their exec
 *   clear                                         forgets all rules, and lets held calls go on
 *
 * Each order is answered by a line: `ok`, or `cleared FAILED HELD SEEN` with counts of calls, after a line
 * `tally CALL PID1 CHILD` for each call that was counted. The first call that a rule changes is reported as
 * `hit CALL TARGET`. Programs inherit the filter; their calls go on, unless WHO is `any`.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "calls.h"

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

#if defined(__x86_64__)
#define OWN_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OWN_ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "no seccomp filter for this architecture"
#endif

enum { MAX_RULES = 16, MAX_HELD = 256, MAX_FILTERED = 100, TARGET_BYTES = 512 };

static void die(const char *what) {
  fprintf(stderr, "injector: %s: %s\n", what, strerror(errno));
  exit(70);
}

/* ---- enter ---- */

static struct sockaddr_un address_of(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    die(path);
  }
  strcpy(address.sun_path, path);
  return address;
}

/*
 * Installs a filter that notifies for the calls, and returns its listener, which is closed by exec. From here until the
 * listener is sent, no call of the filter may be made. io_uring is refused, as by Docker.
 */
static int install_filter(char *names) {
  struct sock_filter code[2 * MAX_FILTERED + 8];
  size_t length = 0;
  code[length++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
  code[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OWN_ARCHITECTURE, 1, 0);
  code[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  code[length++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
  code[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1);
  code[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
  for (char *name = strtok(names, ","); name != NULL; name = strtok(NULL, ",")) {
    const struct call *call = find_call_by_name(name);
    /* Some calls do not exist on some architectures. */
    if (call == NULL) {
      continue;
    }
    if (length + 4 > sizeof code / sizeof code[0]) {
      errno = E2BIG;
      die("filter");
    }
    code[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call->number, 0, 1);
    code[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
  }
  code[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  const struct sock_fprog program = {.len = (unsigned short)length, .filter = code};
  const unsigned long flags = SECCOMP_FILTER_FLAG_NEW_LISTENER;
  /* Without the second flag, a signal repeats a call that was notified already, and the count of calls is wrong. */
  long listener =
      syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, &program);
  if (listener < 0 && errno == EINVAL) {
    listener = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
  }
  if (listener < 0) {
    die("seccomp");
  }
  return (int)listener;
}

/* Sends a descriptor with the name of our executable, which is the command: the server tells children by it. */
static void send_descriptor(int to, int fd, const char *command) {
  union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
  } control = {0};
  struct iovec text = {.iov_base = (void *)(uintptr_t)command, .iov_len = strlen(command) + 1};
  struct msghdr message = {
      .msg_iov = &text, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  control.header = (struct cmsghdr){
      .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
  memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
  if (sendmsg(to, &message, 0) < 0) {
    die("sendmsg");
  }
}

static int enter(const char *path, char *names, char **command) {
  const struct sockaddr_un address = address_of(path);
  const int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (server < 0 || connect(server, (const struct sockaddr *)&address, sizeof address) != 0) {
    die(path);
  }
  const int listener = install_filter(names);
  send_descriptor(server, listener, command[0]);
  execv(command[0], command);
  die(command[0]);
  return 70;
}

/* ---- serve ---- */

struct rule {
  const struct call *call;
  bool is_hold;
  int error;
  long skip;
  long left;
  char who;
  char target[TARGET_BYTES];
  bool is_told;
};

static struct rule rules[MAX_RULES];
static size_t rule_count;
static uint64_t held[MAX_HELD];
static size_t held_count;
static long failed_calls;
static long held_calls;
static long seen_calls;
static pid_t entered;
static char executable[4096];
static int listener = -1;
static bool is_tallied;
/* Calls of PID 1 and of its children before their exec, since the last clearing. */
static long tally[2][KNOWN_CALLS];

static pid_t process_of(pid_t thread) {
  char path[64];
  char text[1024];
  snprintf(path, sizeof path, "/proc/%d/status", thread);
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  const ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
  if (fd >= 0) {
    close(fd);
  }
  if (length <= 0) {
    return -1;
  }
  text[length] = '\0';
  const char *line = strstr(text, "\nTgid:");
  return line == NULL ? -1 : (pid_t)strtol(line + 6, NULL, 10);
}

static bool link_of(pid_t thread, const char *name, char *text, size_t size) {
  char path[96];
  snprintf(path, sizeof path, "/proc/%d/%s", thread, name);
  const ssize_t length = readlink(path, text, size - 1);
  text[length < 0 ? 0 : length] = '\0';
  return length >= 0;
}

/* 'p' for PID 1, 'c' for its child before the exec, 'o' for others. */
static char kind_of(pid_t thread) {
  if (thread == entered) {
    return 'p';
  }
  if (process_of(thread) == entered) {
    return 'p';
  }
  char file[sizeof executable];
  return link_of(thread, "exe", file, sizeof file) && strcmp(file, executable) == 0 ? 'c' : 'o';
}

static void read_text(pid_t thread, uint64_t address, char *text, size_t size) {
  /* Within the page only: the next page may not be mapped. */
  const size_t length = 4096 - address % 4096 < size - 1 ? 4096 - address % 4096 : size - 1;
  const struct iovec local = {.iov_base = text, .iov_len = length};
  const struct iovec remote = {.iov_base = (void *)(uintptr_t)address, .iov_len = length};
  const ssize_t count = process_vm_readv(thread, &local, 1, &remote, 1, 0);
  text[count < 0 ? 0 : count] = '\0';
}

static void describe_target(const struct seccomp_notif *notice, const struct call *call, char *text, size_t size) {
  const uint64_t argument = notice->data.args[call->argument < 0 ? 0 : call->argument];
  text[0] = '\0';
  if (call->kind == BY_PATH) {
    read_text((pid_t)notice->pid, argument, text, size);
  } else if (call->kind == BY_DESCRIPTOR) {
    char name[32];
    snprintf(name, sizeof name, "fd/%d", (int)argument);
    link_of((pid_t)notice->pid, name, text, size);
  }
}

static bool is_meant(const struct rule *rule, char kind, const char *target) {
  const bool is_who = rule->who == 'a' || rule->who == kind;
  if (!is_who || strcmp(rule->target, "*") == 0) {
    return is_who;
  }
  return rule->target[0] == '!' ? strstr(target, rule->target + 1) == NULL : strstr(target, rule->target) != NULL;
}

static struct rule *rule_for(const struct seccomp_notif *notice, char *target) {
  char kind = '\0';
  for (size_t i = 0; i < rule_count; ++i) {
    struct rule *rule = &rules[i];
    if (rule->call->number != notice->data.nr || rule->left == 0) {
      continue;
    }
    if (kind == '\0') {
      kind = kind_of((pid_t)notice->pid);
      describe_target(notice, rule->call, target, TARGET_BYTES);
    }
    if (!is_meant(rule, kind, target)) {
      continue;
    }
    ++seen_calls;
    if (rule->skip > 0) {
      --rule->skip;
      continue;
    }
    return rule;
  }
  return NULL;
}

static void answer(uint64_t id, int error) {
  struct seccomp_notif_resp response = {.id = id};
  if (error == 0) {
    response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
  } else {
    response.error = -error;
  }
  /* ENOENT: the process was killed meanwhile. */
  if (ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response) != 0 && errno != ENOENT) {
    die("answer");
  }
}

static void count_call(const struct seccomp_notif *notice) {
  const char kind = kind_of((pid_t)notice->pid);
  for (size_t i = 0; kind != 'o' && i < KNOWN_CALLS; ++i) {
    if (known_calls[i].number == notice->data.nr) {
      ++tally[kind == 'c'][i];
    }
  }
}

static void tell_tally(void) {
  for (size_t i = 0; i < KNOWN_CALLS; ++i) {
    if (tally[0][i] + tally[1][i] > 0) {
      printf("tally %s %ld %ld\n", known_calls[i].name, tally[0][i], tally[1][i]);
    }
  }
  memset(tally, 0, sizeof tally);
}

static void take_notice(void) {
  struct seccomp_notif notice = {0};
  if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &notice) != 0) {
    return;
  }
  if (is_tallied) {
    count_call(&notice);
  }
  char target[TARGET_BYTES] = "";
  struct rule *rule = rule_for(&notice, target);
  if (rule == NULL) {
    answer(notice.id, 0);
    return;
  }
  if (!rule->is_told) {
    rule->is_told = true;
    printf("hit %s %s\n", rule->call->name, target);
  }
  if (rule->is_hold && held_count < MAX_HELD) {
    ++held_calls;
    held[held_count++] = notice.id;
    return;
  }
  --rule->left;
  ++failed_calls;
  answer(notice.id, rule->error);
}

static void clear_rules(void) {
  rule_count = 0;
  for (size_t i = 0; i < held_count; ++i) {
    answer(held[i], 0);
  }
  held_count = 0;
  tell_tally();
  is_tallied = false;
  printf("cleared %ld %ld %ld\n", failed_calls, held_calls, seen_calls);
  failed_calls = held_calls = seen_calls = 0;
}

static bool take_order(char *line) {
  char call[32] = "";
  char who[16] = "";
  struct rule rule = {.left = -1};
  if (strcmp(line, "clear\n") == 0) {
    clear_rules();
    return true;
  }
  if (strcmp(line, "tally\n") == 0) {
    is_tallied = true;
    printf("ok\n");
    return true;
  }
  const int found =
      sscanf(line, "fail %31s %d %ld %ld %15s %511s", call, &rule.error, &rule.skip, &rule.left, who, rule.target);
  if (found != 6) {
    if (sscanf(line, "hold %31s %15s %511s", call, who, rule.target) != 3) {
      return false;
    }
    rule.is_hold = true;
  }
  rule.call = find_call_by_name(call);
  rule.who = who[0];
  if (rule.call == NULL || rule_count == MAX_RULES) {
    return false;
  }
  rules[rule_count++] = rule;
  printf("ok\n");
  return true;
}

/* Takes the listener from the entering process. */
static void meet(int connection) {
  struct ucred peer;
  socklen_t size = sizeof peer;
  getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size);
  entered = peer.pid;
  char control[CMSG_SPACE(sizeof(int))];
  char command[4096];
  struct iovec text = {.iov_base = command, .iov_len = sizeof command};
  struct msghdr message = {
      .msg_iov = &text, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  if (recvmsg(connection, &message, MSG_CMSG_CLOEXEC) <= 0 || CMSG_FIRSTHDR(&message) == NULL) {
    die("no listener");
  }
  memcpy(&listener, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof listener);
  if (realpath(command, executable) == NULL) {
    die(command);
  }
  close(connection);
}

static int serve(const char *path) {
  const struct sockaddr_un address = address_of(path);
  const int door = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (door < 0 || bind(door, (const struct sockaddr *)&address, sizeof address) != 0 || listen(door, 1) != 0) {
    die(path);
  }
  chmod(path, 0666);
  setvbuf(stdout, NULL, _IOLBF, 0);
  printf("serving\n");
  char line[1024];
  /* Orders come one at a time, after the answer to the one before, so that stdio buffers none. */
  for (;;) {
    struct pollfd watched[2] = {{.fd = STDIN_FILENO, .events = POLLIN},
                                {.fd = listener < 0 ? door : listener, .events = POLLIN}};
    if (poll(watched, 2, -1) < 0 && errno != EINTR) {
      die("poll");
    }
    if (watched[0].revents != 0) {
      if (fgets(line, sizeof line, stdin) == NULL) {
        return 0;
      }
      if (!take_order(line)) {
        printf("not understood: %s", line);
      }
    } else if (watched[1].revents != 0 && listener < 0) {
      meet(accept4(door, NULL, NULL, SOCK_CLOEXEC));
    } else if ((watched[1].revents & POLLIN) != 0) {
      take_notice();
    } else if (watched[1].revents != 0) {
      /* The last process with the filter has ended. */
      return 0;
    }
  }
}

int main(int count, char **arguments) {
  if (count == 3 && strcmp(arguments[1], "serve") == 0) {
    return serve(arguments[2]);
  }
  if (count > 4 && strcmp(arguments[1], "enter") == 0) {
    return enter(arguments[2], arguments[3], arguments + 4);
  }
  fprintf(stderr, "usage: injector serve SOCKET | injector enter SOCKET CALLS COMMAND…\n");
  return 64;
}
