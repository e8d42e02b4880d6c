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

  /// Reads the parameters for which `isWanted` holds, from all threads; in network order.
  ///
  /// - Throws: ``Rule/outOfMemory`` before anything is read if there is no room for all,
  ///   ``Rule/libraryMissing``.
  func weights(
    for runtime: Runtime, isWanted: @Sendable (Parameter) -> Bool = { _ in true }
  ) throws(Fault) -> [Weight] {
    let tensors = try tensors()
    let wanted = tensors.filter { $0.tensor != nil && isWanted($0.parameter) }
    if !wanted.isEmpty {
      try runtime.openLibrary()
      try requireMemory(wanted.reduce(0) { $0 + byteCount($1.parameter, $1.tensor) })
    }
    let results = Results<Weight?>(repeating: nil, count: tensors.count)
    do throws(Fault) {
      try forEachIndex(
        below: tensors.count, width: runtime.threads, local: { Buffer(byteCount: 1 << 16) }
      ) { (index, buffer: inout Buffer) throws(Fault) in
        let (parameter, tensor) = tensors[index]
        guard let tensor, isWanted(parameter) else {
          results[index] = Weight(parameter, isPresent: tensor != nil)
          return
        }
        results[index] = try load(parameter, tensor, &buffer)
      }
      try source.checkUnchanged()
    } catch { throw error.at(source.path) }
    return results.values.compactMap { $0 }
  }

  /// The bytes that a parameter takes in memory.
  private func byteCount(_ parameter: Parameter, _ tensor: Int?) -> Int {
    guard let tensor else { return 0 }
    return parameter.storedSize(parameter.storedType(source.tensors[tensor].dtype, precision))
  }

  /// Throws if so many bytes of weights are more than there are.
  private func requireMemory(_ needed: Int) throws(Fault) {
    guard let available = availableMemory(), needed > available else { return }
    throw Fault(
      .outOfMemory, "needs more memory than there is", path: source.path,
      expected: "\(needed >> 20) MiB for the weights of the \(component.title)",
      found: "\(available >> 20) MiB", hint: "use --precision bf16, or a machine with more")
  }

  /// Reads one tensor as it lies in the model, some rows at a time.
  private func load(
    _ parameter: Parameter, _ tensor: Int, _ buffer: inout Buffer
  ) throws(Fault) -> Weight {
    let dtype = source.tensors[tensor].dtype
    let type = parameter.storedType(dtype, precision)
    let size = max(1, parameter.storedSize(type))
    guard let conversion = Conversion(from: dtype, to: type) else {
      throw Fault(.unusableWeight, "cannot be converted", tensor: source.tensors[tensor].name)
    }
    guard let base = unsafe cf_allocate(size) else { throw .noMemory(size) }
    let weight = unsafe Weight(parameter, type.loopType, base, size)
    let row = parameter.elementCount / max(1, parameter.factors.outputs)
    // Some rows, as sources that compute their values do so row by row.
    let step = max(32, (1 << 18) / max(1, row))
    let readSize = dtype.bitCount / 8, storedSize = type.bitCount / 8
    for first in stride(from: 0, to: parameter.factors.outputs, by: step) {
      let values = min(step, parameter.factors.outputs - first) * row
      let place = unsafe UnsafeMutableRawBufferPointer(
        start: base + first * row * storedSize, count: values * storedSize)
      var stored = unsafe MutableRawSpan(_unsafeBytes: place)
      if conversion.isIdentity {
        try source.read(tensor, at: first * row * readSize, into: &stored)
      } else {
        if buffer.byteCount < values * readSize { buffer = Buffer(byteCount: values * readSize) }
        var bytes = buffer.bytes(values * readSize)
        try source.read(tensor, at: first * row * readSize, into: &bytes)
        conversion.convert(bytes.bytes, into: &stored)
      }
    }
    return weight
  }
}
