// Random values, written once and compiled for each path like loops.h.

// A bijection of 32 bits without visible pattern. Source: Wellons, "Prospecting for hash
// functions", lowbias32.
CK_INLINE ck_u32x16 CK_NAME(mix)(ck_u32x16 x) {
  x ^= x >> 16;
  x *= 0x7FEB352D;
  x ^= x >> 15;
  x *= 0x846CA68B;
  return x ^ x >> 16;
}

static void CK_NAME(normal)(uint64_t key, uint32_t first, float mean, float factor, float *d,
                            size_t n) {
  ck_u32x16 index = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  index += first;
  const uint32_t low = (uint32_t)key, high = (uint32_t)(key >> 32);
  for (size_t i = 0; i < n; i += CK_LANES) {
    ck_u32x16 a = CK_NAME(mix)(index ^ low), b = CK_NAME(mix)(index * 0x9E3779B9 + high);
    // Four uniform numbers of 16 bits: the sum is exact, and nearly normal.
    ck_i32x16 sum = (ck_i32x16)((a & 0xFFFF) + (a >> 16) + (b & 0xFFFF) + (b >> 16)) - 131070;
    ck_f32x16 f = CK_CONVERT(sum, ck_f32x16) * factor + mean;
    memcpy(d + i, &f, n - i < CK_LANES ? (n - i) * sizeof(float) : sizeof f);
    index += CK_LANES;
  }
}
