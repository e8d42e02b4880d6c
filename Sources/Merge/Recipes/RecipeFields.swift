import Tensors

/// The members of a map, taken one by one; what is left over is unknown.
struct RecipeFields {
  private let node: RecipeNode
  private let subject: String
  private var members: [String: RecipeNode] = [:]
  private var order: [String] = []
  private var asked: [String] = []

  /// The members of `node`.
  ///
  /// - Parameters:
  ///   - node: what must be a map.
  ///   - subject: what it describes, in messages: `step 'mix'`.
  /// - Throws: ``Tensors/Rule/recipeValue`` if it is no map, or has a key twice.
  init(_ node: RecipeNode, of subject: String) throws(Fault) {
    guard case .map(let pairs) = node.content else {
      throw node.located(
        Fault(
          .recipeValue, "\(subject) is not a map", expected: "keys and values", found: node.kind))
    }
    self.node = node
    self.subject = subject
    for (key, value) in pairs {
      guard members.updateValue(value, forKey: key) == nil else {
        throw value.located(Fault(.recipeValue, "\(subject) has '\(shortened(key))' twice"))
      }
      order.append(key)
    }
  }

  /// The value under `key`, unless it is absent or null.
  mutating func take(_ key: String) -> RecipeNode? {
    asked.append(key)
    guard let value = members.removeValue(forKey: key) else { return nil }
    if case .null = value.content { return nil }
    return value
  }

  /// The value under `key`, which must be there.
  mutating func require(_ key: String) throws(Fault) -> RecipeNode {
    if let value = take(key) { return value }
    throw node.located(Fault(.recipeValue, "\(subject) lacks '\(key)'"))
  }

  /// Checks that nothing is left.
  ///
  /// - Throws: ``Tensors/Rule/recipeValue`` for the first key that was not asked for.
  func finish() throws(Fault) {
    guard let key = order.first(where: { members[$0] != nil }), let value = members[key] else {
      return
    }
    throw value.located(
      Fault(
        .recipeValue, "\(subject) has the unknown key '\(shortened(key))'",
        expected: asked.joined(separator: ", "), hint: suggestion(for: key, among: asked)))
  }
}

extension RecipeNode {
  /// The text of a scalar.
  func text(_ subject: String) throws(Fault) -> String {
    if case .scalar(let text) = content { return text }
    throw located(Fault(.recipeValue, "\(subject) is not text", found: kind))
  }

  /// The number that a scalar spells.
  func number(_ subject: String) throws(Fault) -> Double {
    let text = try text(subject)
    return try reading { () throws(Fault) in try readWeight(trimmed(text), at: subject) }
  }

  /// The elements of a list.
  func elements(_ subject: String) throws(Fault) -> [RecipeNode] {
    if case .list(let elements) = content { return elements }
    throw located(Fault(.recipeValue, "\(subject) is not a list", found: kind))
  }

  /// The case of `Choice` that a scalar names.
  func choice<Choice: RawRepresentable<String> & CaseIterable>(
    _ type: Choice.Type, _ subject: String
  ) throws(Fault) -> Choice {
    let text = try text(subject)
    if let choice = Choice(rawValue: text) { return choice }
    let names = Choice.allCases.map(\.rawValue)
    throw located(
      Fault(
        .recipeValue, "\(subject) is unknown", expected: names.joined(separator: ", "),
        found: "'\(shortened(text))'", hint: suggestion(for: text, among: names)))
  }

  /// What `read` gives; a fault gets this node's line.
  func reading<Value>(_ read: () throws(Fault) -> Value) throws(Fault) -> Value {
    do throws(Fault) {
      return try read()
    } catch {
      throw located(error)
    }
  }
}
