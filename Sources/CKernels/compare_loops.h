// The comparison loops, written once and compiled for each path: the including file defines
// `CK_NAME(f)`. After loops.h.

// Adds squares that are exact in double precision, because the values came from single precision or
// less: then one rounding gives the same bits as two.
#ifdef CK_HALF
#define CK_ADD_EXACT_SQUARES(sum, v) sum = CK_FMA(v, v, sum)
#else
#define CK_ADD_EXACT_SQUARES(sum, v) sum += v * v
#endif
#define CK_ADD_SQUARES(sum, v) sum += v * v

// The difference of sixteen values, its squares and its greatest magnitude. Differences of halves
// are formed in single precision: exact for values below 1, all of which are multiples of 2^-24,
// and off by 2^-25 of themselves at most for larger ones.
#define CK_SINGLE_DIFFERENCE(qa, qb)                                                               \
  ck_f32x16 fa = CK_NAME(widen_f16)(qa), fb = CK_NAME(widen_f16)(qb), fd = fb - fa;                \
  ck_f64x16 a = CK_CONVERT(fa, ck_f64x16), b = CK_CONVERT(fb, ck_f64x16);                          \
  ck_f64x16 d = CK_CONVERT(fd, ck_f64x16);                                                         \
  most = CK_MAX(most, (ck_f32x16)((ck_u32x16)fd & 0x7FFFFFFF));
#define CK_DOUBLE_DIFFERENCE(LOAD, qa, qb)                                                         \
  ck_f64x16 a = LOAD(qa), b = LOAD(qb), d = b - a;                                                 \
  most = CK_MAX(most, (ck_f64x16)((ck_u64x16)d & INT64_MAX));
#define CK_F16_DIFFERENCE(qa, qb) CK_SINGLE_DIFFERENCE(qa, qb)
#define CK_BF16_DIFFERENCE(qa, qb) CK_DOUBLE_DIFFERENCE(CK_BF16_TO_F64, qa, qb)
#define CK_F32_DIFFERENCE(qa, qb) CK_DOUBLE_DIFFERENCE(CK_F32_TO_F64, qa, qb)
#define CK_F64_DIFFERENCE(qa, qb) CK_DOUBLE_DIFFERENCE(CK_F64_TO_F64, qa, qb)

// Compares at most `CK_BLOCK` values. Bits become keys that sort as the values do and of which both
// zeros are 0, so that the difference of two keys is their distance in units in the last place; it
// is greater than both magnitudes only where the signs differ and neither is zero. What is infinite
// or NaN shows in the sums; then the block is done value by value.
#define CK_COMPARE(NAME, U, SV, UV, TOP, W, DIFFERENCE, MV, ADD_VALUES, ADD_DIFFERENCES)           \
  static void CK_NAME(compare_##NAME)(const uint8_t *pa, const uint8_t *pb, size_t n,              \
                                      ck_compare_state *state) {                                   \
    const U mask = (U)(((U)1 << TOP) - 1);                                                         \
    SV changed = {0}, flips = {0};                                                                 \
    UV farthest = {0};                                                                             \
    W distances = {0};                                                                             \
    MV most = {0};                                                                                 \
    ck_f64x16 sa = state->a, sb = state->b, sd = state->difference;                                \
    size_t whole = n / CK_LANES * CK_LANES;                                                        \
    for (size_t i = 0; i < whole; i += CK_LANES) {                                                 \
      const uint8_t *qa = pa + i * sizeof(U), *qb = pb + i * sizeof(U);                            \
      SV va, vb;                                                                                   \
      memcpy(&va, qa, sizeof va);                                                                  \
      memcpy(&vb, qb, sizeof vb);                                                                  \
      SV ma = va & (SV)((UV){0} + mask), mb = vb & (SV)((UV){0} + mask);                           \
      SV na = va >> TOP, nb = vb >> TOP;                                                           \
      SV ka = (ma ^ na) - na, kb = (mb ^ nb) - nb;                                                 \
      UV distance = (UV)CK_MAX(ka, kb) - (UV)CK_MIN(ka, kb);                                       \
      farthest = CK_MAX(farthest, distance);                                                       \
      distances += CK_CONVERT(distance, W);                                                        \
      changed -= (SV)(distance != 0);                                                              \
      flips -= (SV)(distance > (UV)CK_MAX(ma, mb));                                                \
      DIFFERENCE(qa, qb)                                                                           \
      ADD_VALUES(sa, a);                                                                           \
      ADD_VALUES(sb, b);                                                                           \
      ADD_DIFFERENCES(sd, d);                                                                      \
    }                                                                                              \
    double check = 0;                                                                              \
    for (int lane = 0; lane < CK_LANES; lane++) check += sa[lane] + sb[lane];                      \
    if (check <= 0x1.fffffffffffffp1023) {                                                         \
      state->a = sa;                                                                               \
      state->b = sb;                                                                               \
      state->difference = sd;                                                                      \
      ck_comparison *r = &state->result;                                                           \
      r->finite += whole;                                                                          \
      r->ulp_count += whole;                                                                       \
      double sum = 0;                                                                              \
      for (int lane = 0; lane < CK_LANES; lane++) {                                                \
        r->changed += (uint64_t)changed[lane];                                                     \
        r->sign_flips += (uint64_t)flips[lane];                                                    \
        r->ulp_maximum = farthest[lane] > r->ulp_maximum ? farthest[lane] : r->ulp_maximum;        \
        r->maximum = most[lane] > r->maximum ? most[lane] : r->maximum;                            \
        sum += (double)distances[lane];                                                            \
      }                                                                                            \
      r->ulp_sum += sum;                                                                           \
    } else {                                                                                       \
      ck_##NAME##_compare_each(pa, pb, whole, state);                                              \
    }                                                                                              \
    ck_##NAME##_compare_each(pa + whole * sizeof(U), pb + whole * sizeof(U), n - whole, state);    \
  }

