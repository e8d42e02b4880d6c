import Pictures
import Tensors
import TestSupport
import Testing

@Suite("Pictures")
struct PictureTests {
  private let folder = TemporaryFolder()

  /// A picture of noise, which does not compress.
  private static let sample: Picture = {
    var state: UInt32 = 1
    let pixels = (0..<3 * 37 * 21).map { _ in
      state = state &* 1_664_525 &+ 1_013_904_223
      return UInt8(state >> 24)
    }
    return Picture(width: 37, height: 21, pixels: pixels)
  }()

  @Test("a PNG file is read as it was written, with its texts in it")
  func roundTrip() throws {
    let path = folder.path("a.png")
    let texts = [
      MetadataEntry(key: "parameters", value: "a cat\nSteps: 20"),
      MetadataEntry(key: "other", value: "猫 café"),
    ]
    try Self.sample.writePNG(to: path, texts: texts)
    #expect(try Picture(path: path) == Self.sample)
    let bytes = contents(of: path)
    func holds(_ part: [UInt8]) -> Bool {
      bytes.indices.contains { bytes[$0...].starts(with: part) }
    }
    #expect(holds(Array("tEXtparameters\0a cat\nSteps: 20".utf8)))
    #expect(holds(Array("iTXtother\0\0\0\0\0猫 café".utf8)))
    let fault = #expect(throws: Fault.self) { try Self.sample.writePNG(to: path) }
    #expect(fault?.rule == .outputExists)
  }

  @Test("a file cut anywhere is refused", arguments: [0, 4, 8, 20, 33, 60, 500, 1000])
  func truncated(_ count: Int) throws {
    let bytes = try Self.sample.png()
    try #require(count < bytes.count - 12)
    let path = folder.write(Array(bytes[..<count]), to: "cut.png")
    let fault = #expect(throws: Fault.self) { try Picture(path: path) }
    #expect(fault?.rule == .notAPicture)
    #expect(fault?.path == path)
  }

  @Test("what is not a picture, or claims to be a huge one, is refused")
  func foreign() throws {
    let text = folder.write(Array("hello".utf8), to: "a.txt")
    #expect(throws: Fault.self) { try Picture(path: text) }
    var bytes = try Self.sample.png()
    // Width and height of the header; its check sum no longer fits either.
    for index in 16..<24 { bytes[index] = 0x7F }
    let huge = folder.write(bytes, to: "huge.png")
    #expect(throws: Fault.self) { try Picture(path: huge) }
  }

  @Test("planes of a VAE become bytes, cut at both ends; NaN is black")
  func planes() {
    let picture = Picture(
      width: 2, height: 1, planes: [-1, 1, 0, 5, -7, .nan] as [Float])
    #expect(picture.pixels == [0, 128, 0, 255, 255, 0])
    let back = Picture(width: 2, height: 1, pixels: [0, 128, 255, 1, 2, 3]).planes
    #expect(back[0] == -1 && back[4] == 1 && back.count == 6)
  }

  @Test("a label takes the room that it says")
  func label() {
    let text = BitmapText("Hg", scale: 1)
    var picture = Picture(width: text.width, height: text.height)
    text.draw(in: &picture, atX: 0, y: 0)
    let rows = (0..<text.height).map { row in
      String(
        (0..<text.width).map { picture.pixels[3 * (row * text.width + $0)] == 0 ? "#" : "." })
    }
    #expect(
      rows == [
        "#...#......", "#...#......", "#...#..####", "#####.#...#", "#...#.#...#", "#...#..####",
        "#...#.....#", ".......###.",
      ])
    #expect(BitmapText("long text", scale: 1).fitted(to: 30).width <= 30)
  }
}
