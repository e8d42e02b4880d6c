import CForward
import StableDiffusion
import Tensors

/// Reads the weights of one component from a model in any layout and type.
struct WeightLoading {
  let source: any TensorSource
  let identity: ModelIdentity
  let component: Component
  let precision: Precision

  /// Judges the model; nothing is read.
  ///
  /// - Throws: ``Rule/notRunnable`` or ``Rule/missingComponent``.
  init(_ source: any TensorSource, _ component: Component, _ precision: Precision) throws(Fault) {
    self.source = source
    self.component = component
    self.precision = precision
    identity = ModelIdentity(source.tensors)
    guard identity.kind == .stableDiffusion1 else {
      throw Fault(
        .notRunnable, "is no Stable Diffusion 1.x model but \(identity.title)", path: source.path,
        hint: "see 'sdtool inspect'")
    }
    let onlyAverages = component == .unet && identity.hasAveragesOnly
    guard identity[component] != nil || onlyAverages else {
      let found = identity.components.map(\.component.title).joined(separator: ", ")
      throw Fault(
        .missingComponent, "has no \(component.title)", path: source.path, found: found,
        hint: "name a file that has it")
    }
    try checkWidths()
  }

  /// Throws ``Rule/notRunnable`` if groups or heads do not divide the widths.
  private func checkWidths() throws(Fault) {
    let d = dimensions
    let multiples: [(Dimensions.Width, Int)]
    switch component {
    case .textEncoder: multiples = [(.text, Dimensions.textHeads), (.textFeedForward, 2)]
    case .unet:
      multiples =
        [.unet0, .unet1, .unet2, .unet3].map { ($0, Dimensions.groups) }
        + [(.unetTime, 2), (.unetContext, 2)]
    case .vae:
      multiples = [.vae0, .vae1, .vae2, .vae3].map { ($0, Dimensions.groups) } + [(.latent, 2)]
    }
    for (width, multiple) in multiples where d[width] % multiple != 0 {
      throw Fault(
        .notRunnable, "has widths that no such network has", path: source.path,
        expected: "\(width.title) a multiple of \(multiple)", found: "\(d[width])")
    }
  }

  /// The widths of the network.
  var dimensions: Dimensions { identity.schema.dimensions }

  /// Where the values of each parameter of the component are; `nil` for an optional one without.
  private func tensors() throws(Fault) -> [(parameter: Parameter, tensor: Int?)] {
    let usesAverages = component == .unet && identity.hasAveragesOnly
    var found: [(Parameter, Int?)] = []
    for position in identity.schema.range(of: component) {
      let parameter = identity.schema.parameters[position]
      let tensor = usesAverages ? identity.average(of: position) : identity.tensor(of: position)
      if let tensor {
        let info = source.tensors[tensor]
        guard info.shape == parameter.shape || info.shape == parameter.shape(in: .diffusers)
        else {
          throw Fault(
            .unusableWeight, "has the wrong shape", path: source.path, tensor: info.name,
            expected: "\(parameter.shape)", found: "\(info.shape)")
        }
        guard Conversion(from: info.dtype, to: .f32) != nil else {
          throw Fault(
            .unusableWeight, "has a type that cannot be computed with", path: source.path,
            tensor: info.name, found: info.dtype.name)
        }
      } else if !parameter.isOptional {
        throw Fault(
          .missingWeight, "is missing", path: source.path,
          tensor: TensorName(parameter.name(in: .ldm)), hint: "'sdtool validate' lists all")
      }
      found.append((parameter, tensor))
    }
    return found
  }

  /// The bytes that the weights take in memory.
  func byteCount() throws(Fault) -> Int {
    try tensors().reduce(0) { sum, entry in
      guard let tensor = entry.tensor else { return sum }
      let type = entry.parameter.storedType(source.tensors[tensor].dtype, precision)
      return sum + entry.parameter.storedSize(type)
    }
  }

  /// Reads the parameters for which `isWanted` holds, from `width` threads; in network order.
  func weights(
    width: Int, isWanted: @Sendable (Parameter) -> Bool = { _ in true }
  ) throws(Fault) -> [Weight] {
    let tensors = try tensors()
    let results = Results<Weight?>(repeating: nil, count: tensors.count)
    do throws(Fault) {
      try forEachIndex(
        below: tensors.count, width: width, local: { Buffers() }
      ) { (index, buffers: inout Buffers) throws(Fault) in
        let (parameter, tensor) = tensors[index]
        guard let tensor, isWanted(parameter) else {
          results[index] = Weight(parameter, isPresent: tensor != nil)
          return
        }
        results[index] = try load(parameter, tensor, &buffers)
      }
      try source.checkUnchanged()
    } catch { throw error.at(source.path) }
    return results.values.compactMap { $0 }
  }

  /// Two pieces of memory of one thread.
  struct Buffers {
    private var read = Buffer(byteCount: 1 << 16)
    private var converted = Buffer(byteCount: 1 << 16)

    /// Buffers with room for so many bytes.
    mutating func room(_ first: Int, _ second: Int) -> (Buffer, Buffer) {
      if read.byteCount < first { read = Buffer(byteCount: first) }
      if converted.byteCount < second { converted = Buffer(byteCount: second) }
      return (read, converted)
    }
  }

  /// Reads one tensor, a panel at a time.
  private func load(
    _ parameter: Parameter, _ tensor: Int, _ buffers: inout Buffers
  ) throws(Fault) -> Weight {
    let dtype = source.tensors[tensor].dtype
    let type = parameter.storedType(dtype, precision)
    let size = max(1, parameter.storedSize(type))
    guard let conversion = Conversion(from: dtype, to: type) else {
      throw Fault(.unusableWeight, "cannot be converted", tensor: source.tensors[tensor].name)
    }
    guard let base = unsafe cf_allocate(size) else { throw .noMemory(size) }
    let weight = unsafe Weight(parameter, type.loopType, base, size)
    let (outputs, inputs, taps) = parameter.factors
    let step = parameter.isPacked ? Int(CF_PANEL) : max(1, (1 << 18) / max(1, inputs * taps))
    let readSize = dtype.bitCount / 8, storedSize = type.bitCount / 8
    let (read, converted) = buffers.room(
      step * inputs * taps * readSize, step * inputs * taps * storedSize)
    for first in stride(from: 0, to: outputs, by: step) {
      let count = min(step, outputs - first)
      let values = count * inputs * taps
      var bytes = read.bytes(values * readSize)
      try source.read(tensor, at: first * inputs * taps * readSize, into: &bytes)
      var stored = converted.bytes(values * storedSize)
      conversion.convert(bytes.bytes, into: &stored)
      unsafe stored.withUnsafeBytes { from in
        guard let from = from.baseAddress else { return }
        if parameter.isPacked {
          let offset = first * taps * ((inputs + 1) / 2 * 2) * storedSize
          unsafe cf_pack(from, count, inputs, taps, type.loopType, base + offset)
        } else {
          unsafe (base + first * inputs * taps * storedSize).copyMemory(
            from: from, byteCount: values * storedSize)
        }
      }
    }
    return weight
  }
}
