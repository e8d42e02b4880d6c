#include "lanes.h"
#include <pthread.h>
#include <stdatomic.h>

struct cf_pool {
  cf_path path;
  int threads;
  pthread_t *workers;
  pthread_mutex_t mutex;
  pthread_cond_t begin, end;
  // Of the loop that runs: its number, what it does, and how many workers have yet to finish.
  uint64_t round;
  int running, stopping;
  size_t count;
  cf_body *body;
  void *job;
  atomic_size_t next;
  void *shared;
  size_t shared_bytes;
  void **own;
  size_t own_bytes;
};

typedef struct cf_worker {
  cf_pool *pool;
  int index;
} cf_worker;

static void work(cf_pool *pool, int thread) {
  for (;;) {
    const size_t index = atomic_fetch_add_explicit(&pool->next, 1, memory_order_relaxed);
    if (index >= pool->count) return;
    pool->body(pool->job, index, thread);
  }
}

static void *worker_main(void *argument) {
  cf_worker worker = *(cf_worker *)argument;
  free(argument);
  cf_pool *pool = worker.pool;
  uint64_t seen = 0;
  for (;;) {
    pthread_mutex_lock(&pool->mutex);
    while (pool->round == seen && !pool->stopping) pthread_cond_wait(&pool->begin, &pool->mutex);
    seen = pool->round;
    const int stopping = pool->stopping;
    pthread_mutex_unlock(&pool->mutex);
    if (stopping) return NULL;
    work(pool, worker.index);
    pthread_mutex_lock(&pool->mutex);
    if (--pool->running == 0) pthread_cond_signal(&pool->end);
    pthread_mutex_unlock(&pool->mutex);
  }
}

cf_pool *cf_pool_create(int threads, cf_path path) {
  cf_pool *pool = calloc(1, sizeof *pool);
  if (!pool) return NULL;
  pool->path = path;
  pool->threads = 1;
  pthread_mutex_init(&pool->mutex, NULL);
  pthread_cond_init(&pool->begin, NULL);
  pthread_cond_init(&pool->end, NULL);
  pool->workers = calloc((size_t)threads, sizeof *pool->workers);
  pool->own = calloc((size_t)threads, sizeof *pool->own);
  if (!pool->workers || !pool->own) {
    cf_pool_destroy(pool);
    return NULL;
  }
  // With fewer threads than wanted the results are the same.
  while (pool->threads < threads) {
    cf_worker *worker = malloc(sizeof *worker);
    if (!worker) break;
    *worker = (cf_worker){pool, pool->threads};
    if (pthread_create(&pool->workers[pool->threads], NULL, worker_main, worker)) {
      free(worker);
      break;
    }
    pool->threads++;
  }
  return pool;
}

void cf_pool_destroy(cf_pool *pool) {
  if (!pool) return;
  pthread_mutex_lock(&pool->mutex);
  pool->stopping = 1;
  pthread_cond_broadcast(&pool->begin);
  pthread_mutex_unlock(&pool->mutex);
  for (int i = 1; i < pool->threads; i++) pthread_join(pool->workers[i], NULL);
  if (pool->own)
    for (int i = 0; i < pool->threads; i++) free(pool->own[i]);
  free(pool->own);
  free(pool->workers);
  free(pool->shared);
  pthread_cond_destroy(&pool->begin);
  pthread_cond_destroy(&pool->end);
  pthread_mutex_destroy(&pool->mutex);
  free(pool);
}

int cf_pool_threads(const cf_pool *pool) { return pool->threads; }

// Waking a thread takes 5 to 50 microseconds; so many operations about 5.
#define FEW 1e6

void cf_pool_run(cf_pool *pool, size_t count, double operations, cf_body *body, void *job) {
  pool->count = count;
  pool->body = body;
  pool->job = job;
  atomic_store_explicit(&pool->next, 0, memory_order_relaxed);
  if (pool->threads == 1 || count <= 1 || operations < FEW) {
    work(pool, 0);
    return;
  }
  pthread_mutex_lock(&pool->mutex);
  pool->running = pool->threads - 1;
  pool->round++;
  pthread_cond_broadcast(&pool->begin);
  pthread_mutex_unlock(&pool->mutex);
  work(pool, 0);
  pthread_mutex_lock(&pool->mutex);
  while (pool->running) pthread_cond_wait(&pool->end, &pool->mutex);
  pthread_mutex_unlock(&pool->mutex);
}

void *cf_pool_shared(cf_pool *pool, size_t bytes) {
  if (bytes > pool->shared_bytes) {
    free(pool->shared);
    bytes = round_up(bytes, 4096);
    pool->shared = aligned_alloc(4096, bytes);
    pool->shared_bytes = pool->shared ? bytes : 0;
  }
  return pool->shared;
}

int cf_pool_reserve(cf_pool *pool, size_t bytes) {
  if (bytes <= pool->own_bytes) return 0;
  bytes = round_up(bytes, 4096);
  pool->own_bytes = 0;
  for (int i = 0; i < pool->threads; i++) {
    free(pool->own[i]);
    pool->own[i] = aligned_alloc(4096, bytes);
    if (!pool->own[i]) return -1;
  }
  pool->own_bytes = bytes;
  return 0;
}

void *cf_pool_own(cf_pool *pool, int thread) { return pool->own[thread]; }

extern const struct cf_loops cf_portable_loops;
#if defined(__x86_64__)
extern const struct cf_loops cf_avx2_loops, cf_avx512_loops, cf_avx512_bf16_loops;
#endif

const struct cf_loops *cf_pool_loops(const cf_pool *pool) { return cf_path_loops(pool->path); }

const struct cf_loops *cf_path_loops(cf_path path) {
#if defined(__x86_64__)
  if (path == CF_AVX512_BF16) return &cf_avx512_bf16_loops;
  if (path == CF_AVX512) return &cf_avx512_loops;
  if (path == CF_AVX2) return &cf_avx2_loops;
#endif
  return &cf_portable_loops;
}

cf_path cf_best_path(void) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq"))
    return __builtin_cpu_supports("avx512bf16") ? CF_AVX512_BF16 : CF_AVX512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("f16c") &&
      __builtin_cpu_supports("fma"))
    return CF_AVX2;
#endif
  return CF_PORTABLE;
}
