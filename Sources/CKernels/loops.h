// The loops, written once and compiled for each path: the including file defines `CK_NAME(f)`,
// and `CK_HALF` where the processor converts halves itself.

// MARK: Sixteen values at a time

CK_INLINE ck_f32x16 CK_NAME(widen_f16)(const uint8_t *p) {
  ck_u16x16 h;
  memcpy(&h, p, sizeof h);
#ifdef CK_HALF
  return CK_CONVERT((ck_f16x16)h, ck_f32x16);
#else
  ck_u32x16 w = CK_CONVERT(h, ck_u32x16);
  ck_u32x16 magnitude = (w & 0x7FFF) << 13;
  ck_u32x16 scaled = (ck_u32x16)((ck_f32x16)magnitude * 0x1p112f);
  ck_u32x16 special = (ck_u32x16)(magnitude >= 0x0F800000) & 0x7F800000;
  ck_u32x16 quiet = (ck_u32x16)(magnitude > 0x0F800000) & 0x00400000;
  return (ck_f32x16)(scaled | special | quiet | (w & 0x8000) << 16);
#endif
}

CK_INLINE ck_f32x16 CK_NAME(widen_bf16)(const uint8_t *p) {
  ck_u16x16 h;
  memcpy(&h, p, sizeof h);
  ck_u32x16 bits = CK_CONVERT(h, ck_u32x16) << 16;
  return (ck_f32x16)(bits | ((ck_u32x16)((bits & 0x7FFFFFFF) > 0x7F800000) & 0x00400000));
}

CK_INLINE void CK_NAME(narrow_f16)(ck_f32x16 f, uint8_t *p) {
#ifdef CK_HALF
  ck_f16x16 h = CK_CONVERT(f, ck_f16x16);
#else
  ck_u32x16 bits = (ck_u32x16)f;
  ck_u32x16 m = bits & 0x7FFFFFFF;
  // Adding one half lines a subnormal's last bit up with that of the sum, which rounds.
  ck_u32x16 subnormal = (ck_u32x16)((ck_f32x16)m + 0.5f) - 0x3F000000;
  ck_u32x16 normal = (m + 0xC8000FFF + ((m >> 13) & 1)) >> 13;
  ck_u32x16 is_nan = (ck_u32x16)(m > 0x7F800000);
  ck_u32x16 is_large = (ck_u32x16)(m >= 0x47800000);
  ck_u32x16 is_small = (ck_u32x16)(m < 0x38800000);
  ck_u32x16 special = 0x7C00 | (is_nan & (0x0200 | ((m >> 13) & 0x3FF)));
  ck_u32x16 r = (is_large & special) | (is_small & subnormal) | (~(is_large | is_small) & normal);
  ck_u16x16 h = CK_CONVERT(r | (bits >> 16 & 0x8000), ck_u16x16);
#endif
  memcpy(p, &h, sizeof h);
}

CK_INLINE void CK_NAME(narrow_bf16)(ck_f32x16 f, uint8_t *p) {
  ck_u32x16 bits = (ck_u32x16)f;
  ck_u32x16 is_nan = (ck_u32x16)((bits & 0x7FFFFFFF) > 0x7F800000);
  ck_u32x16 rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16;
  ck_u32x16 quiet = bits >> 16 | 0x40;
  ck_u16x16 h = CK_CONVERT((is_nan & quiet) | (~is_nan & rounded), ck_u16x16);
  memcpy(p, &h, sizeof h);
}

// Rounds inexact values to the neighbour whose last bit is one, so that a second rounding gives
// what one rounding of the double would have given.
CK_INLINE ck_f32x16 CK_NAME(narrow_f64_to_odd)(const uint8_t *p) {
  ck_f64x16 d;
  memcpy(&d, p, sizeof d);
  ck_f32x16 f = CK_CONVERT(d, ck_f32x16);
  ck_f64x16 back = CK_CONVERT(f, ck_f64x16);
  // What was rounded away from zero goes back by one; then whatever was inexact becomes odd. A NaN
  // is neither.
  ck_f64x16 a = (ck_f64x16)((ck_u64x16)back & INT64_MAX);
  ck_f64x16 b = (ck_f64x16)((ck_u64x16)d & INT64_MAX);
  ck_i32x16 above = CK_CONVERT((ck_i64x16)(a > b), ck_i32x16);
  ck_i32x16 below = CK_CONVERT((ck_i64x16)(a < b), ck_i32x16);
  return (ck_f32x16)(((ck_i32x16)f + above) | ((above | below) & 1));
}

