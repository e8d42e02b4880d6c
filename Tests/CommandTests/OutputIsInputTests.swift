import TestSupport
import Testing

/// No output replaces what it is made from, not even with `--force`.
@Suite("Outputs that are inputs are refused")
struct OutputIsInputTests {
  private let folder = TemporaryFolder()

  @Test(
    "commands that run, draw or examine models leave their inputs alone",
    arguments: [
      "forward unet -m a --size 64x64 --force -o a",
      "forward unet -m a --lora l --size 64x64 --force -o l",
      "txt2img -m a -p x --size 64x64 --steps 1 --force -o a",
      "txt2img -m a --lora l -p x --size 64x64 --steps 1 --force -o l",
      "txt2img -m a -p x --size 64x64 --steps 1 --force -o p.png --preview a",
      "txt2img -m a -p x --size 64x64 --steps 1 --force --grid seed=1,2 -o a",
      "img2img -m a --image i.png -p x --steps 4 --force -o i.png",
      "validate a -o a", "validate a --write-baseline a", "report a --force --format json -o a",
      "draw a --force --format svg -o a", "lora-merge a --lora l --force -o l",
    ])
  func refused(command: String) throws {
    for (name, source) in [("a", "base-a"), ("l", "heart-lora")] {
      _ = folder.write(contents(of: Fixtures.path("demo/\(source).safetensors")), to: name)
    }
    _ = folder.write(contents(of: Fixtures.path("generation/image.png")), to: "i.png")
    let before = ["a", "l", "i.png"].map { contents(of: folder.path($0)) }
    let result = try Tool.run(
      command.split(separator: " ").map {
        ["a", "l", "i.png", "p.png"].contains($0) ? folder.path(String($0)) : String($0)
      })
    #expect(result.code == 2 && result.errors.contains("[IO007]"), "\(result.errors)")
    #expect(["a", "l", "i.png"].map { contents(of: folder.path($0)) } == before)
  }
}
