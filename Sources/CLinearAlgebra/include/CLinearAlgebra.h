// BLAS and LAPACK for row-major matrices, from a library that is loaded when it is first needed.
//
// Nothing here is linked: a program that never asks for linear algebra does not load 30 MB of it.
// `precision` is CLA_SINGLE (values are float) or CLA_DOUBLE (values are double). Matrices are
// row-major without gaps. All functions may be called from several threads at once, after
// `cla_load` has returned 0.
#ifndef CLINEARALGEBRA_H
#define CLINEARALGEBRA_H

#include <stdint.h>

typedef enum cla_precision { CLA_SINGLE, CLA_DOUBLE } cla_precision;

/// Loads the library; 0 if it is there and has every function that is called here.
int cla_load(void);

/// The name of the library that was loaded, or what the loader said about the last one tried.
const char *cla_library(void);

/// What the library says about itself (version, processor); empty if it does not say.
const char *cla_configuration(void);

// The results of the functions below: 0, or one of these, or what LAPACK calls `info` (> 0).
enum { CLA_NO_MEMORY = -1001 };

/// C := alpha·op(A)·op(B) + beta·C, where op transposes if asked; C is rows × columns and the
/// common extent of the factors is inner. The strides are those between rows as stored.
void cla_multiply(cla_precision precision, int transpose_a, int transpose_b, int32_t rows,
                  int32_t columns, int32_t inner, double alpha, const void *a, int32_t stride_a,
                  const void *b, int32_t stride_b, double beta, void *c, int32_t stride_c);

/// A = Q·R for rows >= columns: A is replaced by Q (rows × columns), R is columns × columns, upper.
int cla_qr(cla_precision precision, int32_t rows, int32_t columns, void *a, void *r);

/// A = L·Q for rows <= columns: A is replaced by Q (rows × columns), L is rows × rows, lower.
int cla_lq(cla_precision precision, int32_t rows, int32_t columns, void *a, void *l);

/// A = U·diag(s)·V with k = min(rows, columns) values in descending order; A is lost.
///
/// U is rows × k, V is k × columns. Divide and conquer; with `simple`, the slower iteration that
/// converges where that does not.
int cla_svd(cla_precision precision, int simple, int32_t rows, int32_t columns, void *a, void *s,
            void *u, void *v);

/// The eigenvalues of a symmetric matrix in ascending order; its rows become the eigenvectors.
int cla_eigen(cla_precision precision, int32_t order, void *a, void *values);

/// Solves A·X = B: B (order × columns) is replaced by X, A is lost.
int cla_solve(cla_precision precision, int32_t order, int32_t columns, void *a, void *b);

/// Replaces a square matrix by its inverse.
int cla_invert(cla_precision precision, int32_t order, void *a);

// Loops over all values, which need no library.

/// Rows become columns.
void cla_transpose(cla_precision precision, int64_t rows, int64_t columns, const void *from,
                   void *to);

/// Multiplies each row by a number of its own, each column, or both; NULL leaves as it is.
void cla_scale(cla_precision precision, int64_t rows, int64_t columns, const void *row_factors,
               const void *column_factors, void *a);

/// The sum of squares in double precision, always added in the same order.
double cla_squared_norm(cla_precision precision, int64_t count, const void *a);

/// a := a − b, value by value.
void cla_subtract(cla_precision precision, int64_t count, const void *b, void *a);

/// Whether no value is infinite or NaN.
int cla_is_finite(cla_precision precision, int64_t count, const void *a);

/// Single to double precision or back; the same count of values.
void cla_convert(cla_precision from_precision, int64_t count, const void *from, void *to);

#endif
