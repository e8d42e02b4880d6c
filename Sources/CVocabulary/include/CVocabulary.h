// The byte-pair merges of CLIP's text encoder, as a zlib stream (fixtures/vocabulary/make.py).
#ifndef CVOCABULARY_H
#define CVOCABULARY_H

#include <stddef.h>

const unsigned char *clip_merges(void);
size_t clip_merges_size(void);

#endif
