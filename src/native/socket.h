/*
 * Sockets that Node cannot make: listening ones that nobody here accepts on, and unix datagram ones.
 * Every function returns a descriptor or 0, or -errno; descriptors are close-on-exec. None of them waits.
 */
#ifndef ONEVISOR_SOCKET_H
#define ONEVISOR_SOCKET_H

#include <stddef.h>

/* A blocking stream socket that listens at a path, which must be free. */
int sys_listen_unix(const char *path, int backlog);
/* The same at an IPv4 or IPv6 address in numbers; -EINVAL when it is none. */
int sys_listen_tcp(const char *address, int port, int backlog);

/* A datagram socket whose other end is at a path. */
int sys_connect_datagram(const char *path);
/* Sends one datagram whole; -EAGAIN when its reader is behind. */
int sys_send_datagram(int fd, const void *bytes, size_t length);

#endif
