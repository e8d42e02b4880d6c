import StableDiffusion
public import Tensors

/// Runs every component of a model once at a small size, to see whether it works at all.
///
///     let faults = try smokeTest(model, runtime: Runtime())
///
/// One step of the U-Net on 64×64 pixels, a prompt, and a picture through both halves of the VAE.
///
/// - Parameters:
///   - source: the model, in any layout and type.
///   - runtime: what to run it on.
/// - Returns: what is wrong: ``Rule/nonFiniteActivation`` or ``Rule/implausibleActivation``, and what
///   keeps a component from running. A component that is not there is not missed.
/// - Throws: ``Rule/notRunnable`` when it is no Stable Diffusion 1.x model.
public func smokeTest(_ source: any TensorSource, runtime: Runtime) throws(Fault) -> [Fault] {
  let identity = ModelIdentity(source.tensors)
  guard identity.kind == .stableDiffusion1 else {
    // Says what it is instead.
    _ = try WeightLoading(source, .unet, runtime.precision)
    return []
  }
  let components = Component.allCases.filter {
    identity[$0] != nil || ($0 == .unet && identity.hasAveragesOnly)
  }
  return components.flatMap { component in
    do throws(Fault) {
      return try run(component, source, runtime).compactMap { $0.implausibility(in: component) }
    } catch { return [error] }
  }
}

/// What a component gave, and how far from zero it may be.
private struct SmokeResult {
  let name: String
  let value: FloatArray
  let limit: Float

  /// A finding if the values are too large, or all the same.
  func implausibility(in component: Component) -> Fault? {
    let least = value.values.min() ?? 0, most = value.values.max() ?? 0
    let largest = max(-least, most)
    if largest > limit {
      return Fault(
        .implausibleActivation, "gives values that are far too large: the \(name)",
        tensor: TensorName(component.folder), expected: "at most \(Int(limit))",
        found: "\(largest)")
    }
    guard least == most else { return nil }
    return Fault(
      .implausibleActivation, "gives the same value everywhere: the \(name)",
      tensor: TensorName(component.folder), found: "\(least)")
  }
}

private func run(
  _ component: Component, _ source: any TensorSource, _ runtime: Runtime
) throws(Fault) -> [SmokeResult] {
  switch component {
  case .textEncoder:
    let text = try TextModel(source, runtime: runtime)
    let last = text.dimensions[.vocabulary] - 1
    let length = text.dimensions[.positions]
    let prompt = [last - 1, 320 % max(1, last)] + Array(repeating: last, count: max(0, length - 2))
    let context = try text([Array(prompt.prefix(length))])
    return [SmokeResult(name: "encoded prompt", value: context, limit: 1_000)]
  case .unet:
    let unet = try UNetModel(source, runtime: runtime)
    let context = FloatArray.random([1, 77, unet.dimensions[.unetContext]], seed: 1)
    let latent = FloatArray.random([1, unet.dimensions[.unetInput], 8, 8], seed: 2)
    let noise = try unet(latent, timesteps: [500], context: context)
    return [SmokeResult(name: "predicted noise", value: noise, limit: 1_000)]
  case .vae:
    let vae = try VAEModel(source, runtime: runtime)
    var image = FloatArray.random([1, vae.dimensions[.image], 64, 64], seed: 3)
    for index in image.values.indices { image.values[index] *= 0.3 }
    let (mean, _) = try vae.encode(image)
    let decoded = try vae.decode(mean)
    return [
      SmokeResult(name: "encoded picture", value: mean, limit: 10_000),
      SmokeResult(name: "decoded picture", value: decoded, limit: 1_000),
    ]
  }
}
