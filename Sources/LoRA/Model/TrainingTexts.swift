import JSON

/// What the trainer of a LoRA wrote beside its tensors.
public struct TrainingTexts: Sendable {
  /// A tag of the training pictures, and how often it was used.
  public struct Tag: Hashable, Sendable {
    /// The tag: often a word that calls what was trained.
    public let text: String
    /// The number of pictures.
    public let count: Int
  }

  /// Settings in a few words, in a fixed order.
  public let settings: [(title: String, value: String)]
  /// The most frequent tags, the most frequent first.
  public let tags: [Tag]
  /// The number of different tags.
  public let tagCount: Int

  private static let titles: [(key: String, title: String)] = [
    ("ss_output_name", "name"), ("modelspec.title", "title"), ("ss_sd_model_name", "trained on"),
    ("ss_base_model_version", "base version"), ("ss_network_module", "module"),
    ("ss_network_dim", "rank"), ("ss_network_alpha", "α"), ("ss_network_args", "arguments"),
    ("ss_resolution", "resolution"), ("ss_clip_skip", "clip skip"),
    ("ss_num_train_images", "pictures"), ("ss_num_epochs", "epochs"), ("ss_epoch", "epoch"),
    ("ss_steps", "steps"), ("ss_learning_rate", "learning rate"), ("ss_unet_lr", "U-Net rate"),
    ("ss_text_encoder_lr", "text encoder rate"), ("ss_optimizer", "optimizer"),
    ("ss_lr_scheduler", "schedule"), ("ss_noise_offset", "noise offset"),
    ("modelspec.trigger_phrase", "trigger phrase"), ("ss_training_comment", "comment"),
  ]

  /// Reads the texts of `file`; what makes no sense is left out.
  public init(_ file: LoRAFile, tagLimit: Int = 20) {
    settings = Self.titles.compactMap { key, title in
      guard let value = file.text(key), !value.isEmpty, value != "None" else { return nil }
      return (title, value)
    }
    var counts: [String: Int] = [:]
    if let text = file.text("ss_tag_frequency"), let json = try? JSONValue(parsing: text) {
      for folder in json.object ?? [:] {
        for tag in folder.value.object ?? [:] {
          guard let count = tag.value.integer, count > 0 else { continue }
          let sum = counts[tag.key.trimmed, default: 0].addingReportingOverflow(count)
          counts[tag.key.trimmed] = sum.overflow ? .max : sum.partialValue
        }
      }
    }
    tagCount = counts.count
    tags = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(tagLimit)
      .map { Tag(text: $0.key, count: $0.value) }
  }
}
