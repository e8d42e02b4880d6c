/// A pattern for tensor names: `*` stands for any bytes, `?` for any one character.
///
///     Glob("*.attn2.*.weight").matches("a.attn2.to_k.weight")   // true
///
/// A pattern without `*` and `?` matches every name that contains it.
public struct Glob: Sendable {
  private let pattern: [UInt8]

  /// The pattern `text`.
  public init(_ text: String) {
    let bytes = Array(text.utf8)
    let star = UInt8(ascii: "*")
    let isPlain = !bytes.contains { $0 == star || $0 == UInt8(ascii: "?") }
    pattern = isPlain ? [star] + bytes + [star] : bytes
  }

  /// Whether the whole of `name` fits the pattern.
  ///
  /// Time grows with the product of both lengths at worst.
  public func matches(_ name: TensorName) -> Bool {
    let text = Array(name.utf8)
    var p = 0
    var t = 0
    // Where to go on after a mismatch: behind the last star, which takes one byte more each time.
    var retry: (p: Int, t: Int)?
    while t < text.count {
      if p < pattern.count, pattern[p] == UInt8(ascii: "*") {
        retry = (p + 1, t)
        p += 1
      } else if p < pattern.count, pattern[p] == UInt8(ascii: "?") {
        p += 1
        t += 1
        // One character, not one byte.
        while t < text.count, text[t] & 0xC0 == 0x80 { t += 1 }
      } else if p < pattern.count, pattern[p] == text[t] {
        p += 1
        t += 1
      } else if let last = retry {
        retry = (last.p, last.t + 1)
        (p, t) = (last.p, last.t + 1)
      } else {
        return false
      }
    }
    return pattern[p...].allSatisfy { $0 == UInt8(ascii: "*") }
  }
}
