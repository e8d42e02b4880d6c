// The product of thin matrices, written once and compiled for each path: the including file
// defines `CK_NAME(f)`, and how large a tile is that its registers hold: `CK_ROWS` by `CK_VECTORS`
// vectors of sixteen.

// `rows` rows (at most CK_ROWS, a constant where inlined) of a panel.
CK_INLINE void CK_NAME(product_tile)(const float *a, size_t a_stride, const float *b, float *out,
                                     size_t stride, size_t rank, const int rows) {
  for (int part = 0; part < CK_PANEL / CK_LANES; part += CK_VECTORS) {
    ck_f32x16 sums[CK_ROWS][CK_VECTORS] = {0};
    const float *bk = b + part * CK_LANES;
    for (size_t k = 0; k < rank; k++, bk += CK_PANEL) {
      ck_f32x16 values[CK_VECTORS];
#pragma clang loop unroll(full)
      for (int v = 0; v < CK_VECTORS; v++) memcpy(&values[v], bk + v * CK_LANES, sizeof values[v]);
#pragma clang loop unroll(full)
      for (int i = 0; i < rows; i++) {
        ck_f32x16 factor = (ck_f32x16){0} + a[(size_t)i * a_stride + k];
#pragma clang loop unroll(full)
        for (int v = 0; v < CK_VECTORS; v++) sums[i][v] = CK_FMA(factor, values[v], sums[i][v]);
      }
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++) {
#pragma clang loop unroll(full)
      for (int v = 0; v < CK_VECTORS; v++) {
        float *target = out + (size_t)i * stride + (part + v) * CK_LANES;
        ck_f32x16 old;
        memcpy(&old, target, sizeof old);
        old += sums[i][v];
        memcpy(target, &old, sizeof old);
      }
    }
  }
}

static void CK_NAME(product_panel)(const float *a, size_t a_stride, const float *b, float *out,
                                   size_t stride, size_t rows, size_t rank) {
  size_t i = 0;
  for (; i + CK_ROWS <= rows; i += CK_ROWS)
    CK_NAME(product_tile)(a + i * a_stride, a_stride, b, out + i * stride, stride, rank, CK_ROWS);
  for (; i < rows; i++)
    CK_NAME(product_tile)(a + i * a_stride, a_stride, b, out + i * stride, stride, rank, 1);
}

// Sums for a report on `n` changes; value i goes to lane i mod 16 on every path.
static void CK_NAME(effect)(const float *base, const float *change, const float *result, size_t n,
                            ck_effect *effect) {
  ck_f64x16 bases = {0}, changes = {0}, all = {0}, kept = {0};
  ck_i32x16 moved = {0};
  size_t i = 0;
  for (; i + CK_LANES <= n; i += CK_LANES) {
    ck_f32x16 w, d, r;
    memcpy(&w, base + i, sizeof w);
    memcpy(&d, change + i, sizeof d);
    memcpy(&r, result + i, sizeof r);
    ck_f64x16 wide = CK_CONVERT(w, ck_f64x16), delta = CK_CONVERT(d, ck_f64x16);
    ck_i32x16 differs = w != r;
    ck_f32x16 size = (ck_f32x16)((ck_i32x16)d & 0x7FFFFFFF);
    ck_f32x16 counted = (ck_f32x16)((ck_i32x16)size & differs);
    bases += wide * wide;
    changes += delta * delta;
    all += CK_CONVERT(size, ck_f64x16);
    kept += CK_CONVERT(counted, ck_f64x16);
    moved -= differs;
  }
  for (; i < n; i++) {
    double w = base[i], d = change[i], size = d < 0 ? -d : d;
    int differs = base[i] != result[i], lane = (int)(i % CK_LANES);
    bases[lane] += w * w;
    changes[lane] += d * d;
    all[lane] += size;
    kept[lane] += differs ? size : 0;
    moved[lane] += differs;
  }
  for (int lane = 0; lane < CK_LANES; lane++) {
    effect->base_squares += bases[lane];
    effect->change_squares += changes[lane];
    effect->change_sum += all[lane];
    effect->kept_sum += kept[lane];
    effect->moved += (uint64_t)moved[lane];
  }
}
