import Glibc
import Synchronization
import Tensors

/// Removes unfinished outputs when the program is interrupted (Ctrl-C) or asked to end.
enum Interruption {
  private static let hasBegun = Mutex(false)

  /// Watches for SIGINT and SIGTERM from a thread of its own; call it before other threads begin.
  static func watch() {
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    for number in [SIGINT, SIGTERM] where !isIgnored(number) { unsafe sigaddset(&signals, number) }
    // Threads inherit the mask, so that the signals reach no other thread.
    unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
    var thread = pthread_t()
    unsafe pthread_create(
      &thread, nil,
      { _ in
        Interruption.endWhenAsked()
        return nil
      }, nil)
  }

  /// Waits for one of the blocked signals, cleans up, and ends the program as the signal would have.
  private static func endWhenAsked() {
    var signals = sigset_t()
    unsafe pthread_sigmask(SIG_BLOCK, nil, &signals)
    var number: CInt = 0
    guard unsafe sigwait(&signals, &number) == 0 else { return }
    hasBegun.withLock { $0 = true }
    Unfinished.removeAll()
    _ = signal(number, SIG_DFL)
    unsafe pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    raise(number)
  }

  /// Waits for the end if the program is being interrupted.
  ///
  /// What fails then fails because its files were removed, which nobody wants to read about.
  static func waitForEnd() {
    while hasBegun.withLock({ $0 }) { sleep(1) }
  }

  /// Whether the parent asked that the signal be ignored, as shells do for background jobs.
  private static func isIgnored(_ number: CInt) -> Bool {
    var action = sigaction()
    guard unsafe sigaction(number, nil, &action) == 0 else { return false }
    return unsafe unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 1
  }
}