// An 8-bit float: sign, `exponent` bits biased by `bias`, and the rest; with infinities as IEEE has
// them if `ieee`, and with 0x80 as its only NaN if `fnuz`. A NaN keeps its sign and payload.
CK_INLINE ck_f32x16 CK_NAME(widen_f8)(const uint8_t *p, int exponent, int bias, int ieee, int fnuz) {
  ck_u8x16 c;
  memcpy(&c, p, sizeof c);
  ck_u32x16 code = CK_CONVERT(c, ck_u32x16);
  ck_u32x16 sign = (code & 0x80) << 24;
  ck_u32x16 magnitude = (code & 0x7F) << (16 + exponent);
  const uint32_t least = (uint32_t)(128 - bias) << 23;
  ck_u32x16 normal = magnitude + (least - (1 << 23));
  // Subnormals: with the exponent of the least normal number the fraction is exact.
  ck_f32x16 base = (ck_f32x16)((ck_u32x16){0} + least);
  ck_u32x16 subnormal = (ck_u32x16)((ck_f32x16)(magnitude + least) - base);
  ck_u32x16 is_subnormal = (ck_u32x16)(magnitude < (1 << 23));
  ck_u32x16 bits = (subnormal & is_subnormal) | (normal & ~is_subnormal);
  if (fnuz) {
    ck_u32x16 is_nan = (ck_u32x16)(code == 0x80);
    bits = ((bits | sign) & ~is_nan) | (is_nan & 0x7FC00000);
  } else if (ieee) {
    const uint32_t top = ((1u << exponent) - 1) << 23;
    ck_u32x16 payload = (ck_u32x16)(magnitude > top) & ((magnitude & 0x7FFFFF) | 0x400000);
    ck_u32x16 is_special = (ck_u32x16)(magnitude >= top);
    bits = (bits & ~is_special) | (is_special & (payload | 0x7F800000)) | sign;
  } else {
    ck_u32x16 is_nan = (ck_u32x16)((code & 0x7F) == 0x7F);
    bits = (bits & ~is_nan) | (is_nan & 0x7FC00000) | sign;
  }
  return (ck_f32x16)bits;
}

CK_INLINE ck_f32x16 CK_NAME(widen_e5m2)(const uint8_t *p) {
#ifdef CK_HALF
  // The upper byte of a half.
  ck_u8x16 c;
  memcpy(&c, p, sizeof c);
  ck_u16x16 half = CK_CONVERT(c, ck_u16x16) << 8;
  uint8_t bytes[sizeof half];
  memcpy(bytes, &half, sizeof half);
  return CK_NAME(widen_f16)(bytes);
#else
  return CK_NAME(widen_f8)(p, 5, 15, 1, 0);
#endif
}

CK_INLINE ck_f32x16 CK_NAME(widen_e4m3)(const uint8_t *p) {
#ifdef CK_HALF
  // A half with another bias: 2^8 times too small.
  ck_i8x16 c;
  memcpy(&c, p, sizeof c);
  ck_u16x16 wide = (ck_u16x16)CK_CONVERT(c, ck_i16x16);
  ck_u16x16 half = (wide << 7) & 0xBFFF;
  uint8_t bytes[sizeof half];
  memcpy(bytes, &half, sizeof half);
  ck_i32x16 is_nan = CK_CONVERT((ck_i16x16)((wide & 0x7F) == 0x7F), ck_i32x16);
  ck_i32x16 bits = (ck_i32x16)(CK_NAME(widen_f16)(bytes) * 256.0f);
  return (ck_f32x16)((bits & ~(is_nan & 0x003FFFFF)) | (is_nan & 0x7FC00000));
#else
  return CK_NAME(widen_f8)(p, 4, 7, 0, 0);
#endif
}

// A power of two, from 2^-127.
CK_INLINE ck_f32x16 CK_NAME(widen_e8m0)(const uint8_t *p) {
  ck_u8x16 c;
  memcpy(&c, p, sizeof c);
  ck_u32x16 code = CK_CONVERT(c, ck_u32x16);
  ck_u32x16 is_zero = (ck_u32x16)(code == 0), is_nan = (ck_u32x16)(code == 255);
  return (ck_f32x16)((code << 23) | (is_zero & 0x00400000) | (is_nan & 0x7FC00000));
}

// MARK: Conversion

