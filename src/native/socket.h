/*
 * Sockets that Node cannot make: listening sockets for other programs to accept on, and unix datagram sockets, which
 * know their senders. Every function returns a descriptor or 0, or -errno. Descriptors are close-on-exec. No function
 * waits.
 */
#ifndef ONEVISOR_SOCKET_H
#define ONEVISOR_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

/* The address of a unix socket. */
struct sys_unix_address {
  struct sockaddr_un name;
  socklen_t length;
};

/* The address of another program's socket: a path, or an abstract name with a leading @. -ENAMETOOLONG if too long. */
int sys_peer_address(const char *path, struct sys_unix_address *address);

/*
 * A blocking stream socket that listens at a path. The new file has this mode, less our umask, from the beginning.
 * -EADDRINUSE if the path exists.
 */
int sys_listen_unix(const char *path, int backlog, mode_t mode);
/* The same at an IPv4 or IPv6 address in numbers. -EINVAL for anything else. */
int sys_listen_tcp(const char *address, int port, int backlog);

/* An epoll instance that is readable while a listening socket has a connection to accept. Changes no flag of it. */
int sys_open_connection_watch(int fd);

/* A datagram socket that is connected to a path, or to the abstract name behind a leading @. */
int sys_connect_datagram(const char *path);
/* Sends one datagram. -EAGAIN if the queue of the receiver is full. */
int sys_send_datagram(int fd, const void *bytes, size_t length);

/* One received datagram, with its sender as the kernel knows it. */
struct sys_datagram {
  size_t length; /* number of bytes stored */
  bool is_cut;   /* the datagram was longer, and the rest is lost */
  pid_t pid;     /* 0: in another PID namespace, or unknown */
  uid_t uid;     /* -1: unknown */
};

/* A datagram socket at an abstract address (unix(7)). `name`: the part after the NUL. */
int sys_open_datagram(const char *name);
/* Takes one datagram. -EAGAIN if there is none. Descriptors that were sent with it are closed. */
int sys_receive_datagram(int fd, void *bytes, size_t room, struct sys_datagram *datagram);

#endif
