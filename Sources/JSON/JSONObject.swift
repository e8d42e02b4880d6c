/// Named JSON values, in the order in which they were written or added.
///
///     var object: JSONObject = ["format": "pt"]
///     object["step"] = 470_000
///     for member in object { print(member.key, member.value) }
///
/// Names are compared as bytes. Looking one up takes constant time however many there are.
public struct JSONObject: Sendable {
  /// One named value.
  public struct Member: Sendable, Equatable {
    /// Its name.
    public let key: String
    /// The value.
    public var value: JSONValue

    /// Whether names and values are the same.
    public static func == (a: Member, b: Member) -> Bool {
      a.key.utf8.elementsEqual(b.key.utf8) && a.value == b.value
    }
  }

  /// All members, in order.
  public private(set) var members: [Member] = []

  /// Where each name is, once there are too many to search one after another.
  private var positions: [Name: Int] = [:]

  /// An object without members.
  public init() {}

  /// The given members; of two with the same name the later value counts.
  public init(_ members: some Sequence<(String, JSONValue)>) {
    for (key, value) in members { self[key] = value }
  }

  /// The value under `key`; setting `nil` removes it.
  public subscript(key: String) -> JSONValue? {
    get { position(of: key).map { members[$0].value } }
    set {
      switch (position(of: key), newValue) {
      case (let position?, let value?): members[position].value = value
      case (let position?, nil):
        members.remove(at: position)
        positions = [:]
        if members.count > Self.searchable { indexMembers() }
      case (nil, let value?): append(key, value)
      case (nil, nil): break
      }
    }
  }

  /// Adds a member that is known to be new.
  mutating func append(_ key: String, _ value: JSONValue) {
    members.append(Member(key: key, value: value))
    if !positions.isEmpty {
      positions[Name(text: key)] = members.count - 1
    } else if members.count > Self.searchable {
      indexMembers()
    }
  }

  private static let searchable = 8

  private mutating func indexMembers() {
    for (position, member) in members.enumerated() { positions[Name(text: member.key)] = position }
  }

  private func position(of key: String) -> Int? {
    guard positions.isEmpty else { return positions[Name(text: key)] }
    return members.firstIndex { $0.key.utf8.elementsEqual(key.utf8) }
  }

  /// A name that is equal to another only if the bytes are; `String` takes two spellings of `é`
  /// for the same.
  private struct Name: Hashable {
    let text: String

    static func == (a: Name, b: Name) -> Bool { a.text.utf8.elementsEqual(b.text.utf8) }

    func hash(into hasher: inout Hasher) {
      var copy = text
      copy.withUTF8 { unsafe hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
  }
}

extension JSONObject: Equatable {
  /// Whether both have the same members in the same order.
  public static func == (a: JSONObject, b: JSONObject) -> Bool { a.members == b.members }
}

extension JSONObject: RandomAccessCollection {
  /// The position of the first member.
  public var startIndex: Int { 0 }
  /// The number of members.
  public var endIndex: Int { members.count }
  /// The member at `position`.
  public subscript(position: Int) -> Member { members[position] }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
  /// The given members; of two with the same name the later value counts.
  public init(dictionaryLiteral elements: (String, JSONValue)...) { self.init(elements) }
}
