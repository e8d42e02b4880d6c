/// The name of a tensor: UTF-8 bytes, compared as bytes.
///
/// Swift's `String` takes two spellings of `é` for equal; a model file may hold both as different
/// tensors. This type keeps them apart, and sorts as the file formats do.
///
///     let name: TensorName = "vae.decoder.conv_in.weight"
///     name.hasSuffix(".weight")   // true
public struct TensorName: Sendable {
  /// The name as text.
  ///
  /// Compare names, not their strings.
  public let string: String

  /// A name from text.
  public init(_ string: String) { self.string = string }

  /// The bytes of the name.
  public var utf8: String.UTF8View { string.utf8 }

  /// Whether the name's first bytes are those of `prefix`.
  public func hasPrefix(_ prefix: String) -> Bool { utf8.starts(with: prefix.utf8) }

  /// Whether the name's last bytes are those of `suffix`.
  public func hasSuffix(_ suffix: String) -> Bool {
    utf8.count >= suffix.utf8.count && utf8.suffix(suffix.utf8.count).elementsEqual(suffix.utf8)
  }

  /// The name without `prefix`, or `nil` if it does not begin with it.
  public func dropping(prefix: String) -> TensorName? {
    guard hasPrefix(prefix) else { return nil }
    return TensorName(String(Substring(utf8.dropFirst(prefix.utf8.count))))
  }
}

extension TensorName: Hashable, Comparable {
  /// Whether the bytes are the same.
  public static func == (a: TensorName, b: TensorName) -> Bool {
    a.utf8.count == b.utf8.count && a.utf8.elementsEqual(b.utf8)
  }

  /// Whether the bytes of `a` sort before those of `b`.
  public static func < (a: TensorName, b: TensorName) -> Bool {
    a.utf8.lexicographicallyPrecedes(b.utf8)
  }

  /// Hashes the bytes.
  public func hash(into hasher: inout Hasher) {
    var copy = string
    copy.withUTF8 { unsafe hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    hasher.combine(0xFF as UInt8)
  }
}

extension TensorName: ExpressibleByStringLiteral, CustomStringConvertible {
  /// A name written in source code.
  public init(stringLiteral value: String) { self.init(value) }
  /// ``string``.
  public var description: String { string }
}
