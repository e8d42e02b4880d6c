import Pictures
import SafeTensors
import Tensors
import TestSupport
import Testing

/// What Pillow makes of pictures; see fixtures/pictures/make.py.
@Suite("Pictures as Pillow makes them")
struct PillowTests {
  private func picture(_ name: String, in file: String = "expected") throws -> Picture {
    let expected = try SafeTensorsFile(
      InputFile(path: Fixtures.path("pictures/\(file).safetensors")))
    let index = try #require(expected.indexByName()[TensorName(name)])
    let shape = expected.tensors[index].shape
    return Picture(width: shape[1], height: shape[0], pixels: try expected.bytes(of: index))
  }

  @Test(
    "pictures are scaled to the same bytes",
    arguments: [(72, 40), (160, 136), (64, 96), (127, 97)])
  func resized(_ width: Int, _ height: Int) throws {
    let image = try Picture(path: Fixtures.path("generation/image.png"))
    let made = image.resized(width: width, height: height)
    #expect(made == (try picture("resized.\(width)x\(height)")))
    #expect(image.resized(width: image.width, height: image.height) == image)
  }

  @Test("a picture that fills a size loses both ends of its longer side")
  func filled() {
    var wide = Picture(width: 60, height: 20, red: 0, green: 0, blue: 0)
    wide.draw(Picture(width: 20, height: 20), atX: 20, y: 0)
    #expect(wide.filled(width: 20, height: 20) == Picture(width: 20, height: 20))
    let scaled = wide.filled(width: 10, height: 10)
    #expect(scaled == Picture(width: 10, height: 10))
    let high = Picture(width: 20, height: 60).filled(width: 64, height: 8)
    #expect(high.width == 64 && high.height == 8)
  }

  /// Whether there is a library for JPEG files, which is optional.
  private static let readsJPEG: Bool = {
    do throws(Fault) {
      _ = try Picture(path: Fixtures.path("pictures/photo.jpg"))
      return true
    } catch { return error.rule != .pictureLibrary }
  }()

  @Test("JPEG files are read", .enabled(if: readsJPEG), arguments: ["photo", "grey"])
  func jpeg(_ name: String) throws {
    let read = try Picture(path: Fixtures.path("pictures/\(name).jpg"))
    let wanted = try picture(name)
    #expect(read.width == wanted.width && read.height == wanted.height)
    // Versions of the library differ by one in the last place of what they upsample.
    let largest = zip(read.pixels, wanted.pixels).map { abs(Int($0) - Int($1)) }.max()
    #expect(try #require(largest) <= 1)
  }

  @Test(
    "pictures of cameras that were turned are upright; see turned.py", .enabled(if: readsJPEG),
    arguments: 1...8)
  func turned(_ orientation: Int) throws {
    let name = "turned-\(orientation)"
    let read = try Picture(path: Fixtures.path("pictures/\(name).jpg"))
    let wanted = try picture(name, in: "turned")
    #expect(read.width == wanted.width && read.height == wanted.height)
    let largest = zip(read.pixels, wanted.pixels).map { abs(Int($0) - Int($1)) }.max()
    #expect(try #require(largest) <= 1)
  }

  @Test("a JPEG file that was cut is refused", .enabled(if: readsJPEG), arguments: [3, 200, 1500])
  func truncated(_ count: Int) throws {
    let folder = TemporaryFolder()
    let bytes = contents(of: Fixtures.path("pictures/photo.jpg"))
    try #require(count < bytes.count - 100)
    let path = folder.write(Array(bytes[..<count]), to: "cut.jpg")
    let fault = #expect(throws: Fault.self) { try Picture(path: path) }
    #expect(fault?.rule == .notAPicture)
  }
}

@Suite("Texts in PNG files")
struct PictureTextsTests {
  private let folder = TemporaryFolder()

  @Test("texts are read as they were written")
  func roundTrip() throws {
    let texts = [
      MetadataEntry(key: "parameters", value: "a café\nSteps: 20"),
      MetadataEntry(key: "other", value: "猫 🐈"),
    ]
    let path = folder.path("a.png")
    try Picture(width: 9, height: 5).writePNG(to: path, texts: texts)
    let read = try PictureTexts(path: path)
    #expect(read.entries == texts)
    #expect(read.width == 9 && read.height == 5)
    #expect(read["other"] == "猫 🐈" && read["none"] == nil)
  }

  @Test("compressed texts are read")
  func compressed() throws {
    // Made with Python: zlib.compress(b"hello"), in a zTXt and in an iTXt chunk.
    let packed: [UInt8] = [120, 156, 203, 72, 205, 201, 201, 7, 0, 6, 44, 2, 21]
    let plain = try Picture(width: 8, height: 8).png()
    let chunks =
      Self.chunk("zTXt", Array("a\0\0".utf8) + packed, sum: [0x86, 0x3B, 0x75, 0x53])
      + Self.chunk("iTXt", Array("b\0\u{1}\0\0\0".utf8) + packed, sum: [0xF7, 0xEA, 0x6B, 0xDA])
    let path = folder.write(Array(plain[..<33] + chunks + plain[33...]), to: "z.png")
    let read = try PictureTexts(path: path)
    #expect(read["a"] == "hello" && read["b"] == "hello")
    // A text whose sum is wrong is not shown.
    var broken = contents(of: path)
    broken[33 + 8 + 4] ^= 1
    let fault = #expect(throws: Fault.self) {
      try PictureTexts(path: folder.write(broken, to: "broken.png"))
    }
    #expect(fault?.rule == .notAPicture)
  }

  private static func chunk(_ kind: String, _ data: [UInt8], sum: [UInt8]) -> [UInt8] {
    let count = data.count
    return [0, 0, UInt8(count >> 8), UInt8(count & 255)] + Array(kind.utf8) + data + sum
  }
}
