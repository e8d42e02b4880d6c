#define _GNU_SOURCE
#include "Files.h"
#include <fcntl.h>
#include <unistd.h>

int ck_open_direct(void) { return O_DIRECT; }
int ck_open_unnamed(void) { return O_TMPFILE; }
int ck_reserve(int descriptor, int64_t byte_count) { return fallocate(descriptor, 0, 0, byte_count); }

int64_t ck_copy_range(int from, int64_t from_offset, int to, int64_t to_offset, size_t byte_count) {
  off_t source = from_offset, target = to_offset;
  return copy_file_range(from, &source, to, &target, byte_count, 0);
}
