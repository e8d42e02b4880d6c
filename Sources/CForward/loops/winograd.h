// 3×3 convolutions of stride 1 by F(4×4, 3×3): 36 products for 16 outputs instead of 144.
//
// Source: Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks".

typedef struct NAME(winograd) {
  cf_pool *pool;
  const cf_conv *conv;
  size_t tiles_down, tiles_across, first, count, parts;
  // Transformed tiles of the band: `[36][count][inputs]`, and zeros behind them.
  float *tiles;
  // Transformed weights: `[panel][36][inputs][32]`.
  float *weights;
} NAME(winograd);

// The points at which polynomials are multiplied: 0, ±5/8, ±3/2 and infinity, which round less than
// 0, ±1, ±2 and infinity. Written out for ±a and ±b:
//
//     Bᵀ = [ a²b²  0     -a²-b²  0       1  0 ]    Aᵀ = [ 1  1   1   1   1   0 ]
//          [ 0     -ab²  -b²     a       1  0 ]         [ 0  a   -a  b   -b  0 ]
//          [ 0     ab²   -b²     -a      1  0 ]         [ 0  a²  a²  b²  b²  0 ]
//          [ 0     -a²b  -a²     b       1  0 ]         [ 0  a³  -a³ b³  -b³ 1 ]
//          [ 0     a²b   -a²     -b      1  0 ]
//          [ 0     a²b²  0       -a²-b²  0  1 ]
//
// The rows of G are 1, p, p² over the product of the differences to the other points.
#define A1 0.625f
#define B1 1.5f
#define A2 (A1 * A1)
#define B2 (B1 * B1)

// Bᵀ applied to six vectors.
INLINE void NAME(input_line)(f32x16 *d, int s) {
  const f32x16 d0 = d[0], d1 = d[s], d2 = d[2 * s], d3 = d[3 * s], d4 = d[4 * s], d5 = d[5 * s];
  const f32x16 p = FMA(d2, NAME(all)(-B2), d4), q = A1 * FMA(d1, NAME(all)(-B2), d3);
  const f32x16 u = FMA(d2, NAME(all)(-A2), d4), v = B1 * FMA(d1, NAME(all)(-A2), d3);
  d[0] = FMA(d0, NAME(all)(A2 * B2), FMA(d2, NAME(all)(-A2 - B2), d4));
  d[s] = p + q;
  d[2 * s] = p - q;
  d[3 * s] = u + v;
  d[4 * s] = u - v;
  d[5 * s] = FMA(d1, NAME(all)(A2 * B2), FMA(d3, NAME(all)(-A2 - B2), d5));
}

// G applied to three vectors.
INLINE void NAME(weight_line)(const f32x16 *g, int s, f32x16 *o, int t) {
  const float m = 1 / (2 * A2 * (A2 - B2)), n = 1 / (2 * B2 * (B2 - A2));
  const f32x16 p = m * FMA(g[2 * s], NAME(all)(A2), g[0]), q = A1 * m * g[s];
  const f32x16 u = n * FMA(g[2 * s], NAME(all)(B2), g[0]), v = B1 * n * g[s];
  o[0] = g[0] * (1 / (A2 * B2));
  o[t] = p + q;
  o[2 * t] = p - q;
  o[3 * t] = u + v;
  o[4 * t] = u - v;
  o[5 * t] = g[2 * s];
}

// Aᵀ applied to six vectors gives four.
INLINE void NAME(output_line)(const f32x16 *m, int s, f32x16 *o, int t) {
  const f32x16 a = m[s] + m[2 * s], b = m[s] - m[2 * s];
  const f32x16 c = m[3 * s] + m[4 * s], d = m[3 * s] - m[4 * s];
  o[0] = m[0] + a + c;
  o[t] = FMA(d, NAME(all)(B1), A1 * b);
  o[2 * t] = FMA(c, NAME(all)(B2), A2 * a);
  o[3 * t] = FMA(d, NAME(all)(B1 * B2), FMA(b, NAME(all)(A1 * A2), m[5 * s]));
}

