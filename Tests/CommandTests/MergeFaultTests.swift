import Foundation
import Glibc
import TestSupport
import Testing

/// What must not happen to files, whatever goes wrong.
@Suite("Merging and converting what cannot be")
struct MergeFaultTests {
  private let folder = TemporaryFolder()

  private func model(_ name: String, seed: Int = 1, _ options: String...) throws -> String {
    let path = folder.path(name)
    let made = try Tool.run(
      ["synth", "--preset", "sd15-tiny", "--seed", "\(seed)", "-o", path, "--quiet"] + options)
    #expect(made.code == 0, "\(made.errors)")
    return path
  }

  /// The names of all files below the folder, unfinished ones among them.
  private func names() -> Set<String> {
    Set(FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String } ?? [])
  }

  /// Runs the tool, which must fail with `code` in one line with `words`, and change no file.
  private func expectRefusal(
    _ arguments: [String], code: Int32 = 2, _ words: String...,
    location: SourceLocation = #_sourceLocation
  ) throws {
    let before = names()
    let files = before.filter { $0.hasSuffix("safetensors") }
      .map { ($0, contents(of: folder.path($0))) }
    let run = try Tool.run(arguments)
    #expect(run.code == code, "\(run.errors)", sourceLocation: location)
    #expect(run.output.isEmpty, sourceLocation: location)
    let first = run.errors.split(separator: "\n").first.map(String.init) ?? ""
    for word in words {
      #expect(first.contains(word), "\(run.errors)", sourceLocation: location)
    }
    #expect(names() == before, sourceLocation: location)
    for (name, bytes) in files {
      let isSame = contents(of: folder.path(name)) == bytes
      #expect(isSame, "\(name)", sourceLocation: location)
    }
  }

  @Test(
    "an input is not overwritten, by name, hard link, link or another spelling",
    arguments: ["a.safetensors", "hard.safetensors", "soft.safetensors", "./a.safetensors"],
    [true, false])
  func outputIsInput(name: String, merges: Bool) throws {
    let (a, b) = (try model("a.safetensors"), try model("b.safetensors", seed: 2))
    #expect(unsafe link(a, folder.path("hard.safetensors")) == 0)
    #expect(unsafe symlink(a, folder.path("soft.safetensors")) == 0)
    let command = merges ? ["merge", a, b] : ["convert", a]
    try expectRefusal(
      command + ["-o", folder.path(name), "--force"], name, "is the input", "another name")
  }

  @Test("a folder that holds an input is not replaced", arguments: [true, false])
  func outputHoldsInput(merges: Bool) throws {
    let (a, b) = (try model("a"), try model("b.safetensors", seed: 2))
    let command = merges ? ["merge", a, b] : ["convert", a]
    try expectRefusal(command + ["-o", a, "--force"], "input", "another name")
  }

  @Test("an existing output is kept without --force", arguments: [true, false])
  func exists(merges: Bool) throws {
    let (a, b) = (try model("a.safetensors"), try model("b.safetensors", seed: 2))
    let output = try model("c.safetensors", seed: 3)
    let command = merges ? ["merge", a, b] : ["convert", a]
    try expectRefusal(command + ["-o", output], "exists already", "--force")
    #expect(try Tool.run(command + ["-o", output, "--force", "--quiet"]).code == 0)
  }

  @Test("a folder that cannot be written to is named", arguments: [true, false])
  func unwritable(merges: Bool) throws {
    let (a, b) = (try model("a.safetensors"), try model("b.safetensors", seed: 2))
    let command = merges ? ["merge", a, b] : ["convert", a]
    // Permissions do not stop the superuser, a file in the place of the folder does.
    try expectRefusal(command + ["-o", b + "/out.safetensors"], "b.safetensors", "cannot")
    try expectRefusal(
      command + ["-o", folder.path("none/out.safetensors")], "none", "No such file")
  }

  @Test(
    "a disk that is too small is noticed before anything is written",
    .enabled(if: SmallDisk.isPossible, "mounting a small file system needs the superuser"),
    arguments: [true, false])
  func smallDisk(merges: Bool) throws {
    let (a, b) = (try model("a.safetensors"), try model("b.safetensors", seed: 2))
    let disk = try SmallDisk(at: folder.path("disk"), byteCount: 7 << 20)
    defer { disk.remove() }
    let command = merges ? ["merge", a, b] : ["convert", a]
    for name in ["out.safetensors", "out.ckpt", "out"] {
      try expectRefusal(
        command + ["-o", disk.path + "/" + name], "disk", "has too little room", "bytes free")
      let planned = try Tool.run(command + ["-o", disk.path + "/" + name, "--plan"])
      #expect(planned.code == 2 && planned.errors.contains("has too little room"))
    }
  }

  @Test(
    "a disk that fills up meanwhile ends the merge, and nothing of it is left",
    .enabled(if: SmallDisk.isPossible, "mounting a small file system needs the superuser"))
  func fullDisk() throws {
    let paths = try (1...3).map { try model("\($0).safetensors", seed: $0) }
    let disk = try SmallDisk(at: folder.path("disk"), byteCount: 12 << 20)
    defer { disk.remove() }
    // The files of a folder are begun one after another; room is reserved for each by itself.
    let running = try Running(
      ["merge"] + paths + ["-o", disk.path + "/out", "--method", "smooth-add"], in: disk.path)
    let filler = FileManager.default.createFile(atPath: disk.path + "/filler", contents: nil)
    #expect(filler)
    let file = try FileHandle(forWritingTo: URL(fileURLWithPath: disk.path + "/filler"))
    while (try? file.write(contentsOf: Data(count: 1 << 16))) != nil {}
    try file.close()
    #expect(running.end() == .exit)
    #expect(running.process.terminationStatus == 2)
    let left = try FileManager.default.contentsOfDirectory(atPath: disk.path)
    #expect(left == ["filler"])
  }

  @Test("truncated, damaged and missing inputs are named", arguments: [true, false])
  func broken(merges: Bool) throws {
    let (a, b) = (try model("a.safetensors"), try model("b.safetensors", seed: 2))
    let output = folder.path("out.safetensors")
    func command(_ input: String) -> [String] {
      (merges ? ["merge", b, input] : ["convert", input]) + ["-o", output]
    }
    let short = folder.write(Array(contents(of: a).dropLast(100)), to: "short.safetensors")
    try expectRefusal(command(short), "short.safetensors", "100 bytes short")
    try expectRefusal(
      command(folder.path("shart.safetensors")), "No such file", "did you mean",
      "short.safetensors")
    let ckpt = try model("c.ckpt")
    var bytes = contents(of: ckpt)
    bytes[bytes.count / 2] ^= 1
    let damaged = folder.write(bytes, to: "damaged.ckpt")
    try expectRefusal(command(damaged), "damaged.ckpt", "has damaged bytes", "CRC-32")
  }

  @Test("an input that changes while it is read is noticed", arguments: [true, false])
  func changes(truncates: Bool) throws {
    let paths = try (1...3).map { try model("\($0).safetensors", seed: $0) }
    let running = try Running(
      ["merge"] + paths + ["-o", folder.path("out.safetensors"), "--method", "smooth-add"],
      in: folder.path)
    let size = contents(of: paths[2]).count
    if truncates {
      #expect(unsafe truncate(paths[2], 9000) == 0)
    } else {
      let file = try FileHandle(forWritingTo: URL(fileURLWithPath: paths[2]))
      try file.seek(toOffset: UInt64(size - 1))
      try file.write(contentsOf: Data([1]))
      try file.close()
    }
    #expect(running.end() == .exit)
    #expect(running.process.terminationStatus == 2)
    #expect(names() == ["1.safetensors", "2.safetensors", "3.safetensors"])
  }

  @Test(
    "a signal ends the merge as it should, and leaves nothing behind",
    arguments: [SIGINT, SIGTERM, SIGKILL], ["out.safetensors", "out.ckpt", "out"])
  func signals(signal: Int32, output: String) throws {
    let paths = try (1...3).map { try model("\($0).safetensors", seed: $0) }
    let before = names()
    let running = try Running(
      ["merge"] + paths + ["-o", folder.path(output), "--method", "smooth-add"], in: folder.path)
    kill(running.process.processIdentifier, signal)
    #expect(running.end() == .uncaughtSignal)
    #expect(running.process.terminationStatus == signal)
    let left = names().subtracting(before)
    if signal == SIGKILL {
      // Nobody can clean up after this one: what is left can be told by its name.
      #expect(
        left.allSatisfy { $0.hasPrefix(".\(output).") && $0.contains(".partial") }, "\(left)")
    } else {
      #expect(left.isEmpty, "\(left)")
    }
    #expect(!FileManager.default.fileExists(atPath: folder.path(output)))
  }

  @Test("wrong numbers, unknown names and other architectures are refused in one line")
  func wrongOptions() throws {
    let (a, b) = (try model("a.safetensors"), try model("b.safetensors", seed: 2))
    let output = ["-o", folder.path("out.safetensors")]
    let two = ["merge", a, b] + output
    try expectRefusal(
      two + ["--mbw", "0.1,0.2"], "--mbw", "expected 25 (IN00 to OUT11) or 26", "found 2 values")
    try expectRefusal(two + ["--mbw", "GRAD_W"], "GRAD_W", "did you mean 'GRAD_V'?")
    try expectRefusal(two + ["--method", "wieghted-sum"], "did you mean 'weighted-sum'?")
    try expectRefusal(two + ["--block", "IN12=0.5"], "IN12", "did you mean 'IN02'?")
    try expectRefusal(two + ["--mbw-dialect", "mbv"], "mbv", "did you mean 'mbw'?")
    try expectRefusal(
      two + ["--method", "n-average", "--weights", "1,2,3"], "wrong number of weights",
      "expected 2, found 3")
    try expectRefusal(two + ["--method", "add-difference"], "wrong number of models")
    let lora = folder.path("lora.safetensors")
    #expect(try Tool.run("synth", "--preset", "lora-tiny", "-o", lora, "--quiet").code == 0)
    try expectRefusal(
      ["merge", a, lora] + output, "lora.safetensors", "cannot be merged",
      "expected a Stable Diffusion 1.x model, found")
    let wide = folder.path("unet.safetensors")
    #expect(
      try Tool.run(
        "convert", a, "-o", wide, "--only", "vae", "--quiet"
      ).code == 0)
    try expectRefusal(["merge", a, b, "-o", "/dev/null", "--force"], "/dev/null")
  }

  @Test("a result too large for F16 is refused, limited, or kept in F32, and said to be")
  func overflow() throws {
    /// A model whose last value, in F16, is `high` times 256 as an unsigned number.
    func huge(_ seed: Int, _ high: UInt8) throws -> String {
      var bytes = contents(of: try model("plain.safetensors", seed: seed, "--force"))
      bytes[bytes.count - 2] = 0
      bytes[bytes.count - 1] = high
      return folder.write(bytes, to: "huge\(seed).safetensors")
    }
    // 32768 and −32768.
    let (a, b) = (try huge(1, 0x78), try huge(2, 0xF8))
    let output = folder.path("out.safetensors")
    let command = ["merge", a, b, "--alpha", "-1", "-o", output]
    try expectRefusal(command, "time_embed.2.weight", "too large for F16", "--overflow clamp")
    let limited = try Tool.run(command + ["--overflow", "clamp"])
    #expect(limited.code == 0 && limited.output.contains("clamped  1 value of"))
    let kept = try Tool.run(command + ["--overflow", "keep-f32", "--force"])
    #expect(kept.code == 0 && kept.output.contains("stored   1 tensor as F32 that had been F16"))
    let verified = try Tool.run("merge", "--verify", output, "--models", folder.path)
    #expect(verified.code == 0, "\(verified.errors)")
  }

  @Test("weights below 0 are numbers, not options")
  func negative() throws {
    let (a, b) = (try model("a.safetensors"), try model("b.safetensors", seed: 2))
    let list = "-0.5" + String(repeating: ",0", count: 24)
    for options in [["--alpha", "-1"], ["--mbw", list], ["--block", "OUT=-0.2"]] {
      let run = try Tool.run(["merge", a, b, "--plan", "--quiet"] + options)
      #expect(run.code == 0, "\(run.errors)")
    }
  }

  @Test("an infinite or NaN weight is refused with its place, unless it is allowed")
  func nonFinite() throws {
    let (a, b) = (try model("a.safetensors"), try model("b.safetensors", seed: 2))
    var bytes = contents(of: b)
    // The last value of the file, in F16.
    bytes[bytes.count - 2] = 0
    bytes[bytes.count - 1] = 0x7E
    let broken = folder.write(bytes, to: "nan.safetensors")
    let command = ["merge", a, broken, "-o", folder.path("out.safetensors"), "--quiet"]
    try expectRefusal(command, "nan.safetensors", "not finite", "NaN at position")
    #expect(try Tool.run(command + ["--allow-non-finite"]).code == 0)
  }
}

