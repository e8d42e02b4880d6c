import Dispatch
import Synchronization

/// A value that is computed on a thread of its own while the caller does something else.
///
///     let hashes = Pending { () throws(Fault) in try hash(files) }
///     try write(model)
///     let known = try hashes.value()
package final class Pending<Value: Sendable>: Sendable {
  private let result = Mutex<Result<Value, Fault>?>(nil)
  private let group = DispatchGroup()

  /// Begins to compute `body`.
  package init(_ body: @escaping @Sendable () throws(Fault) -> Value) {
    group.enter()
    DispatchQueue.global().async { [self] in
      let found: Result<Value, Fault>
      do throws(Fault) { found = .success(try body()) } catch { found = .failure(error) }
      result.withLock { $0 = found }
      group.leave()
    }
  }

  /// The value, once it is known.
  ///
  /// - Throws: what computing it threw.
  package func value() throws(Fault) -> Value {
    group.wait()
    guard let result = result.withLock({ $0 }) else { preconditionFailure("not computed") }
    return try result.get()
  }
}
