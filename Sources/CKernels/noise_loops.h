// Reproducible noise, written once and compiled for each path: the including file defines
// `CK_NAME(f)`. Integer arithmetic up to one exact conversion, one product and one sum, so that
// every path and processor gives the same bits.

// Spreads the bits of a number over 32 bits.
// Source: C. Wellons, "Prospecting for hash functions", 2018 (lowbias32).
CK_INLINE ck_u32x16 CK_NAME(spread)(ck_u32x16 x) {
  x ^= x >> 16;
  x *= 0x7FEB352D;
  x ^= x >> 15;
  x *= 0x846CA68B;
  return x ^ x >> 16;
}

static void CK_NAME(noise)(uint32_t key, uint32_t key2, uint32_t first, float scale, float offset,
                           float *d, size_t n) {
  ck_u32x16 counter = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  counter += first;
  for (size_t i = 0; i < n; i += CK_LANES, counter += CK_LANES) {
    ck_u32x16 a = CK_NAME(spread)(counter ^ key), b = CK_NAME(spread)(counter + key2);
    // The sum of four uniform numbers is nearly normal.
    ck_u32x16 sum = (a & 0xFFFF) + (a >> 16) + (b & 0xFFFF) + (b >> 16);
    ck_f32x16 f = CK_CONVERT((ck_i32x16)sum - 131070, ck_f32x16) * scale;
    f = f + offset;
    memcpy(d + i, &f, (n - i < CK_LANES ? n - i : CK_LANES) * sizeof(float));
  }
}
