public import Pictures
import Sampling

/// What the pictures of a request will look like, as far as they are now.
public struct LatentPreview: Sendable {
  /// The steps that are done, of all steps that are made.
  public let step: Int
  /// The steps that are made.
  public let stepCount: Int
  /// The image that the model expects, for each picture: four channels.
  private let images: [[Float]]
  private let width: Int, height: Int

  init(step: Int, of request: ImageRequest, image: [Float]) {
    self.step = step
    stepCount = request.trajectory.stepCount
    (width, height) = (request.latentWidth, request.latentHeight)
    let size = request.latentCount
    images = (0..<request.count).map { Array(image[$0 * size..<($0 + 1) * size]) }
  }

  /// Red, green and blue of each channel of a latent.
  ///
  /// Source: `cheap_approximation` of AUTOMATIC1111's web UI.
  private static let colors: [[Float]] = [
    [0.298, 0.207, 0.208], [0.187, 0.286, 0.173], [-0.158, 0.189, 0.264],
    [-0.184, -0.271, -0.473],
  ]

  /// All pictures side by side, at their size: colours without the VAE, so that details are missing.
  public var picture: Picture {
    let gap = images.count > 1 ? 8 : 0
    let (wide, high) = (width * 8, height * 8)
    guard images.count <= Picture.maximumPixelCount / ((wide + gap) * high) else {
      return approximation(of: images[0])
    }
    var all = Picture(width: images.count * (wide + gap) - gap, height: high)
    for (index, image) in images.enumerated() {
      all.draw(approximation(of: image), atX: index * (wide + gap), y: 0)
    }
    return all
  }

  private func approximation(of image: [Float]) -> Picture {
    let size = width * height
    var planes = [Float](repeating: 0, count: 3 * size)
    for channel in 0..<4 {
      for color in 0..<3 {
        let share = Self.colors[channel][color]
        for place in 0..<size {
          planes[color * size + place] += share * image[channel * size + place]
        }
      }
    }
    return Picture(width: width, height: height, planes: planes)
      .resized(width: width * 8, height: height * 8)
  }
}
