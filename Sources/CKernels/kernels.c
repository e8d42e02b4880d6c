#include "vectors.h"
#include <math.h>

#pragma STDC FP_CONTRACT OFF

// Values that a loop takes at once: few enough for 8-bit lane counts and a buffer in the first
// cache, many enough that what is done per block does not show.
#define CK_BLOCK 1024

// What a pass has found so far. Sums are kept per lane: value i of a call goes to lane i mod 16,
// whatever the path.
typedef struct ck_state {
  ck_statistics result;
  ck_f64x16 sum, squares;
  // Whether the sums are wanted; without them a pass takes less than half the time.
  int moments;
} ck_state;

typedef struct ck_loops {
  void (*to_f32[CK_F64 + 1])(const uint8_t *, uint8_t *, size_t);
  uint64_t (*f32_to_f16)(const uint8_t *, uint8_t *, size_t);
  uint64_t (*f32_to_bf16)(const uint8_t *, uint8_t *, size_t);
  uint64_t (*f64_to_f32)(const uint8_t *, uint8_t *, size_t);
  void (*f32_to_f64)(const uint8_t *, uint8_t *, size_t);
  void (*examine[CK_F64 + 1])(const uint8_t *, size_t, ck_state *);
} ck_loops;

static void ck_include(double value, ck_state *state) {
  ck_statistics *r = &state->result;
  // Adding zero turns -0 into +0.
  if (value < r->minimum) r->minimum = value + 0.0;
  if (value > r->maximum) r->maximum = value + 0.0;
}

// 60,000 in each type, rounded down: keys up to it need no closer look.
static const int16_t ck_f16_large = 0x7B53;
static const int16_t ck_bf16_large = 0x476A;
static const int32_t ck_f32_large = 0x476A6000;
static const int64_t ck_f64_large = 0x40ED4C0000000000;

// Examines floating-point values one by one. `from` is a multiple of 16.
#define CK_EACH(NAME, U, S, TOP)                                                                   \
  static void ck_##NAME##_include_key(S key, ck_state *state) {                                    \
    U bits = (U)(key ^ ((key >> TOP) & (S)(((U)1 << TOP) - 1)));                                   \
    ck_include(ck_##NAME##_value(bits), state);                                                    \
  }                                                                                                \
  static void ck_##NAME##_each(const uint8_t *p, size_t n, ck_state *state) {                      \
    const U infinity = ck_##NAME##_infinity, mask = (U)(((U)1 << TOP) - 1);                        \
    for (size_t i = 0; i < n; i++) {                                                               \
      U bits;                                                                                      \
      memcpy(&bits, p + i * sizeof bits, sizeof bits);                                             \
      U magnitude = bits & mask;                                                                   \
      if (magnitude > infinity) {                                                                  \
        state->result.nans += 1;                                                                   \
      } else if (magnitude == infinity) {                                                          \
        if (bits == magnitude) state->result.positive_infinities += 1;                             \
        else state->result.negative_infinities += 1;                                               \
      } else {                                                                                     \
        double value = ck_##NAME##_value(bits);                                                    \
        state->result.zeros += magnitude == 0;                                                     \
        state->result.large += magnitude > (U)ck_##NAME##_large;                                   \
        state->sum[i % CK_LANES] += value;                                                         \
        state->squares[i % CK_LANES] += value * value;                                             \
        ck_include(value, state);                                                                  \
      }                                                                                            \
    }                                                                                              \
  }

static const uint16_t ck_f16_infinity = 0x7C00;
static const uint16_t ck_bf16_infinity = 0x7F80;
static const uint32_t ck_f32_infinity = 0x7F800000;
static const uint64_t ck_f64_infinity = 0x7FF0000000000000;

CK_EACH(f16, uint16_t, int16_t, 15)
CK_EACH(bf16, uint16_t, int16_t, 15)
CK_EACH(f32, uint32_t, int32_t, 31)
CK_EACH(f64, uint64_t, int64_t, 63)

