import SafeTensors
public import Tensors

/// What is done about values that are too large for the type they are converted to.
public enum OverflowPolicy: String, CaseIterable, Sendable {
  /// Nothing is written, and the tensor is named.
  case error
  /// They become the largest number of the type.
  case clamp
  /// Their tensor is written as F32.
  case keepF32 = "keep-f32"
}

/// The tensors of another source with their values in other types.
///
/// Values are converted as they are read, in pieces that stay in the processor's cache. Rounding is
/// that of ``Conversion``.
public struct ConvertedSource: TensorSource {
  /// The source that holds the values.
  public let base: any TensorSource
  /// The tensors as they are seen here.
  public let tensors: [TensorInfo]

  /// What happens to each tensor; `nil` where it stays as it is.
  private let conversions: [Conversion?]
  private let clamps: Bool
  private let counts: Results<Int>
  private let pool = BufferPool(byteCount: Self.pieceLength)

  /// The bytes converted at once, in the wider of the two types.
  private static let pieceLength = 256 << 10

  /// A view of `base`.
  ///
  /// - Parameters:
  ///   - base: the source that holds the values.
  ///   - types: the type of each of its tensors here.
  ///   - overflow: what is done about values that become infinite; tensors are not kept in F32
  ///     here, so ``OverflowPolicy/keepF32`` is the same as ``OverflowPolicy/error``.
  /// - Throws: ``Rule/noConversion`` when there is no way from one type to the other.
  public init(
    _ base: any TensorSource, types: [DType], overflow: OverflowPolicy = .error
  ) throws(Fault) {
    precondition(types.count == base.tensors.count, "one type for each tensor")
    self.base = base
    clamps = overflow == .clamp
    counts = Results(repeating: 0, count: types.count)
    var tensors: [TensorInfo] = []
    var conversions: [Conversion?] = []
    for (tensor, type) in zip(base.tensors, types) {
      tensors.append(try tensor.stored(as: type))
      let conversion = Conversion(from: tensor.dtype, to: type)
      conversions.append(conversion?.isIdentity == true ? nil : conversion)
    }
    self.tensors = tensors
    self.conversions = conversions
  }

  /// For each tensor, how many finite values became infinite, or would have, in what was read.
  public var overflowCounts: [Int] { counts.values }

  /// The path of the original.
  public var path: String { base.path }
  /// The container of the original.
  public var container: Container { base.container }
  /// The texts of the original.
  public var metadata: [MetadataEntry] { base.metadata }
  /// What was noticed about the original.
  public var findings: [Fault] { base.findings }
  /// The files of the original.
  public var files: [InputFile] { base.files }

  /// Where the original lies, if it is not converted.
  public func extent(of index: Int) -> FileExtent? {
    conversions[index] == nil ? base.extent(of: index) : nil
  }

  /// Checks the original.
  public func verifyChecksums(width: Int) throws(Fault) { try base.verifyChecksums(width: width) }

  /// Reads from the original and converts.
  public func read(_ index: Int, at offset: Int, into buffer: inout MutableRawSpan) throws(Fault) {
    guard let conversion = conversions[index] else {
      return try base.read(index, at: offset, into: &buffer)
    }
    let size = conversion.target.bitCount / 8
    let step = Self.pieceLength / max(size, conversion.source.bitCount / 8) * size
    var overflows = 0
    var done = 0
    while done < buffer.byteCount {
      let start = offset + done
      let rest = buffer.byteCount - done
      let skipped = start % size
      if skipped == 0, rest >= size {
        let count = min(step, rest / size * size)
        var part = buffer._mutatingExtracting(done..<done + count)
        overflows += try convert(index, at: start, conversion, into: &part)
        done += count
      } else {
        // The range begins or ends inside a value.
        var value: UInt64 = 0
        let count = min(size - skipped, rest)
        overflows += try unsafe withUnsafeMutableBytes(of: &value) { bytes throws(Fault) in
          var whole = unsafe MutableRawSpan(_unsafeBytes: bytes[..<size])
          return try convert(index, at: start - skipped, conversion, into: &whole)
        }
        for position in 0..<count {
          let byte = UInt8(truncatingIfNeeded: value >> UInt64(8 * (skipped + position)))
          buffer.storeBytes(of: byte, toByteOffset: done + position, as: UInt8.self)
        }
        done += count
      }
    }
    guard overflows > 0 else { return }
    guard clamps else { throw .overflow(base.tensors[index], conversion.target) }
    counts[index] += overflows
  }

