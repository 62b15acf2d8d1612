/*
 * Sockets that Node cannot make, see socket.h.
 */
#include "socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* Closes a socket that could not be made ready, and keeps the error. */
static int give_up(int fd) {
  const int error = errno;
  close(fd);
  return -error;
}

static int path_address(const char *path, struct sys_unix_address *address) {
  *address = (struct sys_unix_address){.name = {.sun_family = AF_UNIX}, .length = sizeof address->name};
  const size_t length = strlen(path);
  if (length >= sizeof address->name.sun_path) {
    return -ENAMETOOLONG;
  }
  memcpy(address->name.sun_path, path, length);
  return 0;
}

int sys_peer_address(const char *path, struct sys_unix_address *address) {
  const int result = path_address(path, address);
  if (result == 0 && path[0] == '@') {
    address->name.sun_path[0] = '\0';
    address->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
  }
  return result;
}

static int open_stream(int family) {
  const int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  return fd < 0 ? -errno : fd;
}

static int listen_at(int fd, const struct sockaddr *address, socklen_t length, int backlog) {
  if (fd < 0) {
    return fd;
  }
  const int on = 1;
  /* Connections of an earlier socket in TIME_WAIT then do not keep the port busy. */
  if (address->sa_family != AF_UNIX && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0) {
    return give_up(fd);
  }
  if (bind(fd, address, length) != 0 || listen(fd, backlog) != 0) {
    return give_up(fd);
  }
  return fd;
}

int sys_listen_unix(const char *path, int backlog, mode_t mode) {
  struct sys_unix_address address;
  const int result = path_address(path, &address);
  if (result < 0) {
    return result;
  }
  const int fd = open_stream(AF_UNIX);
  /* bind(2) makes the file with the mode of the socket (unix_bind in the kernel). */
  if (fd >= 0 && fchmod(fd, mode) != 0) {
    return give_up(fd);
  }
  return listen_at(fd, (const struct sockaddr *)&address.name, address.length, backlog);
}

int sys_listen_tcp(const char *address, int port, int backlog) {
  struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  if (inet_pton(AF_INET, address, &four.sin_addr) == 1) {
    return listen_at(open_stream(AF_INET), (const struct sockaddr *)&four, sizeof four, backlog);
  }
  struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
  if (inet_pton(AF_INET6, address, &six.sin6_addr) == 1) {
    return listen_at(open_stream(AF_INET6), (const struct sockaddr *)&six, sizeof six, backlog);
  }
  return -EINVAL;
}

int sys_open_connection_watch(int fd) {
  const int watch = epoll_create1(EPOLL_CLOEXEC);
  if (watch < 0) {
    return -errno;
  }
  struct epoll_event event = {.events = EPOLLIN};
  return epoll_ctl(watch, EPOLL_CTL_ADD, fd, &event) == 0 ? watch : give_up(watch);
}

int sys_connect_datagram(const char *path) {
  struct sys_unix_address address;
  const int result = sys_peer_address(path, &address);
  if (result < 0) {
    return result;
  }
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) {
    return -errno;
  }
  return connect(fd, (const struct sockaddr *)&address.name, address.length) == 0 ? fd : give_up(fd);
}

int sys_send_datagram(int fd, const void *bytes, size_t length) {
  ssize_t sent;
  do {
    sent = send(fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent < 0 ? -errno : 0;
}

int sys_open_datagram(const char *name) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  const size_t length = strlen(name);
  if (length >= sizeof address.sun_path) {
    return -ENAMETOOLONG;
  }
  memcpy(address.sun_path + 1, name, length);
  const socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length);
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) {
    return -errno;
  }
  const int on = 1;
  /* SO_PASSCRED comes before bind: datagrams that were sent before would arrive without their sender. */
  if (setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0 ||
      bind(fd, (const struct sockaddr *)&address, size) != 0) {
    return give_up(fd);
  }
  return fd;
}

static void close_passed(const struct cmsghdr *passed) {
  const size_t count = (passed->cmsg_len - CMSG_LEN(0)) / sizeof(int);
  for (size_t i = 0; i < count; ++i) {
    int fd;
    memcpy(&fd, CMSG_DATA(passed) + i * sizeof fd, sizeof fd);
    close(fd);
  }
}

int sys_receive_datagram(int fd, void *bytes, size_t room, struct sys_datagram *datagram) {
  /* There is room for the credentials only, so the kernel closes passed descriptors itself (MSG_CTRUNC, unix(7)). */
  union {
    struct cmsghdr first;
    char bytes[CMSG_SPACE(sizeof(struct ucred))];
  } control;
  struct iovec part = {.iov_base = bytes, .iov_len = room};
  struct msghdr message = {
      .msg_iov = &part,
      .msg_iovlen = 1,
      .msg_control = &control,
      .msg_controllen = sizeof control,
  };
  ssize_t length;
  do {
    length = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  } while (length < 0 && errno == EINTR);
  if (length < 0) {
    return -errno;
  }
  const bool is_cut = (message.msg_flags & MSG_TRUNC) != 0;
  *datagram = (struct sys_datagram){.length = (size_t)length, .is_cut = is_cut, .uid = (uid_t)-1};
  for (struct cmsghdr *entry = CMSG_FIRSTHDR(&message); entry != NULL; entry = CMSG_NXTHDR(&message, entry)) {
    if (entry->cmsg_level == SOL_SOCKET && entry->cmsg_type == SCM_CREDENTIALS) {
      struct ucred sender;
      memcpy(&sender, CMSG_DATA(entry), sizeof sender);
      datagram->pid = sender.pid;
      datagram->uid = sender.uid;
    } else if (entry->cmsg_level == SOL_SOCKET && entry->cmsg_type == SCM_RIGHTS) {
      close_passed(entry);
    }
  }
  return 0;
}
