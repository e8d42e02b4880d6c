#include "CVocabulary.h"

// #embed is C23, which every clang that comes with Swift 6 knows.
#pragma clang diagnostic ignored "-Wc23-extensions"
static const unsigned char merges[] = {
#embed "merges.z"
};

const unsigned char *clip_merges(void) { return merges; }
size_t clip_merges_size(void) { return sizeof merges; }
