@_spi(_Unicode) import Swift

/// A prompt as CLIP reads it, cut into words.
///
/// In normalisation form C and small letters; each stretch of white space is a border. Words are
/// letters, or one digit, or other signs; `'s`, `'t`, `'re`, `'ve`, `'m`, `'ll` and `'d` are words
/// of their own.
///
/// Source: the normaliser and the expression of `CLIPTokenizer` in transformers.
func wordsOfPrompt(_ text: Substring) -> [ArraySlice<UnicodeScalar>] {
  var scalars: [UnicodeScalar] = []
  for scalar in String(text)._nfc {
    // Scalar by scalar, as there: a final sigma is not recognised.
    scalars.append(contentsOf: scalar.properties.lowercaseMapping.unicodeScalars)
  }
  var words: [ArraySlice<UnicodeScalar>] = []
  var start = 0
  while start < scalars.count {
    let kind = Kind(scalars[start])
    var end = start + 1
    if let length = contraction(in: scalars, at: start) {
      end = start + length
    } else if kind == .letter || kind == .sign {
      while end < scalars.count, Kind(scalars[end]) == kind { end += 1 }
    }
    if kind != .space { words.append(scalars[start..<end]) }
    start = end
  }
  return words
}

/// What the expression tells apart.
private enum Kind {
  case space, letter, digit, sign

  init(_ scalar: UnicodeScalar) {
    switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
      self = .letter
    case .decimalNumber, .letterNumber, .otherNumber: self = .digit
    default: self = scalar.properties.isWhitespace ? .space : .sign
    }
  }
}

/// The length of the contraction that begins at `start`, if one does.
private func contraction(in scalars: [UnicodeScalar], at start: Int) -> Int? {
  guard scalars[start] == "'", start + 1 < scalars.count else { return nil }
  switch scalars[start + 1] {
  case "s", "t", "m", "d": return 2
  case "r", "v", "l":
    guard start + 2 < scalars.count else { return nil }
    let wanted: UnicodeScalar = scalars[start + 1] == "l" ? "l" : "e"
    return scalars[start + 2] == wanted ? 3 : nil
  default: return nil
  }
}