#define CK_F16_TO_F64(p) CK_CONVERT(CK_NAME(widen_f16)(p), ck_f64x16)
#define CK_BF16_TO_F64(p) CK_CONVERT(CK_NAME(widen_bf16)(p), ck_f64x16)
#define CK_F32_TO_F64(p) CK_CONVERT(CK_NAME(load_f32)(p), ck_f64x16)
#define CK_F64_TO_F64(p) CK_NAME(load_f64)(p)

CK_INLINE ck_f64x16 CK_NAME(load_f64)(const uint8_t *p) {
  ck_f64x16 d;
  memcpy(&d, p, sizeof d);
  return d;
}

CK_COMPARE(f16, uint16_t, ck_i16x16, ck_u16x16, 15, ck_u32x16, CK_F16_DIFFERENCE, ck_f32x16,
           CK_ADD_EXACT_SQUARES, CK_ADD_EXACT_SQUARES)
CK_COMPARE(bf16, uint16_t, ck_i16x16, ck_u16x16, 15, ck_u32x16, CK_BF16_DIFFERENCE, ck_f64x16,
           CK_ADD_EXACT_SQUARES, CK_ADD_SQUARES)
CK_COMPARE(f32, uint32_t, ck_i32x16, ck_u32x16, 31, ck_u64x16, CK_F32_DIFFERENCE, ck_f64x16,
           CK_ADD_EXACT_SQUARES, CK_ADD_SQUARES)
CK_COMPARE(f64, uint64_t, ck_i64x16, ck_u64x16, 63, ck_f64x16, CK_F64_DIFFERENCE, ck_f64x16,
           CK_ADD_SQUARES, CK_ADD_SQUARES)

