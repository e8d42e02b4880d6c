import Glibc
import Inference
import Sampling
import Tensors

/// An image as the VAE sees it: a normal distribution for each number of the latents.
struct EncodedImage {
  let mean: [Float]
  let logVariance: [Float]

  /// What the U-Net's latents are scaled by.
  static let scale: Float = 0.18215

  init(_ planes: [Float], width: Int, height: Int, by vae: VAEModel) throws(Fault) {
    let (mean, logVariance) = try vae.encode(FloatArray([1, 3, height, width], planes))
    self.mean = mean.values
    self.logVariance = logVariance.values
  }

  /// Latents drawn with these normal numbers.
  func latents(_ normals: [Float]) -> [Float] {
    mean.indices.map { index in
      let deviation = exp(0.5 * Double(logVariance[index]))
      return Float(Double(mean[index]) + deviation * Double(normals[index])) * Self.scale
    }
  }
}

/// What of the image may change.
struct LatentMask {
  /// 1 where latents are made, 0 where they stay; one number for each position.
  let values: [Float]

  /// Half-bright and brighter pixels change; of 8 × 8 pixels the first decides, as in diffusers.
  init(_ brightness: [Float], width: Int, height: Int) {
    values = (0..<height / 8).flatMap { row in
      (0..<width / 8).map { brightness[row * 8 * width + $0 * 8] >= 0.5 ? 1 : 0 }
    }
  }

  /// All may change.
  init(count: Int) { values = Array(repeating: 1, count: count) }

  /// The made latents where they may change, the kept ones elsewhere; both of any number of
  /// pictures with four channels each.
  func blended(_ made: Latents, over kept: Latents) -> Latents {
    var result = made
    for index in result.values.indices where values[index % values.count] == 0 {
      result.values[index] = kept.values[index]
    }
    return result
  }
}
