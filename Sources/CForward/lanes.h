// Vectors of sixteen values, in the notation of Clang. The compiler splits them into whatever
// registers the path has, so one text serves every instruction set.
#ifndef CF_LANES_H
#define CF_LANES_H

#include "CForward.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#pragma STDC FP_CONTRACT OFF

typedef __attribute__((vector_size(64))) float f32x16;
typedef __attribute__((vector_size(64))) int32_t i32x16;
typedef __attribute__((vector_size(64))) uint32_t u32x16;
typedef __attribute__((vector_size(32))) uint16_t u16x16;
typedef __attribute__((vector_size(32))) _Float16 f16x16;

#pragma GCC diagnostic ignored "-Wpsabi"
#define INLINE static inline __attribute__((always_inline))
#define LANES 16
#define FMA(a, b, c) __builtin_elementwise_fma(a, b, c)
#define MAX(a, b) __builtin_elementwise_max(a, b)
#define MIN(a, b) __builtin_elementwise_min(a, b)
#define UNROLL _Pragma("clang loop unroll(full)")

static inline size_t least(size_t a, size_t b) { return a < b ? a : b; }
static inline size_t quotient_up(size_t a, size_t b) { return (a + b - 1) / b; }
static inline size_t round_up(size_t a, size_t b) { return quotient_up(a, b) * b; }
static inline size_t size_of(cf_type type) { return type == CF_F32 ? 4 : 2; }

static inline float half_value(uint16_t h) {
  uint32_t bits = (uint32_t)(h & 0x7FFF) << 13;
  float f;
  memcpy(&f, &bits, 4);
  f *= 0x1p112f;
  if ((h & 0x7C00) == 0x7C00) {
    bits |= 0x7F800000;
    memcpy(&f, &bits, 4);
  }
  return h & 0x8000 ? -f : f;
}

static inline uint16_t half_bits(float f) {
  uint32_t bits;
  memcpy(&bits, &f, 4);
  const uint32_t sign = bits >> 16 & 0x8000, magnitude = bits & 0x7FFFFFFF;
  if (magnitude > 0x7F800000) return (uint16_t)(sign | 0x7E00 | (magnitude >> 13 & 0x3FF));
  if (magnitude >= 0x47800000) return (uint16_t)(sign | 0x7C00);
  if (magnitude < 0x38800000) {
    // Adding a half leaves multiples of 2^-24 in the lowest bits, rounded.
    float small;
    memcpy(&small, &magnitude, 4);
    small += 0.5f;
    memcpy(&bits, &small, 4);
    return (uint16_t)(sign | (bits - 0x3F000000));
  }
  return (uint16_t)(sign | (magnitude - 0x38000000 + 0xFFF + (magnitude >> 13 & 1)) >> 13);
}

static inline float brain_value(uint16_t h) {
  uint32_t bits = (uint32_t)h << 16;
  float f;
  memcpy(&f, &bits, 4);
  return f;
}

static inline uint16_t brain_bits(float f) {
  uint32_t bits;
  memcpy(&bits, &f, 4);
  if ((bits & 0x7FFFFFFF) > 0x7F800000) return (uint16_t)(bits >> 16 | 0x40);
  return (uint16_t)((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

static inline float get(const void *p, cf_type type, size_t i) {
  if (type == CF_F32) return ((const float *)p)[i];
  const uint16_t h = ((const uint16_t *)p)[i];
  return type == CF_BF16 ? brain_value(h) : half_value(h);
}

static inline void put(void *p, cf_type type, size_t i, float value) {
  if (type == CF_F32)
    ((float *)p)[i] = value;
  else
    ((uint16_t *)p)[i] = type == CF_BF16 ? brain_bits(value) : half_bits(value);
}

// The pool as its users see it.
typedef void cf_body(void *job, size_t index, int thread);
struct cf_loops;
const struct cf_loops *cf_pool_loops(const cf_pool *pool);
const struct cf_loops *cf_path_loops(cf_path path);
int cf_pool_threads(const cf_pool *pool);
// `operations` says about how many there are in all: few are made by the calling thread alone.
void cf_pool_run(cf_pool *pool, size_t count, double operations, cf_body *body, void *job);
// Memory of at least `bytes` that all threads share, and of each thread; contents are undefined and
// stay until the next call. NULL when there is none.
void *cf_pool_shared(cf_pool *pool, size_t bytes);
int cf_pool_reserve(cf_pool *pool, size_t bytes);
void *cf_pool_own(cf_pool *pool, int thread);

#endif
