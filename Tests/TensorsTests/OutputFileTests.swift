import Synchronization
import Tensors
import TestSupport
import Testing

@Suite("Files that are seen while they are written")
struct OutputFileTests {
  private let folder = TemporaryFolder()

  @Test("every observer sees all bytes in their order, for any width", arguments: [1, 8])
  func order(width: Int) throws {
    let path = folder.path("out")
    let count = 9 << 20 + 12_345
    let file = try OutputFile(path: path, byteCount: count)
    let seen = [Seen(), Seen()]
    try file.fill(width: width, observers: seen.map(\.observer)) { (offset, window) in
      for position in 0..<window.byteCount {
        window.storeBytes(
          of: UInt8(truncatingIfNeeded: (offset + position) / 4099), toByteOffset: position,
          as: UInt8.self)
      }
    }
    try file.commit()
    let bytes = contents(of: path)
    #expect(bytes.count == count)
    for one in seen { #expect(one.bytes == bytes) }
  }

  @Test("who waits for a turn is let go when another fails") func failure() throws {
    let file = try OutputFile(path: folder.path("out"), byteCount: 8 << 20)
    let seen = Seen()
    let found = #expect(throws: Fault.self) {
      try file.fill(width: 4, observers: [seen.observer]) { (offset, _) throws(Fault) in
        if offset == 2 << 20 { throw Fault(.diskFull, "no more") }
      }
    }
    #expect(found?.rule == .diskFull)
    #expect(seen.bytes.count <= 2 << 20)
  }

  /// Bytes in the order in which they came.
  private final class Seen: Sendable {
    private let state = Mutex([UInt8]())

    var bytes: [UInt8] { state.withLock { $0 } }

    var observer: OutputFile.Observer {
      { _, bytes in
        self.state.withLock { state in
          unsafe bytes.withUnsafeBytes { unsafe state.append(contentsOf: $0) }
        }
      }
    }
  }
}
