#include "vectors.h"

#pragma STDC FP_CONTRACT OFF

#define CK_NAME(f) ck_portable_##f
#include "normal_loops.h"
#undef CK_NAME

#ifdef CK_X86
#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)
#define CK_NAME(f) ck_avx2_##f
#include "normal_loops.h"
#undef CK_NAME
#pragma clang attribute pop

#pragma clang attribute push(                                                                      \
    __attribute__((target("avx2,avx512f,avx512bw,avx512vl,avx512dq"))), apply_to = function)
#define CK_NAME(f) ck_avx512_##f
#include "normal_loops.h"
#undef CK_NAME
#pragma clang attribute pop
#endif

void ck_normal(ck_path path, uint64_t key, uint32_t first, float mean, float deviation,
               ck_type type, void *values, size_t count) {
  // Keys that are close to each other shall not share half of their bits (SplitMix64).
  key = (key ^ key >> 30) * 0xBF58476D1CE4E5B9;
  key = (key ^ key >> 27) * 0x94D049BB133111EB;
  key ^= key >> 31;
  enum { block_count = 1024 };
  float block[block_count];
  // The deviation of the sum of four uniform numbers below 65,536.
  const float factor = deviation / 37837.227f;
  const size_t size = type == CK_F64 ? 8 : type == CK_F32 ? 4 : 2;
  uint8_t *d = values;
  for (size_t done = 0; done < count; done += block_count) {
    const size_t n = count - done < block_count ? count - done : block_count;
    const uint32_t start = first + (uint32_t)done;
#ifdef CK_X86
    if (path == CK_AVX512) ck_avx512_normal(key, start, mean, factor, block, n);
    else if (path == CK_AVX2) ck_avx2_normal(key, start, mean, factor, block, n);
    else
#endif
      ck_portable_normal(key, start, mean, factor, block, n);
    ck_convert(path, CK_F32, type, block, d + done * size, n);
  }
}
