import CVocabulary
import CZlib

/// The vocabulary of CLIP's text encoder: 49,408 tokens made of bytes by 48,894 merges.
///
/// The merges are those of OpenAI's CLIP (MIT licence); the program carries them, so that a model
/// folder can be written whole without a network.
///
///     let vocabulary = CLIPVocabulary()
///     vocabulary.tokens[320]   // "a</w>"
public struct CLIPVocabulary: Sendable {
  /// The merges in the order in which they are applied, each two tokens with a space between.
  public let merges: [Substring]
  /// The text of each token, by its number.
  ///
  /// Bytes are spelled with printable stand-ins; `</w>` ends a word.
  public let tokens: [String]

  /// Unpacks the vocabulary; takes a few milliseconds.
  public init() {
    merges = Self.unpackedMerges().split(separator: "\n")
    let letters = Self.letters.map { String($0) }
    var tokens = letters + letters.map { $0 + "</w>" }
    tokens.reserveCapacity(tokens.count + merges.count + 2)
    for merge in merges { tokens.append(merge.filter { $0 != " " }) }
    self.tokens = tokens + ["<|startoftext|>", "<|endoftext|>"]
  }

  /// The number of the token that begins every prompt.
  public var startOfText: Int { tokens.count - 2 }
  /// The number of the token that ends every prompt and fills it up.
  public var endOfText: Int { tokens.count - 1 }

  /// The stand-in of each byte, in the order of their token numbers.
  ///
  /// The printable characters of Latin-1 stand for themselves, the others for U+0100 and up.
  static let letters: [Character] = bytesInOrder.enumerated().compactMap { token, byte in
    let number = token < plainCount ? UInt32(byte) : 256 + UInt32(token - plainCount)
    return UnicodeScalar(number).map { Character($0) }
  }

  /// The bytes in the order of their token numbers: printable ones first.
  private static let bytesInOrder: [UInt8] = {
    let plain: [UInt8] = [33...126, 161...172, 174...255].flatMap { Array($0) }
    return plain + (0...255).filter { !plain.contains($0) }
  }()

  /// How many bytes stand for themselves.
  private static let plainCount = 188

  /// The token of each byte that does not end a word.
  static let tokenOfByte: [Int] = {
    var tokens = Array(repeating: 0, count: 256)
    for (token, byte) in bytesInOrder.enumerated() { tokens[Int(byte)] = token }
    return tokens
  }()

  private static func unpackedMerges() -> String {
    // The stream is part of the program: its size is known, and a test reads all of it.
    let byteCount = 524_604
    var length = uLongf(byteCount)
    return unsafe String(unsafeUninitializedCapacity: byteCount) { buffer in
      let status = unsafe uncompress(
        buffer.baseAddress, &length, clip_merges(), uLong(clip_merges_size()))
      return status == Z_OK ? Int(length) : 0
    }
  }
}