  /// Converts whole values, at most a piece, and returns how many overflowed.
  private func convert(
    _ index: Int, at offset: Int, _ conversion: Conversion, into output: inout MutableRawSpan
  ) throws(Fault) -> Int {
    let size = conversion.source.bitCount / 8
    let count = output.byteCount / (conversion.target.bitCount / 8)
    let start = offset / (conversion.target.bitCount / 8) * size
    var overflows = 0
    let clamps = self.clamps
    try pool.withBuffer { buffer throws(Fault) in
      var original = buffer.bytes(count * size)
      try base.read(index, at: start, into: &original)
      overflows = conversion.convert(original.bytes, into: &output)
      if overflows > 0, clamps {
        Clamping(conversion).clamp(&output, convertedFrom: original.bytes)
      }
    }
    return overflows
  }
}

/// Replaces infinities that a conversion made by the largest number of the type.
private struct Clamping {
  private let widening: Conversion?
  private let target: DType

  init(_ conversion: Conversion) {
    widening = Conversion(from: conversion.source, to: .f64)
    target = conversion.target
  }

  /// Rare, so that it need not be fast.
  func clamp(_ output: inout MutableRawSpan, convertedFrom original: RawSpan) {
    guard let widening else { return }
    let count = original.byteCount / (widening.source.bitCount / 8)
    let wide = Buffer(byteCount: 8 * count)
    var values = wide.bytes(8 * count)
    widening.convert(original, into: &values)
    for index in 0..<count {
      let value = unsafe values.bytes.unsafeLoad(fromByteOffset: 8 * index, as: Double.self)
      guard value.isFinite else { continue }
      let sign: UInt64 = value < 0 ? 1 : 0
      switch target {
      case .f16:
        replace(&output, index, infinity: 0x7C00, largest: 0x7BFF, sign: sign << 15, UInt16.self)
      case .bf16:
        replace(&output, index, infinity: 0x7F80, largest: 0x7F7F, sign: sign << 15, UInt16.self)
      case .f32:
        replace(
          &output, index, infinity: 0x7F80_0000, largest: 0x7F7F_FFFF, sign: sign << 31,
          UInt32.self)
      default: return
      }
    }
  }

  private func replace<Bits: FixedWidthInteger & BitwiseCopyable>(
    _ output: inout MutableRawSpan, _ index: Int, infinity: UInt64, largest: UInt64, sign: UInt64,
    _ type: Bits.Type
  ) {
    let offset = index * MemoryLayout<Bits>.size
    let bits = unsafe output.bytes.unsafeLoad(fromByteOffset: offset, as: type)
    guard bits == Bits(truncatingIfNeeded: infinity | sign) else { return }
    output.storeBytes(
      of: Bits(truncatingIfNeeded: largest | sign), toByteOffset: offset, as: type)
  }
}

extension TensorInfo {
  /// The same tensor with its values in another type.
  ///
  /// - Throws: ``Rule/noConversion`` when there is no way from one type to the other,
  ///   ``Rule/sizeOverflow`` when it would be too large.
  func stored(as type: DType) throws(Fault) -> TensorInfo {
    guard type != dtype else { return self }
    guard Conversion(from: dtype, to: type) != nil else {
      throw Fault(
        .noConversion, "cannot be converted", tensor: name, found: "\(dtype) to \(type)",
        hint: "leave its type with --dtype keep")
    }
    do {
      return try TensorInfo(name: name, dtype: type, shape: shape)
    } catch {
      throw Fault(.sizeOverflow, "would be too large as \(type)", tensor: name)
    }
  }
}
