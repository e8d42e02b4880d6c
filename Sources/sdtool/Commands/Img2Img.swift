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
        The picture is a PNG or JPEG file whose sides are multiples of 8. Where a mask of the same \
        size is white, the picture is made anew; where it is black, it stays. Models for inpainting \
        (9 channels) see the mask; others (4 channels) have what stays put back after every step.

        EXAMPLES
          sdtool img2img -m model.safetensors --image photo.png -p "oil painting" -o painting.png
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

    @OptionGroup var sampling: SamplingOptions
    @OptionGroup var computing: ComputingOptions
    @OptionGroup var output: PictureOutputOptions

    func run() throws {
      try orFail { () throws(Fault) in
        var request = try ImageRequest(prompt, sampling, size: nil)
        let picture = try Picture(path: image)
        request.image = picture
        request.width = picture.width
        request.height = picture.height
        request.strength = strength
        if let mask { request.mask = try Picture(path: mask, over: .black) }
        do throws(Fault) {
          try request.check()
        } catch {
          // What does not fit is one of these files.
          throw error.rule == .imageMismatch
            ? error.at(mask ?? image) : error.rule == .imageSize ? error.at(image) : error
        }
        try PictureJob(
          request: request, model: model, embeddings: prompt.embeddings, computing: computing,
          output: output
        ).run()
      }
    }
  }
}
