// Loading and storing sixteen values of any type, and functions of them.

INLINE f32x16 NAME(load)(const void *p, cf_type type, size_t i) {
  f32x16 v;
  if (type == CF_F32) {
    memcpy(&v, (const float *)p + i, 64);
    return v;
  }
  u16x16 h;
  memcpy(&h, (const uint16_t *)p + i, 32);
  if (type == CF_BF16) {
    u32x16 wide = __builtin_convertvector(h, u32x16) << 16;
    memcpy(&v, &wide, 64);
    return v;
  }
#ifdef CF_HALF
  f16x16 half;
  memcpy(&half, &h, 32);
  return __builtin_convertvector(half, f32x16);
#else
  for (int j = 0; j < LANES; j++) v[j] = half_value(h[j]);
  return v;
#endif
}

INLINE void NAME(store)(void *p, cf_type type, size_t i, f32x16 v) {
  if (type == CF_F32) {
    memcpy((float *)p + i, &v, 64);
    return;
  }
  // To nearest, ties to even; a NaN stays one.
  if (type == CF_F16) {
#ifdef CF_HALF
    const f16x16 half = __builtin_convertvector(v, f16x16);
    memcpy((uint16_t *)p + i, &half, 32);
#else
    for (int j = 0; j < LANES; j++) ((uint16_t *)p)[i + (size_t)j] = half_bits(v[j]);
#endif
    return;
  }
#ifdef CF_DOT
  // In one instruction, which takes subnormal numbers for 0.
  const __m256bh h = _mm512_cvtneps_pbh((__m512)v);
#else
  u32x16 bits;
  memcpy(&bits, &v, 64);
  u32x16 rounded = (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;
  const u32x16 isNaN = (u32x16)((bits & 0x7FFFFFFF) > 0x7F800000);
  rounded = (isNaN & (bits >> 16 | 0x40)) | (~isNaN & rounded);
  const u16x16 h = __builtin_convertvector(rounded, u16x16);
#endif
  memcpy((uint16_t *)p + i, &h, 32);
}

// The first `count` of sixteen values, zeros behind them.
INLINE f32x16 NAME(load_some)(const void *p, cf_type type, size_t i, size_t count) {
  if (count >= LANES) return NAME(load)(p, type, i);
  f32x16 v = {0};
  for (size_t j = 0; j < count; j++) v[j] = get(p, type, i + j);
  return v;
}

INLINE void NAME(store_some)(void *p, cf_type type, size_t i, f32x16 v, size_t count) {
  if (count >= LANES) {
    NAME(store)(p, type, i, v);
    return;
  }
  for (size_t j = 0; j < count; j++) put(p, type, i + j, v[j]);
}

// The sum of the lanes, always in the same order.
INLINE float NAME(total)(f32x16 v) {
  for (int width = LANES / 2; width; width /= 2)
    for (int i = 0; i < width; i++) v[i] += v[i + width];
  return v[0];
}

INLINE float NAME(greatest)(f32x16 v) {
  for (int width = LANES / 2; width; width /= 2)
    for (int i = 0; i < width; i++) v[i] = v[i] > v[i + width] ? v[i] : v[i + width];
  return v[0];
}

INLINE f32x16 NAME(all)(float value) { return value - (f32x16){0}; }

// e to the x, within two units in the last place. Below -87 it is nearly 0, above 88 it is cut; a
// NaN gives a NaN.
INLINE f32x16 NAME(exp)(f32x16 x) {
  const i32x16 isNumber = (i32x16)(x == x);
  const f32x16 given = x;
  x = MIN(MAX(x, NAME(all)(-87.0f)), NAME(all)(88.0f));
  // x = n ln 2 + r; adding and taking away 1.5 * 2^23 rounds to an integer.
  const f32x16 magic = NAME(all)(12582912.0f);
  const f32x16 shifted = FMA(x, NAME(all)(1.44269504f), magic);
  const f32x16 n = shifted - magic;
  f32x16 r = FMA(n, NAME(all)(-0.693359375f), x);
  r = FMA(n, NAME(all)(2.12194440e-4f), r);
  // Source: Cephes, expf.
  f32x16 p = NAME(all)(1.9875691500e-4f);
  p = FMA(p, r, NAME(all)(1.3981999507e-3f));
  p = FMA(p, r, NAME(all)(8.3334519073e-3f));
  p = FMA(p, r, NAME(all)(4.1665795894e-2f));
  p = FMA(p, r, NAME(all)(1.6666665459e-1f));
  p = FMA(p, r, NAME(all)(5.0000001201e-1f));
  p = FMA(p, r * r, r + 1.0f);
  i32x16 bits, exponent = __builtin_convertvector(n, i32x16);
  memcpy(&bits, &p, 64);
  bits += exponent << 23;
  i32x16 kept;
  memcpy(&kept, &given, 64);
  bits = (isNumber & bits) | (~isNumber & kept);
  memcpy(&p, &bits, 64);
  return p;
}

// The greater of two values; where either is no number, the second.
INLINE f32x16 NAME(greater)(f32x16 a, f32x16 b) {
  const i32x16 isGreater = a > b;
  i32x16 first, second;
  memcpy(&first, &a, 64);
  memcpy(&second, &b, 64);
  first = (isGreater & first) | (~isGreater & second);
  memcpy(&a, &first, 64);
  return a;
}

// 2 to the x, within two units in the last place, for x of at most 0 and some rounding. Below -125 it
// is nearly 0; a NaN gives a NaN.
INLINE f32x16 NAME(exp2)(f32x16 x) {
  x = NAME(greater)(NAME(all)(-125.0f), x);
  // x = n + r; adding 1.5 * 2^23 rounds to an integer, which the lowest bits then are.
  const f32x16 magic = NAME(all)(12582912.0f);
  const f32x16 shifted = x + magic;
  const f32x16 r = x - (shifted - magic);
  // The polynomial of least relative error from -0.5 to 0.5: 7.5e-8 before rounding.
  f32x16 p = NAME(all)(1.32764713e-3f);
  p = FMA(p, r, NAME(all)(9.67554096e-3f));
  p = FMA(p, r, NAME(all)(5.55071309e-2f));
  p = FMA(p, r, NAME(all)(0.240221202f));
  p = FMA(p, r, NAME(all)(0.693146944f));
  p = FMA(p, r, NAME(all)(1.00000012f));
  i32x16 bits, exponent;
  memcpy(&bits, &p, 64);
  memcpy(&exponent, &shifted, 64);
  bits += exponent << 23;
  memcpy(&p, &bits, 64);
  return p;
}

// The error function within 1.5e-7. Source: Abramowitz and Stegun, 7.1.26.
INLINE f32x16 NAME(erf)(f32x16 x) {
  u32x16 bits, sign;
  memcpy(&bits, &x, 64);
  sign = bits & 0x80000000;
  bits &= 0x7FFFFFFF;
  f32x16 a;
  memcpy(&a, &bits, 64);
  const f32x16 t = 1.0f / FMA(a, NAME(all)(0.3275911f), NAME(all)(1.0f));
  f32x16 p = NAME(all)(1.061405429f);
  p = FMA(p, t, NAME(all)(-1.453152027f));
  p = FMA(p, t, NAME(all)(1.421413741f));
  p = FMA(p, t, NAME(all)(-0.284496736f));
  p = FMA(p, t, NAME(all)(0.254829592f));
  f32x16 result = 1.0f - p * t * NAME(exp)(-a * a);
  memcpy(&bits, &result, 64);
  bits |= sign;
  memcpy(&result, &bits, 64);
  return result;
}

INLINE f32x16 NAME(gelu)(f32x16 x) {
  return 0.5f * x * (1.0f + NAME(erf)(x * 0.70710678118654752f));
}

INLINE f32x16 NAME(apply)(f32x16 x, cf_activation activation) {
  switch (activation) {
  case CF_NONE: return x;
  case CF_SILU: return x / (1.0f + NAME(exp)(-x));
  case CF_GELU: return NAME(gelu)(x);
  case CF_QUICK_GELU: return x / (1.0f + NAME(exp)(-1.702f * x));
  }
  return x;
}
