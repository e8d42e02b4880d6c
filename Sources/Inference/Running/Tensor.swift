import CForward
import Tensors

/// The size of an activation: images, or rows of tokens with a width of 1.
struct Extent: Hashable, Sendable {
  var n: Int
  var height: Int
  var width: Int
  var channels: Int

  /// The positions of all images.
  var rows: Int { n * height * width }
  /// The number of values.
  var count: Int { rows * channels }

  /// As PyTorch gives it: `[n, channels, height, width]`, or `[n, rows, channels]`.
  func shape(isImage: Bool) -> [Int] {
    isImage ? [n, channels, height, width] : [n, height * width, channels]
  }
}

/// An activation: what goes from one module to the next.
///
/// Its channels lie together, so that an image is its own list of tokens.
struct Tensor {
  let extent: Extent
  /// Whether it is an image, rather than rows of tokens.
  var isImage: Bool
  let memory: Memory
  let pass: Pass

  var channels: Int { extent.channels }

  /// What its module is reported to give, as PyTorch would.
  var shape: [Int] { extent.shape(isImage: isImage) }

  /// The image as rows, or the rows as an image of the size of `image`; nothing is moved.
  func asRows() -> Tensor {
    var copy = self
    copy.isImage = false
    return copy
  }

  func asImage() -> Tensor {
    var copy = self
    copy.isImage = true
    return copy
  }
}
