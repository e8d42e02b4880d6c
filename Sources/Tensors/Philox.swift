/// Philox4x32-10: four random numbers as a function of a counter and a key.
///
/// Nothing is carried from one block to the next, so any part of a sequence can be computed by
/// itself.
///
/// Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011.
package func philox(_ counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
  var (x, y, z, w) = (counter.x, counter.y, counter.z, counter.w)
  var (first, second) = (key.x, key.y)
  for _ in 0..<10 {
    let left = UInt64(x) &* 0xD251_1F53
    let right = UInt64(z) &* 0xCD9E_8D57
    x = UInt32(truncatingIfNeeded: right >> 32) ^ y ^ first
    y = UInt32(truncatingIfNeeded: right)
    z = UInt32(truncatingIfNeeded: left >> 32) ^ w ^ second
    w = UInt32(truncatingIfNeeded: left)
    first &+= 0x9E37_79B9
    second &+= 0xBB67_AE85
  }
  return SIMD4(x, y, z, w)
}
