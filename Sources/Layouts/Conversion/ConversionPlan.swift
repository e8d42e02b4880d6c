import Checkpoint
import SafeTensors
public import StableDiffusion
public import Tensors

/// Everything a conversion will do, known from headers alone.
///
///     var request = ConversionRequest(layout: .diffusers)
///     request.prunes = true
///     let plan = ConversionPlan(of: source, request)
///     for tensor in plan.dropped { print(tensor.info.name, tensor.reason.title) }
///     try plan.write(to: "model", width: 2)
public struct ConversionPlan: Sendable {
  /// What was asked for.
  public let request: ConversionRequest
  /// What the model is, as it was found.
  public let identity: ModelIdentity
  /// The component that is written by itself, if it is only one.
  public let alone: Component?
  /// What will be in the output, in the order of the model.
  public internal(set) var tensors: [PlannedTensor]
  /// What will not be in it.
  public let dropped: [DroppedTensor]
  /// The texts beside the tensors; `nil` for nothing at all.
  public let metadata: [MetadataEntry]?
  /// The texts that are left out.
  public let droppedMetadata: [DroppedMetadata]
  /// The keys of texts that the model does not have and the layout asks for.
  public let addedMetadata: [String]
  /// The files of the model's folder, besides weights, that are copied.
  public let copiedFiles: [String]
  /// What stands in the way; ``write(to:replacing:width:progress:)`` throws the first.
  public private(set) var problems: [Fault]
  /// What is worth knowing about the input and the output.
  public let findings: [Fault]

  /// What the model lies in.
  public var container: Container { source.container }

  /// The sources one after another, as ``PlannedTensor/index`` counts them.
  let source: CompositeSource
  /// The widths and components of the output.
  let dimensions: Dimensions
  let components: [Component]
  /// The files that are copied, with their contents.
  private var texts: [(path: String, bytes: [UInt8])] = []

  /// Plans a conversion.
  ///
  /// - Parameters:
  ///   - model: the model.
  ///   - vae: the model whose VAE takes the place of the model's own.
  ///   - request: what to make.
  ///   - isDiscarded: whether the tensor of that name is left out.
  public init(
    of model: any TensorSource, vae: (any TensorSource)? = nil, _ request: ConversionRequest,
    discarding isDiscarded: (TensorName) -> Bool = { _ in false }
  ) {
    var planner = ConversionPlanner(model: model, vae: vae, request: request)
    planner.edit(isDiscarded)
    planner.arrange()
    self.request = request
    identity = planner.identity
    alone = planner.alone
    tensors = planner.tensors
    dropped = planner.dropped
    problems = planner.problems
    source = CompositeSource(
      path: model.path, container: model.container,
      parts: planner.sources.map { CompositeSource.Part(prefix: "", source: $0) }, findings: [])
    dimensions = planner.dimensions
    let components = Set(tensors.compactMap(\.component))
    self.components = components.sorted()
    let isChanged =
      !dropped.isEmpty
      || tensors.contains { $0.origin != .model || $0.isRenamed || $0.isReshaped || $0.isCast }
    let texts = ConvertedMetadata(model, request, isChanged: isChanged)
    var entries = texts.entries
    var added = texts.added
    // The scheduler stays behind when a folder becomes a file, but not what it says.
    if request.layout != .diffusers, model.container == .diffusersFolder,
      let known = entries, !known.contains(where: { $0.key == PredictionType.key }),
      let files = try? pipelineTexts(ofFolder: model.path),
      PredictionType.isVelocity(scheduler: files)
    {
      entries = known + [MetadataEntry(key: PredictionType.key, value: "v")]
      added.append(PredictionType.key)
    }
    metadata = entries
    droppedMetadata = texts.dropped
    addedMetadata = added
    if request.layout == .diffusers, alone == nil, model.container == .diffusersFolder {
      do throws(Fault) {
        self.texts = try pipelineTexts(ofFolder: model.path)
      } catch { problems.append(error) }
    }
    copiedFiles = self.texts.map(\.path)
    findings =
      model.findings + (vae?.findings ?? [])
      + ModelIdentity(tensors.map(\.info)).check().filter { $0.severity >= .warning }
  }
}

extension ConversionPlan {
  /// Adds what else stands in the way.
  public mutating func add(_ problem: Fault) { problems.append(problem) }

  /// The bytes of values that are read, once.
  public var readByteCount: Int { Self.sum(tensors.map(\.original.byteCount)) }

  /// The bytes of values that are written.
  public var dataByteCount: Int { Self.sum(tensors.map(\.info.byteCount)) }

  /// The length of the output: exact for a safetensors file, else without headers and texts.
  public var outputByteCount: Int {
    guard request.layout == .safetensors else { return dataByteCount }
    let layout = try? SafeTensorsLayout(
      tensors: tensors.map(\.info), metadata: metadata, order: request.order)
    return layout?.byteCount ?? dataByteCount
  }

