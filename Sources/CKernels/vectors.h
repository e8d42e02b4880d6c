// Vectors of sixteen values, in the notation that Clang and GCC share. The compiler splits them
// into whatever registers the path has, so one text serves every instruction set.
#ifndef CK_VECTORS_H
#define CK_VECTORS_H

#include "CKernels.h"
#include <string.h>

#define CK_LANES 16
#define CK_VECTOR(T) __attribute__((vector_size(sizeof(T) * CK_LANES))) T

typedef CK_VECTOR(uint8_t) ck_u8x16;
typedef CK_VECTOR(int8_t) ck_i8x16;
typedef CK_VECTOR(uint16_t) ck_u16x16;
typedef CK_VECTOR(int16_t) ck_i16x16;
typedef CK_VECTOR(uint32_t) ck_u32x16;
typedef CK_VECTOR(int32_t) ck_i32x16;
typedef CK_VECTOR(uint64_t) ck_u64x16;
typedef CK_VECTOR(int64_t) ck_i64x16;
typedef CK_VECTOR(float) ck_f32x16;
typedef CK_VECTOR(double) ck_f64x16;

#if defined(__x86_64__) && defined(__clang__)
// Loops for more than the baseline can be compiled, and chosen when the program runs.
#define CK_X86 1
typedef CK_VECTOR(_Float16) ck_f16x16;
#endif

// What follows is inlined: no wide vector is ever passed to a function.
#pragma GCC diagnostic ignored "-Wpsabi"

#define CK_CONVERT(v, T) __builtin_convertvector(v, T)
#if defined(__has_builtin) && __has_builtin(__builtin_elementwise_min)
#define CK_MIN(a, b) __builtin_elementwise_min(a, b)
#define CK_MAX(a, b) __builtin_elementwise_max(a, b)
#else
#define CK_SELECT(m, a, b) (((__typeof__(a))(m) & (a)) | (~(__typeof__(a))(m) & (b)))
#define CK_MIN(a, b) CK_SELECT((a) < (b), a, b)
#define CK_MAX(a, b) CK_SELECT((a) > (b), a, b)
#endif
#if defined(__has_builtin) && __has_builtin(__builtin_elementwise_fma)
#define CK_FMA(a, b, c) __builtin_elementwise_fma(a, b, c)
#else
#error "a compiler with __builtin_elementwise_fma is needed; the clang of every Swift 6 has it"
#endif
#define CK_INLINE static inline __attribute__((always_inline))

// The value of one half, single or double as a double; exact.
CK_INLINE double ck_f16_value(uint16_t h) {
  uint32_t magnitude = (uint32_t)(h & 0x7FFF) << 13;
  float f;
  memcpy(&f, &magnitude, 4);
  // The exponent is rescaled by one exact multiplication; subnormals need nothing more.
  double value = (double)f * 0x1p112;
  return h & 0x8000 ? -value : value;
}

CK_INLINE double ck_f32_value(uint32_t bits) {
  float f;
  memcpy(&f, &bits, 4);
  return f;
}

CK_INLINE double ck_bf16_value(uint16_t h) { return ck_f32_value((uint32_t)h << 16); }

CK_INLINE double ck_f64_value(uint64_t bits) {
  double d;
  memcpy(&d, &bits, 8);
  return d;
}

#endif
