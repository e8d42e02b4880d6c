// What the comparing loops of every path share. After the types of values and their infinities.

// What comparing has found so far; sums per lane, as above.
typedef struct ck_compare_state {
  ck_comparison result;
  ck_f64x16 a, b, difference;
} ck_compare_state;

typedef struct ck_compare_loops {
  void (*compare[4])(const uint8_t *, const uint8_t *, size_t, ck_compare_state *);
  int (*squares[4])(const uint8_t *, size_t, ck_f64x16 *);
  void (*spacings[4])(const uint8_t *, size_t, ck_f64x16 *);
} ck_compare_loops;

// Compares floating-point values one by one. `pa` and `pb` are at a multiple of 16 values.
#define CK_COMPARE_EACH(NAME, U, TOP, D)                                                             \
  static void ck_##NAME##_compare_each(const uint8_t *pa, const uint8_t *pb, size_t n,             \
                                       ck_compare_state *state) {                                  \
    const U infinity = ck_##NAME##_infinity, mask = (U)(((U)1 << TOP) - 1);                        \
    ck_comparison *r = &state->result;                                                             \
    for (size_t i = 0; i < n; i++) {                                                               \
      U a, b;                                                                                      \
      memcpy(&a, pa + i * sizeof a, sizeof a);                                                     \
      memcpy(&b, pb + i * sizeof b, sizeof b);                                                     \
      const U ma = a & mask, mb = b & mask;                                                        \
      r->nans_a += ma > infinity;                                                                  \
      r->nans_b += mb > infinity;                                                                  \
      r->infinities_a += ma == infinity;                                                           \
      r->infinities_b += mb == infinity;                                                           \
      if (ma >= infinity || mb >= infinity) {                                                      \
        r->changed += a != b && !(ma > infinity && mb > infinity);                                 \
        continue;                                                                                  \
      }                                                                                            \
      r->finite += 1;                                                                              \
      r->ulp_count += 1;                                                                           \
      const int flipped = (a ^ b) >> TOP;                                                          \
      const uint64_t distance = flipped ? (uint64_t)ma + mb : ma > mb ? ma - mb : mb - ma;         \
      r->changed += distance != 0;                                                                 \
      r->sign_flips += flipped && ma && mb;                                                        \
      r->ulp_sum += (double)distance;                                                              \
      if (distance > r->ulp_maximum) r->ulp_maximum = distance;                                    \
      const double x = ck_##NAME##_value(a), y = ck_##NAME##_value(b), d = (D)(y - x);             \
      state->a[i % CK_LANES] += x * x;                                                             \
      state->b[i % CK_LANES] += y * y;                                                             \
      state->difference[i % CK_LANES] += d * d;                                                    \
      const double magnitude = d < 0 ? -d : d;                                                     \
      if (magnitude > r->maximum) r->maximum = magnitude;                                          \
    }                                                                                              \
  }

CK_COMPARE_EACH(f16, uint16_t, 15, float)
CK_COMPARE_EACH(bf16, uint16_t, 15, double)
CK_COMPARE_EACH(f32, uint32_t, 31, double)
CK_COMPARE_EACH(f64, uint64_t, 63, double)
