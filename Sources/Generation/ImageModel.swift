import Glibc
public import Inference
import StableDiffusion
public import Tensors

/// What a model says about the pictures that it can make, before anything is loaded.
public enum ImageModel {
  /// Checks that a model makes pictures at all.
  ///
  /// - Throws: ``Tensors/Rule/generationModel``, naming what is missing.
  public static func check(_ source: any TensorSource) throws(Fault) {
    let identity = ModelIdentity(source.tensors)
    guard identity.kind == .stableDiffusion1 else {
      let hint =
        switch identity.kind {
        case .adapter: "give a whole model with --model, and this with --lora"
        case .textualInversion: "give a whole model with --model, and this with --embedding"
        default: "pictures are made by Stable Diffusion 1.x models"
        }
      throw Fault(
        .generationModel, "makes no pictures by itself", path: source.path,
        expected: "a whole Stable Diffusion 1.x model", found: identity.kind.title, hint: hint)
    }
    for component in [Component.textEncoder, .unet, .vae] where identity[component] == nil {
      throw Fault(
        .generationModel, "has no \(component.title)", path: source.path,
        hint: "sdtool merge or convert can put a whole model together")
    }
  }

  /// The channels that the U-Net takes: 4, 9 for inpainting, 0 if there is none.
  static func inputChannels(of source: any TensorSource) -> Int {
    let identity = ModelIdentity(source.tensors)
    switch identity.variant {
    case .base: return 4
    case .inpainting: return 9
    case .instructPix2Pix: return 8
    case .custom, nil: return 0
    }
  }

  /// Checks that there is memory for a picture.
  ///
  /// - Parameters:
  ///   - request: the largest picture that will be made.
  ///   - source: the model.
  ///   - precision: how it will be computed.
  /// - Throws: ``Tensors/Rule/generationMemory``.
  public static func checkMemory(
    for request: ImageRequest, of source: any TensorSource, precision: Precision
  ) throws(Fault) {
    let needed = memory(for: request, of: source, precision: precision)
    guard let free = freeMemory(), needed > free else { return }
    func gibibytes(_ count: Int) -> String { "\(Double(count * 10 >> 30) / 10) GiB" }
    throw Fault(
      .generationMemory, "a picture of \(request.width) × \(request.height) needs more memory",
      path: source.path, expected: "about \(gibibytes(needed))", found: "\(gibibytes(free)) free",
      hint: "make it smaller" + (precision == .bf16 ? "" : ", or try --precision bf16"))
  }

  /// About how many bytes the most demanding part takes.
  static func memory(
    for request: ImageRequest, of source: any TensorSource, precision: Precision
  ) -> Int {
    let identity = ModelIdentity(source.tensors)
    let size = precision == .bf16 ? 2 : 4
    let weights = [Component.textEncoder, .unet, .vae].map { component in
      identity.uses.indices.reduce(0) { sum, index in
        guard case .parameter(let position) = identity.uses[index],
          identity.schema.parameters[position].component == component
        else { return sum }
        return sum + identity.tensors[index].elementCount * size
      }
    }
    let pixels = request.width * request.height
    // Measured at 512 × 512: the U-Net holds about 14 maps of 320 channels for each of two
    // latents, the decoder about 1.2 GB.
    let unet = weights[1] + pixels / 64 * 2 * 320 * 14 * size
    let decoder = weights[2] / 2 + pixels * 4600 * size / 4
    return max(weights[0], unet, decoder)
  }

  /// The memory that the machine and its container have left, or `nil` if neither says.
  static func freeMemory() -> Int? {
    let machine = text(of: "/proc/meminfo").split(separator: "\n")
      .first { $0.hasPrefix("MemAvailable:") }
      .flatMap { line in line.split(separator: " ").dropFirst().first.flatMap { Int($0) } }
      .map { $0 << 10 }
    let group = "/sys/fs/cgroup/memory."
    let limit = Int(text(of: group + "max").prefix { $0.isNumber })
    let used = Int(text(of: group + "current").prefix { $0.isNumber })
    let left = limit.flatMap { limit in used.map { max(0, limit - $0) } }
    return [machine, left].compactMap { $0 }.min()
  }

  private static func text(of path: String) -> String {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return "" }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 8192)
    let count = unsafe read(descriptor, &bytes, bytes.count)
    return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
  }
}
