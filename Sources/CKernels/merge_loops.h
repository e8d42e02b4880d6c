// The merge loops, written once and compiled for each path: the including file defines
// `CK_NAME(f)`, and `CK_HALF` where the processor converts halves itself. After loops.h.

CK_INLINE ck_f32x16 CK_NAME(load_f32)(const uint8_t *p) {
  ck_f32x16 f;
  memcpy(&f, p, sizeof f);
  return f;
}

CK_INLINE void CK_NAME(store_f32)(ck_f32x16 f, uint8_t *p) { memcpy(p, &f, sizeof f); }

// A double as a single that becomes what it would have become if rounded to a half at once: an
// inexact value goes to its neighbour with an odd last bit.
CK_INLINE ck_f32x16 CK_NAME(to_odd)(ck_f64x16 d) {
  uint8_t bytes[sizeof d];
  memcpy(bytes, &d, sizeof d);
  return CK_NAME(narrow_f64_to_odd)(bytes);
}

CK_INLINE ck_f32x16 CK_NAME(to_nearest)(ck_f64x16 d) { return CK_CONVERT(d, ck_f32x16); }

// How many of sixteen values are infinite or NaN.
CK_INLINE ck_i32x16 CK_NAME(not_finite)(ck_f32x16 f) {
  return (ck_i32x16)(((ck_u32x16)f & 0x7F800000) == 0x7F800000) & 1;
}

// How many of sixteen stored halves are infinite or NaN: what rounding made so counts too.
#define CK_STORED_F16(q) CK_NAME(stored_special)(q, 0x7C00)
#define CK_STORED_BF16(q) CK_NAME(stored_special)(q, 0x7F80)
CK_INLINE ck_i16x16 CK_NAME(stored_special)(const uint8_t *q, uint16_t exponent) {
  ck_u16x16 h;
  memcpy(&h, q, sizeof h);
  return (ck_i16x16)((h & exponent) == exponent) & 1;
}

// The statements at the end compute sixteen values at `a`, `b`, `c` into `q` and adds to `special`.
#define CK_MERGE(NAME, SIZE_A, SIZE_B, SIZE_C, SIZE_Q, SPECIAL, ...)                               \
  static uint64_t CK_NAME(NAME)(const uint8_t *pa, const uint8_t *pb, const uint8_t *pc,           \
                                uint8_t *pq, size_t n, double t) {                                 \
    uint64_t total = 0;                                                                            \
    (void)pc;                                                                                      \
    for (size_t i = 0; i < n;) {                                                                   \
      /* Lane counts are narrow: they are emptied before they can overflow. */                     \
      size_t end = n - i < 16 * 16384 ? n : i + 16 * 16384;                                        \
      SPECIAL special = {0};                                                                       \
      for (; i + CK_LANES <= end; i += CK_LANES) {                                                 \
        const uint8_t *a = pa + i * SIZE_A, *b = pb + i * SIZE_B, *c = pc + i * SIZE_C;            \
        uint8_t *q = pq + i * SIZE_Q;                                                              \
        (void)c;                                                                                   \
        __VA_ARGS__                                                                                \
      }                                                                                            \
      if (i < end) {                                                                               \
        uint8_t a[CK_LANES * 4] = {0}, b[CK_LANES * 4] = {0}, c[CK_LANES * 4] = {0};               \
        uint8_t q[CK_LANES * 4];                                                                   \
        memcpy(a, pa + i * SIZE_A, (end - i) * SIZE_A);                                            \
        memcpy(b, pb + i * SIZE_B, (end - i) * SIZE_B);                                            \
        if (SIZE_C) memcpy(c, pc + i * SIZE_C, (end - i) * SIZE_C);                                \
        __VA_ARGS__                                                                                \
        memcpy(pq + i * SIZE_Q, q, (end - i) * SIZE_Q);                                            \
        i = end;                                                                                   \
      }                                                                                            \
      for (int lane = 0; lane < CK_LANES; lane++) total += (uint64_t)special[lane];                \
    }                                                                                              \
    return total;                                                                                  \
  }

#define CK_SINGLE_LERP(LOAD_A, LOAD_B, STORE, COUNT)                                               \
  ck_f32x16 x = LOAD_A(a), y = LOAD_B(b), d = y - x;                                               \
  ck_f32x16 r = near ? CK_FMA(w, d, x) : CK_FMA(w - 1.0f, d, y);                                   \
  STORE(r, q);                                                                                     \
  special += COUNT;

