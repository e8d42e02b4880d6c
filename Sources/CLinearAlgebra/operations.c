// Row-major operations over column-major functions: what Fortran sees is the transpose.
#include "functions.h"
#include <stdlib.h>
#include <string.h>

static size_t width(cla_precision p) { return p == CLA_SINGLE ? sizeof(float) : sizeof(double); }

/// The workspace that a function asked for in the first value of its work array.
static fint asked(cla_precision p, const void *work) {
  double size = p == CLA_SINGLE ? *(const float *)work : *(const double *)work;
  // Singles beyond 2^24 are rounded, maybe down.
  size = size * (1 + 1e-6) + 1;
  return size < 1 ? 1 : size > INT32_MAX ? INT32_MAX : (fint)size;
}

static void *room(cla_precision p, size_t count) { return malloc((count ? count : 1) * width(p)); }

void cla_multiply(cla_precision p, int transpose_a, int transpose_b, int32_t rows, int32_t columns,
                  int32_t inner, double alpha, const void *a, int32_t stride_a, const void *b,
                  int32_t stride_b, double beta, void *c, int32_t stride_c) {
  const float alpha1 = (float)alpha, beta1 = (float)beta;
  const void *factor = p == CLA_SINGLE ? (const void *)&alpha1 : &alpha;
  const void *keep = p == CLA_SINGLE ? (const void *)&beta1 : &beta;
  // Cᵀ = Bᵀ·Aᵀ.
  cla_table[p].gemm(transpose_b ? "T" : "N", transpose_a ? "T" : "N", &columns, &rows, &inner,
                    factor, b, &stride_b, a, &stride_a, keep, c, &stride_c, 1, 1);
}

/// The triangle on and above the diagonal of a column-major matrix, as a row-major one below it.
static void copy_upper(cla_precision p, fint order, const void *from, size_t stride, void *to) {
  const size_t w = width(p);
  memset(to, 0, (size_t)order * (size_t)order * w);
  for (size_t column = 0; column < (size_t)order; column++)
    memcpy((char *)to + column * (size_t)order * w, (const char *)from + column * stride * w,
           (column + 1) * w);
}

int cla_lq(cla_precision p, int32_t rows, int32_t columns, void *a, void *l) {
  const cla_functions *f = &cla_table[p];
  fint info = 0, query = -1;
  double first[2] = {0, 0};
  f->geqrf(&columns, &rows, a, &columns, NULL, first, &query, &info);
  fint size = asked(p, first);
  f->orgqr(&columns, &rows, &rows, a, &columns, NULL, first, &query, &info);
  if (asked(p, first) > size) size = asked(p, first);
  void *tau = room(p, (size_t)rows), *work = room(p, (size_t)size);
  info = CLA_NO_MEMORY;
  if (tau && work) {
    f->geqrf(&columns, &rows, a, &columns, tau, work, &size, &info);
    copy_upper(p, rows, a, (size_t)columns, l);
    if (info == 0) f->orgqr(&columns, &rows, &rows, a, &columns, tau, work, &size, &info);
  }
  free(tau);
  free(work);
  return info;
}

int cla_qr(cla_precision p, int32_t rows, int32_t columns, void *a, void *r) {
  // Factoring the transpose by columns is faster than factoring by rows, two copies included.
  const size_t count = (size_t)rows * (size_t)columns;
  void *turned = room(p, count), *l = room(p, (size_t)columns * (size_t)columns);
  int info = CLA_NO_MEMORY;
  if (turned && l) {
    cla_transpose(p, rows, columns, a, turned);
    info = cla_lq(p, columns, rows, turned, l);
    cla_transpose(p, columns, rows, turned, a);
    cla_transpose(p, columns, columns, l, r);
  }
  free(turned);
  free(l);
  return info;
}

int cla_svd(cla_precision p, int simple, int32_t rows, int32_t columns, void *a, void *s, void *u,
            void *v) {
  const cla_functions *f = &cla_table[p];
  // Aᵀ = Vᵀ·diag(s)·Uᵀ: Fortran's left vectors are the rows of V.
  const fint k = rows < columns ? rows : columns;
  fint info = 0, query = -1;
  double first[2] = {0, 0};
  fint *integers = NULL;
  if (simple) {
    f->gesvd("S", "S", &columns, &rows, a, &columns, s, v, &columns, u, &k, first, &query, &info,
             1, 1);
  } else {
    integers = malloc((size_t)k * 8 * sizeof(fint));
    if (!integers) return CLA_NO_MEMORY;
    f->gesdd("S", &columns, &rows, a, &columns, s, v, &columns, u, &k, first, &query, integers,
             &info, 1);
  }
  const fint size = asked(p, first);
  void *work = room(p, (size_t)size);
  info = CLA_NO_MEMORY;
  if (work && simple)
    f->gesvd("S", "S", &columns, &rows, a, &columns, s, v, &columns, u, &k, work, &size, &info, 1,
             1);
  else if (work)
    f->gesdd("S", &columns, &rows, a, &columns, s, v, &columns, u, &k, work, &size, integers,
             &info, 1);
  free(work);
  free(integers);
  return info;
}

int cla_eigen(cla_precision p, int32_t order, void *a, void *values) {
  const cla_functions *f = &cla_table[p];
  fint info = 0, query = -1, integer_size = 1;
  double first[2] = {0, 0};
  f->syevd("V", "U", &order, a, &order, values, first, &query, &integer_size, &query, &info, 1, 1);
  const fint size = asked(p, first);
  void *work = room(p, (size_t)size);
  fint *integers = malloc(((size_t)integer_size + 1) * sizeof(fint));
  info = CLA_NO_MEMORY;
  if (work && integers)
    f->syevd("V", "U", &order, a, &order, values, work, &size, integers, &integer_size, &info, 1,
             1);
  free(work);
  free(integers);
  return info;
}

int cla_solve(cla_precision p, int32_t order, int32_t columns, void *a, void *b) {
  const cla_functions *f = &cla_table[p];
  fint info = CLA_NO_MEMORY;
  const size_t count = (size_t)order * (size_t)columns;
  fint *pivots = malloc(((size_t)order + 1) * sizeof(fint));
  void *turned = room(p, count);
  if (pivots && turned) {
    cla_transpose(p, order, columns, b, turned);
    f->getrf(&order, &order, a, &order, pivots, &info);
    if (info == 0) {
      f->getrs("T", &order, &columns, a, &order, pivots, turned, &order, &info, 1);
      cla_transpose(p, columns, order, turned, b);
    }
  }
  free(pivots);
  free(turned);
  return info;
}

int cla_invert(cla_precision p, int32_t order, void *a) {
  const cla_functions *f = &cla_table[p];
  fint info = 0, query = -1;
  double first[2] = {0, 0};
  fint *pivots = malloc(((size_t)order + 1) * sizeof(fint));
  if (!pivots) return CLA_NO_MEMORY;
  f->getri(&order, a, &order, pivots, first, &query, &info);
  const fint size = asked(p, first);
  void *work = room(p, (size_t)size);
  info = CLA_NO_MEMORY;
  if (work) {
    f->getrf(&order, &order, a, &order, pivots, &info);
    if (info == 0) f->getri(&order, a, &order, pivots, work, &size, &info);
  }
  free(work);
  free(pivots);
  return info;
}