// One loop for each arithmetic: halves, brain floats, singles, doubles rounded to singles, and
// doubles rounded so that they can be rounded again; then double precision between two types, and
// single precision from 8 bits to 16.
enum {
  CK_VIA_F16,
  CK_VIA_BF16,
  CK_VIA_F32,
  CK_VIA_F64,
  CK_VIA_ODD,
  CK_F16_TO_F32,
  CK_BF16_TO_F32,
  CK_F32_TO_F16,
  CK_F32_TO_BF16,
  CK_E4M3_TO_F16,
  CK_E4M3_TO_BF16,
  CK_E5M2_TO_F16,
  CK_E5M2_TO_BF16,
  CK_VIA_COUNT
};

typedef uint64_t ck_merge_loop(const uint8_t *, const uint8_t *, const uint8_t *, uint8_t *,
                               size_t, double);

typedef struct ck_merge_loops {
  ck_merge_loop *lerp[CK_VIA_COUNT], *add[CK_VIA_COUNT];
} ck_merge_loops;

#include "compare_state.h"

#define CK_NAME(f) ck_portable_##f
#include "loops.h"
#include "merge_loops.h"
#include "compare_loops.h"
#undef CK_NAME

#ifdef CK_X86
#define CK_HALF 1
#pragma clang attribute push(__attribute__((target("avx2,f16c,fma"))), apply_to = function)
#define CK_NAME(f) ck_avx2_##f
#include "loops.h"
#include "merge_loops.h"
#include "compare_loops.h"
#undef CK_NAME
#pragma clang attribute pop

#pragma clang attribute push(                                                                      \
    __attribute__((target("avx2,f16c,fma,avx512f,avx512bw,avx512vl,avx512dq"))), apply_to = function)
#define CK_NAME(f) ck_avx512_##f
#include "loops.h"
#include "merge_loops.h"
#include "compare_loops.h"
#undef CK_NAME
#pragma clang attribute pop
#endif

ck_path ck_best_path(void) {
#ifdef CK_X86
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq"))
    return CK_AVX512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("f16c") &&
      __builtin_cpu_supports("fma"))
    return CK_AVX2;
#endif
  return CK_PORTABLE;
}

static const ck_loops *loops(ck_path path) {
#ifdef CK_X86
  if (path == CK_AVX512) return &ck_avx512_loops;
  if (path == CK_AVX2) return &ck_avx2_loops;
#endif
  (void)path;
  return &ck_portable_loops;
}

static size_t size_of(ck_type type) {
  switch (type) {
  case CK_U16: case CK_I16: case CK_F16: case CK_BF16: return 2;
  case CK_U32: case CK_I32: case CK_F32: return 4;
  case CK_U64: case CK_I64: case CK_F64: return 8;
  default: return 1;
  }
}

static int is_f8(ck_type type) { return type >= CK_F8_E5M2 && type <= CK_F8_E4M3FNUZ; }

static double lanes_total(ck_f64x16 *lanes) {
  for (int width = CK_LANES / 2; width; width /= 2)
    for (int i = 0; i < width; i++) (*lanes)[i] += (*lanes)[i + width];
  return (*lanes)[0] + 0.0;
}

ck_statistics ck_examine(ck_path path, ck_type type, const void *values, size_t count,
                         int moments) {
  const ck_loops *l = loops(path);
  ck_state state = {.result = {.count = count, .minimum = INFINITY, .maximum = -INFINITY}, .moments = moments};
  const uint8_t *p = values;
  size_t size = size_of(type);
  float block[CK_BLOCK];
  for (size_t done = 0; done < count;) {
    size_t n = count - done < CK_BLOCK ? count - done : CK_BLOCK;
    if (is_f8(type)) {
      l->to_f32[type](p, (uint8_t *)block, n);
      l->examine[CK_F32]((const uint8_t *)block, n, &state);
    } else {
      l->examine[type](p, n, &state);
    }
    p += n * size;
    done += n;
  }
  state.result.sum = lanes_total(&state.sum);
  state.result.sum_of_squares = lanes_total(&state.squares);
  return state.result;
}