// Calls `STEP` for all whole sixteens, and once for the rest, through padded copies.
#define CK_LOOP(FROM_SIZE, TO_SIZE, STEP)                                                          \
  size_t i = 0;                                                                                    \
  for (; i + CK_LANES <= n; i += CK_LANES) {                                                       \
    const uint8_t *p = s + i * FROM_SIZE;                                                          \
    uint8_t *q = d + i * TO_SIZE;                                                                  \
    STEP                                                                                           \
  }                                                                                                \
  if (i < n) {                                                                                     \
    uint8_t padded[CK_LANES * FROM_SIZE] = {0}, result[CK_LANES * TO_SIZE];                        \
    memcpy(padded, s + i * FROM_SIZE, (n - i) * FROM_SIZE);                                        \
    const uint8_t *p = padded;                                                                     \
    uint8_t *q = result;                                                                           \
    STEP                                                                                           \
    memcpy(d + i * TO_SIZE, result, (n - i) * TO_SIZE);                                            \
  }

#define CK_WIDENING(NAME, SIZE, EXPRESSION)                                                        \
  static void CK_NAME(NAME)(const uint8_t *s, uint8_t *d, size_t n) {                              \
    CK_LOOP(SIZE, 4, ck_f32x16 f = EXPRESSION; memcpy(q, &f, sizeof f);)                           \
  }

