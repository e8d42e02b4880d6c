// Times the merge kernels beside memcpy on one core; built and started by kernels.sh.
//
// Both move the same bytes: a merge of two F16 tensors reads 4 bytes and writes 2 for each value, so
// memcpy is given 3 to read and 3 to write. The tensors are far larger than the caches, and the
// best of several interleaved rounds counts.
#include "CKernels.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

typedef struct {
  const char *name;
  ck_type type;
  size_t size;
} type;

static const type F16 = {"F16", CK_F16, 2}, BF16 = {"BF16", CK_BF16, 2}, F32 = {"F32", CK_F32, 4},
                  F8 = {"F8_E4M3", CK_F8_E4M3, 1};

int main(void) {
  const size_t count = 32 << 20, room = count * 12;
  char *from = malloc(room), *to = malloc(room);
  if (!from || !to) return 1;
  ck_path best = ck_best_path();
  ck_normal(best, 1, 0, 0, 0.02f, CK_F32, to, count);
  const struct {
    ck_merge_kind kind;
    type a, b, out;
  } cases[] = {
      {CK_LERP, F16, F16, F16},    {CK_LERP, BF16, BF16, BF16}, {CK_LERP, F16, BF16, F16},
      {CK_LERP, F16, F16, F32},    {CK_LERP, F32, F32, F16},    {CK_LERP, F32, F32, F32},
      {CK_LERP, F8, F8, F16},      {CK_ADD_DIFFERENCE, F16, F16, F16},
      {CK_ADD_DIFFERENCE, F32, F32, F32},
  };
  const char *paths[] = {"portable", "AVX2", "AVX-512"};
  printf("| formula | types | path | GB/s | memcpy GB/s | of memcpy |\n|---|---|---|---:|---:|---:|\n");
  for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
    int operands = cases[c].kind == CK_LERP ? 2 : 3;
    const type in[3] = {cases[c].a, cases[c].b, cases[c].b}, out = cases[c].out;
    ck_type types[3];
    const void *sources[3];
    size_t bytes = count * out.size, offset = 0;
    for (int i = 0; i < operands; i++) {
      types[i] = in[i].type;
      sources[i] = from + offset;
      // Every value is finite and of the size of a weight.
      for (size_t done = 0; done < count; done += 1 << 16) {
        float part[1 << 16];
        ck_normal(best, (uint64_t)i, (uint32_t)done, 0, 0.02f, CK_F32, part, 1 << 16);
        if (in[i].type == CK_F8_E4M3)
          for (size_t k = 0; k < 1 << 16; k++)
            from[offset + done + k] = (char)(k & 0x77);
        else
          ck_convert(best, CK_F32, in[i].type, part, from + offset + done * in[i].size, 1 << 16);
      }
      offset += count * in[i].size;
      bytes += count * in[i].size;
    }
    for (ck_path path = CK_PORTABLE; path <= best; path++) {
      double copy = 1e9, merge = 1e9;
      for (int round = 0; round < (path == CK_PORTABLE ? 3 : 9); round++) {
        double start = now();
        memcpy(to, from, bytes / 2);
        double middle = now();
        ck_merge(path, cases[c].kind, types, out.type, sources, to, count, 0.3, 0);
        double end = now();
        if (middle - start < copy) copy = middle - start;
        if (end - middle < merge) merge = end - middle;
      }
      printf("| %s | %s, %s → %s | %s | %.1f | %.1f | %.2f |\n",
             operands == 2 ? "a + t(b − a)" : "a + t(b − c)", in[0].name, in[1].name, out.name,
             paths[path], (double)bytes / merge / 1e9, (double)bytes / copy / 1e9, copy / merge);
    }
  }
  free(from);
  free(to);
}
