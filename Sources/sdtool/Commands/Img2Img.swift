import ArgumentParser
import Generation
import Pictures
import Tensors

extension SDTool {
  /// The command `sdtool img2img`, which changes pictures by a prompt.
  struct Img2Img: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "img2img",
      abstract: "Changes a picture by a prompt, all of it or what a mask shows.",
      discussion: """
        The picture is a PNG or JPEG file. It is scaled to --size, or where that is not given and its \
        sides are no multiples of 8, to the next smaller ones, by Lanczos's filter. Where a mask, \
        which has the picture's own size, is white, the picture is made anew; where it is black, it \
        stays. Models for inpainting (9 channels) see the mask; others (4 channels) have what stays \
        put back after every step.

        EXAMPLES
          sdtool img2img -m model.safetensors --image photo.png -p "oil painting" -o painting.png
          sdtool img2img -m model.safetensors --image photo.jpg --size 768x512 --resize crop -p sketch -o sketch.png
          sdtool img2img -m inpainting.ckpt --image photo.png --mask mask.png -p cat -o cat.png

        EXIT CODES
          0 written, 2 the model, a setting or a file makes it impossible, 64 wrong usage
        """)

    @OptionGroup var model: PictureModelOptions
    @OptionGroup var prompt: PromptOptions

    @Option(help: ArgumentHelp("The picture to change.", valueName: "file"))
    var image: String

    @Option(help: ArgumentHelp("White where the picture is made anew.", valueName: "file"))
    var mask: String?

    @Option(help: "How much is changed, above 0 and at most 1.")
    var strength = 0.75

    @Option(help: "Width × height in pixels, multiples of 8 (default: as the picture).")
    var size: PictureSize?

    @Option(help: "How the picture comes to --size: stretch, or crop what is too much.")
    var resize: Resizing = .stretch

    @OptionGroup var sampling: SamplingOptions
    @OptionGroup var training: TrainingOptions
    @OptionGroup var computing: ComputingOptions
    @OptionGroup var output: PictureOutputOptions

    func run() throws {
      try orFail { () throws(Fault) in
        var request = try ImageRequest(prompt, sampling, size: size)
        request.strength = strength
        let remarks = try setPictures(of: &request)
        try PictureJob(
          request: request, model: model, embeddings: prompt.embeddings, training: training,
          computing: computing, output: output, remarks: remarks,
          pictures: [image] + (mask.map { [$0] } ?? [])
        ).run()
      }
    }

    /// Reads the picture and the mask, brings both to the size, and says how.
    private func setPictures(of request: inout ImageRequest) throws(Fault) -> [String] {
      let picture = try Picture(path: image)
      let hidden = try mask.map { path throws(Fault) in try Picture(path: path, over: .black) }
      if let hidden, let mask {
        guard hidden.width == picture.width, hidden.height == picture.height else {
          throw Fault(
            .imageMismatch, "the mask has another size than the picture", path: mask,
            expected: "\(picture.width) × \(picture.height)",
            found: "\(hidden.width) × \(hidden.height)", hint: "make it of the picture's size")
        }
      }
      let width = size?.width ?? max(64, picture.width / 8 * 8)
      let height = size?.height ?? max(64, picture.height / 8 * 8)
      (request.width, request.height) = (width, height)
      // What is asked for must make sense before it is scaled to.
      try request.check()
      request.image = resize.apply(to: picture, width, height)
      request.mask = hidden.map { resize.apply(to: $0, width, height) }
      guard (width, height) != (picture.width, picture.height) else { return [] }
      let how = resize == .crop ? "cut and scaled" : "scaled"
      return [
        "\(image) is \(picture.width) × \(picture.height); \(how) to \(width) × \(height)"
      ]
    }
  }

  /// How a picture comes to another size.
  enum Resizing: String, CaseIterable, ExpressibleByArgument {
    /// Width and height each by a factor of its own.
    case stretch
    /// What does not have the proportions is cut off on both sides.
    case crop

    func apply(to picture: Picture, _ width: Int, _ height: Int) -> Picture {
      switch self {
      case .stretch: picture.resized(width: width, height: height)
      case .crop: picture.filled(width: width, height: height)
      }
    }
  }
}
