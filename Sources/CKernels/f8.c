#include "vectors.h"

// Sign, `exponent` bits, then the rest; no infinity unless `ieee`.
static uint32_t value(uint32_t code, int exponent_bits, int bias, int ieee, int fnuz) {
  int mantissa_bits = 7 - exponent_bits;
  uint32_t sign = (code & 0x80) << 24;
  uint32_t exponent = (code & 0x7F) >> mantissa_bits;
  uint32_t mantissa = code & ((1u << mantissa_bits) - 1);
  uint32_t top = (1u << exponent_bits) - 1;
  if (fnuz) {
    if (code == 0x80) return 0x7FC00000;
  } else if (ieee) {
    uint32_t payload = mantissa ? 0x400000 | mantissa << (23 - mantissa_bits) : 0;
    if (exponent == top) return sign | 0x7F800000 | payload;
  } else if ((code & 0x7F) == 0x7F) {
    return sign | 0x7FC00000;
  }
  if (exponent == 0) {
    if (mantissa == 0) return sign;
    exponent = 1;
    while (!(mantissa >> mantissa_bits)) {
      mantissa <<= 1;
      bias += 1;
    }
    mantissa &= (1u << mantissa_bits) - 1;
  }
  return sign | (exponent + 127 - (uint32_t)bias) << 23 | mantissa << (23 - mantissa_bits);
}

void ck_f8_table(ck_type type, float table[256]) {
  for (uint32_t code = 0; code < 256; code++) {
    uint32_t bits;
    switch (type) {
    case CK_F8_E5M2: bits = value(code, 5, 15, 1, 0); break;
    case CK_F8_E4M3: bits = value(code, 4, 7, 0, 0); break;
    case CK_F8_E5M2FNUZ: bits = value(code, 5, 16, 0, 1); break;
    case CK_F8_E4M3FNUZ: bits = value(code, 4, 8, 0, 1); break;
    // Powers of two, from 2^-127.
    default: bits = code == 255 ? 0x7FC00000 : code ? code << 23 : 0x00400000; break;
    }
    memcpy(&table[code], &bits, 4);
  }
}
