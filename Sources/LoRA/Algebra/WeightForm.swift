import StableDiffusion
import Tensors

/// A weight as a matrix, and what a file must be like to change it.
struct WeightForm: Hashable, Sendable {
  /// The outputs.
  let rows: Int
  /// Everything else.
  let columns: Int
  /// The values of one input: 9 for a 3×3 kernel.
  let kernel: Int

  /// The form of a weight of the given shape; a vector has one column.
  init(_ shape: [Int]) {
    rows = shape.first ?? 1
    columns = shape.dropFirst().reduce(1, &*)
    kernel = max(1, shape.dropFirst(2).reduce(1, &*))
  }

  /// The number of inputs.
  var inputs: Int { columns / kernel }
}

extension LoRAModule {
  /// What keeps the module from changing a weight of the given shape, if anything.
  func misfit(_ shape: [Int], axis: Magnitude.Axis?) -> Fault? {
    let form = WeightForm(shape)
    func fault(_ expected: String, _ found: String) -> Fault {
      Fault(
        .loraShape, "does not fit \(target.path.diffusers)", tensor: TensorName(name),
        expected: expected, found: found,
        hint: "the LoRA was made for another kind of model, or is damaged")
    }
    if let made = weightShape, WeightForm(made) != form {
      return fault("a change of shape \(shape)", "\(made)")
    }
    switch adapter {
    case .scaling(let factor, let onInput):
      let count = onInput ? form.inputs : form.rows
      if factor.elementCount != count { return fault("\(count) factors", "\(factor.shape)") }
    case .ratio(let factor, let onInput):
      let fits = (factor.elementCount == form.rows, factor.elementCount == form.inputs)
      if onInput == nil, fits.0, fits.1 {
        return Fault(
          .loraSettings, "does not say whether it multiplies inputs or outputs",
          tensor: TensorName(name), expected: "adapter_config.json with its feedforward_modules",
          found: "\(factor.shape)", hint: "put PEFT's whole folder together and give that")
      }
      if !(onInput.map { $0 ? fits.1 : fits.0 } ?? (fits.0 || fits.1)) {
        let count = onInput == true ? form.inputs : form.rows
        return fault("\(count) factors", "\(factor.shape)")
      }
    case .inputRotation(let rotation):
      if let misfit = rotation.misfit(form) { return fault(misfit.expected, misfit.found) }
    case .orthogonal(let adapter):
      let shape = adapter.blocks.shape
      let count = shape[shape.count - 3], size = shape[shape.count - 1]
      if count.multipliedReportingOverflow(by: size) != (form.rows, false) {
        return fault("blocks for \(form.rows) outputs", "\(shape)")
      }
      if adapter.form == .butterfly {
        let stages = shape[0]
        // The last stage mixes rows that lie size · 2^(stages − 1) / 2 apart.
        guard size > 1, stages < 32,
          case let run = size.multipliedReportingOverflow(by: 1 << max(0, stages - 1)),
          !run.overflow, form.rows % run.partialValue == 0
        else { return fault("butterflies for \(form.rows) outputs", "\(shape)") }
      }
      if let rescale = adapter.rescale, rescale.elementCount != form.rows {
        return fault("\(form.rows) factors", "rescale \(rescale.shape)")
      }
    default: break
    }
    if let magnitude, magnitudeAxis(form, axis) == nil {
      let count = magnitude.factor.elementCount
      if form.rows == form.inputs, count == form.rows {
        return Fault(
          .loraAxis, "has as many magnitudes as outputs and inputs", tensor: TensorName(name),
          found: "\(magnitude.factor.shape)", hint: "give --dora-axis out or --dora-axis in")
      }
      return fault("\(form.rows) magnitudes", "\(magnitude.factor.shape)")
    }
    return nil
  }

  /// Whether PEFT's IA3 multiplies the inputs of a weight that it fits.
  func scalesInputs(_ form: WeightForm) -> Bool {
    guard case .ratio(let factor, let onInput) = adapter else { return false }
    return onInput ?? (factor.elementCount != form.rows)
  }

  /// The direction in which the magnitudes apply to a weight, or `nil` if it cannot be told or they
  /// do not fit.
  func magnitudeAxis(_ form: WeightForm, _ wanted: Magnitude.Axis?) -> Magnitude.Axis? {
    guard let magnitude else { return nil }
    let count = magnitude.factor.elementCount
    func fits(_ axis: Magnitude.Axis) -> Bool {
      count == (axis == .output ? form.rows : form.inputs)
    }
    if let wanted, fits(wanted) { return wanted }
    if let axis = magnitude.axis { return fits(axis) ? axis : nil }
    if fits(.output), fits(.input) { return nil }
    return fits(.output) ? .output : fits(.input) ? .input : nil
  }

  /// What keeps the module from changing a bias of `count` values, if anything.
  func biasMisfit(_ count: Int) -> Fault? {
    var bias = bias
    if scalesBias { bias = adapter.factors.first }
    guard let bias, bias.elementCount != count else { return nil }
    return Fault(
      .loraShape, "does not fit the bias of \(target.path.diffusers)", tensor: TensorName(name),
      expected: "\(count) values", found: "\(bias.shape)")
  }
}

extension InputRotation {
  /// What keeps the rotations from turning the inputs of a weight, if anything.
  func misfit(_ weight: WeightForm) -> (expected: String, found: String)? {
    let count = form == .butterflies ? blocks.shape[1] : blocks.rows
    let covered = count.multipliedReportingOverflow(by: size)
    let isShared = form != .butterflies && count == 1 && weight.columns % size == 0
    guard isShared || covered == (weight.columns, false) else {
      return ("blocks for \(weight.columns) inputs", "\(blocks.shape)")
    }
    // The last butterfly turns columns that lie half of size · 2^(stages − 1) apart.
    if stageCount > 1 {
      guard size % 2 == 0, stageCount < 32,
        case let run = size.multipliedReportingOverflow(by: 1 << (stageCount - 1)),
        !run.overflow, weight.columns % run.partialValue == 0
      else { return ("butterflies for \(weight.columns) inputs", "\(blocks.shape)") }
    }
    if let rescale, rescale.elementCount != weight.rows {
      return ("\(weight.rows) factors", "boft_s \(rescale.shape)")
    }
    return nil
  }
}
