// Sums of products: `acc[row][column] += Σ a[row][k] b[k][column]`, k in order, in registers; `fresh`
// sums begin with 0, whatever is in `acc`.

// The sums of a tile `c` at the beginning and at the end, and the rows `a` that they are of.
#define BEGIN(MR_, NV_)                                                                            \
    UNROLL for (int i = 0; i < MR_; i++) {                                                         \
      a[i] = rows[i];                                                                              \
      UNROLL for (int j = 0; j < NV_; j++) {                                                       \
        if (fresh)                                                                                 \
          memset(&c[i][j], 0, 64);                                                                 \
        else                                                                                       \
          memcpy(&c[i][j], acc + i * ldacc + j * LANES, 64);                                       \
      }                                                                                            \
    }

#define END(MR_, NV_)                                                                              \
    UNROLL for (int i = 0; i < MR_; i++)                                                           \
      UNROLL for (int j = 0; j < NV_; j++) memcpy(acc + i * ldacc + j * LANES, &c[i][j], 64);

// `MR_` rows and `NV_` vectors of columns; `b` has `ldb` columns.
#define TILE(MR_, NV_)                                                                             \
  static __attribute__((noinline)) void NAME(tile_##MR_##_##NV_)(                                  \
      const float *const *rows, size_t count, const float *b, size_t ldb, float *acc,              \
      size_t ldacc, int fresh) {                                                                   \
    const float *a[MR_];                                                                           \
    f32x16 c[MR_][NV_];                                                                            \
    BEGIN(MR_, NV_)                                                                                \
    for (size_t k = 0; k < count; k++) {                                                           \
      f32x16 v[NV_];                                                                               \
      UNROLL for (int j = 0; j < NV_; j++) memcpy(&v[j], b + k * ldb + j * LANES, 64);             \
      UNROLL for (int i = 0; i < MR_; i++) {                                                       \
        const f32x16 s = NAME(all)(a[i][k]);                                                       \
        UNROLL for (int j = 0; j < NV_; j++) c[i][j] = FMA(s, v[j], c[i][j]);                      \
      }                                                                                            \
    }                                                                                              \
    END(MR_, NV_)                                                                                  \
  }

#ifdef CF_WIDE
TILE(12, 2)
TILE(8, 3)
TILE(12, 1)
#else
TILE(6, 1)
#endif
#undef TILE

// The most rows that one call of `products` sums; more go into several calls.
#define ROWS 192

// `rows` is padded to a multiple of 24 with pointers to anything readable; so is `acc`.
static void NAME(products)(const float *const *rows, size_t row_count, size_t count, const float *b,
                           size_t ldb, size_t vectors, float *acc, size_t ldacc, int fresh) {
  for (size_t j = 0; j < vectors;) {
#ifdef CF_WIDE
    const size_t left = vectors - j;
    if (left == 3 || left > 4) {
      for (size_t i = 0; i < row_count; i += 8)
        NAME(tile_8_3)(rows + i, count, b + j * LANES, ldb, acc + i * ldacc + j * LANES, ldacc,
                             fresh);
      j += 3;
    } else if (left >= 2) {
      for (size_t i = 0; i < row_count; i += 12)
        NAME(tile_12_2)(rows + i, count, b + j * LANES, ldb, acc + i * ldacc + j * LANES, ldacc,
                             fresh);
      j += 2;
    } else {
      for (size_t i = 0; i < row_count; i += 12)
        NAME(tile_12_1)(rows + i, count, b + j * LANES, ldb, acc + i * ldacc + j * LANES, ldacc,
                             fresh);
      j += 1;
    }
#else
    for (size_t i = 0; i < row_count; i += 6)
      NAME(tile_6_1)(rows + i, count, b + j * LANES, ldb, acc + i * ldacc + j * LANES, ldacc,
                             fresh);
    j += 1;
#endif
  }
}

#ifdef CF_DOT
// The same for BF16 in pairs: `b` is `[count / 2][ldb][2]`; products are exact, sums single.
#define TILE(MR_, NV_)                                                                             \
  static __attribute__((noinline)) void NAME(dot_tile_##MR_##_##NV_)(                              \
      const uint16_t *const *rows, size_t pairs, const uint16_t *b, size_t ldb, float *acc,        \
      size_t ldacc, int fresh) {                                                                   \
    const uint16_t *a[MR_];                                                                        \
    __m512 c[MR_][NV_];                                                                            \
    BEGIN(MR_, NV_)                                                                                \
    for (size_t k = 0; k < pairs; k++) {                                                           \
      __m512bh v[NV_];                                                                             \
      UNROLL for (int j = 0; j < NV_; j++) memcpy(&v[j], b + 2 * (k * ldb + j * LANES), 64);       \
      UNROLL for (int i = 0; i < MR_; i++) {                                                       \
        int32_t pair;                                                                              \
        memcpy(&pair, a[i] + 2 * k, 4);                                                            \
        const __m512bh s = (__m512bh)_mm512_set1_epi32(pair);                                      \
        UNROLL for (int j = 0; j < NV_; j++) c[i][j] = _mm512_dpbf16_ps(c[i][j], s, v[j]);         \
      }                                                                                            \
    }                                                                                              \
    END(MR_, NV_)                                                                                  \
  }

TILE(12, 2)
TILE(8, 3)
TILE(12, 1)
#undef TILE

static void NAME(dot_products)(const uint16_t *const *rows, size_t row_count, size_t pairs,
                               const uint16_t *b, size_t ldb, size_t vectors, float *acc,
                               size_t ldacc, int fresh) {
  for (size_t j = 0; j < vectors;) {
    const size_t left = vectors - j;
    const uint16_t *columns = b + 2 * j * LANES;
    if (left == 3 || left > 4) {
      for (size_t i = 0; i < row_count; i += 8)
        NAME(dot_tile_8_3)(rows + i, pairs, columns, ldb, acc + i * ldacc + j * LANES, ldacc,
                             fresh);
      j += 3;
    } else if (left >= 2) {
      for (size_t i = 0; i < row_count; i += 12)
        NAME(dot_tile_12_2)(rows + i, pairs, columns, ldb, acc + i * ldacc + j * LANES, ldacc,
                             fresh);
      j += 2;
    } else {
      for (size_t i = 0; i < row_count; i += 12)
        NAME(dot_tile_12_1)(rows + i, pairs, columns, ldb, acc + i * ldacc + j * LANES, ldacc,
                             fresh);
      j += 1;
    }
  }
}
#endif
#undef BEGIN
#undef END