// Transforms one tile to `[36][inputs]`, the 36 parts `stride` values apart.
static void NAME(input)(const NAME(winograd) *w, size_t tile, float *out, size_t stride) {
  const cf_conv *c = w->conv;
  const size_t per_image = w->tiles_down * w->tiles_across;
  const size_t image = tile / per_image;
  const ptrdiff_t top = (ptrdiff_t)(tile % per_image / w->tiles_across) * 4 - 1;
  const ptrdiff_t left = (ptrdiff_t)(tile % w->tiles_across) * 4 - 1;
  const char *pixels[36];
  for (int i = 0; i < 36; i++) {
    const ptrdiff_t y = top + i / 6, x = left + i % 6;
    const int outside = y < 0 || x < 0 || (size_t)y >= c->out_height || (size_t)x >= c->out_width;
    const size_t pixel =
        (image * c->height + ((size_t)y >> c->up)) * c->width + ((size_t)x >> c->up);
    pixels[i] = outside ? NULL : (const char *)c->x + pixel * c->inputs * size_of(c->type);
  }
  for (size_t k = 0; k < c->inputs; k += LANES) {
    f32x16 d[36];
    UNROLL for (int i = 0; i < 36; i++)
      d[i] = pixels[i] ? NAME(load)(pixels[i], c->type, k) : NAME(all)(0);
    UNROLL for (int i = 0; i < 6; i++) NAME(input_line)(d + i, 6);
    UNROLL for (int i = 0; i < 6; i++) NAME(input_line)(d + 6 * i, 1);
    UNROLL for (int i = 0; i < 36; i++) memcpy(out + (size_t)i * stride + k, &d[i], 64);
  }
}

static void NAME(input_body)(void *job, size_t index, int thread) {
  const NAME(winograd) *w = job;
  (void)thread;
  NAME(input)(w, w->first + index, w->tiles + index * w->conv->inputs, w->count * w->conv->inputs);
}

// Transforms the weights of one panel to `[36][inputs][32]`.
static void NAME(weights)(const cf_conv *c, size_t panel, float *out) {
  const size_t step = c->inputs * CF_PANEL;
  const char *weights = (const char *)c->weights + panel * 9 * step * size_of(c->weight_type);
  for (size_t k = 0; k < step; k += LANES) {
    f32x16 g[9], h[18], u[36];
    UNROLL for (int i = 0; i < 9; i++)
      g[i] = NAME(load)(weights, c->weight_type, (size_t)i * step + k);
    UNROLL for (int i = 0; i < 3; i++) NAME(weight_line)(g + i, 3, h + i, 3);
    UNROLL for (int i = 0; i < 6; i++) NAME(weight_line)(h + 3 * i, 1, u + 6 * i, 1);
    UNROLL for (int i = 0; i < 36; i++) memcpy(out + (size_t)i * step + k, &u[i], 64);
  }
}

static void NAME(output)(const NAME(winograd) *w, size_t tile, size_t panel, const float *sums,
                         size_t stride) {
  const cf_conv *c = w->conv;
  const size_t per_image = w->tiles_down * w->tiles_across, image = tile / per_image;
  const size_t top = tile % per_image / w->tiles_across * 4, left = tile % w->tiles_across * 4;
  float block[16][CF_PANEL];
  for (size_t j = 0; j < CF_PANEL; j += LANES) {
    f32x16 m[36], h[24], o[16];
    UNROLL for (int i = 0; i < 36; i++) memcpy(&m[i], sums + (size_t)i * stride + j, 64);
    UNROLL for (int i = 0; i < 6; i++) NAME(output_line)(m + i, 6, h + i, 6);
    UNROLL for (int i = 0; i < 4; i++) NAME(output_line)(h + 6 * i, 1, o + 4 * i, 1);
    UNROLL for (int i = 0; i < 16; i++) memcpy(&block[i][j], &o[i], 64);
  }
  for (size_t i = 0; i < 16; i++) {
    const size_t y = top + i / 4, x = left + i % 4;
    if (y >= c->out_height || x >= c->out_width) continue;
    const size_t row = (image * c->out_height + y) * c->out_width + x;
    NAME(finish)(c, row, panel * CF_PANEL, block[i]);
  }
}

static void NAME(panel_body)(void *job, size_t index, int thread) {
  const NAME(winograd) *w = job;
  const cf_conv *c = w->conv;
  const size_t panel = index / w->parts, part = index % w->parts;
  const size_t share = round_up(quotient_up(w->count, w->parts), 24);
  const size_t first = part * share;
  if (first >= w->count) return;
  const size_t count = least(share, w->count - first), padded = round_up(count, 24);
  float *weights = cf_pool_own(w->pool, thread);
  float *sums = weights + 36 * c->inputs * CF_PANEL;
  NAME(weights)(c, panel, weights);
  const float *rows[ROWS];
  for (size_t i = 0; i < 36; i++)
    for (size_t k = 0; k < c->inputs; k += INPUTS) {
      const float *b = weights + (i * c->inputs + k) * CF_PANEL;
      for (size_t r = 0; r < count; r += ROWS) {
        const size_t some = least(ROWS, count - r), even = round_up(some, 24);
        for (size_t j = 0; j < even; j++) {
          const size_t tile = first + least(r + j, count - 1);
          rows[j] = w->tiles + (i * w->count + tile) * c->inputs + k;
        }
        NAME(products)(rows, some, least(INPUTS, c->inputs - k), b, CF_PANEL, CF_PANEL / LANES,
                       sums + (i * padded + r) * CF_PANEL, CF_PANEL, k == 0);
      }
    }
  for (size_t t = 0; t < count; t++)
    NAME(output)(w, w->first + first + t, panel, sums + t * CF_PANEL, padded * CF_PANEL);
}

