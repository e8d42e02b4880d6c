import StableDiffusion
import Synchronization
public import Tensors

/// A merged model whose values are computed when they are read.
///
///     let merged = try MergedSource(plan, width: 2)
///     try ModelWriter(layout: .safetensors).write(merged, to: "merged.safetensors")
///
/// Nothing of it is kept in memory but what is being computed. The same plan gives the same bytes
/// for any number of threads, in any order of reading.
public struct MergedSource: TensorSource {
  /// What is computed.
  public let plan: MergePlan
  /// The tensors of the output, in the order of the plan.
  public let tensors: [TensorInfo]
  /// The files of all inputs.
  public let files: [InputFile]
  /// The first pass of a surveying method, made when the first value is wanted.
  private let survey: LazySurvey

  let pool: MergeScratchPool
  let whole: WholeTensors
  let wholePool: WholeScratchPool
  /// How many values of each tensor were clamped, or were not finite and allowed.
  let remarks: Results<MergeRemarks>

  /// Prepares a merge; nothing is read.
  ///
  /// - Parameters:
  ///   - plan: what is computed. Reading throws if it has problems.
  ///   - width: the number of threads on which a surveying method looks at all tensors, when the
  ///     first value is read.
  public init(_ plan: MergePlan, width: Int) {
    self.plan = plan
    tensors = plan.tensors.map(\.info)
    files = plan.inputs.flatMap(\.source.files)
    pool = MergeScratchPool(operands: plan.tensors.lazy.map(\.operands.count).max() ?? 0)
    whole = WholeTensors(plan)
    let merged = plan.tensors.filter(\.isMerged)
    wholePool = WholeScratchPool(
      operands: merged.lazy.map(\.operands.count).max() ?? 0,
      elements: merged.lazy.map(\.info.elementCount).max() ?? 0, width: width)
    remarks = Results(repeating: MergeRemarks(), count: plan.tensors.count)
    survey = LazySurvey(width: width)
  }

  /// What the first pass of a surveying method finds; the first caller makes it.
  func surveyed() throws(Fault) -> MergeSurvey? {
    guard let method = plan.request.method as? any SurveyingMergeMethod else { return nil }
    return try survey.value.withLock { value throws(Fault) in
      if let value { return value }
      let found = try plan.survey(by: method, width: survey.width, wholePool)
      value = found
      return found
    }
  }

  /// The path of the first input.
  public var path: String { plan.inputs.first?.source.path ?? "" }
  /// As if it were a single file.
  public var container: Container { .safetensors }
  /// No texts; what a merged model should say is not known here.
  public var metadata: [MetadataEntry] { [] }
  /// What was noticed about the inputs.
  public var findings: [Fault] {
    plan.inputs.flatMap { input in input.source.findings.map { $0.at(input.source.path) } }
  }

  /// Nothing lies in a file as it is: what is copied is looked at on its way.
  public func extent(of index: Int) -> FileExtent? { nil }

  /// Computes a range of a tensor's bytes.
  ///
  /// - Throws: what reading throws; ``Rule/mergeNonFinite``, ``Rule/mergeOverflow`` or
  ///   ``Rule/mergeUndefined``.
  public func read(_ index: Int, at offset: Int, into buffer: inout MutableRawSpan) throws(Fault) {
    if let problem = plan.problems.first { throw problem }
    guard buffer.byteCount > 0 else { return }
    if whole.isNeeded(for: index) {
      try whole.read(index, at: offset, into: &buffer) { index throws(Fault) in
        try computeWhole(index)
      }
      return
    }
    // A window of a file may begin or end within a value; whole values are computed then.
    let size = max(1, tensors[index].dtype.bitCount / 8)
    let first = offset / size
    let end = (offset + buffer.byteCount + size - 1) / size
    if first * size == offset, end * size == offset + buffer.byteCount {
      try pool.withScratch { scratch throws(Fault) in
        try compute(index, first..<end, scratch, into: &buffer)
      }
      return
    }
    let values = Buffer(byteCount: (end - first) * size)
    var bytes = values.bytes((end - first) * size)
    try pool.withScratch { scratch throws(Fault) in
      try compute(index, first..<end, scratch, into: &bytes)
    }
    buffer.copy(bytes.bytes, from: offset - first * size)
  }

  /// What was noticed about values while they were computed, tensor by tensor.
  public func values() -> [(tensor: TensorInfo, remarks: MergeRemarks)] {
    zip(tensors, remarks.values).filter { $0.1 != MergeRemarks() }
      .map { (tensor: $0.0, remarks: $0.1) }
  }
}

/// What a first pass found, once it has been made.
private final class LazySurvey: Sendable {
  let width: Int
  let value = Mutex<MergeSurvey?>(nil)

  init(width: Int) { self.width = width }
}

/// What was noticed about the values of one tensor.
public struct MergeRemarks: Hashable, Sendable {
  /// How many results were too large and became the largest number.
  public internal(set) var clampedCount = 0
  /// How many results are infinite or NaN, because inputs are and that is allowed.
  public internal(set) var nonFiniteCount = 0
}

extension MutableRawSpan {
  /// Fills the span with the bytes of `source` from byte `offset`.
  mutating func copy(_ source: RawSpan, from offset: Int) {
    let count = byteCount
    unsafe withUnsafeMutableBytes { target in
      unsafe source.withUnsafeBytes { bytes in
        let part = unsafe UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count])
        unsafe target.copyMemory(from: part)
      }
    }
  }
}
