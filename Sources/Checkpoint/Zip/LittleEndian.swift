extension [UInt8] {
  /// The little-endian number of two bytes at `offset`.
  func u16(_ offset: Int) -> Int { Int(self[offset]) | Int(self[offset + 1]) << 8 }

  /// The little-endian number of four bytes at `offset`.
  func u32(_ offset: Int) -> Int { u16(offset) | u16(offset + 2) << 16 }

  /// The little-endian number of eight bytes at `offset`.
  func u64(_ offset: Int) -> UInt64 {
    UInt64(u32(offset)) | UInt64(u32(offset + 4)) << 32
  }

  /// Appends the lowest `count` bytes of `value`, the least first.
  mutating func append(_ value: Int, count: Int) {
    for index in 0..<count {
      append(index < 8 ? UInt8(truncatingIfNeeded: value >> (8 * index)) : 0)
    }
  }
}
