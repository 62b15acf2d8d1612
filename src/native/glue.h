/*
 * Helpers of all functions of the addon: making values, throwing errors, and reading the kinds of arguments that more
 * than one function takes. Making a value fails only if an exception is pending or the heap is full; the helpers then
 * return NULL, and Node throws the pending exception when the function returns.
 */
#ifndef ONEVISOR_GLUE_H
#define ONEVISOR_GLUE_H

#include "arguments.h"
#include "child.h"
#include "frame.h"

enum { LARGEST_DESCRIPTOR = 0x7fffffff };
static const int64_t LARGEST_ID = 0xfffffffe;

napi_value make_number(napi_env env, double number);
napi_value make_null(napi_env env);
napi_value make_string(napi_env env, const char *text);
napi_value make_object(napi_env env);
void set(napi_env env, napi_value object, const char *name, napi_value value);

/* Throws an Error for a failed system call. `stage` is NULL except for a spawn. Returns NULL. */
napi_value throw_failure(napi_env env, int error, const char *syscall_name, const char *stage);

/* Stores the arguments of a call in `values`; missing ones are undefined. */
struct arguments begin(napi_env env, napi_callback_info info, napi_value *values, size_t count);
/*
 * If a value had the wrong kind, throws a TypeError, frees the arguments and returns true. Only a mistake in the
 * calling TypeScript causes this.
 */
bool refuse_wrong(struct arguments *arguments);

int read_fd(struct arguments *arguments, napi_value value, const char *name);
/* The bytes of a Uint8Array; they are valid during the call only. */
struct frame_bytes read_bytes(struct arguments *arguments, napi_value value, const char *name);
/* The numbers of a Uint32Array of at least `count`, to be written to during the call. */
uint32_t *read_numbers(struct arguments *arguments, napi_value value, const char *name, size_t count);
gid_t *read_ids(struct arguments *arguments, napi_value value, const char *name, size_t *count);
struct child_limit read_limit(struct arguments *arguments, napi_value value);

/* The functions of addon.ts that are not in addon.c. */
napi_value addon_ignore_signal(napi_env env, napi_callback_info info);
napi_value addon_unblock_signal(napi_env env, napi_callback_info info);
napi_value addon_catch_signal(napi_env env, napi_callback_info info);
napi_value addon_signal_pipe(napi_env env, napi_callback_info info);
napi_value addon_read_signals(napi_env env, napi_callback_info info);
napi_value addon_spawn(napi_env env, napi_callback_info info);
napi_value addon_user_by_name(napi_env env, napi_callback_info info);
napi_value addon_user_by_id(napi_env env, napi_callback_info info);
napi_value addon_group_by_name(napi_env env, napi_callback_info info);
napi_value addon_group_by_id(napi_env env, napi_callback_info info);
napi_value addon_groups_of(napi_env env, napi_callback_info info);
napi_value addon_become_user(napi_env env, napi_callback_info info);
napi_value addon_listen_unix(napi_env env, napi_callback_info info);
napi_value addon_listen_tcp(napi_env env, napi_callback_info info);
napi_value addon_open_connection_watch(napi_env env, napi_callback_info info);
napi_value addon_connect_datagram(napi_env env, napi_callback_info info);
napi_value addon_send_datagram(napi_env env, napi_callback_info info);
napi_value addon_write_now(napi_env env, napi_callback_info info);
napi_value addon_open_datagram(napi_env env, napi_callback_info info);
napi_value addon_receive_datagram(napi_env env, napi_callback_info info);
napi_value addon_peer_of(napi_env env, napi_callback_info info);
napi_value addon_peer_at(napi_env env, napi_callback_info info);
napi_value addon_count_threads(napi_env env, napi_callback_info info);
napi_value addon_trim_memory(napi_env env, napi_callback_info info);
napi_value addon_text_in_place(napi_env env, napi_callback_info info);
napi_value addon_open_clock_watch(napi_env env, napi_callback_info info);
napi_value addon_rearm_clock_watch(napi_env env, napi_callback_info info);
napi_value addon_watch_readable(napi_env env, napi_callback_info info);
napi_value addon_unwatch_readable(napi_env env, napi_callback_info info);
/* Ends all watches of an environment that is being torn down: its functions must not be called any more. */
void addon_end_watches(void *env);

#endif
