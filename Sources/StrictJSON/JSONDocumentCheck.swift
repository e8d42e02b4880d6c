extension JSONScanner {
  /// Checks that `bytes` are one strict JSON value in which no object has a key twice.
  public static func check(
    _ bytes: [UInt8], depthLimit: Int = 128
  ) throws(JSONSyntaxError) {
    var scanner = try JSONScanner(bytes, depthLimit: depthLimit)
    try scanner.checkValue()
    try scanner.finish()
  }

  /// Reads past one value and checks that no object in it has a key twice.
  ///
  /// Each level of nesting is one call of this function; ``depthLimit`` bounds them.
  private mutating func checkValue() throws(JSONSyntaxError) {
    switch try peek() {
    case .object:
      var keys = Set<[UInt8]>()
      try readObject(orThrow: { $0 }) { key, position, scanner throws(JSONSyntaxError) in
        guard keys.insert(Array(key.utf8)).inserted else {
          throw JSONSyntaxError(.duplicateKey(key), at: position)
        }
        try scanner.checkValue()
      }
    case .array:
      try readArray(orThrow: { $0 }) { scanner throws(JSONSyntaxError) in
        try scanner.checkValue()
      }
    default: try skipValue()
    }
  }
}
