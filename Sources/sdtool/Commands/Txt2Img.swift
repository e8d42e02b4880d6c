import ArgumentParser
import Generation
import Tensors

extension SDTool {
  /// The command `sdtool txt2img`, which makes pictures of prompts.
  struct Txt2Img: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "txt2img",
      abstract: "Makes pictures of a prompt, on the processor.",
      discussion: """
        The same model, settings and seed give the same picture as diffusers does, within the \
        rounding of the precision; --rng philox begins with the noise of an Nvidia card. How it was \
        made is written into the PNG as the web UIs do. Prompts may give weight to words (word:1.2), \
        change from step to step [cat:dog:0.5], and name embeddings and LoRAs <lora:style:0.8>. \
        v-prediction and zero terminal SNR are recognised by the model's metadata, marks and \
        configuration.

        EXAMPLES
          sdtool txt2img -m model.safetensors -p "a lighthouse at dusk" --seed 42 -o dusk.png
          sdtool txt2img -m model.ckpt -p cat --sampler "DPM++ 2M Karras" --steps 25 -o cat.png
          sdtool txt2img -m recipe.yaml -p cat --grid mbw=GRAD_V,GRAD_A --grid seed=1..3 -o sheet.png
          sdtool txt2img -m model.safetensors -p cat --lora style.safetensors --grid lora=0,0.5,1 -o sheet.png

        EXIT CODES
          0 written, 2 the model, a setting or a file makes it impossible, 64 wrong usage
        """)

    @OptionGroup var model: PictureModelOptions
    @OptionGroup var prompt: PromptOptions

    @Option(help: "Width × height in pixels, multiples of 8.")
    var size: PictureSize?

    @OptionGroup var sampling: SamplingOptions
    @OptionGroup var training: TrainingOptions
    @OptionGroup var computing: ComputingOptions
    @OptionGroup var output: PictureOutputOptions

    func run() throws {
      try orFail { () throws(Fault) in
        try PictureJob(
          request: ImageRequest(prompt, sampling, size: size), model: model,
          embeddings: prompt.embeddings, training: training, computing: computing, output: output
        ).run()
      }
    }
  }
}
