// Loops over many values that Swift cannot do well at baseline x86-64. Each gives the same bits on every instruction set.
#ifndef CKERNELS_H
#define CKERNELS_H

#include <stddef.h>
#include <stdint.h>

#endif