  private static func sum(_ counts: [Int]) -> Int {
    counts.reduce(0) { $0.addingReportingOverflow($1).overflow ? .max : $0 + $1 }
  }

  /// The tensors that may hold values too large for their new type.
  public var tensorsAtRisk: [PlannedTensor] { tensors.filter(Self.isAtRisk) }

  private static func isAtRisk(_ tensor: PlannedTensor) -> Bool {
    guard let limit = tensor.info.dtype.overflowLimit else { return false }
    return tensor.isCast && tensor.original.dtype.largest >= limit
  }

  /// The same plan, with the tensors whose values are too large for their new type kept in F32.
  ///
  /// Reads the values of the tensors at risk, so that the types are known before anything is
  /// written. Does nothing unless the request asks for ``OverflowPolicy/keepF32``.
  ///
  /// - Returns: the plan, and the names in the output of the tensors that are kept.
  public func keepingOverflows(
    width: Int
  ) throws(Fault) -> (plan: ConversionPlan, kept: [TensorName]) {
    guard request.overflow == .keepF32 else { return (self, []) }
    let risky = tensors.indices.filter { Self.isAtRisk(tensors[$0]) }
    let statistics = try source.statistics(of: risky.map { tensors[$0].index }, width: width)
    var plan = self
    var kept: [TensorName] = []
    for (position, found) in zip(risky, statistics) {
      let tensor = tensors[position]
      guard let largest = found.maximumMagnitude,
        let limit = tensor.info.dtype.overflowLimit, largest >= limit
      else { continue }
      // What is beyond F32, too, stays as it is.
      let fits = largest < DType.f32.overflowLimit ?? .infinity
      plan.tensors[position].info = try tensor.info.stored(as: fits ? .f32 : tensor.original.dtype)
      kept.append(tensor.info.name)
    }
    return (plan, kept)
  }

  /// The converted tensors, with the texts that belong to them.
  func view() throws(Fault) -> ConvertedSource {
    var selection: [(index: Int, info: TensorInfo)] = []
    for tensor in tensors {
      selection.append((tensor.index, try tensor.info.stored(as: tensor.original.dtype)))
    }
    return try ConvertedSource(
      SelectedSource(source, selection, metadata: metadata ?? []),
      types: tensors.map(\.info.dtype), overflow: request.overflow)
  }

  /// Carries the plan out.
  ///
  /// - Parameters:
  ///   - path: the file or folder to make.
  ///   - replacing: whether an existing one is replaced.
  ///   - width: the number of threads.
  ///   - observers: what sees the bytes of a single safetensors file in their order.
  ///   - progress: called with the number of bytes written since the last call, from any thread.
  /// - Returns: for each tensor that lost values to ``OverflowPolicy/clamp`` their number.
  /// - Throws: the first of ``problems``, and what reading and writing throw; then nothing stands
  ///   under `path`.
  @discardableResult
  public func write(
    to path: String, replacing: Bool = false, width: Int,
    observers: [OutputFile.Observer] = [], progress: @Sendable (Int) -> Void = { _ in }
  ) throws(Fault) -> [(name: TensorName, count: Int)] {
    if let problem = problems.first { throw problem }
    try checkOutput(path, replacing: replacing)
    let view = try view()
    var writer = ModelWriter(layout: request.layout)
    writer.replacing = replacing
    writer.width = width
    writer.order = request.order
    writer.observers = observers
    try writer.write(
      arranged: view, dimensions: dimensions, components: components, alone: alone, to: path,
      metadata: metadata, isNested: identity.kind.isNested,
      predictsVelocity: PredictionType.isVelocity(source.metadata), texts: texts,
      progress: progress)
    return zip(tensors, view.overflowCounts).compactMap { tensor, count in
      count > 0 ? (tensor.info.name, count) : nil
    }
  }
}

extension DType {
  /// The smallest magnitude that becomes infinite when it is rounded to this type; `nil` if it is
  /// no type to convert to.
  fileprivate var overflowLimit: Double? {
    switch self {
    case .f16: 0x1.ffep15
    case .bf16: 0x1.ffp127
    case .f32: 0x1.ffffffp127
    case .f64: .infinity
    default: nil
    }
  }

  /// A bound on the finite values of this type.
  fileprivate var largest: Double {
    switch self {
    case .f16: 65504
    case .bf16, .f8E8M0: 0x1.fep127
    case .f32: 0x1.fffffep127
    case .f64, .c64: .greatestFiniteMagnitude
    case .f8E5M2, .f8E5M2FNUZ: 57344
    case .f8E4M3, .f8E4M3FNUZ: 448
    case .f4, .f6E2M3, .f6E3M2: 28
    case .bool, .u8, .i8, .i16, .u16, .i32, .u32, .i64, .u64: 0x1p64
    }
  }
}

extension ModelKind {
  /// Whether PyTorch files of this kind have a dictionary around the state dict.
  var isNested: Bool {
    switch self {
    case .textualInversion, .hypernetwork, .upscaler: false
    default: true
    }
  }
}