/// A merge that is under way.
private struct Running {
  let process: Process

  /// Starts the tool and waits until it has begun its output below `folder`.
  init(_ arguments: [String], in folder: String) throws {
    process = try Tool.start(arguments + ["--threads", "1"])
    let descriptors = "/proc/\(process.processIdentifier)/fd"
    for _ in 0..<1000 {
      let open = (try? FileManager.default.contentsOfDirectory(atPath: descriptors)) ?? []
      let files = open.compactMap {
        try? FileManager.default.destinationOfSymbolicLink(atPath: descriptors + "/" + $0)
      }
      if files.contains(where: {
        $0.hasPrefix(folder) && ($0.hasSuffix("(deleted)") || $0.contains(".partial"))
      }) {
        return
      }
      guard process.isRunning else { break }
      usleep(1000)
    }
    Issue.record("the merge was over before it could be disturbed")
  }

  /// Waits for the end and says how it came.
  func end() -> Process.TerminationReason {
    process.waitUntilExit()
    return process.terminationReason
  }
}

/// A file system in memory with little room.
private struct SmallDisk {
  let path: String

  /// Whether this process may mount one.
  static let isPossible: Bool = {
    guard geteuid() == 0 else { return false }
    let folder = TemporaryFolder()
    guard let disk = try? SmallDisk(at: folder.path("disk"), byteCount: 1 << 20) else {
      return false
    }
    disk.remove()
    return true
  }()

  init(at path: String, byteCount: Int) throws {
    self.path = path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    guard unsafe mount("tmpfs", path, "tmpfs", 0, "size=\(byteCount)") == 0 else {
      throw POSIXError(.EPERM)
    }
  }

  func remove() { unsafe _ = umount(path) }
}
