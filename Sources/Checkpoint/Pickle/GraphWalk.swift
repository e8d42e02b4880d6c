import Tensors

/// One walk through everything an object is made of, without recursion.
///
/// Finds objects that contain themselves, and the dictionaries that hold tensors.
struct GraphWalk {
  /// For each container, whether tensors can be reached from it through dictionaries alone.
  private(set) var holdsTensors: [Bool]

  private enum State: UInt8 { case new, open, done }
  /// In 32 bits each, because a hostile pickle makes millions of them.
  private struct Frame {
    /// A container's position, or past the containers a tuple's.
    let node: UInt32
    let count: UInt32
    var next: UInt32 = 0

    init(_ node: Int, _ count: Int) {
      self.node = UInt32(truncatingIfNeeded: node)
      self.count = UInt32(truncatingIfNeeded: count)
    }
  }

  /// Walks from the root of `graph`.
  ///
  /// - Throws: ``Rule/pickleCycle``.
  init(_ graph: borrowing PickleGraph) throws(Fault) {
    let containers = graph.containers.count
    holdsTensors = Array(repeating: false, count: containers)
    var states = [State](repeating: .new, count: containers + graph.items.count)
    var frames: [Frame] = []
    if let root = Self.frame(graph.root, graph) {
      states[Int(root.node)] = .open
      frames.append(root)
    }
    while var frame = frames.popLast() {
      let node = Int(frame.node)
      guard frame.next < frame.count else {
        states[node] = .done
        if node < containers { finish(node, graph) }
        continue
      }
      let value =
        node < containers
        ? graph.containers[node][Int(frame.next)]
        : graph.items[node - containers + Int(frame.next)]
      frame.next += 1
      frames.append(frame)
      guard let child = Self.frame(value, graph) else { continue }
      switch states[Int(child.node)] {
      case .done: break
      case .open:
        throw Fault(
          .pickleCycle, "the pickled object contains itself", offset: graph.base,
          hint: "no saved model does; do not use this file")
      case .new:
        states[Int(child.node)] = .open
        frames.append(child)
      }
    }
  }

  private static func frame(_ value: PickleValue, _ graph: borrowing PickleGraph) -> Frame? {
    switch value {
    case .list(let index), .set(let index), .dict(let index), .record(let index):
      return Frame(Int(index), graph.containers[Int(index)].count)
    case .tuple(let range):
      guard range.count > 0 else { return nil }
      return Frame(graph.containers.count + Int(range.start), Int(range.count))
    default: return nil
    }
  }

  private mutating func finish(_ index: Int, _ graph: borrowing PickleGraph) {
    for value in graph.containers[index] where holds(value) {
      holdsTensors[index] = true
      return
    }
  }

  /// Whether `value` is a tensor, or an object with tensors in its dictionaries.
  func holds(_ value: PickleValue) -> Bool {
    switch value {
    case .tensor: true
    case .dict(let index), .record(let index): holdsTensors[Int(index)]
    default: false
    }
  }
}
