import ArgumentParser

/// What goes into a forward pass beside a file.
struct ForwardInputOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "A prompt in the place of tokens or context; brackets are text. For unet the model's own text "
        + "encoder reads it; give it again for each latent of a batch, or once for all.",
      valueName: "text"))
  var prompt: [String] = []

  @Option(help: ArgumentHelp("The time step, 0 to 999.", valueName: "number"))
  var timestep: Float?

  @Option(help: ArgumentHelp("The size of random inputs, in pixels.", valueName: "WxH"))
  var size = ImageSize(width: 512, height: 512)

  @Option(help: "The number of random inputs.")
  var batch = 1

  @Option(help: "What random inputs follow from.")
  var seed: UInt64 = 0

  @Option(help: "The text encoder's layer, 1 for the last.")
  var clipSkip = 1

  func validate() throws {
    if !(1...64).contains(batch) { throw ValidationError("--batch must be from 1 to 64") }
    if let timestep, !(0...999).contains(timestep) {
      throw ValidationError("--timestep must be from 0 to 999")
    }
    if !(1...12).contains(clipSkip) { throw ValidationError("--clip-skip must be from 1 to 12") }
  }
}

/// The size of an image, multiples of 8 pixels.
struct ImageSize: ExpressibleByArgument {
  let width: Int
  let height: Int

  init(width: Int, height: Int) {
    self.width = width
    self.height = height
  }

  init?(argument: String) {
    let parts = argument.lowercased().split(separator: "x", omittingEmptySubsequences: false)
    guard let width = parts.first.flatMap({ Int($0) }), parts.count <= 2,
      let height = parts.count == 1 ? width : Int(parts[1]),
      [width, height].allSatisfy({ (8...16384).contains($0) && $0 % 8 == 0 })
    else { return nil }
    self.init(width: width, height: height)
  }

  var defaultValueDescription: String { "\(width)x\(height)" }
}
