public import Tensors

/// The presets of a file that another tool wrote, and what in it could not be read.
///
/// Three formats are told apart by their contents:
/// - bbc-mc's `preset.tsv`: a name, a tab, and 25 numbers on each line;
/// - SuperMerger's and Chattiori's `mbwpresets.txt`: a name, a tab or colon, and 26 numbers;
/// - sd-meh's and SD.Next's Python (or JSON) dictionary: `"NAME": [26 numbers],`.
///
/// The two line formats may be mixed, begin with the heading `preset_name`, and leave lines empty.
///
///     let file = try PresetFile(parsing: bytes)
///     for problem in file.problems { print(problem) }   // line 7: has the wrong number of …
public struct PresetFile: Sendable {
  /// The presets that could be read, in their order; of two with one name the later one.
  public let presets: [Preset]
  /// What could not be read, or was overridden: each names its line.
  public let problems: [Fault]

  /// The largest file that is read, in bytes.
  public static let maximumByteCount = 1 << 20
  /// How many problems are reported; reading ends there.
  static let maximumProblemCount = 1000

  /// Reads a preset file.
  ///
  /// - Throws: ``Tensors/Rule/presetLine`` if the file is too large or no text at all.
  public init(parsing bytes: [UInt8]) throws(Fault) {
    guard bytes.count <= Self.maximumByteCount else {
      throw Fault(
        .presetLine, "is too large for a file of presets", severity: .fatal,
        expected: "at most \(Self.maximumByteCount) bytes", found: "\(bytes.count)")
    }
    guard !bytes.contains(0) else {
      throw Fault(
        .presetLine, "is not text", severity: .fatal, offset: bytes.firstIndex(of: 0),
        hint: "a preset file is one of bbc-mc, SuperMerger or sd-meh")
    }
    var collection = PresetCollection()
    let lines = Self.lines(of: bytes)
    if PythonPresets.isPython(lines) {
      var reader = PythonPresets(lines)
      reader.read(into: &collection)
    } else {
      Self.read(lines, into: &collection)
    }
    presets = collection.presets
    problems = collection.problems
  }

  /// The lines without their ends and without a byte order mark.
  private static func lines(of bytes: [UInt8]) -> [Substring] {
    let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
    let text = bytes.starts(with: mark) ? bytes[3...] : bytes[...]
    return text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map {
      trimmedEnd(String(decoding: $0, as: UTF8.self))
    }
  }

  /// Reads lines of a name, a tab or colon, and numbers.
  private static func read(_ lines: [Substring], into collection: inout PresetCollection) {
    for (index, line) in lines.enumerated() where !line.isEmpty {
      guard !collection.isFull else { return }
      if index == 0, line.hasPrefix("preset_name") { continue }
      let number = index + 1
      guard let separator = line.firstIndex(of: "\t") ?? line.firstIndex(of: ":") else {
        collection.report(
          Fault(
            .presetLine, "has neither tab nor colon", expected: "a name, a tab, and weights",
            found: "'\(shortened(line))'"), line: number)
        continue
      }
      collection.add(
        name: trimmed(line[..<separator]), list: trimmed(line[line.index(after: separator)...]),
        line: number)
    }
  }
}

/// Presets and problems, while a file is read.
struct PresetCollection {
  private(set) var presets: [Preset] = []
  private(set) var problems: [Fault] = []
  private var positions: [String: (index: Int, line: Int)] = [:]

  /// Whether so much was wrong that reading on is of no use.
  var isFull: Bool { problems.count >= PresetFile.maximumProblemCount }

  /// Adds the preset of a line, or what is wrong with it.
  mutating func add(name: Substring, list: Substring, line: Int) {
    guard !name.isEmpty, name.utf8.count <= 100 else {
      report(Fault(.presetLine, "has no name of at most 100 bytes before its weights"), line: line)
      return
    }
    let weights: BlockWeights
    do throws(Fault) {
      weights = try BlockWeights(list: list)
    } catch {
      let count = list.split(separator: ",", maxSplits: 100).count
      var fault = error
      if count == 20 || count == 21 {
        fault.hint = "20 weights are for SDXL"
      }
      report(fault, line: line, name: name)
      return
    }
    guard weights.extras.isEmpty else {
      report(
        Fault(
          .weightCount, "has the wrong number of block weights", expected: "25 or 26",
          found: "\(list.split(separator: ",").count) values"), line: line, name: name)
      return
    }
    let preset = Preset(String(name), weights)
    if let (index, first) = positions.updateValue((presets.count, line), forKey: name.uppercased())
    {
      report(
        Fault(
          .presetLine, "was defined on line \(first) already; the later definition counts",
          severity: .warning), line: line, name: name)
      presets[index] = preset
      positions[name.uppercased()] = (index, line)
    } else {
      presets.append(preset)
    }
  }

  /// Notes what is wrong on a line.
  mutating func report(_ fault: Fault, line: Int, name: Substring? = nil) {
    guard !isFull else { return }
    var fault = fault
    let subject = name.map { "preset '\(shortened($0))' " } ?? ""
    fault.message = "line \(line): " + subject + fault.message
    if fault.rule != .presetLine { fault.severity = .error }
    problems.append(fault)
  }
}
