/*
 * Sockets that Node cannot make, see socket.h.
 */
#include "socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Closes a socket that could not be made ready, and keeps the error. */
static int give_up(int fd) {
  const int error = errno;
  close(fd);
  return -error;
}

/* False for a path that does not fit. */
static int unix_address(struct sockaddr_un *address, const char *path) {
  memset(address, 0, sizeof *address);
  address->sun_family = AF_UNIX;
  if (strlen(path) >= sizeof address->sun_path) {
    return 0;
  }
  strcpy(address->sun_path, path);
  return 1;
}

static int listen_at(const struct sockaddr *address, socklen_t length, int backlog) {
  const int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    return -errno;
  }
  const int on = 1;
  /* What an earlier one left in TIME_WAIT does not keep the port busy. Of no meaning for a path. */
  if (address->sa_family != AF_UNIX && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0) {
    return give_up(fd);
  }
  if (bind(fd, address, length) != 0 || listen(fd, backlog) != 0) {
    return give_up(fd);
  }
  return fd;
}

int sys_listen_unix(const char *path, int backlog) {
  struct sockaddr_un address;
  if (!unix_address(&address, path)) {
    return -ENAMETOOLONG;
  }
  return listen_at((const struct sockaddr *)&address, sizeof address, backlog);
}

int sys_listen_tcp(const char *address, int port, int backlog) {
  struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  if (inet_pton(AF_INET, address, &four.sin_addr) == 1) {
    return listen_at((const struct sockaddr *)&four, sizeof four, backlog);
  }
  struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
  if (inet_pton(AF_INET6, address, &six.sin6_addr) == 1) {
    return listen_at((const struct sockaddr *)&six, sizeof six, backlog);
  }
  return -EINVAL;
}

int sys_connect_datagram(const char *path) {
  struct sockaddr_un address;
  if (!unix_address(&address, path)) {
    return -ENAMETOOLONG;
  }
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) {
    return -errno;
  }
  return connect(fd, (const struct sockaddr *)&address, sizeof address) == 0 ? fd : give_up(fd);
}

int sys_send_datagram(int fd, const void *bytes, size_t length) {
  ssize_t sent;
  do {
    sent = send(fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent < 0 ? -errno : 0;
}
