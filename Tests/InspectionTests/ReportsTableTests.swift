import Inspection
import Testing

@Suite("Text, numbers and tables")
struct ReportsTableTests {
  private var table: TextTable {
    var table = TextTable([
      .init("tensor", shrinks: true), .init("shape"), .init("values", .right), .init("remark"),
    ])
    table.append([
      "\("model.diffusion_model.input_blocks.0.0.weight", .name)", "320 4 3 3", "11,520", "",
    ])
    table.append(["short", "[]", "1", "scalar"])
    table.appendRule()
    table.append(["", "", "11,521"])
    return table
  }

  @Test("columns are aligned and no line ends in a blank")
  func natural() {
    #expect(
      table.lines() == [
        "tensor                                         shape      values  remark",
        "model.diffusion_model.input_blocks.0.0.weight  320 4 3 3  11,520",
        "short                                          []              1  scalar",
        "────────────────────────────────────────────────────────────────────────",
        "                                                          11,521",
      ])
  }

  @Test("the flexible column gives way in its middle")
  func fitted() {
    #expect(
      table.lines(width: 50) == [
        "tensor                   shape      values  remark",
        "model.diffu….0.0.weight  320 4 3 3  11,520",
        "short                    []              1  scalar",
        "──────────────────────────────────────────────────",
        "                                    11,521",
      ])
  }

  @Test("a table fits the terminal", arguments: [40, 80, 120])
  func width(width: Int) {
    for line in table.lines(width: width) { #expect(line.columns <= width) }
    #expect(table.lines(width: 120) == table.lines())
  }

  @Test("several flexible columns give way to a common width")
  func commonWidth() {
    var table = TextTable([.init(shrinks: true), .init(shrinks: true), .init(shrinks: true)])
    table.append([
      StyledText(String(repeating: "a", count: 60)), StyledText(String(repeating: "b", count: 40)),
      "cccccccccc",
    ])
    let line = table.lines(width: 54)[0]
    #expect(line.columns == 54)
    #expect(line.split(separator: " ").map(\.columns) == [20, 20, 10])
  }

  @Test("what cannot shrink is not cut")
  func rigid() {
    var table = TextTable([.init(), .init("", .right)])
    table.append(["a fixed text", "1,234,567"])
    #expect(table.lines(width: 10) == ["a fixed text  1,234,567"])
  }

  @Test("colour does not count as width")
  func color() {
    let plain = table.lines(width: 50)
    let colored = table.lines(width: 50, style: .colored)
    #expect(colored != plain)
    #expect(colored.map { $0.replacing(/\u{1B}\[[0-9;]*m/, with: "") } == plain)
  }

  @Test(
    "wide and combining characters count as they are shown",
    arguments: [
      ("abc", 3), ("長い", 4), ("e\u{301}", 1), ("é", 1), ("😀", 2), ("한국", 4), ("Ａ", 2), ("", 0),
    ])
  func columns(text: String, columns: Int) {
    #expect(text.columns == columns)
  }

  @Test(
    "a text is shortened in its middle",
    arguments: [
      ("abcdefghij", 10, "abcdefghij"), ("abcdefghij", 9, "abcd…ghij"), ("abcdefghij", 4, "a…ij"),
      ("abcdefghij", 1, "…"), ("abcdefghij", 0, ""), ("長い名前です", 7, "長…です"),
    ])
  func shortened(text: String, limit: Int, result: String) {
    #expect(middleTruncated(text, to: limit) == result)
    #expect(StyledText(text).truncated(to: limit).plain == result)
  }

  @Test("names that begin alike are told apart in a narrow table")
  func alike() {
    let start = "model.diffusion_model.output_blocks."
    #expect(commonStart(of: [start + "3.a", start + "4.b"]) == start)
    #expect(commonStart(of: ["a.b", "a.b"]) == "a." && commonStart(of: ["a.b"]).isEmpty)
    #expect(commonStart(of: ["a.", "a.b"]).isEmpty && commonStart(of: ["a", "b"]).isEmpty)
    var table = TextTable([.init("tensor", shrinks: true), .init("n", .right)])
    let names = (0..<9).map { "\(start)\($0).0.transformer_blocks.0.attn1.to_\($0).weight" }
    for name in names { table.append(["\(name)", "1"]) }
    #expect(table.lines(width: 200).dropFirst().allSatisfy { $0.hasPrefix(start) })
    let lines = table.lines(width: 24).dropFirst()
    #expect(Set(lines).count == names.count && lines.allSatisfy { $0.columns <= 24 })
    #expect(lines.first == "….0.attn1.to_0.weight  1")
  }

  @Test("lines break at spaces, else at joints, else anywhere")
  func wrapping() {
    func wrap(_ text: String, _ width: Int) -> [String] {
      StyledText(text).wrapped(to: width).map(\.plain)
    }
    #expect(wrap("one two three", 7) == ["one two", "three"])
    #expect(wrap("one two three", 8) == ["one two", "three"])
    #expect(wrap("a model.diffusion_model.out", 16) == ["a", "model.diffusion_", "model.out"])
    #expect(wrap("abcdefghij", 4) == ["abcd", "efgh", "ij"])
    #expect(wrap("byte\u{A0}17 is", 8) == ["byte 17", "is"])
    #expect(wrap("one   two  three", 7) == ["one", "two", "three"])
    #expect(wrap("", 8) == [""])
    #expect(wrap("長い", 1) == ["長", "い"])
  }

  @Test(
    "what is invisible or obeyed by terminals becomes visible",
    arguments: [
      ("plain ~ text", "plain ~ text"), ("\u{1B}[31m", "␛[31m"), ("a\nb\r\tc", "a␊b␍␉c"),
      ("\0\u{7F}", "␀␡"), ("\u{9B}1m", "\\u{009B}1m"), ("a\u{202E}b", "a\\u{202E}b"),
      ("\u{2067}\u{200F}\u{61C}", "\\u{2067}\\u{200F}\\u{061C}"),
      ("\u{200B}\u{FEFF}\u{2028}", "\\u{200B}\\u{FEFF}\\u{2028}"), ("\u{E0041}", "\\u{E0041}"),
      ("\u{E000}\u{FFFF}\u{115F}", "\\u{E000}\\u{FFFF}\\u{115F}"), ("Grüße 長い 😀", "Grüße 長い 😀"),
      ("e\u{301}", "e\u{301}"), ("❤\u{FE0F}", "❤\u{FE0F}"),
    ])
  func sanitized(text: String, result: String) {
    #expect(text.sanitized.unicodeScalars.elementsEqual(result.unicodeScalars))
  }

  @Test("a very long text is shortened quickly")
  func longText() {
    let long = String(repeating: "\u{1B}x", count: 5_000_000)
    #expect(long.sanitized(limit: 9) == "␛x␛x…␛x␛x")
    let combining = "a" + String(repeating: "\u{301}", count: 1_000_000)
    #expect(combining.sanitized(limit: 9).columns <= 9)
  }

  @Test(
    "numbers are written for people",
    arguments: [
      (Written.count(0), "0"), (Written.count(999), "999"), (Written.count(1000), "1,000"),
      (Written.count(1_234_567), "1,234,567"), (Written.count(-1234), "-1,234"),
      (Written.count(.min), "-9,223,372,036,854,775,808"), (Written.count(1, "file"), "1 file"),
      (Written.count(2000, "file"), "2,000 files"),
      (Written.count(0, "entry", "entries"), "0 entries"),
      (Written.fileSize(1), "1 byte"), (Written.fileSize(999), "999 bytes"),
      (Written.fileSize(1000), "1.00 kB"), (Written.fileSize(999_499), "999 kB"),
      (Written.fileSize(999_500), "1.00 MB"), (Written.fileSize(2_132_625_894), "2.13 GB"),
      (Written.fileSize(.max), "9.22 EB"), (Written.memorySize(2_132_625_894), "1.99 GiB"),
      (Written.memorySize(1023), "1023 bytes"), (Written.memorySize(1 << 20), "1.00 MiB"),
      (Written.memorySize(1000 << 10), "0.98 MiB"),
      (Written.approximately(859_520_964), "860 M"),
      (Written.approximately(1_066_235_307), "1.07 B"),
      (Written.approximately(4), "4"),
      (Written.percentage(1, of: 3), "33.3%"), (Written.percentage(0, of: 3), "0%"),
      (Written.percentage(3, of: 3), "100%"), (Written.percentage(1, of: 100_000), "<0.1%"),
      (Written.percentage(99_999, of: 100_000), ">99.9%"), (Written.percentage(0, of: 0), "–"),
      (Written.duration(seconds: 0.0031), "3 ms"), (Written.duration(seconds: 0.31), "0.31 s"),
      (Written.duration(seconds: 12.34), "12.3 s"), (Written.duration(seconds: 125), "2 min 05 s"),
      (Written.duration(seconds: 59.97), "1 min 00 s"), (Written.duration(seconds: .nan), "–"),
      (Written.decimal(0.18, digits: 3), "0.180"), (Written.decimal(-0.001, digits: 2), "0.00"),
      (Written.decimal(-1.5, digits: 1), "-1.5"), (Written.decimal(.infinity, digits: 1), "inf"),
      (Written.decimal(2.5, digits: 0), "2"), (Written.decimal(1e300, digits: 2), "1e+300"),
    ])
  func numbers(text: String, expected: String) {
    #expect(text == expected)
  }
}
