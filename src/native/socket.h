/*
 * Sockets that Node cannot make: listening ones that nobody here accepts on, and unix datagram ones, which know their
 * senders. Every function returns a descriptor or 0, or -errno; descriptors are close-on-exec. None of them waits.
 */
#ifndef ONEVISOR_SOCKET_H
#define ONEVISOR_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* A blocking stream socket that listens at a path, which must be free. */
int sys_listen_unix(const char *path, int backlog);
/* The same at an IPv4 or IPv6 address in numbers; -EINVAL when it is none. */
int sys_listen_tcp(const char *address, int port, int backlog);

/* A datagram socket whose other end is at a path, or at the abstract name behind a leading @. */
int sys_connect_datagram(const char *path);
/* Sends one datagram whole; -EAGAIN when its reader is behind. */
int sys_send_datagram(int fd, const void *bytes, size_t length);

/* One datagram as it came in, and who the kernel says has sent it. */
struct sys_datagram {
  size_t length; /* of what was stored */
  bool is_cut;   /* there was more, which is lost */
  pid_t pid;     /* 0: of another pid namespace, or unknown */
  uid_t uid;
};

/* A datagram socket at an abstract address, which has no file: of these bytes behind the NUL that marks it. */
int sys_open_datagram(const char *name);
/* Takes one datagram; -EAGAIN when there is none. Descriptors that came with it are closed. */
int sys_receive_datagram(int fd, void *bytes, size_t room, struct sys_datagram *datagram);

#endif
