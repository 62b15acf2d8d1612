/*
 * The process at the other end of a unix stream socket, as the kernel knows it (SO_PEERCRED). No function waits.
 */
#ifndef ONEVISOR_PEER_H
#define ONEVISOR_PEER_H

#include <sys/types.h>

struct sys_peer {
  pid_t pid; /* 0: a process in another PID namespace */
  uid_t uid;
};

/* The peer of a connected socket. Returns 0 or -errno. */
int sys_peer_of(int fd, struct sys_peer *peer);
/*
 * Finds the process that listens at a path, by a connection that is closed at once. A path that begins with @ is an
 * abstract address. Returns 0 or -errno: -ECONNREFUSED if nothing listens, -EAGAIN if the queue of the listener is
 * full.
 */
int sys_peer_at(const char *path, struct sys_peer *peer);

#endif
