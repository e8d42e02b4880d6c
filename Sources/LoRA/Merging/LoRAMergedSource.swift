import StableDiffusion
import Synchronization
public import Tensors

/// A model with LoRAs merged into it, whose values are computed when they are read.
///
/// What no LoRA changes is passed through as it is, so that it can be copied. Of what changes, some
/// rows at a time are in memory.
public struct LoRAMergedSource: TensorSource {
  /// What is computed.
  public let plan: LoRAMergePlan
  /// The tensors of the model; changed ones may have another type.
  public let tensors: [TensorInfo]
  /// The texts beside the tensors.
  public let metadata: [MetadataEntry]
  /// The files of the model and of all LoRAs.
  public let files: [InputFile]
  private let work: WorkInProgress
  let effects: EffectLedger

  /// Prepares a merge; nothing is read.
  ///
  /// - Parameters:
  ///   - plan: what is computed. Reading throws if it has problems.
  ///   - metadata: the texts beside the tensors; those of the model by default.
  public init(_ plan: LoRAMergePlan, metadata: [MetadataEntry]? = nil) {
    self.plan = plan
    self.metadata = metadata ?? plan.base.metadata
    tensors = plan.base.tensors.enumerated().map { index, info in
      let type = plan.storedType(of: index)
      guard type != info.dtype else { return info }
      return (try? TensorInfo(name: info.name, dtype: type, shape: info.shape)) ?? info
    }
    files = plan.base.files + plan.request.loras.flatMap(\.file.source.files)
    work = WorkInProgress()
    effects = EffectLedger()
  }

  /// The path of the model.
  public var path: String { plan.base.path }
  /// What the model lies in.
  public var container: Container { plan.base.container }
  /// What was noticed about the model.
  public var findings: [Fault] { plan.base.findings }

  /// Where an unchanged tensor lies.
  public func extent(of index: Int) -> FileExtent? {
    plan.changes[index] == nil ? plan.base.extent(of: index) : nil
  }

  /// Checks the sums of the model and of all LoRAs.
  public func verifyChecksums(width: Int) throws(Fault) {
    try plan.base.verifyChecksums(width: width)
    for use in plan.request.loras { try use.file.source.verifyChecksums(width: width) }
  }

  /// Copies or computes a range of a tensor's bytes.
  ///
  /// - Throws: what reading throws; ``Rule/loraOverflow``.
  public func read(_ index: Int, at offset: Int, into buffer: inout MutableRawSpan) throws(Fault) {
    if let problem = plan.problems.first { throw problem }
    guard let changes = plan.changes[index] else {
      try plan.base.read(index, at: offset, into: &buffer)
      return
    }
    let tensor = work.tensor(index) {
      MergedTensor(plan: plan, index: index, changes: changes, effects: effects)
    }
    try tensor.read(at: offset, into: &buffer)
    if offset + buffer.byteCount >= tensors[index].byteCount { work.finish(index) }
  }
}

/// The tensors that are being read.
private final class WorkInProgress: Sendable {
  private let tensors = Mutex<[Int: MergedTensor]>([:])

  func tensor(_ index: Int, _ make: () -> MergedTensor) -> MergedTensor {
    tensors.withLock { tensors in
      if let tensor = tensors[index] { return tensor }
      let tensor = make()
      tensors[index] = tensor
      return tensor
    }
  }

  func finish(_ index: Int) {
    tensors.withLock { _ = $0.removeValue(forKey: index) }
  }
}
