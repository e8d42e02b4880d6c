import Merge
import StableDiffusion
import Tensors
import Testing

/// What `work` throws, or `nil`.
func fault(_ work: () throws(Fault) -> Void) -> Fault? {
  do throws(Fault) {
    try work()
    return nil
  } catch {
    return error
  }
}

@Suite("Classic presets")
struct ClassicPresetTests {
  private func blocks(_ name: String) throws -> [Double] {
    try PresetLibrary.classic.preset(named: name).weights.blocks
  }

  @Test("there are 38, with distinct names and 25 weights each")
  func count() {
    #expect(Preset.classic.count == 38)
    #expect(Set(Preset.classic.map(\.name)).count == 38)
    #expect(Preset.classic.allSatisfy { $0.weights.blocks.count == 25 })
  }

  @Test("BASE is 0 in all but ALL_B")
  func base() {
    for preset in Preset.classic {
      #expect(preset.weights.base == (preset.name == "ALL_B" ? 1 : 0), "\(preset.name)")
    }
  }

  /// The curves as functions of the position from 0 (`IN00`) to 1 (`OUT11`), written down from
  /// their names; the lists are spreadsheets of them.
  static let curves: [(String, @Sendable (Double) -> Double)] = {
    @Sendable func smooth(_ t: Double) -> Double { t * t * (3 - 2 * t) }
    /// Once `x` passes an end it comes back from there.
    @Sendable func folded(_ x: Double) -> Double {
      let phase = x.truncatingRemainder(dividingBy: 2)
      return phase > 1 ? 2 - phase : phase
    }
    var curves: [(String, @Sendable (Double) -> Double)] = [
      ("GRAD_V", { abs(1 - 2 * $0) }), ("GRAD_A", { 1 - abs(1 - 2 * $0) }),
      ("FLAT_25", { _ in 0.25 }), ("FLAT_75", { _ in 0.75 }),
      ("ALL_A", { _ in 0 }), ("ALL_B", { _ in 1 }),
      ("SMOOTHSTEP", { smooth($0) }), ("REVERSE-SMOOTHSTEP", { 1 - smooth($0) }),
    ]
    for n in 2...4 {
      curves.append(("SMOOTHSTEP*\(n)", { folded(Double(n) * smooth($0)) }))
      curves.append(("R_SMOOTHSTEP*\(n)", { 1 - folded(Double(n) * smooth($0)) }))
      curves.append(("SMOOTHSTEP/\(n)", { smooth(folded(Double(n) * $0)) }))
      curves.append(("R_SMOOTHSTEP/\(n)", { 1 - smooth(folded(Double(n) * $0)) }))
    }
    return curves
  }()

  @Test("lists follow the curves that they are named after", arguments: curves.indices)
  func curve(index: Int) throws {
    let (name, curve) = Self.curves[index]
    for (position, weight) in try blocks(name).enumerated() {
      #expect(abs(weight - curve(Double(position) / 24)) < 1e-9, "\(name) \(position)")
    }
  }

