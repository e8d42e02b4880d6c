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

  /// The width of what the text encoder gives: 768 for Stable Diffusion 1.5.
  public static func contextWidth(of source: any TensorSource) -> Int {
    ModelIdentity(source.tensors).schema.dimensions[.text]
  }

  /// Checks that there is memory for a picture, by planning it: no weight is read.
  ///
  /// - Parameters:
  ///   - request: the largest picture that will be made.
  ///   - source: the model.
  ///   - runtime: how it will be computed.
  ///   - free: the bytes that there are; by default what the system says.
  /// - Throws: ``Tensors/Rule/generationMemory``.
  public static func checkMemory(
    for request: ImageRequest, of source: any TensorSource, runtime: Runtime, free: Int? = nil
  ) throws(Fault) {
    let needed = try memory(for: request, of: source, runtime: runtime)
    guard let free = free ?? freeMemory(), needed > free else { return }
    func gibibytes(_ count: Int) -> String { "\(Double(count / 107_374_182) / 10) GiB" }
    throw Fault(
      .generationMemory, "a picture of \(request.width) × \(request.height) needs more memory",
      path: source.path, expected: "\(gibibytes(needed)) free", found: gibibytes(free),
      hint: "make it smaller" + (runtime.precision == .bf16 ? "" : ", or try --precision bf16"))
  }

  /// The bytes that the most demanding part takes: its weights and its activations.
  public static func memory(
    for request: ImageRequest, of source: any TensorSource, runtime: Runtime
  ) throws(Fault) -> Int {
    let unet = try UNetModel(source, runtime: runtime, isPlanned: true)
    var observation = Observation()
    observation.isPlanned = true
    let size = [request.latentHeight, request.latentWidth]
    let dimensions = unet.dimensions
    _ = try unet(
      FloatArray([2, dimensions[.unetInput]] + size), timesteps: [0],
      context: FloatArray([1, 77, dimensions[.unetContext]]), observing: &observation)
    // Weights of 16 bits stay so, whatever is computed in.
    let identity = ModelIdentity(source.tensors)
    let narrow = runtime.precision == .bf16
    func weights(_ component: Component) -> Int {
      identity.uses.indices.reduce(0) { sum, index in
        guard case .parameter(let position) = identity.uses[index],
          identity.schema.parameters[position].component == component
        else { return sum }
        let tensor = identity.tensors[index]
        return sum + tensor.elementCount * (narrow || tensor.dtype.bitCount <= 16 ? 2 : 4)
      }
    }
    let denoising = weights(.unet) + observation.activationByteCount
    let vae = try VAEModel(source, runtime: runtime, parts: [.decoder], isPlanned: true)
    _ = try vae.decode(FloatArray([1, dimensions[.latent]] + size), observing: &observation)
    return max(denoising, weights(.vae) + observation.activationByteCount)
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