#define CK_LERP_SETUP                                                                              \
  const float single = (float)t;                                                                   \
  const int near = (single < 0 ? -single : single) < 0.5f;                                         \
  const ck_f32x16 w = (ck_f32x16){0} + single;

#define CK_HALF_LERP(NAME, LOAD, STORE, COUNT)                                                     \
  CK_MERGE(lerp_##NAME, 2, 2, 0, 2, ck_i16x16, CK_LERP_SETUP CK_SINGLE_LERP(LOAD, LOAD, STORE, COUNT))

CK_HALF_LERP(f16, CK_NAME(widen_f16), CK_NAME(narrow_f16), CK_STORED_F16(q))
CK_HALF_LERP(bf16, CK_NAME(widen_bf16), CK_NAME(narrow_bf16), CK_STORED_BF16(q))
CK_MERGE(lerp_single, 4, 4, 0, 4, ck_i32x16,
         CK_LERP_SETUP CK_SINGLE_LERP(CK_NAME(load_f32), CK_NAME(load_f32), CK_NAME(store_f32),
                                      CK_NAME(not_finite)(r)))

// Double precision: from any type that LOAD makes singles of, to any that FINISH stores.
#define CK_DOUBLE_LERP(NAME, SIZE, SIZE_Q, SPECIAL, LOAD, FINISH)                                  \
  CK_MERGE(lerp_##NAME, SIZE, SIZE, 0, SIZE_Q, SPECIAL, {                                          \
    const int near = (t < 0 ? -t : t) < 0.5;                                                       \
    const ck_f64x16 w = (ck_f64x16){0} + t;                                                        \
    ck_f64x16 x = CK_CONVERT(LOAD(a), ck_f64x16);                                                  \
    ck_f64x16 y = CK_CONVERT(LOAD(b), ck_f64x16), d = y - x;                                       \
    ck_f64x16 v = near ? CK_FMA(w, d, x) : CK_FMA(w - 1.0, d, y);                                  \
    FINISH                                                                                         \
  })

// How a double `v` is stored at `q`: as the nearest single, or rounded once to 16 bits.
#define CK_FINISH_F32                                                                              \
  ck_f32x16 r = CK_NAME(to_nearest)(v);                                                            \
  CK_NAME(store_f32)(r, q);                                                                        \
  special += CK_NAME(not_finite)(r);
#define CK_FINISH_ODD                                                                              \
  ck_f32x16 r = CK_NAME(to_odd)(v);                                                                \
  CK_NAME(store_f32)(r, q);                                                                        \
  special += CK_NAME(not_finite)(r);
#define CK_FINISH_F16                                                                              \
  CK_NAME(narrow_f16)(CK_NAME(to_odd)(v), q);                                                      \
  special += CK_STORED_F16(q);
#define CK_FINISH_BF16                                                                             \
  CK_NAME(narrow_bf16)(CK_NAME(to_odd)(v), q);                                                     \
  special += CK_STORED_BF16(q);

#define CK_DOUBLES(FORMULA)                                                                        \
  FORMULA(double, 4, 4, ck_i32x16, CK_NAME(load_f32), CK_FINISH_F32)                               \
  FORMULA(odd, 4, 4, ck_i32x16, CK_NAME(load_f32), CK_FINISH_ODD)                                  \
  FORMULA(f16_to_f32, 2, 4, ck_i32x16, CK_NAME(widen_f16), CK_FINISH_F32)                          \
  FORMULA(bf16_to_f32, 2, 4, ck_i32x16, CK_NAME(widen_bf16), CK_FINISH_F32)                        \
  FORMULA(f32_to_f16, 4, 2, ck_i16x16, CK_NAME(load_f32), CK_FINISH_F16)                           \
  FORMULA(f32_to_bf16, 4, 2, ck_i16x16, CK_NAME(load_f32), CK_FINISH_BF16)

CK_DOUBLES(CK_DOUBLE_LERP)

#define CK_SINGLE_ADD(LOAD, STORE, COUNT)                                                          \
  const ck_f32x16 w = (ck_f32x16){0} + (float)t;                                                   \
  ck_f32x16 r = CK_FMA(w, LOAD(b) - LOAD(c), LOAD(a));                                             \
  STORE(r, q);                                                                                     \
  special += COUNT;

