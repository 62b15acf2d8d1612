/*
 * The functions of the addon about sockets.
 */
#include "glue.h"

#include "socket.h"
#include "syscalls.h"

enum { LONGEST_BACKLOG = 65535, LAST_PORT = 65535 };

static napi_value finish_socket(napi_env env, int fd, const char *syscall_name) {
  return fd < 0 ? throw_failure(env, -fd, syscall_name, NULL) : make_number(env, fd);
}

napi_value addon_listen_unix(napi_env env, napi_callback_info info) {
  napi_value values[3] = {NULL};
  struct arguments arguments = begin(env, info, values, 3);
  const char *path = read_string(&arguments, values[0], "path");
  const int backlog = (int)read_integer(&arguments, values[1], "backlog", (struct range){0, LONGEST_BACKLOG});
  const mode_t mode = (mode_t)read_integer(&arguments, values[2], "mode", (struct range){0, 0777});
  if (refuse_wrong(&arguments)) {
    return NULL;
  }
  const int fd = sys_listen_unix(path, backlog, mode);
  arguments_free(&arguments);
  return finish_socket(env, fd, "bind");
}

napi_value addon_listen_tcp(napi_env env, napi_callback_info info) {
  napi_value values[3] = {NULL};
  struct arguments arguments = begin(env, info, values, 3);
  const char *address = read_string(&arguments, values[0], "address");
  const int port = (int)read_integer(&arguments, values[1], "port", (struct range){0, LAST_PORT});
  const int backlog = (int)read_integer(&arguments, values[2], "backlog", (struct range){0, LONGEST_BACKLOG});
  if (refuse_wrong(&arguments)) {
    return NULL;
  }
  const int fd = sys_listen_tcp(address, port, backlog);
  arguments_free(&arguments);
  return finish_socket(env, fd, "bind");
}

napi_value addon_open_connection_watch(napi_env env, napi_callback_info info) {
  napi_value value = NULL;
  struct arguments arguments = begin(env, info, &value, 1);
  const int fd = read_fd(&arguments, value, "socket");
  return refuse_wrong(&arguments) ? NULL : finish_socket(env, sys_open_connection_watch(fd), "epoll_ctl");
}

/* A function of socket.h that makes a socket from a name alone. */
struct socket_maker {
  int (*make)(const char *name);
  const char *syscall_name;
};

static napi_value make_datagram(napi_env env, napi_callback_info info, struct socket_maker maker) {
  napi_value value = NULL;
  struct arguments arguments = begin(env, info, &value, 1);
  const char *name = read_string(&arguments, value, "name");
  if (refuse_wrong(&arguments)) {
    return NULL;
  }
  const int fd = maker.make(name);
  arguments_free(&arguments);
  return finish_socket(env, fd, maker.syscall_name);
}

napi_value addon_connect_datagram(napi_env env, napi_callback_info info) {
  return make_datagram(env, info, (struct socket_maker){sys_connect_datagram, "connect"});
}

/* The arguments (fd, bytes, start, end) of a call that writes. */
struct outgoing {
  int fd;
  const void *first;
  size_t length;
};

/* Returns false after the exception for a wrong argument. */
static bool read_outgoing(napi_env env, napi_callback_info info, struct outgoing *outgoing) {
  napi_value values[4] = {NULL};
  struct arguments arguments = begin(env, info, values, 4);
  const int fd = read_fd(&arguments, values[0], "fd");
  const struct frame_bytes bytes = read_bytes(&arguments, values[1], "bytes");
  const size_t end = (size_t)read_integer(&arguments, values[3], "end", (struct range){0, (int64_t)bytes.length});
  const size_t start = (size_t)read_integer(&arguments, values[2], "start", (struct range){0, (int64_t)end});
  if (refuse_wrong(&arguments)) {
    return false;
  }
  /* An empty array may have no memory at all. */
  *outgoing = (struct outgoing){fd, start == end ? (const void *)"" : bytes.bytes + start, end - start};
  return true;
}

napi_value addon_send_datagram(napi_env env, napi_callback_info info) {
  struct outgoing out;
  return read_outgoing(env, info, &out) ? make_number(env, -sys_send_datagram(out.fd, out.first, out.length)) : NULL;
}

napi_value addon_write_now(napi_env env, napi_callback_info info) {
  struct outgoing out;
  return read_outgoing(env, info, &out) ? make_number(env, (double)sys_write(out.fd, out.first, out.length)) : NULL;
}

napi_value addon_open_datagram(napi_env env, napi_callback_info info) {
  return make_datagram(env, info, (struct socket_maker){sys_open_datagram, "bind"});
}

napi_value addon_receive_datagram(napi_env env, napi_callback_info info) {
  napi_value values[3] = {NULL};
  struct arguments arguments = begin(env, info, values, 3);
  const int fd = read_fd(&arguments, values[0], "fd");
  const struct frame_bytes target = read_bytes(&arguments, values[1], "target");
  uint32_t *out = read_numbers(&arguments, values[2], "out", 4);
  if (refuse_wrong(&arguments)) {
    return NULL;
  }
  struct sys_datagram datagram = {0};
  const int result = sys_receive_datagram(fd, (void *)target.bytes, target.length, &datagram);
  if (result == 0) {
    out[0] = (uint32_t)datagram.length;
    out[1] = (uint32_t)datagram.pid;
    out[2] = datagram.uid;
    out[3] = datagram.is_cut;
  }
  return make_number(env, -result);
}
