/*
 * Tests of the sockets of the addon: their properties, the received data, and that a full or missing reader is an
 * immediate error.
 */
#include "check.h"
#include "socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
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

/* Other programs accept on the socket. It must block, and must not be inherited by unrelated programs. */
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
  const int fd = sys_listen_unix(address.sun_path, 7, 0750);
  CHECK(fd >= 0);
  expect_listening(fd, AF_UNIX);
  struct stat file;
  CHECK_EQUAL(stat(address.sun_path, &file), 0);
  CHECK_EQUAL(file.st_mode & 0777, 0750);
  const int client = socket(AF_UNIX, SOCK_STREAM, 0);
  CHECK_EQUAL(connect(client, (const struct sockaddr *)&address, sizeof address), 0);
  CHECK(accept(fd, NULL, NULL) >= 0);
  CHECK_EQUAL(sys_listen_unix(address.sun_path, 7, 0750), -EADDRINUSE);
  CHECK_EQUAL(sys_listen_unix("/nowhere/at/all", 7, 0777), -ENOENT);
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

static int open_descriptors(void) {
  int count = 0;
  for (int fd = 0; fd < 1024; ++fd) {
    count += fcntl(fd, F_GETFD) >= 0;
  }
  return count;
}

static int is_readable(int fd) {
  struct pollfd watched = {.fd = fd, .events = POLLIN};
  return poll(&watched, 1, 0);
}

/* A watch tells of a connection until a program accepts it, and leaves the socket as it is. */
static void connections_are_watched(void) {
  const struct sockaddr_un address = address_in("watched");
  const int fd = sys_listen_unix(address.sun_path, 7, 0750);
  const int watch = sys_open_connection_watch(fd);
  CHECK(watch >= 0);
  CHECK_EQUAL(fcntl(watch, F_GETFD), FD_CLOEXEC);
  CHECK_EQUAL(is_readable(watch), 0);
  const int client = socket(AF_UNIX, SOCK_STREAM, 0);
  CHECK_EQUAL(connect(client, (const struct sockaddr *)&address, sizeof address), 0);
  CHECK_EQUAL(is_readable(watch), 1);
  CHECK_EQUAL(is_readable(watch), 1);
  CHECK_EQUAL(fcntl(watch, F_SETFL, O_NONBLOCK), 0);
  expect_listening(fd, AF_UNIX);
  CHECK(accept(fd, NULL, NULL) >= 0);
  CHECK_EQUAL(is_readable(watch), 0);
  const int before = open_descriptors();
  CHECK_EQUAL(sys_open_connection_watch(1000), -EBADF);
  const int file = open("/etc/passwd", O_RDONLY);
  CHECK_EQUAL(sys_open_connection_watch(file), -EPERM);
  close(file);
  CHECK_EQUAL(open_descriptors(), before);
}

static void long_paths_are_refused(void) {
  char path[sizeof ((struct sockaddr_un *)0)->sun_path + 1];
  memset(path, 'x', sizeof path - 1);
  path[sizeof path - 1] = '\0';
  CHECK_EQUAL(sys_listen_unix(path, 1, 0777), -ENAMETOOLONG);
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
  /* The reader reads nothing: the queue fills, and the writer does not wait. */
  int sent = 0;
  int error = 0;
  for (; error == 0 && sent < 1000000; ++sent) {
    error = sys_send_datagram(writer, "x", 1);
  }
  CHECK_EQUAL(error, -EAGAIN);
  close(reader);
  CHECK_EQUAL(sys_send_datagram(writer, "x", 1), -ECONNREFUSED);
}

/* Sends `length` bytes to an abstract address, with `count` descriptors. */
static int send_passing(const char *name, const void *bytes, size_t length, int count) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  memcpy(address.sun_path + 1, name, strlen(name));
  union {
    struct cmsghdr first;
    char bytes[CMSG_SPACE(8 * sizeof(int))];
  } control = {0};
  struct iovec part = {.iov_base = (void *)bytes, .iov_len = length};
  struct msghdr message = {
      .msg_name = &address,
      .msg_namelen = (socklen_t)(sizeof(sa_family_t) + 1 + strlen(name)),
      .msg_iov = &part,
      .msg_iovlen = 1,
  };
  if (count > 0) {
    message.msg_control = &control;
    message.msg_controllen = CMSG_SPACE((size_t)count * sizeof(int));
    control.first.cmsg_level = SOL_SOCKET;
    control.first.cmsg_type = SCM_RIGHTS;
    control.first.cmsg_len = CMSG_LEN((size_t)count * sizeof(int));
    for (int i = 0; i < count; ++i) {
      const int fd = 1;
      memcpy(CMSG_DATA(&control.first) + (size_t)i * sizeof fd, &fd, sizeof fd);
    }
  }
  const int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
  const ssize_t sent = sendmsg(fd, &message, 0);
  const int error = errno;
  close(fd);
  return sent < 0 ? -error : 0;
}

