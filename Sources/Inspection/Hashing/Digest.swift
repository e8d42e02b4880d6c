import Crypto

/// A SHA-256 digest: 32 bytes.
public struct Digest: Hashable, Sendable {
  /// The bytes, first to last.
  public let bytes: [UInt8]

  init(_ hash: SHA256) { bytes = Array(hash.finalize()) }

  /// The digest of some bytes.
  package init(of bytes: [UInt8]) {
    var hash = SHA256()
    hash.update(data: bytes)
    self.init(hash)
  }
}

extension Digest: CustomStringConvertible {
  /// The 64 lower-case hexadecimal digits.
  public var description: String { hexadecimal(32) }

  /// The first `count` bytes in lower-case hexadecimal digits.
  func hexadecimal(_ count: Int) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(
      decoding: bytes.prefix(count).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] },
      as: UTF8.self)
  }
}

extension Digest: Comparable {
  /// Whether the bytes of `a` sort before those of `b`.
  public static func < (a: Digest, b: Digest) -> Bool { a.bytes.lexicographicallyPrecedes(b.bytes) }
}

extension SHA256 {
  /// Continues with `bytes`.
  mutating func update(_ bytes: RawSpan) {
    unsafe bytes.withUnsafeBytes { unsafe update(bufferPointer: $0) }
  }

  /// Continues with a number, as eight bytes, the lowest first.
  mutating func update(_ number: Int) {
    update(data: (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) })
  }

  /// Continues with a text, its length before it.
  mutating func update(_ text: some StringProtocol) {
    update(text.utf8.count)
    update(data: Array(text.utf8))
  }
}
