// Loops over the values of matrices.
#include "CLinearAlgebra.h"
#include <math.h>
#include <stddef.h>

// Each loop once for float and once for double.
#define LOOPS(name, type)                                                                         \
  static void transpose_##name(int64_t rows, int64_t columns, const type *from, type *to) {       \
    const int64_t tile = 16;                                                                      \
    for (int64_t i0 = 0; i0 < rows; i0 += tile)                                                   \
      for (int64_t j0 = 0; j0 < columns; j0 += tile)                                              \
        for (int64_t i = i0; i < rows && i < i0 + tile; i++)                                      \
          for (int64_t j = j0; j < columns && j < j0 + tile; j++)                                 \
            to[j * rows + i] = from[i * columns + j];                                             \
  }                                                                                               \
  static void scale_##name(int64_t rows, int64_t columns, const type *row_factors,                \
                           const type *column_factors, type *a) {                                 \
    for (int64_t i = 0; i < rows; i++) {                                                          \
      type *row = a + i * columns;                                                                \
      if (row_factors)                                                                            \
        for (int64_t j = 0; j < columns; j++) row[j] *= row_factors[i];                           \
      if (column_factors)                                                                         \
        for (int64_t j = 0; j < columns; j++) row[j] *= column_factors[j];                        \
    }                                                                                             \
  }                                                                                               \
  static double squared_norm_##name(int64_t count, const type *a) {                               \
    double lanes[16] = {0}, sum = 0;                                                              \
    int64_t i = 0;                                                                                \
    for (; i + 16 <= count; i += 16)                                                              \
      for (int lane = 0; lane < 16; lane++) {                                                     \
        const double value = a[i + lane], square = value * value;                                 \
        lanes[lane] += square;                                                                    \
      }                                                                                           \
    for (; i < count; i++) {                                                                      \
      const double value = a[i], square = value * value;                                          \
      sum += square;                                                                              \
    }                                                                                             \
    for (int lane = 0; lane < 16; lane++) sum += lanes[lane];                                     \
    return sum;                                                                                   \
  }                                                                                               \
  static void subtract_##name(int64_t count, const type *b, type *a) {                            \
    for (int64_t i = 0; i < count; i++) a[i] -= b[i];                                             \
  }                                                                                               \
  static int is_finite_##name(int64_t count, const type *a) {                                     \
    int finite = 1;                                                                               \
    for (int64_t i = 0; i < count; i++) finite &= isfinite(a[i]) != 0;                            \
    return finite;                                                                                \
  }

// A product and a sum stay two roundings, on every processor.
#pragma STDC FP_CONTRACT OFF
LOOPS(single, float)
LOOPS(double, double)

void cla_transpose(cla_precision p, int64_t rows, int64_t columns, const void *from, void *to) {
  if (p == CLA_SINGLE)
    transpose_single(rows, columns, from, to);
  else
    transpose_double(rows, columns, from, to);
}

void cla_scale(cla_precision p, int64_t rows, int64_t columns, const void *row_factors,
               const void *column_factors, void *a) {
  if (p == CLA_SINGLE)
    scale_single(rows, columns, row_factors, column_factors, a);
  else
    scale_double(rows, columns, row_factors, column_factors, a);
}

double cla_squared_norm(cla_precision p, int64_t count, const void *a) {
  return p == CLA_SINGLE ? squared_norm_single(count, a) : squared_norm_double(count, a);
}

void cla_subtract(cla_precision p, int64_t count, const void *b, void *a) {
  if (p == CLA_SINGLE)
    subtract_single(count, b, a);
  else
    subtract_double(count, b, a);
}

int cla_is_finite(cla_precision p, int64_t count, const void *a) {
  return p == CLA_SINGLE ? is_finite_single(count, a) : is_finite_double(count, a);
}

void cla_convert(cla_precision from_precision, int64_t count, const void *from, void *to) {
  if (from_precision == CLA_SINGLE) {
    const float *source = from;
    double *target = to;
    for (int64_t i = 0; i < count; i++) target[i] = source[i];
  } else {
    const double *source = from;
    float *target = to;
    for (int64_t i = 0; i < count; i++) target[i] = (float)source[i];
  }
}
