/*
 * Tests of the sockets that the addon makes: what they are, what arrives on them, and that a full or absent reader is an error at once.
 */
#include "check.h"
#include "socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

static char folder[] = "/tmp/onevisor-sockets-XXXXXX";

static struct sockaddr_un address_in(const char *name) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "%s/%s", folder, name);
  return address;
}

/* Accepted on by others: it has to block, and no program that is not meant to have it may inherit it. */
static void expect_listening(int fd, int family) {
  int value = 0;
  socklen_t length = sizeof value;
  CHECK_EQUAL(getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &length), 0);
  CHECK_EQUAL(value, 1);
  CHECK_EQUAL(getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &value, &length), 0);
  CHECK_EQUAL(value, family);
  CHECK_EQUAL(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
  CHECK_EQUAL(fcntl(fd, F_GETFD), FD_CLOEXEC);
}

static void paths_are_listened_on(void) {
  const struct sockaddr_un address = address_in("listening");
  const int fd = sys_listen_unix(address.sun_path, 7);
  CHECK(fd >= 0);
  expect_listening(fd, AF_UNIX);
  const int client = socket(AF_UNIX, SOCK_STREAM, 0);
  CHECK_EQUAL(connect(client, (const struct sockaddr *)&address, sizeof address), 0);
  CHECK(accept(fd, NULL, NULL) >= 0);
  CHECK_EQUAL(sys_listen_unix(address.sun_path, 7), -EADDRINUSE);
  CHECK_EQUAL(sys_listen_unix("/nowhere/at/all", 7), -ENOENT);
}

static void ports_are_listened_on(void) {
  const int fd = sys_listen_tcp("127.0.0.1", 0, 7);
  CHECK(fd >= 0);
  expect_listening(fd, AF_INET);
  struct sockaddr_in own;
  socklen_t length = sizeof own;
  CHECK_EQUAL(getsockname(fd, (struct sockaddr *)&own, &length), 0);
  CHECK_EQUAL(sys_listen_tcp("127.0.0.1", ntohs(own.sin_port), 7), -EADDRINUSE);
  CHECK_EQUAL(sys_listen_tcp("192.0.2.1", 0, 7), -EADDRNOTAVAIL);
  CHECK_EQUAL(sys_listen_tcp("localhost", 0, 7), -EINVAL);
  const int six = sys_listen_tcp("::1", 0, 7);
  CHECK(six >= 0 || six == -EADDRNOTAVAIL || six == -EAFNOSUPPORT);
}

static void long_paths_are_refused(void) {
  char path[sizeof ((struct sockaddr_un *)0)->sun_path + 1];
  memset(path, 'x', sizeof path - 1);
  path[sizeof path - 1] = '\0';
  CHECK_EQUAL(sys_listen_unix(path, 1), -ENAMETOOLONG);
  CHECK_EQUAL(sys_connect_datagram(path), -ENAMETOOLONG);
}

static void datagrams_arrive(void) {
  const struct sockaddr_un address = address_in("datagrams");
  CHECK_EQUAL(sys_connect_datagram(address.sun_path), -ENOENT);
  const int reader = socket(AF_UNIX, SOCK_DGRAM, 0);
  CHECK_EQUAL(bind(reader, (const struct sockaddr *)&address, sizeof address), 0);
  const int writer = sys_connect_datagram(address.sun_path);
  CHECK(writer >= 0);
  CHECK_EQUAL(fcntl(writer, F_GETFD), FD_CLOEXEC);
  CHECK_EQUAL(sys_send_datagram(writer, "one", 3), 0);
  CHECK_EQUAL(sys_send_datagram(writer, "", 0), 0);
  char bytes[10];
  CHECK_EQUAL(recv(reader, bytes, sizeof bytes, 0), 3);
  CHECK(memcmp(bytes, "one", 3) == 0);
  CHECK_EQUAL(recv(reader, bytes, sizeof bytes, 0), 0);
  /* A reader that reads nothing: the queue fills, and nobody waits. */
  int sent = 0;
  int error = 0;
  for (; error == 0 && sent < 1000000; ++sent) {
    error = sys_send_datagram(writer, "x", 1);
  }
  CHECK_EQUAL(error, -EAGAIN);
  close(reader);
  CHECK_EQUAL(sys_send_datagram(writer, "x", 1), -ECONNREFUSED);
}

void run_socket_cases(void) {
  CHECK(mkdtemp(folder) != NULL);
  RUN(paths_are_listened_on);
  RUN(ports_are_listened_on);
  RUN(long_paths_are_refused);
  RUN(datagrams_arrive);
  for (const char *const *name = (const char *const[]){"listening", "datagrams", NULL}; *name != NULL; ++name) {
    unlink(address_in(*name).sun_path);
  }
  rmdir(folder);
}
