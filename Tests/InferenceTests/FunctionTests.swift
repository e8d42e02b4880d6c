import Inference
import Testing

/// Normalisations and activations against PyTorch.
@Suite struct FunctionTests {
  private let golden: Golden

  init() throws { golden = try Golden("functions") }

  private func check(_ found: FloatArray, _ name: String) throws {
    let expected = try golden[name]
    #expect(found.shape == expected.shape)
    expectClose(found, expected, 1e-5, name)
  }

  @Test("normalisations over positions") func images() throws {
    let x = try golden["x"], weight = try golden["weight"].values
    let bias = try golden["bias"].values
    var batch = BatchNorm()
    (batch.weight, batch.bias) = (weight, bias)
    try check(batch(x), "batch_norm")
    batch.statistics = (try golden["mean"].values, try golden["variance"].values)
    try check(batch(x), "batch_norm_eval")
    var group = GroupNorm(groups: 4)
    (group.weight, group.bias) = (weight, bias)
    try check(group(x), "group_norm")
    try check(GroupNorm(groups: 2)(x), "group_norm_plain")
    var instance = InstanceNorm()
    (instance.weight, instance.bias) = (weight, bias)
    try check(instance(x), "instance_norm")
    try check(PixelNorm()(x), "pixel_norm")
  }

  @Test("normalisations over rows") func rows() throws {
    let rows = try golden["rows"]
    var layer = LayerNorm()
    (layer.weight, layer.bias) = (try golden["row_weight"].values, try golden["row_bias"].values)
    try check(layer(rows), "layer_norm")
    var rms = RMSNorm()
    rms.weight = layer.weight
    try check(rms(rows), "rms_norm")
  }

  @Test("one group is a LayerNorm over the image, a group for each channel an InstanceNorm")
  func properties() throws {
    let x = try golden["x"]
    try check(GroupNorm(groups: 1)(x), "layer_norm_all")
    #expect(GroupNorm(groups: 8)(x) == InstanceNorm()(x))
    let flat = x.reshaped([3, 80])
    #expect(LayerNorm()(flat).values == GroupNorm(groups: 1)(x).values)
  }

  @Test("activations") func activations() throws {
    let line = try golden["line"]
    try check(line.silu(), "silu")
    try check(line.gelu(), "gelu")
    try check(line.quickGELU(), "quick_gelu")
  }
}