// Adds the squares of at most `CK_BLOCK` values, lane by lane; returns whether all are finite.
#define CK_SQUARES(NAME, U, UV, TOP, TO_F64)                                                       \
  static int CK_NAME(squares_##NAME)(const uint8_t *p, size_t n, ck_f64x16 *total) {               \
    const U mask = (U)(((U)1 << TOP) - 1);                                                         \
    ck_f64x16 sum = *total;                                                                        \
    UV top = {0};                                                                                  \
    size_t i = 0;                                                                                  \
    for (; i + CK_LANES <= n; i += CK_LANES) {                                                     \
      const uint8_t *q = p + i * sizeof(U);                                                        \
      UV v;                                                                                        \
      memcpy(&v, q, sizeof v);                                                                     \
      top = CK_MAX(top, v & mask);                                                                 \
      ck_f64x16 d = TO_F64(q);                                                                     \
      sum += d * d;                                                                                \
    }                                                                                              \
    if (i < n) {                                                                                   \
      uint8_t q[CK_LANES * sizeof(U)] = {0};                                                       \
      memcpy(q, p + i * sizeof(U), (n - i) * sizeof(U));                                           \
      UV v;                                                                                        \
      memcpy(&v, q, sizeof v);                                                                     \
      top = CK_MAX(top, v & mask);                                                                 \
      ck_f64x16 d = TO_F64(q);                                                                     \
      sum += d * d;                                                                                \
    }                                                                                              \
    *total = sum;                                                                                  \
    U greatest = 0;                                                                                \
    for (int lane = 0; lane < CK_LANES; lane++)                                                    \
      greatest = top[lane] > greatest ? top[lane] : greatest;                                      \
    return greatest < ck_##NAME##_infinity;                                                        \
  }

CK_SQUARES(f16, uint16_t, ck_u16x16, 15, CK_F16_TO_F64)
CK_SQUARES(bf16, uint16_t, ck_u16x16, 15, CK_BF16_TO_F64)
CK_SQUARES(f32, uint32_t, ck_u32x16, 31, CK_F32_TO_F64)
CK_SQUARES(f64, uint64_t, ck_u64x16, 63, CK_F64_TO_F64)

// Adds the squares of the greatest powers of two that are not above the magnitudes of at most
// `CK_BLOCK` values, lane by lane; at least `FLOOR`, and 0 for what is not finite.
#define CK_SPACINGS(NAME, U, TO_F64, FLOOR)                                                        \
  static void CK_NAME(spacings_##NAME)(const uint8_t *p, size_t n, ck_f64x16 *total) {             \
    for (size_t i = 0; i < n; i += CK_LANES) {                                                     \
      const size_t lanes = n - i < CK_LANES ? n - i : CK_LANES;                                    \
      uint8_t q[CK_LANES * sizeof(U)] = {0};                                                       \
      memcpy(q, p + i * sizeof(U), lanes * sizeof(U));                                             \
      ck_u64x16 power = (ck_u64x16)TO_F64(q) & 0x7FF0000000000000;                                 \
      ck_u64x16 finite = (ck_u64x16)(power != 0x7FF0000000000000);                                 \
      ck_f64x16 d = CK_MAX((ck_f64x16)(power & finite), (ck_f64x16){0} + FLOOR);                   \
      d = (ck_f64x16)((ck_u64x16)d & finite);                                                      \
      for (size_t lane = lanes; lane < CK_LANES; lane++) d[lane] = 0;                              \
      *total += d * d;                                                                             \
    }                                                                                              \
  }

CK_SPACINGS(f16, uint16_t, CK_F16_TO_F64, 0x1p-14)
CK_SPACINGS(bf16, uint16_t, CK_BF16_TO_F64, 0x1p-126)
CK_SPACINGS(f32, uint32_t, CK_F32_TO_F64, 0x1p-126)
CK_SPACINGS(f64, uint64_t, CK_F64_TO_F64, 0x1p-511)

#undef CK_COMPARE
#undef CK_SINGLE_DIFFERENCE
#undef CK_DOUBLE_DIFFERENCE
#undef CK_F16_DIFFERENCE
#undef CK_BF16_DIFFERENCE
#undef CK_F32_DIFFERENCE
#undef CK_F64_DIFFERENCE
#undef CK_ADD_EXACT_SQUARES
#undef CK_ADD_SQUARES
#undef CK_SQUARES
#undef CK_SPACINGS
#undef CK_F16_TO_F64
#undef CK_BF16_TO_F64
#undef CK_F32_TO_F64
#undef CK_F64_TO_F64

static const ck_compare_loops CK_NAME(compare_loops) = {
    .compare = {CK_NAME(compare_f16), CK_NAME(compare_bf16), CK_NAME(compare_f32),
                CK_NAME(compare_f64)},
    .squares = {CK_NAME(squares_f16), CK_NAME(squares_bf16), CK_NAME(squares_f32),
                CK_NAME(squares_f64)},
    .spacings = {CK_NAME(spacings_f16), CK_NAME(spacings_bf16), CK_NAME(spacings_f32),
                 CK_NAME(spacings_f64)},
};
