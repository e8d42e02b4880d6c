import Synchronization

/// An array that several threads fill in, each its own elements.
package final class Results<Element: Sendable>: Sendable {
  private let elements: Mutex<[Element]>

  /// `count` times the same.
  package init(repeating element: Element, count: Int) {
    elements = Mutex(Array(repeating: element, count: count))
  }

  /// One element.
  package subscript(index: Int) -> Element {
    get { elements.withLock { $0[index] } }
    set { elements.withLock { $0[index] = newValue } }
  }

  /// Changes one element.
  package func update(_ index: Int, _ change: (inout Element) -> Void) {
    elements.withLock { change(&$0[index]) }
  }

  /// All elements.
  package var values: [Element] { elements.withLock { $0 } }
}
