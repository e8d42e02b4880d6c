#define _GNU_SOURCE
#include "Files.h"
#include <fcntl.h>

int ck_open_direct(void) { return O_DIRECT; }
int ck_open_unnamed(void) { return O_TMPFILE; }
int ck_reserve(int descriptor, int64_t byte_count) { return fallocate(descriptor, 0, 0, byte_count); }