static void senders_are_known(void) {
  char name[32];
  snprintf(name, sizeof name, "onevisor-test/%d", (int)getpid());
  const int reader = sys_open_datagram(name);
  CHECK(reader >= 0);
  CHECK_EQUAL(fcntl(reader, F_GETFD), FD_CLOEXEC);
  CHECK_EQUAL(sys_open_datagram(name), -EADDRINUSE);
  char bytes[8];
  struct sys_datagram datagram = {0};
  CHECK_EQUAL(sys_receive_datagram(reader, bytes, sizeof bytes, &datagram), -EAGAIN);
  CHECK_EQUAL(send_passing(name, "one", 3, 0), 0);
  CHECK_EQUAL(send_passing(name, "eightmany", 9, 0), 0);
  CHECK_EQUAL(send_passing(name, "", 0, 0), 0);
  CHECK_EQUAL(sys_receive_datagram(reader, bytes, sizeof bytes, &datagram), 0);
  CHECK_EQUAL(datagram.length, 3);
  CHECK_EQUAL(datagram.is_cut, 0);
  CHECK_EQUAL(datagram.pid, getpid());
  CHECK_EQUAL(datagram.uid, getuid());
  CHECK(memcmp(bytes, "one", 3) == 0);
  CHECK_EQUAL(sys_receive_datagram(reader, bytes, sizeof bytes, &datagram), 0);
  CHECK_EQUAL(datagram.length, 8);
  CHECK_EQUAL(datagram.is_cut, 1);
  CHECK_EQUAL(sys_receive_datagram(reader, bytes, sizeof bytes, &datagram), 0);
  CHECK_EQUAL(datagram.length, 0);
  CHECK_EQUAL(datagram.pid, getpid());
  CHECK_EQUAL(sys_receive_datagram(1000, bytes, sizeof bytes, &datagram), -EBADF);
  close(reader);
  CHECK_EQUAL(send_passing(name, "one", 3, 0), -ECONNREFUSED);
}

/* The descriptors are closed, which a waiting sender notices (sd_notify_barrier). */
static void passed_descriptors_are_not_taken(void) {
  char name[32];
  snprintf(name, sizeof name, "onevisor-test/%d", (int)getpid());
  const int reader = sys_open_datagram(name);
  CHECK(reader >= 0);
  const int before = open_descriptors();
  char bytes[8];
  struct sys_datagram datagram = {0};
  for (int count = 1; count <= 8; ++count) {
    CHECK_EQUAL(send_passing(name, "fds", 3, count), 0);
    CHECK_EQUAL(sys_receive_datagram(reader, bytes, sizeof bytes, &datagram), 0);
    CHECK_EQUAL(datagram.length, 3);
    CHECK_EQUAL(datagram.pid, getpid());
    CHECK_EQUAL(open_descriptors(), before);
  }
}

static void long_names_are_refused(void) {
  char name[sizeof ((struct sockaddr_un *)0)->sun_path + 1];
  memset(name, 'x', sizeof name - 1);
  name[sizeof name - 1] = '\0';
  CHECK_EQUAL(sys_open_datagram(name), -ENAMETOOLONG);
  name[sizeof name - 2] = '\0';
  const int fd = sys_open_datagram(name);
  CHECK(fd >= 0);
  close(fd);
}

void run_socket_cases(void) {
  CHECK(mkdtemp(folder) != NULL);
  RUN(paths_are_listened_on);
  RUN(ports_are_listened_on);
  RUN(connections_are_watched);
  RUN(long_paths_are_refused);
  RUN(datagrams_arrive);
  RUN(senders_are_known);
  RUN(passed_descriptors_are_not_taken);
  RUN(long_names_are_refused);
  static const char *const names[] = {"listening", "datagrams", "watched"};
  for (size_t i = 0; i < sizeof names / sizeof *names; ++i) {
    unlink(address_in(names[i]).sun_path);
  }
  rmdir(folder);
}
