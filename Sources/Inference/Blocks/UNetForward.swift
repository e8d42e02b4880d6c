import StableDiffusion
import Tensors

extension UNet where Leaf == Weight {
  /// Predicts the noise in `x`.
  ///
  /// - `x`: latents, `[n, 4, h, w]`.
  /// - `timesteps`: their sinusoids, `[n, 1, 320]`.
  /// - `context`: the encoded prompts, `[n, tokens, 768]`.
  /// - gives `[n, 4, h, w]`.
  func callAsFunction(_ x: Tensor, timesteps: Tensor, context: Tensor) throws(Fault) -> Tensor {
    let embedding = try time2(time1(timesteps, then: .silu), then: .silu)
    var skips: [Tensor] = []
    var h = x
    for stage in input {
      h = try run(stage, h, embedding, context)
      skips.append(h)
    }
    if case .res(let first)? = middle.first {
      let label = first.norm1.weight.parameter.label("UNetMidBlockCrossAttn")
      h = try x.pass.block(label, h) { () throws(Fault) in try run(middle, h, embedding, context) }
    }
    for stage in output {
      let skip = skips.removeLast()
      h = try run(stage, h.joined(with: skip), embedding, context, doubledTo: skips.last)
    }
    return try convOut(normOut(h, then: .silu))
  }

  /// Runs the layers of one stage; a layer that doubles the image makes it as large as `next`.
  private func run(
    _ stage: [Layer], _ x: Tensor, _ embedding: Tensor, _ context: Tensor,
    doubledTo next: Tensor? = nil
  ) throws(Fault) -> Tensor {
    var h = x
    for layer in stage {
      switch layer {
      case .conv(let conv): h = try conv(h)
      case .res(let block): h = try block(h, time: embedding)
      case .attention(let transformer): h = try transformer(h, context: context)
      case .downsample(let conv): h = try conv.downsampling(h)
      case .upsample(let conv):
        // An odd height or width lost a row or column on the way down.
        let size = next?.extent ?? h.extent
        h = try conv.upsampling(h, to: (size.height, size.width))
      }
    }
    return h
  }
}
