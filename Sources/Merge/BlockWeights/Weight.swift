import Tensors

/// Reads one weight.
///
/// Only decimal numbers: no infinities, NaN or hexadecimal, which `Double` would accept.
///
/// - Parameters:
///   - text: the number, without spaces around it.
///   - place: what the weight is for, in messages: `"position 3 (IN01)"`.
/// - Returns: the number, which is finite.
/// - Throws: ``Tensors/Rule/weightSyntax`` or ``Tensors/Rule/randomWeight``.
func readWeight(_ text: some StringProtocol, at place: String) throws(Fault) -> Double {
  let text = String(text)
  if ["R", "U", "X"].contains(text) {
    throw Fault(
      .randomWeight, "has the random weight '\(text)' at \(place)",
      hint: "write the number that was drawn, for example from the tool's log")
  }
  guard text.utf8.count <= 64, text.utf8.allSatisfy(isOfDecimal), let value = Double(text),
    value.isFinite
  else {
    throw Fault(
      .weightSyntax, "has no number at \(place)", expected: "a weight such as 0.25",
      found: text.isEmpty ? "nothing" : "'\(shortened(text))'")
  }
  return value
}

private func isOfDecimal(_ byte: UInt8) -> Bool {
  switch byte {
  case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"),
    UInt8(ascii: "+"), UInt8(ascii: "e"), UInt8(ascii: "E"):
    true
  default: false
  }
}

/// A weight as people write it: `0`, `0.5`, `1`; reading it gives the same number.
package func spelled(_ weight: Double) -> String {
  let text = "\(weight)"
  return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
}

/// `text` as a message can quote it: at most 60 characters, without line breaks.
func shortened(_ text: some StringProtocol) -> String {
  // By scalars: one character may consist of any number of them.
  var line = ""
  for scalar in text.unicodeScalars.prefix(61) {
    line.unicodeScalars.append(scalar.properties.isWhitespace ? " " : scalar)
  }
  guard line.unicodeScalars.count > 60 else { return line }
  return String(String.UnicodeScalarView(line.unicodeScalars.prefix(57))) + "..."
}

/// `text` without spaces, tabs and line breaks at its end.
func trimmedEnd(_ text: some StringProtocol) -> Substring {
  var text = Substring(text)
  while let last = text.last, last.isWhitespace { text.removeLast() }
  return text
}

/// `text` without spaces, tabs and line breaks at its ends.
func trimmed(_ text: some StringProtocol) -> Substring {
  var text = trimmedEnd(text)
  while let first = text.first, first.isWhitespace { text.removeFirst() }
  return text
}