  @Test(
    "lists named after a reversal are one minus the other",
    arguments: [
      ("COSINE", "REVERSE_COSINE"), ("TRUE_CUBIC_HERMITE", "TRUE_REVERSE_CUBIC_HERMITE"),
      ("FAKE_CUBIC_HERMITE", "FAKE_REVERSE_CUBIC_HERMITE"),
    ])
  func reversal(pair: (String, String)) throws {
    for (a, b) in zip(try blocks(pair.0), try blocks(pair.1)) { #expect(abs(a + b - 1) < 1e-9) }
  }

  @Test(
    "lists of steps have the ones where their names say",
    arguments: [
      ("WRAP08", "1111000000000000000001111"), ("WRAP12", "1111110000000000000111111"),
      ("WRAP14", "1111111000000000001111111"), ("WRAP16", "1111111100000000011111111"),
      ("MID12_50", "00000hhhhhhhhhhhhhh000000"), ("OUT07", "0000000000000000001111111"),
      ("OUT12", "0000000000000111111111111"), ("OUT12_5", "000000000000h111111111111"),
      ("RING08_SOFT", "00000h111h00000h111h00000"), ("RING08_5", "0000001111000001111000000"),
      ("RING10_5", "0000011111000001111100000"), ("RING10_3", "0000001111100011111000000"),
    ])
  func steps(name: String, pattern: String) throws {
    let expected = pattern.map { $0 == "h" ? 0.5 : $0 == "1" ? 1 : 0 }
    #expect(try blocks(name) == expected)
  }

  @Test(
    "names of sd-meh, SD.Next and early bbc-mc lists find the same lists",
    arguments: [
      ("2SMOOTHSTEP", "SMOOTHSTEP*2"), ("ONE_FOURTH_R_SMOOTHSTEP", "R_SMOOTHSTEP/4"),
      ("reverse_smoothstep", "REVERSE-SMOOTHSTEP"), ("NORMAL-SIGMOID", "SMOOTHSTEP"),
      ("CUBIC_HERMITE", "FAKE_CUBIC_HERMITE"), ("grad_v", "GRAD_V"),
    ])
  func aliases(alias: String, name: String) throws {
    #expect(PresetLibrary.classic[alias]?.name == name)
  }

  @Test(
    "an unknown preset is refused with the nearest name",
    arguments: [
      ("GRADV", "GRAD_V"), ("SMOTHSTEP", "SMOOTHSTEP"), ("wrap21", "WRAP12"),
    ])
  func unknown(name: String, nearest: String) {
    let fault = fault { () throws(Fault) in _ = try BlockWeights(name) }
    #expect(fault?.rule == .unknownPreset)
    #expect(fault?.sentence == "has no preset called '\(name)'; did you mean '\(nearest)'?")
  }

  @Test("a name that is near to none gets no suggestion")
  func farAway() {
    let fault = fault { () throws(Fault) in _ = try BlockWeights("something else") }
    #expect(fault?.hint?.hasPrefix("give 25 or 26 numbers") == true)
  }
}

@Suite("Preset files")
struct PresetFileTests {
  /// Five lines as bbc-mc's list has them.
  static let bbcmc = """
    preset_name\tpreset_weights
    SMOOTHSTEP*4\t0,0.0202546296296296,0.0787037037037037,0.171875,0.296296296296296,0.44849537037037,0.625,0.822337962962963,0.962962962962963,0.734375,0.49537037037037,0.249421296296296,0.0,0.249421296296296,0.495370370370371,0.734375000000001,0.962962962962963,0.822337962962962,0.625,0.448495370370369,0.296296296296297,0.171875,0.0787037037037024,0.0202546296296307,0
    R_SMOOTHSTEP/2\t1,0.980324074074074,0.925925925925926,0.84375,0.740740740740741,0.623842592592593,0.5,0.376157407407407,0.259259259259259,0.15625,0.0740740740740742,0.0196759259259256,0.0,0.0196759259259256,0.0740740740740742,0.15625,0.259259259259259,0.376157407407407,0.5,0.623842592592593,0.740740740740741,0.84375,0.925925925925926,0.980324074074074,1
    COSINE\t1,0.995722430686905,0.982962913144534,0.961939766255643,0.933012701892219,0.896676670145617,0.853553390593274,0.80438071450436,0.75,0.691341716182545,0.62940952255126,0.565263096110026,0.5,0.434736903889974,0.37059047744874,0.308658283817455,0.25,0.195619285495639,0.146446609406726,0.103323329854382,0.0669872981077805,0.0380602337443566,0.0170370868554658,0.00427756931309475,0
    TRUE_CUBIC_HERMITE\t0,0.199031876929012,0.325761959876543,0.424641927083333,0.498456790123457,0.549991560570988,0.58203125,0.597360869984568,0.598765432098765,0.589029947916667,0.570939429012346,0.547278886959876,0.520833333333333,0.49438777970679,0.470727237654321,0.45263671875,0.442901234567901,0.444305796682099,0.459635416666667,0.491675106095678,0.543209876543211,0.617024739583333,0.715904706790124,0.842634789737655,1
    FAKE_CUBIC_HERMITE\t0,0.157576195987654,0.28491512345679,0.384765625,0.459876543209877,0.512996720679012,0.546875,0.564260223765432,0.567901234567901,0.560546875,0.544945987654321,0.523847415123457,0.5,0.476152584876543,0.455054012345679,0.439453125,0.432098765432099,0.435739776234568,0.453125,0.487003279320987,0.540123456790124,0.615234375,0.71508487654321,0.842423804012347,1
    """

  private func read(_ text: String) throws -> PresetFile {
    try PresetFile(parsing: Array(text.utf8))
  }

  @Test("bbc-mc's list gives the same numbers as the classic presets")
  func bbcmcList() throws {
    let file = try read(Self.bbcmc)
    #expect(file.problems.isEmpty)
    #expect(file.presets.count == 5)
    for preset in file.presets {
      let classic = try PresetLibrary.classic.preset(named: preset.name)
      #expect(preset.weights.blocks == classic.weights.blocks, "\(preset.name)")
      #expect(preset.weights.base == nil)
    }
  }

