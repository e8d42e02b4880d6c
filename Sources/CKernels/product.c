#include "vectors.h"

#pragma STDC FP_CONTRACT OFF

#define CK_NAME(f) ck_portable_##f
#define CK_ROWS 1
#define CK_VECTORS 1
#include "product.h"
#undef CK_NAME
#undef CK_ROWS
#undef CK_VECTORS

#ifdef CK_X86
#pragma clang attribute push(__attribute__((target("avx2,f16c,fma"))), apply_to = function)
#define CK_NAME(f) ck_avx2_##f
#define CK_ROWS 6
#define CK_VECTORS 1
#include "product.h"
#undef CK_NAME
#undef CK_ROWS
#undef CK_VECTORS
#pragma clang attribute pop

#pragma clang attribute push(                                                                      \
    __attribute__((target("avx2,f16c,fma,avx512f,avx512bw,avx512vl,avx512dq"))), apply_to = function)
#define CK_NAME(f) ck_avx512_##f
#define CK_ROWS 6
#define CK_VECTORS 4
#include "product.h"
#undef CK_NAME
#undef CK_ROWS
#undef CK_VECTORS
#pragma clang attribute pop
#endif

typedef void ck_panel_loop(const float *, size_t, const float *, float *, size_t, size_t, size_t);

// Ranks added up before a sum is added to the result: a panel of them stays in the first cache.
#define CK_RUN 128

void ck_add_product(ck_path path, const float *a, const float *panels, float *out, size_t rows,
                    size_t rank, size_t columns, size_t stride) {
  ck_panel_loop *loop = ck_portable_product_panel;
#ifdef CK_X86
  if (path == CK_AVX2) loop = ck_avx2_product_panel;
  if (path == CK_AVX512) loop = ck_avx512_product_panel;
#endif
  (void)path;
  for (size_t column = 0; column < columns; column += CK_PANEL) {
    const float *panel = panels + column * rank;
    const size_t width = columns - column < CK_PANEL ? columns - column : CK_PANEL;
    for (size_t first = 0; first < rank; first += CK_RUN) {
      const size_t run = rank - first < CK_RUN ? rank - first : CK_RUN;
      const float *b = panel + first * CK_PANEL;
      if (width == CK_PANEL) {
        loop(a + first, rank, b, out + column, stride, rows, run);
        continue;
      }
      for (size_t row = 0; row < rows; row++) {
        float edge[CK_PANEL] = {0};
        float *target = out + row * stride + column;
        memcpy(edge, target, width * sizeof *edge);
        loop(a + row * rank + first, rank, b, edge, CK_PANEL, 1, run);
        memcpy(target, edge, width * sizeof *edge);
      }
    }
  }
}

void ck_examine_effect(ck_path path, const float *base, const float *change, const float *result,
                       size_t count, ck_effect *effect) {
#ifdef CK_X86
  if (path == CK_AVX512) return ck_avx512_effect(base, change, result, count, effect);
  if (path == CK_AVX2) return ck_avx2_effect(base, change, result, count, effect);
#endif
  (void)path;
  ck_portable_effect(base, change, result, count, effect);
}
