// Finding the library, once.
#define _GNU_SOURCE
#include "functions.h"
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

od_functions od_f;
od_second_functions od_f2;
od_third_functions od_f3;
int od_major;
void (*od_set_threads)(int);

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int result = -1;
static char name[512];

#define OD_NAME(result, name, arguments) "dnnl_" #name,
static const char *const common_names[] = {OD_COMMON(OD_NAME)};
static const char *const second_names[] = {OD_SECOND(OD_NAME)};
static const char *const third_names[] = {OD_THIRD(OD_NAME)};

static int find(void *handle, void *functions, const char *const *names, size_t count) {
  for (size_t i = 0; i < count; i++) {
    void *function = dlsym(handle, names[i]);
    if (!function) {
      snprintf(name, sizeof name, "no function %s", names[i]);
      return -1;
    }
    ((void **)functions)[i] = function;
  }
  return 0;
}

#define FIND(functions, names) find(handle, &functions, names, sizeof names / sizeof *names)

static int find_all(void *handle, const char *file) {
  const dnnl_version *(*version)(void) = (const dnnl_version *(*)(void))dlsym(handle, "dnnl_version");
  if (!version) {
    snprintf(name, sizeof name, "no function dnnl_version");
    return -1;
  }
  const dnnl_version *v = version();
  od_major = v->major;
  if (od_major != 2 && od_major != 3) {
    snprintf(name, sizeof name, "%s is version %d", file, v->major);
    return -1;
  }
  if (FIND(od_f, common_names)) return -1;
  if (od_major == 2 ? FIND(od_f2, second_names) : FIND(od_f3, third_names)) return -1;
  od_set_threads = (void (*)(int))dlsym(handle, "omp_set_num_threads");
  snprintf(name, sizeof name, "%s (oneDNN %d.%d.%d)", file, v->major, v->minor, v->patch);
  return 0;
}

static void load(void) {
  static const char *const candidates[] = {"libdnnl.so.3", "libdnnl.so.2"};
  // Threads that spin after their work would take processors from the loops that come next. It is
  // looked at only while the library is loaded.
  setenv("OMP_WAIT_POLICY", "passive", 0);
  for (size_t i = 0; i < sizeof candidates / sizeof *candidates; i++) {
    void *handle = dlopen(candidates[i], RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
      const char *message = dlerror();
      snprintf(name, sizeof name, "%s", message ? message : candidates[i]);
      continue;
    }
    if (find_all(handle, candidates[i]) == 0) {
      result = 0;
      return;
    }
    dlclose(handle);
  }
}

int od_load(void) {
  pthread_once(&once, load);
  return result;
}

const char *od_library(void) { return name; }
