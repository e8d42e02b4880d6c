// Finding the library, once.
#define _GNU_SOURCE
#include "functions.h"
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

cla_functions cla_table[2];

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int result = -1;
static char name[256];
static const char *configuration = "";

/// The environment decides how OpenBLAS works, and it looks only while it is loaded.
static void prepare(void) {
  // Parallelism is the caller's, who has many matrices; and one thread always adds in one order.
  setenv("OPENBLAS_NUM_THREADS", "1", 1);
  setenv("OMP_NUM_THREADS", "1", 0);
#if defined(__x86_64__)
  // The kernels of another processor type give other last bits. One type for all that have AVX2
  // makes results the same on all of them. Where there is AVX-512 it costs up to half the speed of
  // large products in single precision (125 instead of 233 GFlop/s on one core of an EPYC), little
  // in narrow ones, and a tenth in factorisations. Who sets the variable chooses otherwise.
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    setenv("OPENBLAS_CORETYPE", "Haswell", 0);
#endif
}

static int find_all(void *handle) {
  static const char *const stems[] = {"gemm_",  "geqrf_", "orgqr_", "gelqf_", "orglq_", "gesdd_",
                                      "gesvd_", "syevd_", "getrf_", "getrs_", "getri_"};
  const int count = sizeof stems / sizeof *stems;
  _Static_assert(sizeof(cla_functions) == sizeof stems, "a name for each function");
  for (int precision = 0; precision < 2; precision++) {
    void **slots = (void **)&cla_table[precision];
    for (int i = 0; i < count; i++) {
      char symbol[16];
      snprintf(symbol, sizeof symbol, "%c%s", precision == CLA_SINGLE ? 's' : 'd', stems[i]);
      slots[i] = dlsym(handle, symbol);
      if (!slots[i]) {
        snprintf(name, sizeof name, "no function %s", symbol);
        return -1;
      }
    }
  }
  return 0;
}

static void load(void) {
  static const char *const candidates[] = {"libopenblas.so.0", "libopenblas.so.3", "liblapack.so.3"};
  prepare();
  for (int i = 0; i < 3; i++) {
    void *handle = dlopen(candidates[i], RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
      const char *message = dlerror();
      snprintf(name, sizeof name, "%s", message ? message : candidates[i]);
      continue;
    }
    if (find_all(handle) != 0) continue;
    void (*set_threads)(int) = (void (*)(int))dlsym(handle, "openblas_set_num_threads");
    if (set_threads) set_threads(1);
    const char *(*describe)(void) = (const char *(*)(void))dlsym(handle, "openblas_get_config");
    if (describe) configuration = describe();
    snprintf(name, sizeof name, "%s", candidates[i]);
    result = 0;
    return;
  }
}

int cla_load(void) {
  pthread_once(&once, load);
  return result;
}

const char *cla_library(void) { return name; }

const char *cla_configuration(void) { return configuration; }
