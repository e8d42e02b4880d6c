#include "table.h"

#if defined(__x86_64__) && defined(__clang__)
#pragma clang attribute push(__attribute__((target( \
    "avx2,f16c,fma,avx512f,avx512bw,avx512vl,avx512dq"))), apply_to = function)
#define CF_HALF 1
// 32 registers of 16 values.
#define CF_WIDE 1
#define NAME(f) cf_avx512_##f
#include "loops.h"
#pragma clang attribute pop
#endif
