public import Tensors

/// The values of one tensor, or of a chunk of it, in every input of a merge.
///
///     let operands = Operands([bufferA, bufferB], dtypes: [.f16, .f16], elementCount: 4096)
///     let a = operands[0]
@safe public struct Operands {
  /// How each input stores the tensor; its values have been widened to `Float`.
  public let dtypes: [DType]
  /// The number of values of each operand.
  public let elementCount: Int
  private let buffers: [Buffer]

  /// The first `elementCount` values of each buffer, stored as `Float`.
  ///
  /// The buffers must not be written to while the operands are in use.
  public init(_ buffers: [Buffer], dtypes: [DType], elementCount: Int) {
    precondition(buffers.count == dtypes.count && elementCount >= 0)
    let needed = elementCount.multipliedReportingOverflow(by: MemoryLayout<Float>.size)
    precondition(!needed.overflow && buffers.allSatisfy { $0.byteCount >= needed.partialValue })
    self.buffers = buffers
    self.dtypes = dtypes
    self.elementCount = elementCount
  }

  /// A copy of the given values, all of the same number, as if each had been read as `dtype`.
  public init(copying values: [[Float]], dtype: DType = .f32) {
    let count = values.first?.count ?? 0
    let buffers = values.map { operand in
      precondition(operand.count == count)
      let buffer = Buffer(byteCount: max(1, count * MemoryLayout<Float>.size))
      var bytes = buffer.bytes(count * MemoryLayout<Float>.size)
      for (index, value) in operand.enumerated() {
        bytes.storeBytes(
          of: value, toByteOffset: index * MemoryLayout<Float>.size, as: Float.self)
      }
      return buffer
    }
    self.init(
      buffers, dtypes: Array(repeating: dtype, count: values.count), elementCount: count)
  }

  /// The number of inputs.
  public var count: Int { buffers.count }

  /// The values of one input.
  public subscript(index: Int) -> Span<Float> {
    @_lifetime(borrow self)
    get {
      let buffer = buffers[index]
      var bytes = buffer.bytes(elementCount * MemoryLayout<Float>.size)
      let memory = unsafe bytes.withUnsafeMutableBytes { UnsafeRawBufferPointer($0) }
      let span = unsafe Span<Float>(_unsafeBytes: memory)
      return unsafe _overrideLifetime(span, borrowing: self)
    }
  }
}
