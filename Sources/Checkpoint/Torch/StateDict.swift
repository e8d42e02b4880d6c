import Tensors

/// The named tensors of an unpickled checkpoint, and the texts beside them.
struct StateDict {
  /// Names, and positions in ``PickleGraph/tensors``.
  private(set) var tensors: [(name: TensorName, index: Int)] = []
  private(set) var metadata: [MetadataEntry] = []

  /// Room for names and texts: a string that is used again and again must not fill the memory.
  private var budget: Int

  /// Finds the state dict of an object: under `state_dict`, alone under another key, or the object
  /// itself.
  ///
  /// Dictionaries in it are joined with dots, those with the state of a training left out.
  ///
  /// - Throws: ``Rule/noTensors``, ``Rule/tensorDuplicate``, ``Rule/pickleCycle``.
  init(_ graph: borrowing PickleGraph) throws(Fault) {
    budget = max(1 << 20, 16 * graph.bytes.count)
    if try numberTensors(graph) { return }
    let walk = try GraphWalk(graph)
    var entries = try Self.dictionary(graph)
    try collectMetadata(entries, graph)
    while let inner = try Self.unwrap(entries, walk, graph) {
      entries = inner
      try collectMetadata(entries, graph)
    }
    try flatten(entries, walk, graph)
    guard !tensors.isEmpty else { throw Self.nothing(graph, found: "a dictionary without tensors") }
  }

  /// Takes a list of tensors: their names are their numbers, as with the first LoRAs.
  private mutating func numberTensors(_ graph: borrowing PickleGraph) throws(Fault) -> Bool {
    guard case .list = graph.root, let elements = graph.elements(graph.root), !elements.isEmpty
    else { return false }
    var numbered: [(name: TensorName, index: Int)] = []
    for (number, element) in elements.enumerated() {
      guard case .tensor(let index) = element else { return false }
      try spend(64, graph)
      numbered.append((TensorName("\(number)"), Int(index)))
    }
    tensors = numbered
    return true
  }

  private static func dictionary(
    _ graph: borrowing PickleGraph
  ) throws(Fault) -> [PickleValue] {
    guard let entries = graph.entries(graph.root) else {
      throw nothing(graph, found: graph.root.kind)
    }
    return entries
  }

  private static func nothing(_ graph: borrowing PickleGraph, found: String) -> Fault {
    Fault(
      .noTensors, "has no tensors in this file", offset: graph.base,
      expected: "a dictionary from names to tensors", found: found)
  }

  /// The dictionary inside that stands for the whole, or `nil` if this is it.
  private static func unwrap(
    _ entries: [PickleValue], _ walk: GraphWalk, _ graph: borrowing PickleGraph
  ) throws(Fault) -> [PickleValue]? {
    var only: [PickleValue]?
    var stateDict: [PickleValue]?
    var stateDictCount = 0
    var count = 0
    var isDirect = false
    for position in stride(from: 0, to: entries.count - 1, by: 2) {
      let (key, value) = (entries[position], entries[position + 1])
      if graph.matches(key, "state_dict") {
        stateDict = graph.entries(value)
        stateDictCount += 1
      }
      if case .tensor = value { isDirect = true }
      guard walk.holds(value), !isTraining(key, graph), let inner = graph.entries(value) else {
        continue
      }
      // The name tells an embedding; it must stay.
      if graph.matches(key, "string_to_param") { isDirect = true }
      count += 1
      only = inner
    }
    guard stateDictCount <= 1 else {
      throw Fault(.tensorDuplicate, "has two dictionaries named 'state_dict'", offset: graph.base)
    }
    return stateDict ?? (count == 1 && !isDirect ? only : nil)
  }

  /// What trainers save beside the model, and embeddings beside their vectors.
  private static let trainingKeys: [StaticString] = [
    "optimizer", "optimizers", "optimizer_states", "optimizer_state_dict", "optimizer_state",
    "lr_scheduler", "lr_schedulers", "scheduler", "callbacks", "loops", "hyper_parameters",
    "native_amp_scaling_state", "amp_scaling_state", "scaler", "rng_state", "rng_states",
    "random_states", "string_to_token",
  ]

  private static func isTraining(_ key: PickleValue, _ graph: borrowing PickleGraph) -> Bool {
    for name in trainingKeys where graph.matches(key, name) { return true }
    return false
  }

  /// Collects the tensors of nested dictionaries, in order, without recursion.
  private mutating func flatten(
    _ root: [PickleValue], _ walk: GraphWalk, _ graph: borrowing PickleGraph
  ) throws(Fault) {
    struct Level {
      let prefix: String
      let entries: [PickleValue]
      var next = 0
    }
    var levels = [Level(prefix: "", entries: root)]
    // Of tensors and dictionaries: Python would take the last of two, other readers the first. A
    // dictionary may occur under several names; the budget bounds what becomes of that.
    var names: Set<TensorName> = []
    while var level = levels.popLast() {
      guard level.next + 1 < level.entries.count else { continue }
      let (key, value) = (level.entries[level.next], level.entries[level.next + 1])
      level.next += 2
      let prefix = level.prefix
      levels.append(level)
      guard walk.holds(value), let text = name(of: key, graph) else { continue }
      try spend(prefix.utf8.count + text.utf8.count + 64, graph)
      switch value {
      case .tensor(let index):
        let name = TensorName(prefix + text)
        guard names.insert(name).inserted else {
          throw Fault(
            .tensorDuplicate, "is there twice", offset: graph.tensors[Int(index)].offset,
            tensor: name)
        }
        tensors.append((name, Int(index)))
      case .dict, .record:
        guard !Self.isTraining(key, graph), let entries = graph.entries(value) else { continue }
        guard names.insert(TensorName(prefix + text)).inserted else {
          throw Fault(
            .tensorDuplicate, "is there twice", offset: graph.base,
            tensor: TensorName(prefix + text))
        }
        guard levels.count < Self.maximumNesting else {
          throw Fault(
            .pickleLimit, "nests the dictionaries of its state dict too deeply",
            offset: graph.base, expected: "at most \(Self.maximumNesting) levels")
        }
        levels.append(Level(prefix: prefix + text + ".", entries: entries))
      default: continue
      }
    }
  }

  private static let maximumNesting = 32

  private func name(of key: PickleValue, _ graph: borrowing PickleGraph) -> String? {
    switch key {
    case .string(let range): graph.text(range)
    case .int(let number): "\(number)"
    default: nil
    }
  }

  private mutating func collectMetadata(
    _ entries: [PickleValue], _ graph: borrowing PickleGraph
  ) throws(Fault) {
    for position in stride(from: 0, to: entries.count - 1, by: 2) {
      guard case .string(let key) = entries[position] else { continue }
      let text: String
      switch entries[position + 1] {
      case .int(let number): text = "\(number)"
      case .float(let number): text = "\(number)"
      case .bool(let truth): text = truth ? "true" : "false"
      case .string(let range):
        try spend(Int(range.count), graph)
        text = graph.text(range)
      default: continue
      }
      try spend(Int(key.count) + 64, graph)
      metadata.append(MetadataEntry(key: graph.text(key), value: text))
    }
  }

  private mutating func spend(_ bytes: Int, _ graph: borrowing PickleGraph) throws(Fault) {
    budget -= bytes
    guard budget >= 0 else {
      throw Fault(
        .pickleLimit, "repeats names or texts beyond reason", offset: graph.base)
    }
  }
}
