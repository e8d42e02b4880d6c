import JSON
public import Sampling
public import Tensors

/// What a model was trained to predict, as far as its file and those beside it say.
///
/// Looked at are `modelspec.prediction_type` in the metadata, the tensors `v_pred` and `ztsnr` that
/// trainers leave as marks, `scheduler/scheduler_config.json` of a diffusers folder, and the
/// configuration `NAME.yaml` beside `NAME.safetensors` or `NAME.ckpt`, as the web UIs read it.
public struct TrainingTarget: Hashable, Sendable {
  /// What the model's output means.
  public var prediction: Prediction?
  /// Whether the last step is nothing but noise.
  public var hasZeroTerminalSNR: Bool?
  /// The curve that β follows.
  public var curve: NoiseSchedule.Curve?
  /// What says so, in a few words; `nil` if nothing is said.
  public var evidence: String?

  /// What is said about a model.
  public init(of source: any TensorSource) {
    readConfiguration(of: source)
    for tensor in source.tensors where tensor.elementCount <= 1 {
      if tensor.name == "v_pred" { note(.velocity, "the tensor v_pred") }
      if tensor.name == "ztsnr" {
        hasZeroTerminalSNR = true
        evidence = evidence ?? "the tensor ztsnr"
      }
    }
    let texts = source.metadata.first { $0.key == "modelspec.prediction_type" }
    switch texts?.value.lowercased() {
    case "v", "v_prediction", "v-prediction": note(.velocity, "its metadata")
    case "epsilon", "eps": note(.noise, "its metadata")
    default: break
    }
  }

  private mutating func note(_ prediction: Prediction, _ evidence: String) {
    self.prediction = prediction
    self.evidence = evidence
  }

  private mutating func readConfiguration(of source: any TensorSource) {
    let path = source.path
    if source.container == .diffusersFolder {
      guard let text = Self.text(at: path + "/scheduler/scheduler_config.json"),
        let values = try? JSONValue(parsing: text)
      else { return }
      if let prediction = values["prediction_type"]?.string.flatMap(Prediction.init(rawValue:)) {
        note(prediction, "its scheduler_config.json")
      }
      hasZeroTerminalSNR = values["rescale_betas_zero_snr"]?.bool
      curve = values["beta_schedule"]?.string.flatMap(NoiseSchedule.Curve.init(rawValue:))
      return
    }
    guard let dot = path.lastIndex(of: "."), let text = Self.text(at: path[..<dot] + ".yaml") else {
      return
    }
    for line in text.split(whereSeparator: \.isNewline) {
      let words = line.split { " \t:'\"".contains($0) }
      guard words.count >= 2, words[0] == "parameterization" else { continue }
      if words[1] == "v" { note(.velocity, "the configuration beside it") }
      if words[1] == "eps" { note(.noise, "the configuration beside it") }
    }
  }

  private static func text(at path: String) -> String? {
    guard let file = try? InputFile(path: path), file.byteCount <= 1 << 20,
      let bytes = try? file.read(at: 0, count: file.byteCount)
    else { return nil }
    return String(decoding: bytes, as: UTF8.self)
  }
}
