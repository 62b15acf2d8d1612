/*
 * The process at the other end of a unix stream socket, as the kernel knows it (SO_PEERCRED). None of these functions
 * waits.
 */
#ifndef ONEVISOR_PEER_H
#define ONEVISOR_PEER_H

#include <sys/types.h>

struct sys_peer {
  pid_t pid; /* 0: a process of another PID namespace */
  uid_t uid;
};

/* The peer of a connected socket. Returns 0 or -errno. */
int sys_peer_of(int fd, struct sys_peer *peer);
/*
 * Connects to a listening socket, asks who listens there, and hangs up. A path that begins with '@' is an abstract
 * address.
 * Returns 0 or -errno: -ECONNREFUSED for a socket without a listener, -EAGAIN for one whose queue is full.
 */
int sys_peer_at(const char *path, struct sys_peer *peer);

#endif
