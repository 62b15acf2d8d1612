/*
 * The functions of the addon about the other end of a unix socket.
 */
#include "glue.h"

#include "peer.h"

static napi_value finish_peer(napi_env env, int result, struct sys_peer peer, uint32_t *out) {
  if (result == 0) {
    out[0] = (uint32_t)peer.pid;
    out[1] = peer.uid;
  }
  return make_number(env, -result);
}

napi_value addon_peer_of(napi_env env, napi_callback_info info) {
  napi_value values[2] = {NULL};
  struct arguments arguments = begin(env, info, values, 2);
  const int fd = read_fd(&arguments, values[0], "fd");
  uint32_t *out = read_numbers(&arguments, values[1], "out", 2);
  if (refuse_wrong(&arguments)) {
    return NULL;
  }
  struct sys_peer peer = {0};
  return finish_peer(env, sys_peer_of(fd, &peer), peer, out);
}

napi_value addon_peer_at(napi_env env, napi_callback_info info) {
  napi_value values[2] = {NULL};
  struct arguments arguments = begin(env, info, values, 2);
  const char *path = read_string(&arguments, values[0], "path");
  uint32_t *out = read_numbers(&arguments, values[1], "out", 2);
  if (refuse_wrong(&arguments)) {
    return NULL;
  }
  struct sys_peer peer = {0};
  const int result = sys_peer_at(path, &peer);
  arguments_free(&arguments);
  return finish_peer(env, result, peer, out);
}