CK_MERGE(add_f16, 2, 2, 2, 2, ck_i16x16,
         CK_SINGLE_ADD(CK_NAME(widen_f16), CK_NAME(narrow_f16), CK_STORED_F16(q)))
CK_MERGE(add_bf16, 2, 2, 2, 2, ck_i16x16,
         CK_SINGLE_ADD(CK_NAME(widen_bf16), CK_NAME(narrow_bf16), CK_STORED_BF16(q)))
CK_MERGE(add_single, 4, 4, 4, 4, ck_i32x16,
         CK_SINGLE_ADD(CK_NAME(load_f32), CK_NAME(store_f32), CK_NAME(not_finite)(r)))

#define CK_DOUBLE_ADD(NAME, SIZE, SIZE_Q, SPECIAL, LOAD, FINISH)                                   \
  CK_MERGE(add_##NAME, SIZE, SIZE, SIZE, SIZE_Q, SPECIAL, {                                        \
    const ck_f64x16 w = (ck_f64x16){0} + t;                                                        \
    ck_f64x16 x = CK_CONVERT(LOAD(a), ck_f64x16);                                                  \
    ck_f64x16 y = CK_CONVERT(LOAD(b), ck_f64x16);                                                  \
    ck_f64x16 z = CK_CONVERT(LOAD(c), ck_f64x16);                                                  \
    ck_f64x16 v = CK_FMA(w, y - z, x);                                                             \
    FINISH                                                                                         \
  })

CK_DOUBLES(CK_DOUBLE_ADD)

// Single precision from 8 bits to 16.
#define CK_BYTES(FORMULA)                                                                          \
  FORMULA(e4m3_to_f16, CK_NAME(widen_e4m3), CK_NAME(narrow_f16), CK_STORED_F16(q))                 \
  FORMULA(e4m3_to_bf16, CK_NAME(widen_e4m3), CK_NAME(narrow_bf16), CK_STORED_BF16(q))              \
  FORMULA(e5m2_to_f16, CK_NAME(widen_e5m2), CK_NAME(narrow_f16), CK_STORED_F16(q))                 \
  FORMULA(e5m2_to_bf16, CK_NAME(widen_e5m2), CK_NAME(narrow_bf16), CK_STORED_BF16(q))
#define CK_BYTE_LERP(NAME, LOAD, STORE, COUNT)                                                     \
  CK_MERGE(lerp_##NAME, 1, 1, 0, 2, ck_i16x16, CK_LERP_SETUP CK_SINGLE_LERP(LOAD, LOAD, STORE, COUNT))
#define CK_BYTE_ADD(NAME, LOAD, STORE, COUNT)                                                      \
  CK_MERGE(add_##NAME, 1, 1, 1, 2, ck_i16x16, CK_SINGLE_ADD(LOAD, STORE, COUNT))
CK_BYTES(CK_BYTE_LERP)
CK_BYTES(CK_BYTE_ADD)

#undef CK_MERGE
#undef CK_SINGLE_LERP
#undef CK_LERP_SETUP
#undef CK_HALF_LERP
#undef CK_DOUBLE_LERP
#undef CK_SINGLE_ADD
#undef CK_DOUBLE_ADD
#undef CK_DOUBLES
#undef CK_FINISH_F32
#undef CK_FINISH_ODD
#undef CK_FINISH_F16
#undef CK_FINISH_BF16
#undef CK_STORED_F16
#undef CK_STORED_BF16
#undef CK_BYTES
#undef CK_BYTE_LERP
#undef CK_BYTE_ADD

#define CK_LOOPS(F)                                                                                \
  {CK_NAME(F##_f16),        CK_NAME(F##_bf16),        CK_NAME(F##_single),                         \
   CK_NAME(F##_double),     CK_NAME(F##_odd),         CK_NAME(F##_f16_to_f32),                     \
   CK_NAME(F##_bf16_to_f32), CK_NAME(F##_f32_to_f16), CK_NAME(F##_f32_to_bf16),                    \
   CK_NAME(F##_e4m3_to_f16), CK_NAME(F##_e4m3_to_bf16), CK_NAME(F##_e5m2_to_f16),                  \
   CK_NAME(F##_e5m2_to_bf16)}
static const ck_merge_loops CK_NAME(merge_loops) = {.lerp = CK_LOOPS(lerp), .add = CK_LOOPS(add)};
#undef CK_LOOPS
