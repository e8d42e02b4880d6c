/// The noise predictor: latent `[n, 4, h, w]`, time step and context to noise `[n, 4, h, w]`.
///
/// Each stage is a run of layers. The result of every input stage is kept; every output stage gets
/// the last one kept, joined to its own input.
public struct UNet<Leaf> {
  /// One step of a stage.
  public enum Layer {
    /// The first convolution.
    case conv(Conv<Leaf>)
    /// A residual block.
    case res(ResBlock<Leaf>)
    /// A transformer over the positions of the image.
    case attention(SpatialTransformer<Leaf>)
    /// A convolution that halves the image.
    case downsample(Conv<Leaf>)
    /// A doubling of the image by repetition, then a convolution.
    case upsample(Conv<Leaf>)
  }

  /// From the sinusoids of the time step, `[n, 320]`, to `[n, 1280]`.
  public let time1: Linear<Leaf>
  /// The second layer of the time embedding, after a SiLU.
  public let time2: Linear<Leaf>
  /// 12 stages downwards.
  public let input: [[Layer]]
  /// The stage at the bottom.
  public let middle: [Layer]
  /// 12 stages upwards.
  public let output: [[Layer]]
  /// The last GroupNorm, followed by a SiLU.
  public let normOut: Norm<Leaf>
  /// To the noise.
  public let convOut: Conv<Leaf>

  /// A U-Net with `leaf` of each parameter at its leaves, asked for in network order.
  public init(_ dimensions: Dimensions, _ leaf: @escaping (Parameter) -> Leaf) {
    let s = Scope(.unet, "UNet", place: .time, dimensions: dimensions, leaf: leaf)
    let width = dimensions.unetWidths
    let time = s("time_embed", "time_embedding").module("TimestepEmbedding")
    time1 = Linear(time("0", "linear_1"), s[.unet0], s[.unetTime])
    time2 = Linear(time("2", "linear_2"), s[.unetTime], s[.unetTime])

    var skips: [Int]
    (input, skips) = Self.down(s, width)
    middle = Self.bottom(
      s("middle_block", "mid_block", place: .m00).module("UNetMidBlockCrossAttn"), s[.unet3])
    output = Self.up(s, width, &skips)
    normOut = Norm(s("out.0", "conv_norm_out", place: .out), group: s[.unet0], epsilon: 1e-5)
    convOut = Conv(s("out.2", "conv_out", place: .out), s[.unet0], s[.unetOutput])
  }

  /// The stages downwards, and the channels that each one keeps.
  private static func down(_ s: Scope<Leaf>, _ width: [Int]) -> ([[Layer]], skips: [Int]) {
    var channels = s[.unet0], skips = [channels]
    var stages: [[Layer]] = [
      [.conv(Conv(s("input_blocks.0.0", "conv_in", place: .in00), s[.unetInput], channels))]
    ]
    for (level, out) in width.enumerated() {
      let first = stages.count
      let block = s.module(
        level < 3 ? "CrossAttnDownBlock" : "DownBlock",
        spanning: "input_blocks.\(first)-\(first + (level < 3 ? 2 : 1))", "down_blocks.\(level)")
      for j in 0..<3 where level < 3 || j < 2 {
        let s = block(
          "input_blocks.\(stages.count)", "down_blocks.\(level)", place: .input(stages.count))
        var stage: [Layer] = []
        if j < 2 {
          let skip = j == 0 && (level == 1 || level == 2)
          stage.append(.res(ResBlock(s("0", "resnets.\(j)"), channels, out, skip: skip)))
          channels = out
          if level < 3 {
            stage.append(.attention(SpatialTransformer(s("1", "attentions.\(j)"), out)))
          }
        } else {
          let s = s("0", "downsamplers.0").module("Downsample")
          stage.append(.downsample(Conv(s("op", "conv"), out, out, stride: 2)))
        }
        stages.append(stage)
        skips.append(channels)
      }
    }
    return (stages, skips)
  }

  /// The stage at the bottom.
  private static func bottom(_ s: Scope<Leaf>, _ channels: Int) -> [Layer] {
    [
      .res(ResBlock(s("0", "resnets.0"), channels, channels)),
      .attention(SpatialTransformer(s("1", "attentions.0"), channels)),
      .res(ResBlock(s("2", "resnets.1"), channels, channels)),
    ]
  }

  /// The stages upwards, which use up `skips`.
  private static func up(_ s: Scope<Leaf>, _ width: [Int], _ skips: inout [Int]) -> [[Layer]] {
    var stages: [[Layer]] = []
    var channels = s[.unet3]
    for (level, out) in width.enumerated().reversed() {
      let block = s.module(
        level < 3 ? "CrossAttnUpBlock" : "UpBlock",
        spanning: "output_blocks.\(stages.count)-\(stages.count + 2)", "up_blocks.\(3 - level)")
      for j in 0..<3 {
        let s = block(
          "output_blocks.\(stages.count)", "up_blocks.\(3 - level)", place: .output(stages.count))
        let joined = channels + skips.removeLast()
        var stage: [Layer] = [
          .res(ResBlock(s("0", "resnets.\(j)"), joined, out, skip: true))
        ]
        if level < 3 {
          stage.append(.attention(SpatialTransformer(s("1", "attentions.\(j)"), out)))
        }
        if level > 0, j == 2 {
          let s = s("\(stage.count)", "upsamplers.0").module("Upsample")
          stage.append(.upsample(Conv(s("conv"), out, out)))
        }
        channels = out
        stages.append(stage)
      }
    }
    return stages
  }
}

extension UNet: Sendable where Leaf: Sendable {}
extension UNet.Layer: Sendable where Leaf: Sendable {}
