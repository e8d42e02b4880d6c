import Foundation

/// The `sdtool` that was built with the tests.
enum Tool {
  /// Where it is: beside the test bundle.
  static let url: URL = {
    let bundle = Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }
    let products =
      bundle?.bundleURL.deletingLastPathComponent()
      ?? URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    return products.appendingPathComponent("sdtool")
  }()

  /// What a run of it printed, and how it ended.
  struct Result {
    let code: Int32
    let output: String
    let errors: String
  }

  /// Runs it with `arguments`.
  static func run(_ arguments: String...) throws -> Result { try run(arguments) }

  /// Runs it with `arguments`.
  static func run(_ arguments: [String]) throws -> Result { try run(url, arguments) }

  /// Starts it with `arguments`, for signals to be sent to; what it prints is lost.
  static func start(_ arguments: [String]) throws -> Process {
    let process = Process()
    process.executableURL = url
    process.arguments = arguments
    process.environment = environment
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    return process
  }

  /// The environment of the tests, with a cache of their own.
  private static let environment = ProcessInfo.processInfo.environment.merging([
    "XDG_CACHE_HOME": FileManager.default.temporaryDirectory
      .appendingPathComponent("sdtool-test-cache").path
  ]) { $1 }

  /// Runs any program.
  static func run(_ program: URL, _ arguments: [String]) throws -> Result {
    let process = Process()
    process.executableURL = program
    process.arguments = arguments
    process.environment = environment
    // Output goes to files: a pipe that nobody empties would stop the program, and Foundation traps
    // when a signal interrupts the reading of one.
    let folder = FileManager.default.temporaryDirectory
    let names = (0..<2).map { _ in folder.appendingPathComponent(UUID().uuidString) }
    for name in names { try Data().write(to: name) }
    defer { for name in names { try? FileManager.default.removeItem(at: name) } }
    process.standardOutput = try FileHandle(forWritingTo: names[0])
    process.standardError = try FileHandle(forWritingTo: names[1])
    try process.run()
    process.waitUntilExit()
    let texts = try names.map { try String(decoding: Data(contentsOf: $0), as: UTF8.self) }
    return Result(
      code: process.terminationReason == .exit ? process.terminationStatus : -1,
      output: texts[0], errors: texts[1])
  }
}