  @Test("SuperMerger's list has 26 weights after a tab or a colon")
  func superMergerList() throws {
    let ones = Array(repeating: "1", count: 24).joined(separator: ",")
    let file = try read(
      "\u{FEFF}preset_name\tpreset_weights\r\nA\t0.2, 0.3,\(ones)\r\n\r\nB C:0.5,0,\(ones)")
    #expect(file.problems.isEmpty)
    #expect(file.presets.map(\.name) == ["A", "B C"])
    #expect(file.presets.map(\.weights.base) == [0.2, 0.5])
    #expect(file.presets.first?.weights[.in00] == 0.3)
    #expect(file.presets.first?.weights.origin == .preset("A"))
  }

  @Test("a Python dictionary is read; other code and SDXL lists are reported")
  func python() throws {
    let zeros = Array(repeating: "0", count: 24).joined(separator: ", ")
    let xl = Array(repeating: "0", count: 20).joined(separator: ", ")
    let file = try read(
      """
      # fmt: off
      PRESETS: dict = {  # twenty-six
          "A#1": [0.5, 1., \(zeros)],
          'B': [
              0, 0.25,
              \(zeros),  # the rest
          ],
      }

      XL = {"SDXL_A": [\(xl)]}
      import numpy
      fig = numpy.array(1)
      """)
    #expect(file.presets.map(\.name) == ["A#1", "B"])
    #expect(file.presets.map(\.weights.base) == [0.5, 0])
    #expect(file.presets.map { $0.weights[.in00] } == [1, 0.25])
    #expect(
      file.problems.map(\.sentence) == [
        "line 10: preset 'SDXL_A' has the wrong number of block weights: expected 25 (IN00 to "
          + "OUT11) or 26 (BASE first), found 20 values; 20 weights are for SDXL",
        "line 11: holds code that is no dictionary of presets and was not read (2 lines in all)",
      ])
    #expect(file.problems.map(\.severity) == [.error, .note])
  }

  @Test("bad lines of a Python dictionary are reported, and reading goes on after them")
  func badPython() throws {
    let zeros = Array(repeating: "0", count: 26).joined(separator: ", ")
    let file = try read(
      """
      P = {
        "A": [0, 1
        "B": [\(zeros)],
        C: 1,
        "D": "x",
        "E": [\(zeros)]
      """)
    #expect(file.presets.map(\.name) == ["B", "E"])
    #expect(
      file.problems.map { $0.message.prefix(7) } == ["line 2:", "line 4:", "line 5:", "line 6:"])
  }

  @Test("bad lines are reported by number and do not stop the others")
  func badLines() throws {
    let zeros = Array(repeating: "0", count: 24).joined(separator: ",")
    let file = try read(
      """
      A\t0,\(zeros)
      B\t0,0
      no separator
      C\tR,\(zeros)
      D\t0,x,\(zeros)
      \t0,\(zeros)
      a\t1,\(zeros)
      E\t1,2,3
      """)
    #expect(file.presets.map(\.name) == ["a"])
    #expect(file.presets.first?.weights[.in00] == 1)
    #expect(
      file.problems.map { String($0.sentence.prefix(64)) } == [
        "line 2: preset 'B' has the wrong number of block weights: expect",
        "line 3: has neither tab nor colon: expected a name, a tab, and w",
        "line 4: preset 'C' has the random weight 'R' at position 1 (IN00",
        "line 5: preset 'D' has no number at position 2 (IN00): expected ",
        "line 6: has no name of at most 100 bytes before its weights",
        "line 7: preset 'a' was defined on line 1 already; the later defi",
        "line 8: preset 'E' has the wrong number of block weights: expect",
      ])
  }

  @Test("a file of nothing but bad lines is given up after a thousand")
  func manyBadLines() throws {
    let file = try read(String(repeating: "x\n", count: 100_000))
    #expect(file.problems.count == 1000)
  }

  @Test("a file that is no text, or too large, is refused")
  func noText() {
    #expect(
      fault { () throws(Fault) in _ = try PresetFile(parsing: [0x50, 0x4B, 0x03, 0x00]) }?.rule
        == .presetLine)
    let large = [UInt8](repeating: 0x20, count: PresetFile.maximumByteCount + 1)
    #expect(fault { () throws(Fault) in _ = try PresetFile(parsing: large) }?.rule == .presetLine)
  }
}
