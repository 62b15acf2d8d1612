/*
 * The other end of a unix socket, see peer.h.
 */
#include "peer.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "socket.h"

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
  struct sys_unix_address address;
  int result = sys_peer_address(path, &address);
  if (result < 0) {
    return result;
  }
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) {
    return -errno;
  }
  const bool is_connected = connect(fd, (const struct sockaddr *)&address.name, address.length) == 0;
  result = is_connected ? sys_peer_of(fd, peer) : -errno;
  close(fd);
  return result;
}
