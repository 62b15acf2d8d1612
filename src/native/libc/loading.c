/*
 * The functions of a dynamic loader for a process in which nothing is loaded: the addon is linked in already, and
 * everything else is refused.
 */
#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

/* As ADDON_INSIDE in src/native/load.ts. The name cannot be that of a file. */
static const char addon_name[] = "/dev/null/onevisor.node";

static const char refusal[] = "nothing can be loaded into an executable with its own libc; set ONEVISOR_LIBC=system";

/* Functions of the addon by which Node registers it (node_api.h). */
extern char napi_register_module_v1[];
extern char node_api_module_get_api_version_v1[];

static const char addon_handle;

/* The message that dlerror(3) returns next, and NULL after that. */
static _Thread_local const char *problem;

void *inside_dlopen(const char *path, int flags);
void *inside_dlsym(void *handle, const char *name);
int inside_dlclose(void *handle);
char *inside_dlerror(void);
void *__libc_dlopen_mode(const char *name, int mode);
void *__libc_dlsym(void *handle, const char *name);
void *__libc_dlvsym(void *handle, const char *name, const char *version);
int __libc_dlclose(void *handle);

void *inside_dlopen(const char *path, int flags) {
  (void)flags;
  if (path != NULL && strcmp(path, addon_name) == 0) {
    return (void *)&addon_handle;
  }
  problem = refusal;
  return NULL;
}

void *inside_dlsym(void *handle, const char *name) {
  if (handle == &addon_handle && strcmp(name, "napi_register_module_v1") == 0) {
    return napi_register_module_v1;
  }
  if (handle == &addon_handle && strcmp(name, "node_api_module_get_api_version_v1") == 0) {
    return node_api_module_get_api_version_v1;
  }
  problem = refusal;
  return NULL;
}

int inside_dlclose(void *handle) {
  (void)handle;
  return 0;
}

char *inside_dlerror(void) {
  char *text = (char *)problem;
  problem = NULL;
  return text;
}

/* The same for glibc itself, which loads modules for character sets and names. */
void *__libc_dlopen_mode(const char *name, int mode) {
  (void)name;
  (void)mode;
  return NULL;
}

void *__libc_dlsym(void *handle, const char *name) {
  (void)handle;
  (void)name;
  return NULL;
}

void *__libc_dlvsym(void *handle, const char *name, const char *version) {
  (void)handle;
  (void)name;
  (void)version;
  return NULL;
}

int __libc_dlclose(void *handle) {
  (void)handle;
  return 0;
}
