import CJSON
import Glibc

/// A json-c object with everything below it; released together.
@safe final class Tree {
  /// The root; for json-c, no object is `null`.
  private let root: OpaquePointer?

  /// Builds the tree of `value`.
  init(_ value: JSONValue) { unsafe root = Self.object(value) }

  /// Parses `text`, which is known to be JSON of at most `depth` levels, followed by a zero byte.
  ///
  /// - Returns: `nil` when json-c refuses it all the same.
  init?(parsing text: [UInt8], depth: Int) {
    // json-c counts the value inside the innermost container as a level.
    guard let count = CInt(exactly: text.count), let levels = CInt(exactly: depth + 1),
      let tokener = unsafe json_tokener_new_ex(levels)
    else { return nil }
    defer { unsafe json_tokener_free(tokener) }
    unsafe json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8)
    let object = unsafe text.withUnsafeBytes { bytes in
      unsafe json_tokener_parse_ex(
        tokener, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), count)
    }
    guard unsafe json_tokener_get_error(tokener) == json_tokener_success else {
      unsafe json_object_put(object)
      return nil
    }
    unsafe root = object
  }

  deinit { unsafe json_object_put(root) }

  /// The tree as a value.
  var value: JSONValue { unsafe Self.value(of: root) }

  /// The tree as text, or `nil` where memory does not suffice.
  func text(flags: CInt) -> String? {
    var count = 0
    // The text belongs to the root object; without one, it is a constant.
    guard let bytes = unsafe json_object_to_json_string_length(root, flags, &count) else {
      return nil
    }
    return unsafe Self.string(bytes, count: count)
  }

  // MARK: From Swift to json-c

  /// A new object, which the caller must release or give away.
  private static func object(_ value: JSONValue) -> OpaquePointer? {
    switch value {
    case .null: return nil
    case .bool(let value): return unsafe json_object_new_boolean(value ? 1 : 0)
    case .integer(let value): return unsafe json_object_new_int64(Int64(value))
    case .double(let value):
      // json-c would write 17 digits; Swift knows the fewest that read back as the same number.
      return value.isFinite ? unsafe json_object_new_double_s(value, "\(value)") : nil
    case .string(var text):
      return text.withUTF8 { utf8 in
        unsafe utf8.withMemoryRebound(to: CChar.self) {
          unsafe json_object_new_string_len($0.baseAddress, CInt(clamping: $0.count))
        }
      }
    case .array(let elements):
      let array = unsafe json_object_new_array()
      for element in elements {
        let child = unsafe object(element)
        if unsafe json_object_array_add(array, child) != 0 { unsafe json_object_put(child) }
      }
      return unsafe array
    case .object(let members):
      let object = unsafe json_object_new_object()
      for member in members {
        let child = unsafe Self.object(member.value)
        let key = member.key.utf8.contains(0) ? withoutNUL(member.key) : member.key
        if unsafe json_object_object_add(object, key, child) != 0 {
          unsafe json_object_put(child)
        }
      }
      return unsafe object
    }
  }

  private static func withoutNUL(_ text: String) -> String {
    var scalars = String.UnicodeScalarView()
    for scalar in text.unicodeScalars { scalars.append(scalar == "\0" ? "\u{2400}" : scalar) }
    return String(scalars)
  }

  // MARK: From json-c to Swift

  /// Recurses as deep as the text is nested, which the scanner has limited.
  private static func value(of object: OpaquePointer?) -> JSONValue {
    switch unsafe json_object_get_type(object) {
    case json_type_boolean: return unsafe .bool(json_object_get_boolean(object) != 0)
    case json_type_int: return unsafe .integer(Int(json_object_get_int64(object)))
    case json_type_double: return unsafe .double(json_object_get_double(object))
    case json_type_string:
      guard let bytes = unsafe json_object_get_string(object) else { return .null }
      let count = unsafe Int(json_object_get_string_len(object))
      return unsafe .string(string(bytes, count: count))
    case json_type_array:
      return unsafe .array(
        (0..<json_object_array_length(object)).map {
          unsafe value(of: json_object_array_get_idx(object, $0))
        })
    case json_type_object:
      var members = JSONObject()
      var entry = unsafe json_object_get_object(object)?.pointee.head
      while let current = unsafe entry {
        if let key = unsafe current.pointee.k?.assumingMemoryBound(to: CChar.self) {
          unsafe members.append(
            string(key, count: strlen(key)),
            value(of: current.pointee.v.map { OpaquePointer($0) }))
        }
        unsafe entry = current.pointee.next
      }
      return .object(members)
    default: return .null
    }
  }

  private static func string(_ bytes: UnsafePointer<CChar>, count: Int) -> String {
    unsafe String(
      decoding: UnsafeRawBufferPointer(start: bytes, count: count), as: UTF8.self)
  }
}
