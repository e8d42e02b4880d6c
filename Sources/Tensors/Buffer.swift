/// Memory for file contents: allocated once, aligned to a page, freed with its owner.
///
/// For one thread at a time; its contents are undefined until written.
///
///     let buffer = Buffer(byteCount: 1 << 20)
///     var bytes = buffer.bytes(4096)
///     try file.read(at: 0, into: &bytes)
@safe public final class Buffer {
  private let memory: UnsafeMutableRawBufferPointer

  /// Room for `byteCount` bytes.
  public init(byteCount: Int) {
    unsafe memory = .allocate(byteCount: byteCount, alignment: 4096)
  }

  deinit { unsafe memory.deallocate() }

  /// The number of bytes there is room for.
  public var byteCount: Int { unsafe memory.count }

  /// The first `count` bytes, to write to.
  ///
  /// At most one such span may be in use.
  @_lifetime(borrow self)
  public func bytes(_ count: Int) -> MutableRawSpan {
    let span = unsafe MutableRawSpan(_unsafeBytes: memory[..<count])
    return unsafe _overrideLifetime(span, borrowing: self)
  }
}
