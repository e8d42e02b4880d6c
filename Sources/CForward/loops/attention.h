// Attention by blocks of keys with a running maximum and sum.
//
// Source: Milakov and Gimelshein, "Online normalizer calculation for softmax"; Rabe and Staats,
// "Self-attention Does Not Need O(n²) Memory".

// Queries and keys that are compared at once.
#define QUERIES 48
#define KEYS 512

typedef struct NAME(attention) {
  cf_pool *pool;
  const cf_attention *a;
  // Keys rounded up to a panel, the width rounded up to a vector, the channels of a row.
  size_t keys, vectors, channels, chunks;
  int dot;
  // For each batch and head: keys as `[panel][width][32]`, values as `[keys][vectors * 16]`; with
  // BF16 products in pairs.
  char *packed_keys, *packed_values;
  size_t key_bytes, value_bytes;
} NAME(attention);

static void NAME(pack_body)(void *job, size_t index, int thread) {
  const NAME(attention) *t = job;
  const cf_attention *a = t->a;
  (void)thread;
  const size_t batch = index / a->heads, head = index % a->heads, columns = t->vectors * LANES;
  char *keys = t->packed_keys + index * t->key_bytes;
  char *values = t->packed_values + index * t->value_bytes;
  memset(keys, 0, t->key_bytes);
  memset(values, 0, t->value_bytes);
  for (size_t i = 0; i < a->keys; i++) {
    const size_t at = (batch * a->keys + i) * t->channels + head * a->width;
    const size_t panel = i / CF_PANEL * a->width * CF_PANEL, lane = i % CF_PANEL;
    if (t->dot) {
      const uint16_t *k = (const uint16_t *)a->k + at, *v = (const uint16_t *)a->v + at;
      uint16_t *ko = (uint16_t *)keys + panel + 2 * lane;
      uint16_t *vo = (uint16_t *)values + i / 2 * 2 * columns + i % 2;
      for (size_t j = 0; j < a->width; j++) {
        ko[j / 2 * 2 * CF_PANEL + j % 2] = k[j];
        vo[2 * j] = v[j];
      }
    } else {
      float *ko = (float *)keys + panel + lane, *vo = (float *)values + i * columns;
      for (size_t j = 0; j < a->width; j++) {
        ko[j * CF_PANEL] = get(a->k, a->type, at + j);
        vo[j] = get(a->v, a->type, at + j);
      }
    }
  }
}

