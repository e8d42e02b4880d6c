import Generation
import Pictures
import Sampling
import Testing

@Suite("Parameters of pictures")
struct ParameterTests {
  /// The web UI's own regular expression for a setting.
  private func webUIFields(_ line: String) -> [(String, String)] {
    let setting = /\s*(\w[\w \-\/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)/
    return line.matches(of: setting).map { (String($0.1), String($0.2)) }
  }

  private func request() -> ImageRequest {
    var request = ImageRequest(prompt: "a (cat:1.2), Steps: 3\nsecond line")
    request.negativePrompt = "dog\nbird"
    request.seed = 5
    request.sigmas = .karras
    request.clipSkip = 2
    request.image = Picture(width: 512, height: 512)
    request.strength = 0.6
    request.settings.eta = 0.5
    return request
  }

  private var ingredients: ImageRequest.Ingredients {
    var with = ImageRequest.Ingredients(
      model: "a, \"b\" \\ c", modelHash: "0123456789", version: "sdtool")
    with.loraTags = ["<lora:style:0.8>"]
    with.loras = [.init(name: "style", hash: "0123456789ab"), .init(name: "o:t", hash: "ba")]
    with.embeddings = [.init(name: "ti", hash: "9876543210ab")]
    return with
  }

  @Test("settings have the web UI's names and order, and its quotation marks")
  func order() {
    let lines = request().parameters(of: 1, with: ingredients).text.split(separator: "\n")
    #expect(
      lines.dropLast().joined(separator: "|")
        == "a (cat:1.2), Steps: 3|second line <lora:style:0.8>|Negative prompt: dog|bird")
    #expect(
      lines.last == """
        Steps: 20, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7, Seed: 6, \
        Size: 512x512, Model hash: 0123456789, Model: "a, \\"b\\" \\\\ c", \
        Denoising strength: 0.6, Clip skip: 2, RNG: CPU, Eta: 0.5, \
        Lora hashes: "style: 0123456789ab, ot: ba", TI hashes: "ti: 9876543210ab", \
        Version: sdtool
        """)
  }

  @Test("the web UI's expression reads back what was written, and so does this library")
  func readBack() throws {
    let written = request().parameters(of: 0, with: ingredients)
    let line = try #require(written.text.split(separator: "\n").last)
    let fields = webUIFields(String(line))
    #expect(fields.map(\.0) == written.fields.map(\.name))
    for (field, own) in zip(fields, written.fields) {
      let isQuoted = field.1.hasPrefix("\"")
      #expect(isQuoted || field.1 == own.value)
    }
    let read = PictureParameters(reading: written.text)
    #expect(read == written)
    #expect(read["Model"] == "a, \"b\" \\ c")
  }

  @Test(
    "texts of web UIs are read",
    arguments: [
      (
        "girl\nNegative prompt: ugly, (bad:1.3)\nSteps: 20, Sampler: Euler a, CFG scale: 7.5, "
          + "Seed: 965400086, Size: 512x512, Model hash: 45dee52b",
        "girl", "ugly, (bad:1.3)", ["Steps", "Sampler", "CFG scale", "Seed", "Size", "Model hash"]
      ),
      ("no settings: at all", "no settings: at all", "", []),
      ("", "", "", []),
      ("a: b, c: d", "a: b, c: d", "", []),
      (
        "x\nSteps: 1, Lora hashes: \"a: 1, b: \\\"2\\\"\", Hires upscale: 2, Version: v1.10.1",
        "x", "", ["Steps", "Lora hashes", "Hires upscale", "Version"]
      ),
      ("x\n::,:a, bb: \"open, cc: 1, dd: ,", "x", "", ["bb", "cc", "dd"]),
    ])
  func foreign(_ text: String, _ prompt: String, _ negative: String, _ names: [String]) {
    let read = PictureParameters(reading: text)
    #expect(read.prompt == prompt)
    #expect(read.negativePrompt == negative)
    #expect(read.fields.map(\.name) == names)
    // Where there are settings, the web UI's expression finds the same ones.
    if let last = text.split(separator: "\n").last, !names.isEmpty {
      #expect(webUIFields(String(last)).map(\.0) == names)
    }
  }

  @Test("a sampler's name may hold its schedule, as the web UIs and ComfyUI write them")
  func names() throws {
    for (text, name, sigmas) in [
      ("DPM++ 2M Karras", "dpmpp-2m", SigmaSpacing.karras), ("euler_ancestral", "euler-a", nil),
      ("k_dpmpp_2s_a", "dpmpp-2s-a", nil),
      ("DPM++ 2M SDE Exponential", "dpmpp-2m-sde", .exponential),
      ("UniPC", "unipc", nil), ("uni_pc", "unipc", nil), ("Euler a Automatic", "euler-a", .normal),
    ] as [(String, String, SigmaSpacing?)] {
      let (sampler, found) = try Samplers.withSchedule(text)
      #expect(sampler.name == name && found == sigmas, "\(text)")
    }
  }
}
