import Tensors

/// What kohya's scripts write beside a LoRA's tensors, as far as programs read it.
enum LoRAMetadata {
  static func entries(rank: Int) -> [MetadataEntry] {
    [
      ("format", "pt"), ("ss_base_model_version", "sd_v1"), ("ss_network_alpha", "\(rank).0"),
      ("ss_network_dim", "\(rank)"), ("ss_network_module", "networks.lora"),
      ("ss_output_name", "synthetic"), ("ss_sd_model_name", "synthetic"), ("ss_v2", "False"),
    ].map { MetadataEntry(key: $0.0, value: $0.1) }
  }
}
