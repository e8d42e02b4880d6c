import StableDiffusion
import Synchronization
import Tensors

/// One tensor under computation: its changes, ready, and some rows of the result.
final class MergedTensor: Sendable {
  private struct State {
    var changes: [any WeightChange]?
    /// The first row of the rows in ``bytes``, and how many they are.
    var rows = 0..<0
    var bytes: [UInt8] = []
  }

  private let plan: LoRAMergePlan
  private let index: Int
  private let changes: [LoRAMergePlan.Change]
  private let effects: EffectLedger
  private let form: WeightForm
  private let type: DType
  private let state = Mutex(State())

  /// The values of some rows, and what is computed from them, stay in the second cache.
  private static let elementCount = 1 << 16

  init(
    plan: LoRAMergePlan, index: Int, changes: [LoRAMergePlan.Change], effects: EffectLedger
  ) {
    self.plan = plan
    self.index = index
    self.changes = changes
    self.effects = effects
    form = WeightForm(plan.shape(of: index))
    type = plan.storedType(of: index)
  }

  /// Fills `buffer` with the bytes from `offset` on.
  func read(at offset: Int, into buffer: inout MutableRawSpan) throws(Fault) {
    let rowBytes = form.columns * type.bitCount / 8
    guard rowBytes > 0 else { return }
    try state.withLock { state throws(Fault) in
      var done = 0
      while done < buffer.byteCount {
        let row = (offset + done) / rowBytes
        if !state.rows.contains(row) { try compute(row, &state) }
        let start = offset + done - state.rows.lowerBound * rowBytes
        let count = min(state.bytes.count - start, buffer.byteCount - done)
        var target = buffer._mutatingExtracting(done..<done + count)
        target.copyBytes(of: state.bytes, from: start)
        done += count
      }
    }
  }

  /// Computes the rows around `row`.
  private func compute(_ row: Int, _ state: inout State) throws(Fault) {
    if state.changes == nil { state.changes = try prepare() }
    let prepared = state.changes ?? []
    // Tiles of six rows are the fastest; rows that depend on one another stay together.
    let group = prepared.map(\.rowGroup).reduce(6) { Self.common($0, $1, form.rows) }
    let step = max(group, Self.elementCount / max(1, form.columns) / group * group)
    let first = row / step * step
    let rows = first..<min(form.rows, first + step)
    let weight = try singles(rows)
    var change = [Float](repeating: 0, count: weight.count)
    var span = change.mutableSpan
    for prepared in prepared { try prepared.add(rows, of: weight.span, to: &span) }
    state.bytes = try stored(rows, weight, change)
    state.rows = rows
  }

  /// The smallest common multiple, or all rows if that is more.
  private static func common(_ a: Int, _ b: Int, _ rows: Int) -> Int {
    var (x, y) = (a, b)
    while y != 0 { (x, y) = (y, x % y) }
    let (multiple, overflow) = (a / max(1, x)).multipliedReportingOverflow(by: b)
    return overflow || multiple > rows ? rows : max(1, multiple)
  }

  private func singles(_ rows: Range<Int>) throws(Fault) -> [Float] {
    try plan.base.singles(
      of: index, rows.lowerBound * form.columns..<rows.upperBound * form.columns)
  }

  private func prepare() throws(Fault) -> [any WeightChange] {
    var all: [any WeightChange] = []
    for change in changes {
      let file = plan.request.loras[change.lora].file
      let module = file.modules[change.module]
      let part = change.isBias ? form : plan.form(of: module, index)
      let preparation = ChangePreparation(
        file: file, form: part, axis: plan.request.magnitudeAxis,
        compatibility: plan.request.compatibility
      ) { rows throws(Fault) in
        let whole = try self.singles(rows)
        guard part != self.form else { return whole }
        return NarrowChange.leading(part.columns, of: self.form.columns, whole.span)
      }
      let changes =
        try change.isBias
        ? preparation.biasChanges(of: module, strength: change.strength)
        : preparation.changes(of: module, strength: change.strength)
      all +=
        part == form
        ? changes
        : changes.map { NarrowChange(inner: $0, columns: form.columns, part: part.columns) }
    }
    return all
  }

