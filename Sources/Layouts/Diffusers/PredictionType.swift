import Checkpoint
import JSON
import Tensors

/// What a network is trained to predict, as far as a model says so.
///
/// The weights do not tell. A network that predicts the velocity gives grey pictures when it is
/// sampled like one that predicts the noise.
enum PredictionType {
  /// The key in the metadata of a file, whose values are `epsilon` and `v`.
  ///
  /// Source: Stability AI's model specification 1.0.1.
  static let key = "modelspec.prediction_type"

  /// Whether texts beside the tensors say that the velocity is predicted.
  static func isVelocity(_ metadata: [MetadataEntry]) -> Bool {
    metadata.contains { $0.key == key && ["v", "v_prediction"].contains($0.value) }
  }

  /// Whether the scheduler of a diffusers folder says so.
  static func isVelocity(scheduler texts: [(path: String, bytes: [UInt8])]) -> Bool {
    texts.contains { text in
      text.path == "scheduler/scheduler_config.json"
        && (try? JSONValue(parsing: text.bytes))?["prediction_type"]?.string == "v_prediction"
    }
  }
}
