/// Whether the bytes are valid UTF-8.
func isUTF8(_ bytes: Span<UInt8>) -> Bool {
  var ascii: UInt8 = 0
  for index in bytes.indices { ascii |= bytes[index] }
  if ascii < 0x80 { return true }
  return (try? UTF8Span(validating: bytes)) != nil
}