  /// Adds weights and changes and rounds once.
  private func stored(
    _ rows: Range<Int>, _ weight: [Float], _ change: [Float]
  ) throws(Fault) -> [UInt8] {
    let info = plan.base.tensors[index]
    let count = weight.count
    var bytes = [UInt8](repeating: 0, count: count * type.bitCount / 8)
    var output = bytes.mutableSpan
    var raw = unsafe output.mutableBytes
    if type == .f64 {
      let doubles = try plan.base.doubles(
        of: index, rows.lowerBound * form.columns..<rows.upperBound * form.columns)
      for position in 0..<count {
        raw.storeBytes(
          of: doubles[position] + Double(change[position]), toByteOffset: position * 8,
          as: Double.self)
      }
    } else {
      var sums = [Float](repeating: 0, count: count)
      for position in 0..<count { sums[position] = weight[position] + change[position] }
      Conversion(from: .f32, to: type).map { conversion in
        unsafe _ = conversion.convert(sums.span.bytes, into: &raw)
      }
    }
    if type.hasNonFinite(raw.bytes) { try judge(rows, weight, info, &raw) }
    try note(rows, weight, change, raw.bytes)
    return bytes
  }

  /// Decides about results that are not finite.
  private func judge(
    _ rows: Range<Int>, _ weight: [Float], _ info: TensorInfo, _ raw: inout MutableRawSpan
  ) throws(Fault) {
    let widen = Conversion(from: type, to: .f64)
    var values = [Double](repeating: 0, count: weight.count)
    var span = values.mutableSpan
    var wide = unsafe span.mutableBytes
    widen?.convert(raw.bytes, into: &wide)
    var clamped = 0
    for position in values.indices where !values[position].isFinite {
      guard plan.request.overflow == .clamp, weight[position].isFinite, !values[position].isNaN,
        let largest = type.largestBits
      else {
        throw unstorable(weight, values[position], info)
      }
      clamped += 1
      let sign = values[position] < 0
      switch type {
      case .f16, .bf16:
        raw.storeBytes(
          of: UInt16(largest) | (sign ? 0x8000 : 0), toByteOffset: position * 2, as: UInt16.self)
      default:
        raw.storeBytes(
          of: largest | (sign ? 0x8000_0000 : 0), toByteOffset: position * 4, as: UInt32.self)
      }
    }
    if clamped > 0 { effects.addClamped(clamped, index, rows.lowerBound) }
  }

  /// Why a value that was finite is so no longer: the weight is broken elsewhere, or the type is
  /// too narrow.
  private func unstorable(_ weight: [Float], _ value: Double, _ info: TensorInfo) -> Fault {
    let wording = plan.request.wording
    guard !value.isNaN, weight.allSatisfy(\.isFinite) else {
      return Fault(
        .loraBase, "holds NaN or infinity where the LoRA changes it",
        path: plan.base.path, tensor: info.name,
        hint: "sdtool validate says how many; use another copy of the model")
    }
    return Fault(
      .loraOverflow, "becomes too large for \(type.name)", path: plan.base.path,
      tensor: info.name, hint: wording.overflow(isHalf: type == .f16))
  }

  /// Keeps account of what changes.
  private func note(
    _ rows: Range<Int>, _ weight: [Float], _ change: [Float], _ raw: RawSpan
  ) throws(Fault) {
    var stored = [Float](repeating: 0, count: weight.count)
    var span = stored.mutableSpan
    var wide = unsafe span.mutableBytes
    _ = Conversion(from: type, to: .f32)?.convert(raw, into: &wide)
    var effect = ChangeEffect()
    effect.add(weight.span, change.span, stored.span)
    effects.add(effect, index, rows.lowerBound)
  }
}

extension DType {
  /// The bits of the largest number.
  fileprivate var largestBits: UInt32? {
    switch self {
    case .f16: 0x7BFF
    case .bf16: 0x7F7F
    case .f32: 0x7F7F_FFFF
    default: nil
    }
  }
}

extension MutableRawSpan {
  /// Fills the span with bytes of `source` from `start` on.
  fileprivate mutating func copyBytes(of source: [UInt8], from start: Int) {
    let count = byteCount
    unsafe withUnsafeMutableBytes { target in
      unsafe source.withUnsafeBytes { bytes in
        unsafe target.copyMemory(
          from: UnsafeRawBufferPointer(rebasing: bytes[start..<start + count]))
      }
    }
  }
}