uint64_t ck_convert(ck_path path, ck_type from, ck_type to, const void *source, void *destination,
                    size_t count) {
  const ck_loops *l = loops(path);
  const uint8_t *s = source;
  uint8_t *d = destination;
  size_t from_size = size_of(from), to_size = size_of(to);
  if (from == to) {
    if (count) memcpy(d, s, count * from_size);
    return 0;
  }
  float block[CK_BLOCK];
  uint64_t overflows = 0;
  for (size_t done = 0; done < count;) {
    size_t n = count - done < CK_BLOCK ? count - done : CK_BLOCK;
    uint8_t *singles = to == CK_F32 ? d : (uint8_t *)block;
    if (from == CK_F64 && to == CK_F32) {
      overflows += l->f64_to_f32(s, d, n);
    } else if (from == CK_F32) {
      singles = NULL;
    } else {
      l->to_f32[from](s, singles, n);
    }
    const uint8_t *middle = singles ? singles : s;
    if (to == CK_F16) overflows += l->f32_to_f16(middle, d, n);
    if (to == CK_BF16) overflows += l->f32_to_bf16(middle, d, n);
    if (to == CK_F64) l->f32_to_f64(middle, d, n);
    s += n * from_size;
    d += n * to_size;
    done += n;
  }
  return overflows;
}

static const ck_merge_loops *merge_loops(ck_path path) {
#ifdef CK_X86
  if (path == CK_AVX512) return &ck_avx512_merge_loops;
  if (path == CK_AVX2) return &ck_avx2_merge_loops;
#endif
  (void)path;
  return &ck_portable_merge_loops;
}

// The loop that leads from one type to another without a stop; -1 if there is none.
static int direct_loop(ck_type from, ck_type to) {
  if (to == CK_F32) return from == CK_F16 ? CK_F16_TO_F32 : from == CK_BF16 ? CK_BF16_TO_F32 : -1;
  const int brain = to == CK_BF16;
  switch (from) {
  case CK_F32: return CK_F32_TO_F16 + brain;
  case CK_F8_E4M3: return CK_E4M3_TO_F16 + brain;
  case CK_F8_E5M2: return CK_E5M2_TO_F16 + brain;
  default: return -1;
  }
}

uint64_t ck_merge(ck_path path, ck_merge_kind kind, const ck_type types[], ck_type to,
                  const void *const sources[], void *destination, size_t count, double t,
                  int singles) {
  const int inputs = kind == CK_LERP ? 2 : 3;
  ck_merge_loop *const *loop =
      kind == CK_LERP ? merge_loops(path)->lerp : merge_loops(path)->add;
  int same = 1, alike = 1, narrow = to == CK_F16 || to == CK_BF16;
  for (int i = 0; i < inputs; i++) {
    same &= types[i] == to;
    alike &= types[i] == types[0];
    narrow &= size_of(types[i]) <= 2;
  }
  const uint8_t *a = sources[0], *b = sources[1], *c = inputs == 3 ? sources[2] : sources[0];
  if (same && to == CK_F16) return loop[CK_VIA_F16](a, b, c, destination, count, t);
  if (same && to == CK_BF16) return loop[CK_VIA_BF16](a, b, c, destination, count, t);
  const int via = narrow || singles ? CK_VIA_F32 : to == CK_F32 ? CK_VIA_F64 : CK_VIA_ODD;
  if (same) return loop[via](a, b, c, destination, count, t);
  if (alike && (narrow || !singles)) {
    const int direct = direct_loop(types[0], to);
    if (direct >= 0) return loop[direct](a, b, c, destination, count, t);
  }

  float blocks[3][CK_BLOCK], result[CK_BLOCK];
  uint8_t *d = destination;
  uint64_t special = 0;
  for (size_t done = 0; done < count;) {
    size_t n = count - done < CK_BLOCK ? count - done : CK_BLOCK;
    for (int i = 0; i < inputs; i++)
      ck_convert(path, types[i], CK_F32, (const uint8_t *)sources[i] + done * size_of(types[i]),
                 blocks[i], n);
    special += loop[via]((uint8_t *)blocks[0], (uint8_t *)blocks[1], (uint8_t *)blocks[2],
                         (uint8_t *)result, n, t);
    special += ck_convert(path, CK_F32, to, result, d + done * size_of(to), n);
    done += n;
  }
  return special;
}

static const ck_compare_loops *compare_loops(ck_path path) {
#ifdef CK_X86
  if (path == CK_AVX512) return &ck_avx512_compare_loops;
  if (path == CK_AVX2) return &ck_avx2_compare_loops;
#endif
  (void)path;
  return &ck_portable_compare_loops;
}

