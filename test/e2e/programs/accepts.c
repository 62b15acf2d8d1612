/*
 * Serves the sockets that sd_listen_fds(3) describes: answers each line with its pid and the name of the socket. After
 * SIGTERM it finishes the connection it has accepted and exits with 0. Argument `once`: exits with 0 after the first
 * connection; `never`: exits with 0 at once.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { FIRST = 3, MOST = 8 };

static volatile sig_atomic_t is_told;

static void note_term(int number) {
  (void)number;
  is_told = 1;
}

/* Prints the kind of a socket: its path, or its port, and its flag for blocking. */
static void print_socket(int fd) {
  struct sockaddr_un name = {0};
  socklen_t length = sizeof name;
  if (getsockname(fd, (struct sockaddr *)&name, &length) != 0) {
    printf(" no-socket");
  } else {
    printf(" %s", name.sun_family == AF_UNIX ? name.sun_path : "tcp");
  }
}

static void serve(int fd, const char *name) {
  const int client = accept(fd, NULL, NULL);
  if (client < 0) {
    return;
  }
  char line[64];
  if (read(client, line, sizeof line) > 0) {
    char answer[128];
    const int length = snprintf(answer, sizeof answer, "served by %d at %s\n", (int)getpid(), name);
    if (write(client, answer, (size_t)length) != length) {
      perror("write");
    }
  }
  close(client);
}

int main(int argc, char **argv) {
  const char *mode = argc > 1 ? argv[1] : "";
  const char *pid = getenv("LISTEN_PID");
  const char *count = getenv("LISTEN_FDS");
  const char *listed = getenv("LISTEN_FDNAMES");
  if (pid == NULL || count == NULL || listed == NULL || atoi(pid) != (int)getpid()) {
    printf("not activated: LISTEN_PID=%s\n", pid == NULL ? "" : pid);
    return 3;
  }
  const int sockets = atoi(count);
  char names[256];
  snprintf(names, sizeof names, "%s", listed);
  char *name_of[MOST] = {NULL};
  struct pollfd polled[MOST];
  char *name = strtok(names, ":");
  for (int i = 0; i < sockets && i < MOST; ++i, name = strtok(NULL, ":")) {
    name_of[i] = name;
    polled[i] = (struct pollfd){FIRST + i, POLLIN, 0};
  }
  printf("up: %d sockets", sockets);
  for (int i = 0; i < sockets; ++i) {
    print_socket(FIRST + i);
  }
  printf("\n");
  fflush(stdout);
  if (strcmp(mode, "never") == 0) {
    return 0;
  }
  sigset_t term, before;
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  sigprocmask(SIG_BLOCK, &term, &before);
  signal(SIGTERM, note_term);
  while (!is_told) {
    if (ppoll(polled, (nfds_t)sockets, NULL, &before) <= 0) {
      continue;
    }
    for (int i = 0; i < sockets; ++i) {
      if ((polled[i].revents & POLLIN) == 0) {
        continue;
      }
      serve(polled[i].fd, name_of[i]);
      if (strcmp(mode, "once") == 0) {
        return 0;
      }
    }
  }
  return 0;
}
