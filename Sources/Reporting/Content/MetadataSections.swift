import Drawing
import Inspection
import JSON
import Merge
import Tensors

extension ModelReport {
  /// The merge recipe: as a picture, with every ancestor that the metadata name.
  var recipeBlocks: [Document.Block] {
    if let recipeFault {
      return [.text("The metadata hold a recipe that cannot be shown: \(recipeFault.sentence).")]
    }
    guard let recipe else { return [] }
    let texts = Dictionary(
      model.source.metadata.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
    let graph = RecipeGraph(recipe.recipe, ancestry: texts["sd_merge_models"], result: name)
    var blocks: [Document.Block] = [
      .text("Recorded by \(recipe.tool). Every way leads from a model to what was made of it."),
      .picture(.init(scene: graph.picture.scene(), narrow: graph.picture.scene(.narrow))),
      .pairs(graph.words),
    ]
    if graph.hiddenCount > 0 {
      blocks.append(.text("\(Written.count(graph.hiddenCount, "further ancestor")) not shown."))
    }
    blocks += recipe.notes.map { .text($0.sentence) }
    return blocks
  }

  /// What kohya's trainer and its relatives write into a LoRA.
  var trainingBlocks: [Document.Block] {
    let known: [(key: String, title: String)] = [
      ("ss_output_name", "name"), ("ss_base_model_version", "base model"),
      ("ss_sd_model_name", "trained on"), ("ss_sd_model_hash", "hash of that model"),
      ("ss_network_module", "network module"), ("ss_network_dim", "rank"),
      ("ss_network_alpha", "α"), ("ss_network_args", "network arguments"),
      ("ss_optimizer", "optimizer"), ("ss_learning_rate", "learning rate"),
      ("ss_unet_lr", "learning rate, U-Net"), ("ss_text_encoder_lr", "learning rate, text encoder"),
      ("ss_lr_scheduler", "schedule"), ("ss_num_epochs", "epochs"), ("ss_steps", "steps"),
      ("ss_max_train_steps", "planned steps"), ("ss_num_train_images", "pictures"),
      ("ss_num_reg_images", "regularisation pictures"), ("ss_resolution", "resolution"),
      ("ss_clip_skip", "clip skip"), ("ss_mixed_precision", "mixed precision"),
      ("ss_seed", "seed"), ("ss_training_comment", "comment"),
    ]
    let texts = Dictionary(
      model.source.metadata.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
    let pairs: [(name: String, value: String)] = known.compactMap { entry in
      texts[entry.key].flatMap { $0 == "None" || $0.isEmpty ? nil : (entry.title, $0) }
    }
    let tags = Self.tags(in: texts["ss_tag_frequency"])
    guard !pairs.isEmpty || !tags.isEmpty else { return [] }
    var blocks: [Document.Block] = [.pairs(pairs)]
    if !tags.isEmpty {
      var table = Document.Table(
        caption: "Most frequent tags",
        columns: [
          .init(title: "tag", isCode: true), .init(title: "times", isNumeric: true),
          .init(title: ""),
        ])
      let most = tags[0].count
      table.rows = tags.prefix(30).map { tag in
        [
          .init(tag.name), .init(Written.count(tag.count), key: Double(tag.count)),
          .init("", share: most > 0 ? Double(tag.count) / Double(most) : 0),
        ]
      }
      blocks.append(.table(table))
    }
    return blocks
  }

  /// The tags of all folders, the most frequent first.
  private static func tags(in text: String?) -> [(name: String, count: Int)] {
    guard let text, let folders = try? JSONValue(parsing: text) else { return [] }
    var counts: [String: Int] = [:]
    for folder in folders.object ?? JSONObject() {
      for tag in folder.value.object ?? JSONObject() {
        let count = max(0, tag.value.integer ?? 0)
        counts[tag.key] = (counts[tag.key] ?? 0).addingReportingOverflow(count).partialValue
      }
    }
    return counts.map { (name: $0.key, count: $0.value) }
      .sorted { a, b in
        a.count != b.count ? a.count > b.count : a.name.utf8.lexicographicallyPrecedes(b.name.utf8)
      }
  }

  /// Every entry, long ones cut.
  var metadataBlocks: [Document.Block] {
    let entries = model.source.metadata
    guard !entries.isEmpty else { return [] }
    var table = Document.Table(
      caption: "Metadata",
      columns: [.init(title: "key", isCode: true), .init(title: "value", isCode: true)])
    for entry in entries.prefix(500) {
      let bytes = entry.value.utf8.count
      let value = entry.value.sanitized(limit: 600)
      let rest = bytes > 600 ? " (\(Written.fileSize(bytes)))" : ""
      table.rows.append([.init(entry.key.sanitized(limit: 200)), .init(value + rest)])
    }
    var blocks: [Document.Block] = [.table(table)]
    if entries.count > 500 {
      blocks.append(.text("… and \(Written.count(entries.count - 500)) more entries."))
    }
    return blocks
  }
}
