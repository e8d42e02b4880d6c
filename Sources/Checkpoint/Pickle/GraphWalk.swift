import Tensors

/// One walk through everything an object is made of, without recursion.
///
/// Finds objects that contain themselves, and the dictionaries that hold tensors.
struct GraphWalk {
  /// For each container, whether tensors can be reached from it through dictionaries alone.
  private(set) var holdsTensors: [Bool]

  private enum State: UInt8 { case new, open, done }
  private struct Frame {
    /// A container's position, or past the containers a tuple's.
    let node: Int
    let count: Int
    var next = 0
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
      states[root.node] = .open
      frames.append(root)
    }
    while var frame = frames.popLast() {
      guard frame.next < frame.count else {
        states[frame.node] = .done
        if frame.node < containers { finish(frame.node, graph) }
        continue
      }
      let value =
        frame.node < containers
        ? graph.containers[frame.node][frame.next]
        : graph.items[frame.node - containers + frame.next]
      frame.next += 1
      frames.append(frame)
      guard let child = Self.frame(value, graph) else { continue }
      switch states[child.node] {
      case .done: break
      case .open:
        throw Fault(
          .pickleCycle, "the pickled object contains itself", offset: graph.base,
          hint: "no saved model does; do not use this file")
      case .new:
        states[child.node] = .open
        frames.append(child)
      }
    }
  }

  private static func frame(_ value: PickleValue, _ graph: borrowing PickleGraph) -> Frame? {
    switch value {
    case .list(let index), .set(let index), .dict(let index), .record(let index):
      return Frame(node: Int(index), count: graph.containers[Int(index)].count)
    case .tuple(let range):
      guard range.count > 0 else { return nil }
      return Frame(node: graph.containers.count + Int(range.start), count: Int(range.count))
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