#define CK_WIDENING_INTEGER(NAME, T)                                                               \
  CK_INLINE ck_f32x16 CK_NAME(load_##NAME)(const uint8_t *p) {                                     \
    T v;                                                                                           \
    memcpy(&v, p, sizeof v);                                                                       \
    return CK_CONVERT(v, ck_f32x16);                                                               \
  }                                                                                                \
  CK_WIDENING(NAME##_to_f32, sizeof(T) / CK_LANES, CK_NAME(load_##NAME)(p))

CK_WIDENING(f16_to_f32, 2, CK_NAME(widen_f16)(p))
CK_WIDENING(bf16_to_f32, 2, CK_NAME(widen_bf16)(p))
CK_WIDENING(f8_e5m2_to_f32, 1, CK_NAME(widen_e5m2)(p))
CK_WIDENING(f8_e4m3_to_f32, 1, CK_NAME(widen_e4m3)(p))
CK_WIDENING(f8_e8m0_to_f32, 1, CK_NAME(widen_e8m0)(p))
CK_WIDENING(f8_e5m2fnuz_to_f32, 1, CK_NAME(widen_f8)(p, 5, 16, 0, 1))
CK_WIDENING(f8_e4m3fnuz_to_f32, 1, CK_NAME(widen_f8)(p, 4, 8, 0, 1))
CK_WIDENING(f64_to_odd_f32, 8, CK_NAME(narrow_f64_to_odd)(p))
CK_WIDENING_INTEGER(u8, ck_u8x16)
CK_WIDENING_INTEGER(i8, ck_i8x16)
CK_WIDENING_INTEGER(u16, ck_u16x16)
CK_WIDENING_INTEGER(i16, ck_i16x16)
CK_WIDENING_INTEGER(u32, ck_u32x16)
CK_WIDENING_INTEGER(i32, ck_i32x16)
CK_WIDENING_INTEGER(u64, ck_u64x16)
CK_WIDENING_INTEGER(i64, ck_i64x16)

CK_INLINE uint64_t CK_NAME(total)(ck_i32x16 counts) {
  uint64_t total = 0;
  for (int lane = 0; lane < CK_LANES; lane++) total += (uint32_t)counts[lane];
  return total;
}

// `LIMIT`: the least magnitude that rounds to infinity, as bits.
#define CK_NARROWING(NAME, LIMIT)                                                                  \
  static uint64_t CK_NAME(f32_to_##NAME)(const uint8_t *s, uint8_t *d, size_t n) {                 \
    ck_i32x16 overflows = {0};                                                                     \
    CK_LOOP(4, 2, {                                                                                \
      ck_f32x16 f;                                                                                 \
      memcpy(&f, p, sizeof f);                                                                     \
      ck_u32x16 m = (ck_u32x16)f & 0x7FFFFFFF;                                                     \
      overflows -= (ck_i32x16)(m >= LIMIT) & (ck_i32x16)(m < 0x7F800000);                          \
      CK_NAME(narrow_##NAME)(f, q);                                                                \
    })                                                                                             \
    return CK_NAME(total)(overflows);                                                              \
  }

CK_NARROWING(f16, 0x477FF000)
CK_NARROWING(bf16, 0x7F7F8000)

static uint64_t CK_NAME(f64_to_f32)(const uint8_t *s, uint8_t *d, size_t n) {
  ck_i64x16 overflows = {0};
  CK_LOOP(8, 4, {
    ck_f64x16 v;
    memcpy(&v, p, sizeof v);
    ck_u64x16 m = (ck_u64x16)v & INT64_MAX;
    overflows -= (ck_i64x16)(m >= 0x47EFFFFFF0000000) & (ck_i64x16)(m < 0x7FF0000000000000);
    ck_f32x16 f = CK_CONVERT(v, ck_f32x16);
    memcpy(q, &f, sizeof f);
  })
  return CK_NAME(total)(CK_CONVERT(overflows, ck_i32x16));
}

static void CK_NAME(f32_to_f64)(const uint8_t *s, uint8_t *d, size_t n) {
  CK_LOOP(4, 8, {
    ck_f32x16 f;
    memcpy(&f, p, sizeof f);
    ck_f64x16 v = CK_CONVERT(f, ck_f64x16);
    memcpy(q, &v, sizeof v);
  })
}

// MARK: Statistics

// Examines at most `CK_BLOCK` floating-point values. Bits become keys that sort as the values do,
// so that minimum and maximum tell whether anything special is among them; then the block is
// done again, value by value.
#define CK_FLOATS(NAME, U, S, SV, TOP, TO_F64)                                                     \
  CK_INLINE void CK_NAME(examine_##NAME##_as)(const uint8_t *p, size_t n, ck_state *state,         \
                                              const int moments) {                                 \
    const S mask = (S)(((U)1 << TOP) - 1);                                                         \
    SV low = (SV){0} + mask, high = ~low, zeros = {0};                                             \
    ck_f64x16 sum = state->sum, squares = state->squares;                                          \
    size_t whole = n / CK_LANES * CK_LANES;                                                        \
    for (size_t i = 0; i < whole; i += CK_LANES) {                                                 \
      SV s;                                                                                        \
      memcpy(&s, p + i * sizeof(U), sizeof s);                                                     \
      SV key = s ^ ((s >> TOP) & mask);                                                            \
      low = CK_MIN(low, key);                                                                      \
      high = CK_MAX(high, key);                                                                    \
      zeros -= (SV)((s & mask) == 0);                                                              \
      if (moments) {                                                                               \
        ck_f64x16 v = TO_F64;                                                                      \
        sum += v;                                                                                  \
        squares += v * v;                                                                          \
      }                                                                                            \
    }                                                                                              \
    S least = mask, most = ~mask;                                                                  \
    uint64_t zero_count = 0;                                                                       \
    for (int lane = 0; lane < CK_LANES; lane++) {                                                  \
      least = low[lane] < least ? low[lane] : least;                                               \
      most = high[lane] > most ? high[lane] : most;                                                \
      zero_count += (uint64_t)zeros[lane];                                                         \
    }                                                                                              \
    if (whole && most <= ck_##NAME##_large && least >= ~ck_##NAME##_large) {                       \
      state->sum = sum;                                                                            \
      state->squares = squares;                                                                    \
      state->result.zeros += zero_count;                                                           \
      ck_##NAME##_include_key(least, state);                                                       \
      ck_##NAME##_include_key(most, state);                                                        \
    } else {                                                                                       \
      ck_##NAME##_each(p, whole, state);                                                           \
    }                                                                                              \
    ck_##NAME##_each(p + whole * sizeof(U), n - whole, state);                                     \
  }                                                                                                \
  static void CK_NAME(examine_##NAME)(const uint8_t *p, size_t n, ck_state *state) {               \
    if (state->moments) CK_NAME(examine_##NAME##_as)(p, n, state, 1);                              \
    else CK_NAME(examine_##NAME##_as)(p, n, state, 0);                                             \
  }

CK_FLOATS(f16, uint16_t, int16_t, ck_i16x16, 15,
          CK_CONVERT(CK_NAME(widen_f16)(p + i * 2), ck_f64x16))
CK_FLOATS(bf16, uint16_t, int16_t, ck_i16x16, 15,
          CK_CONVERT(CK_NAME(widen_bf16)(p + i * 2), ck_f64x16))
CK_FLOATS(f32, uint32_t, int32_t, ck_i32x16, 31, CK_CONVERT((ck_f32x16)s, ck_f64x16))
CK_FLOATS(f64, uint64_t, int64_t, ck_i64x16, 63, (ck_f64x16)s)

#define CK_INTEGERS(NAME, T, V)                                                                    \
  static void CK_NAME(examine_##NAME)(const uint8_t *p, size_t n, ck_state *state) {               \
    size_t whole = n / CK_LANES * CK_LANES;                                                        \
    if (whole) {                                                                                   \
      V low, zeros = {0};                                                                          \
      memcpy(&low, p, sizeof low);                                                                 \
      V high = low;                                                                                \
      for (size_t i = 0; i < whole; i += CK_LANES) {                                               \
        V v;                                                                                       \
        memcpy(&v, p + i * sizeof(T), sizeof v);                                                   \
        low = CK_MIN(low, v);                                                                      \
        high = CK_MAX(high, v);                                                                    \
        zeros += (V)(v == 0) & 1;                                                                  \
        ck_f64x16 d = CK_CONVERT(v, ck_f64x16);                                                    \
        state->sum += d;                                                                           \
        state->squares += d * d;                                                                   \
      }                                                                                            \
      for (int lane = 0; lane < CK_LANES; lane++) {                                                \
        ck_include((double)low[lane], state);                                                      \
        ck_include((double)high[lane], state);                                                     \
        state->result.zeros += (uint64_t)zeros[lane];                                              \
      }                                                                                            \
    }                                                                                              \
    for (size_t i = whole; i < n; i++) {                                                           \
      T v;                                                                                         \
      memcpy(&v, p + i * sizeof(T), sizeof v);                                                     \
      ck_include((double)v, state);                                                                \
      state->result.zeros += v == 0;                                                               \
      state->sum[i - whole] += (double)v;                                                          \
      state->squares[i - whole] += (double)v * (double)v;                                          \
    }                                                                                              \
  }

CK_INTEGERS(u8, uint8_t, ck_u8x16)
CK_INTEGERS(i8, int8_t, ck_i8x16)
CK_INTEGERS(u16, uint16_t, ck_u16x16)
CK_INTEGERS(i16, int16_t, ck_i16x16)
CK_INTEGERS(u32, uint32_t, ck_u32x16)
CK_INTEGERS(i32, int32_t, ck_i32x16)
CK_INTEGERS(u64, uint64_t, ck_u64x16)
CK_INTEGERS(i64, int64_t, ck_i64x16)

#undef CK_LOOP
#undef CK_WIDENING
#undef CK_WIDENING_INTEGER
#undef CK_NARROWING
#undef CK_FLOATS
#undef CK_INTEGERS

static const ck_loops CK_NAME(loops) = {
    .to_f32 = {
        [CK_BOOL] = CK_NAME(u8_to_f32),
        [CK_U8] = CK_NAME(u8_to_f32),
        [CK_I8] = CK_NAME(i8_to_f32),
        [CK_U16] = CK_NAME(u16_to_f32),
        [CK_I16] = CK_NAME(i16_to_f32),
        [CK_U32] = CK_NAME(u32_to_f32),
        [CK_I32] = CK_NAME(i32_to_f32),
        [CK_U64] = CK_NAME(u64_to_f32),
        [CK_I64] = CK_NAME(i64_to_f32),
        [CK_F8_E5M2] = CK_NAME(f8_e5m2_to_f32),
        [CK_F8_E4M3] = CK_NAME(f8_e4m3_to_f32),
        [CK_F8_E8M0] = CK_NAME(f8_e8m0_to_f32),
        [CK_F8_E5M2FNUZ] = CK_NAME(f8_e5m2fnuz_to_f32),
        [CK_F8_E4M3FNUZ] = CK_NAME(f8_e4m3fnuz_to_f32),
        [CK_F16] = CK_NAME(f16_to_f32),
        [CK_BF16] = CK_NAME(bf16_to_f32),
        [CK_F64] = CK_NAME(f64_to_odd_f32),
    },
    .f32_to_f16 = CK_NAME(f32_to_f16),
    .f32_to_bf16 = CK_NAME(f32_to_bf16),
    .f64_to_f32 = CK_NAME(f64_to_f32),
    .f32_to_f64 = CK_NAME(f32_to_f64),
    .examine = {
        [CK_BOOL] = CK_NAME(examine_u8),
        [CK_U8] = CK_NAME(examine_u8),
        [CK_I8] = CK_NAME(examine_i8),
        [CK_U16] = CK_NAME(examine_u16),
        [CK_I16] = CK_NAME(examine_i16),
        [CK_U32] = CK_NAME(examine_u32),
        [CK_I32] = CK_NAME(examine_i32),
        [CK_U64] = CK_NAME(examine_u64),
        [CK_I64] = CK_NAME(examine_i64),
        [CK_F16] = CK_NAME(examine_f16),
        [CK_BF16] = CK_NAME(examine_bf16),
        [CK_F32] = CK_NAME(examine_f32),
        [CK_F64] = CK_NAME(examine_f64),
    },
};
