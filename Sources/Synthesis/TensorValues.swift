import Tensors

/// Where the values of a synthetic tensor come from.
enum TensorValues: Sendable {
  /// Random numbers.
  case normal(NormalValues)
  /// Values that every model has, as bytes.
  case fixed([UInt8])

  /// Fills `buffer` with the bytes from byte `offset`.
  func read(_ dtype: DType, at offset: Int, into buffer: inout MutableRawSpan) {
    switch self {
    case .fixed(let bytes):
      for position in 0..<buffer.byteCount {
        buffer.storeBytes(of: bytes[offset + position], toByteOffset: position, as: UInt8.self)
      }
    case .normal(let numbers):
      let size = dtype.bitCount / 8
      let end = offset + buffer.byteCount
      // Windows into a file may cut through values: those are made whole and cut.
      let firstWhole = min((offset + size - 1) / size * size, end)
      let lastWhole = max(end / size * size, firstWhole)
      if firstWhole < lastWhole {
        var whole = buffer._mutatingExtracting(firstWhole - offset..<lastWhole - offset)
        numbers.fill(&whole, with: dtype, from: firstWhole / size)
      }
      for range in [offset..<firstWhole, lastWhole..<end] where !range.isEmpty {
        var value = [UInt8](repeating: 0, count: size)
        var span = value.mutableSpan
        var raw = unsafe span.mutableBytes
        numbers.fill(&raw, with: dtype, from: range.lowerBound / size)
        for position in range {
          buffer.storeBytes(
            of: value[position % size], toByteOffset: position - offset, as: UInt8.self)
        }
      }
    }
  }
}

extension Sequence where Element: BitwiseCopyable {
  /// The values as they lie in a file.
  var bytes: [UInt8] {
    flatMap { value in unsafe withUnsafeBytes(of: value) { unsafe Array($0) } }
  }
}