static void NAME(attention_body)(void *job, size_t index, int thread) {
  const NAME(attention) *t = job;
  const cf_attention *a = t->a;
  const size_t head_index = index / t->chunks, first = index % t->chunks * QUERIES;
  const size_t batch = head_index / a->heads, head = head_index % a->heads;
  const size_t count = least(QUERIES, a->queries - first), padded = round_up(count, 24);
  const size_t columns = t->vectors * LANES, width = a->width;
  // Exponents of 2 rather than e.
  const float scale = 1.44269504f / sqrtf((float)width);
  // Own memory: scores, outputs, narrow scores, queries.
  float *scores = cf_pool_own(t->pool, thread);
  float *out = scores + QUERIES * KEYS;
  uint16_t *narrow = (uint16_t *)(out + QUERIES * columns);
  float *queries = (float *)(narrow + QUERIES * KEYS);
  float most[QUERIES], sum[QUERIES];
  const void *q[QUERIES], *p[QUERIES];
  const size_t at = (batch * a->queries + first) * t->channels + head * width;
  for (size_t i = 0; i < padded; i++) {
    const size_t row = at + least(i, count - 1) * t->channels;
    p[i] = t->dot ? (void *)(narrow + i * KEYS) : (void *)(scores + i * KEYS);
    if (t->dot) {
      q[i] = (const uint16_t *)a->q + row;
    } else {
      for (size_t j = 0; j < width; j++) queries[i * width + j] = get(a->q, a->type, row + j);
      q[i] = queries + i * width;
    }
    most[i] = -INFINITY;
    sum[i] = 0;
  }
  const char *keys = t->packed_keys + head_index * t->key_bytes;
  const char *values = t->packed_values + head_index * t->value_bytes;
  const size_t size = t->dot ? 2 : 4;
  const size_t visible = a->causal ? least(t->keys, round_up(first + count, CF_PANEL)) : t->keys;
  for (size_t k = 0; k < visible; k += KEYS) {
    const size_t some = least(KEYS, visible - k);
    for (size_t j = 0; j < some; j += CF_PANEL) {
      const char *panel = keys + (k + j) * width * size;
#ifdef CF_DOT
      if (t->dot) {
        NAME(dot_products)((const uint16_t *const *)q, count, width / 2, (const uint16_t *)panel,
                           CF_PANEL, CF_PANEL / LANES, scores + j, KEYS, 1);
        continue;
      }
#endif
      NAME(products)((const float *const *)q, count, width, (const float *)panel, CF_PANEL,
                     CF_PANEL / LANES, scores + j, KEYS, 1);
    }
    for (size_t i = 0; i < count; i++) {
      float *row = scores + i * KEYS;
      // The first key that is not seen.
      size_t end = a->causal ? least(a->keys, first + i + 1) : a->keys;
      end = end > k ? end - k : 0;
      for (size_t j = end; j < some; j++) row[j] = -INFINITY;
      f32x16 high = NAME(all)(-INFINITY);
      for (size_t j = 0; j < some; j += LANES)
        high = NAME(greater)(high, NAME(load)(row, CF_F32, j));
      const float next = fmaxf(most[i], NAME(greatest)(high) * scale);
      const float shrink = NAME(exp2)(NAME(all)(most[i] - next))[0];
      most[i] = next;
      f32x16 total = {0};
      for (size_t j = 0; j < some; j += LANES) {
        const f32x16 s = NAME(load)(row, CF_F32, j);
        const f32x16 e = NAME(exp2)(FMA(s, NAME(all)(scale), NAME(all)(-next)));
        total += e;
        if (t->dot)
          NAME(store)(narrow, CF_BF16, i * KEYS + j, e);
        else
          NAME(store)(row, CF_F32, j, e);
      }
      sum[i] = sum[i] * shrink + NAME(total)(total);
      if (k > 0 && shrink != 1)
        for (size_t j = 0; j < columns; j += LANES)
          NAME(store)(out, CF_F32, i * columns + j,
                      NAME(load)(out, CF_F32, i * columns + j) * shrink);
    }
#ifdef CF_DOT
    if (t->dot) {
      NAME(dot_products)((const uint16_t *const *)p, count, some / 2,
                         (const uint16_t *)values + k * columns, columns, t->vectors, out,
                         columns, k == 0);
      continue;
    }
#endif
    NAME(products)((const float *const *)p, count, some, (const float *)values + k * columns,
                   columns, t->vectors, out, columns, k == 0);
  }
  for (size_t i = 0; i < count; i++) {
    const float factor = 1.0f / sum[i];
    for (size_t j = 0; j < width; j += LANES)
      NAME(store_some)(a->y, a->type, at + i * t->channels + j,
                       NAME(load)(out, CF_F32, i * columns + j) * factor, least(LANES, width - j));
  }
}

static int NAME(attend)(cf_pool *pool, const cf_attention *a) {
  NAME(attention) t = {.pool = pool, .a = a, .channels = a->heads * a->width};
#ifdef CF_DOT
  t.dot = a->type == CF_BF16 && a->width % 2 == 0;
#endif
  const size_t size = t.dot ? 2 : 4, heads = a->n * a->heads;
  t.keys = round_up(a->keys, CF_PANEL);
  t.vectors = quotient_up(a->width, LANES);
  t.key_bytes = t.keys * a->width * size;
  t.value_bytes = t.keys * t.vectors * LANES * size;
  t.packed_keys = cf_pool_shared(pool, heads * (t.key_bytes + t.value_bytes));
  const size_t own = QUERIES * (KEYS * 6 + (t.vectors * LANES + a->width) * 4);
  if (!t.packed_keys || cf_pool_reserve(pool, own)) return -1;
  t.packed_values = t.packed_keys + heads * t.key_bytes;
  const double values = (double)(heads * a->keys * a->width);
  cf_pool_run(pool, heads, 16 * values, NAME(pack_body), &t);
  t.chunks = quotient_up(a->queries, QUERIES);
  const double operations = 4 * values * (double)a->queries;
  cf_pool_run(pool, heads * t.chunks, operations, NAME(attention_body), &t);
  return 0;
}
