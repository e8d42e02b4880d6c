#include "table.h"

#if defined(__x86_64__) && defined(__clang__)
#pragma clang attribute push(__attribute__((target( \
    "avx2,f16c,fma"))), apply_to = function)
#define CF_HALF 1
#define NAME(f) cf_avx2_##f
#include "loops.h"
#pragma clang attribute pop
#endif
