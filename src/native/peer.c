/*
 * The other end of a unix socket, see peer.h.
 */
#include "peer.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int sys_peer_of(int fd, struct sys_peer *peer) {
  struct ucred credentials;
  socklen_t length = sizeof credentials;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) {
    return -errno;
  }
  *peer = (struct sys_peer){.pid = credentials.pid, .uid = credentials.uid};
  return 0;
}

int sys_peer_at(const char *path, struct sys_peer *peer) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  const size_t length = strlen(path);
  if (length >= sizeof address.sun_path) {
    return -ENAMETOOLONG;
  }
  memcpy(address.sun_path, path, length);
  socklen_t size = sizeof address;
  if (path[0] == '@') {
    address.sun_path[0] = '\0';
    size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
  }
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) {
    return -errno;
  }
  const int result = connect(fd, (const struct sockaddr *)&address, size) == 0 ? sys_peer_of(fd, peer) : -errno;
  close(fd);
  return result;
}