static void NAME(weights_body)(void *job, size_t index, int thread) {
  const NAME(winograd) *w = job;
  (void)thread;
  NAME(weights)(w->conv, index, w->weights + index * 36 * w->conv->inputs * CF_PANEL);
}

// All outputs of a few tiles: whatever the tiles need stays in the second cache.
static void NAME(block_body)(void *job, size_t index, int thread) {
  const NAME(winograd) *w = job;
  const cf_conv *c = w->conv;
  const size_t first = index * w->parts, count = least(w->parts, w->count - first);
  const size_t padded = round_up(count, 24), panels = quotient_up(c->outputs, CF_PANEL);
  float *tiles = cf_pool_own(w->pool, thread);
  float *sums = tiles + 36 * w->parts * c->inputs;
  const float *rows[ROWS];
  for (size_t t = 0; t < count; t++)
    NAME(input)(w, first + t, tiles + t * c->inputs, count * c->inputs);
  for (size_t panel = 0; panel < panels; panel++) {
    const float *weights = w->weights + panel * 36 * c->inputs * CF_PANEL;
    for (size_t i = 0; i < 36; i++)
      for (size_t k = 0; k < c->inputs; k += INPUTS) {
        for (size_t j = 0; j < padded; j++)
          rows[j] = tiles + (i * count + least(j, count - 1)) * c->inputs + k;
        NAME(products)(rows, count, least(INPUTS, c->inputs - k),
                       weights + (i * c->inputs + k) * CF_PANEL, CF_PANEL, CF_PANEL / LANES,
                       sums + i * padded * CF_PANEL, CF_PANEL, k == 0);
      }
    for (size_t t = 0; t < count; t++)
      NAME(output)(w, first + t, panel, sums + t * CF_PANEL, padded * CF_PANEL);
  }
}

// Transforms the weights once, and goes through the image a few tiles at a time.
static int NAME(by_blocks)(NAME(winograd) *w, size_t tiles, size_t weights) {
  const cf_conv *c = w->conv;
  w->weights = cf_pool_shared(w->pool, weights);
  w->parts = c->inputs <= 128 ? 48 : 24;
  w->count = tiles;
  const size_t own = 36 * w->parts * (c->inputs + CF_PANEL) * sizeof(float);
  if (!w->weights || cf_pool_reserve(w->pool, own)) return -1;
  const double sums = 72.0 * (double)(c->inputs * c->outputs);
  cf_pool_run(w->pool, quotient_up(c->outputs, CF_PANEL), sums, NAME(weights_body), w);
  cf_pool_run(w->pool, quotient_up(tiles, w->parts), sums * (double)tiles, NAME(block_body), w);
  return 0;
}

static int NAME(conv_winograd)(cf_pool *pool, const cf_conv *conv) {
  NAME(winograd) w = {.pool = pool, .conv = conv};
  w.tiles_down = quotient_up(conv->out_height, 4);
  w.tiles_across = quotient_up(conv->out_width, 4);
  const size_t tiles = conv->n * w.tiles_down * w.tiles_across;
  const size_t panels = quotient_up(conv->outputs, CF_PANEL);
  const size_t weights = 36 * conv->inputs * panels * CF_PANEL * sizeof(float);
  if (weights <= (size_t)16 << 20 && tiles >= 96) return NAME(by_blocks)(&w, tiles, weights);
  // As many tiles at once as stay in the last cache.
  const size_t one = 36 * conv->inputs * sizeof(float);
  size_t band = ((size_t)24 << 20) / one;
  band = band < 48 ? 48 : band;
  band = least(band, tiles);
  band = quotient_up(tiles, quotient_up(tiles, band));
  const size_t threads = (size_t)cf_pool_threads(pool);
  w.parts = quotient_up(threads > 1 ? 2 * threads : 1, panels);
  w.parts = least(w.parts, quotient_up(band, 24));
  const size_t share = round_up(quotient_up(band, w.parts), 24);
  w.tiles = cf_pool_shared(pool, band * one);
  const size_t own = (36 * conv->inputs + 36 * share) * CF_PANEL * sizeof(float);
  if (!w.tiles || cf_pool_reserve(pool, own)) return -1;
  for (w.first = 0; w.first < tiles; w.first += band) {
    w.count = least(band, tiles - w.first);
    const double inputs = 72.0 * (double)(w.count * conv->inputs);
    cf_pool_run(pool, w.count, 4 * inputs, NAME(input_body), &w);
    cf_pool_run(pool, panels * w.parts, inputs * (double)conv->outputs, NAME(panel_body), &w);
  }
  return 0;
}
