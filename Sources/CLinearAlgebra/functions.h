// The Fortran functions that are called, as pointers; values are float or double.
#ifndef FUNCTIONS_H
#define FUNCTIONS_H

#include "CLinearAlgebra.h"
#include <stddef.h>

typedef int32_t fint;

// Fortran passes the length of each text behind all other arguments.
typedef struct cla_functions {
  void (*gemm)(const char *, const char *, const fint *, const fint *, const fint *, const void *,
               const void *, const fint *, const void *, const fint *, const void *, void *,
               const fint *, size_t, size_t);
  void (*geqrf)(const fint *, const fint *, void *, const fint *, void *, void *, const fint *,
                fint *);
  void (*orgqr)(const fint *, const fint *, const fint *, void *, const fint *, const void *,
                void *, const fint *, fint *);
  void (*gelqf)(const fint *, const fint *, void *, const fint *, void *, void *, const fint *,
                fint *);
  void (*orglq)(const fint *, const fint *, const fint *, void *, const fint *, const void *,
                void *, const fint *, fint *);
  void (*gesdd)(const char *, const fint *, const fint *, void *, const fint *, void *, void *,
                const fint *, void *, const fint *, void *, const fint *, fint *, fint *, size_t);
  void (*gesvd)(const char *, const char *, const fint *, const fint *, void *, const fint *,
                void *, void *, const fint *, void *, const fint *, void *, const fint *, fint *,
                size_t, size_t);
  void (*syevd)(const char *, const char *, const fint *, void *, const fint *, void *, void *,
                const fint *, fint *, const fint *, fint *, size_t, size_t);
  void (*getrf)(const fint *, const fint *, void *, const fint *, fint *, fint *);
  void (*getrs)(const char *, const fint *, const fint *, const void *, const fint *, const fint *,
                void *, const fint *, fint *, size_t);
  void (*getri)(const fint *, void *, const fint *, const fint *, void *, const fint *, fint *);
} cla_functions;

/// By precision.
extern cla_functions cla_table[2];

#endif