// The position of a type's loop, or -1 if values of that type are converted first.
static int own_loop(ck_type type) {
  switch (type) {
  case CK_F16: return 0;
  case CK_BF16: return 1;
  case CK_F32: return 2;
  case CK_F64: return 3;
  default: return -1;
  }
}

// The bits of a type's significand.
static int precision(ck_type type) {
  return type == CK_BF16 ? 8 : type == CK_F16 ? 11 : type == CK_F32 ? 24 : 53;
}

// Compares values after both are converted to `via`, which has a loop.
static void compare_via(ck_path path, ck_type type_a, ck_type type_b, ck_type via,
                        const uint8_t *a, const uint8_t *b, size_t count,
                        ck_compare_state *state) {
  double blocks[2][CK_BLOCK];
  const size_t size_a = size_of(type_a), size_b = size_of(type_b);
  for (size_t done = 0; done < count;) {
    const size_t n = count - done < CK_BLOCK ? count - done : CK_BLOCK;
    const uint8_t *pa = a + done * size_a, *pb = b + done * size_b;
    if (type_a != via) {
      ck_convert(path, type_a, via, pa, blocks[0], n);
      pa = (const uint8_t *)blocks[0];
    }
    if (type_b != via) {
      ck_convert(path, type_b, via, pb, blocks[1], n);
      pb = (const uint8_t *)blocks[1];
    }
    compare_loops(path)->compare[own_loop(via)](pa, pb, n, state);
    done += n;
  }
}

ck_comparison ck_compare(ck_path path, ck_type type_a, ck_type type_b, const void *a,
                         const void *b, size_t count) {
  const int has_ulp = own_loop(type_a) >= 0 && own_loop(type_b) >= 0;
  const ck_type narrow = precision(type_a) <= precision(type_b) ? type_a : type_b;
  const ck_type via = type_a == type_b && has_ulp               ? type_a
                      : type_a == CK_F64 || type_b == CK_F64 ? CK_F64
                                                             : CK_F32;
  ck_compare_state state = {0};
  compare_via(path, type_a, type_b, via, a, b, count, &state);
  ck_comparison *r = &state.result;
  if (!has_ulp || narrow != via) {
    ck_compare_state rounded = {0};
    if (has_ulp) compare_via(path, type_a, type_b, narrow, a, b, count, &rounded);
    r->ulp_count = rounded.result.ulp_count;
    r->ulp_sum = rounded.result.ulp_sum;
    r->ulp_maximum = rounded.result.ulp_maximum;
  }
  r->count = count;
  r->squares_a = lanes_total(&state.a);
  r->squares_b = lanes_total(&state.b);
  r->squares_of_difference = lanes_total(&state.difference);
  return *r;
}

double ck_squares(ck_path path, ck_type type, const void *values, size_t count, int spacing) {
  const ck_type via = own_loop(type) >= 0 ? type : CK_F32;
  float block[CK_BLOCK];
  ck_f64x16 total = {0};
  int finite = 1;
  const size_t size = size_of(type);
  for (size_t done = 0; done < count;) {
    const size_t n = count - done < CK_BLOCK ? count - done : CK_BLOCK;
    const uint8_t *p = (const uint8_t *)values + done * size;
    if (type != via) {
      ck_convert(path, type, via, p, block, n);
      p = (const uint8_t *)block;
    }
    if (spacing) compare_loops(path)->spacings[own_loop(via)](p, n, &total);
    else finite &= compare_loops(path)->squares[own_loop(via)](p, n, &total);
    done += n;
  }
  return finite ? lanes_total(&total) : NAN;
}

void ck_histogram(ck_path path, ck_type type, const void *values, size_t count, uint32_t *counts) {
  uint16_t block[CK_BLOCK];
  const size_t size = size_of(type);
  const size_t bins = 4096;
  for (size_t done = 0; done < count;) {
    const size_t n = count - done < CK_BLOCK ? count - done : CK_BLOCK;
    const uint8_t *p = (const uint8_t *)values + done * size;
    if (type != CK_F16) {
      ck_convert(path, type, CK_F16, p, block, n);
      p = (const uint8_t *)block;
    }
    for (size_t i = 0; i < n; i++) {
      uint16_t bits;
      memcpy(&bits, p + i * 2, 2);
      counts[(i % 4) * bins + (bits >> 4)] += 1;
    }
    done += n;
  }
}
