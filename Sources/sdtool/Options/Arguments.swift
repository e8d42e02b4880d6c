public import ArgumentParser
public import Drawing
public import Inference
public import Inspection
public import Layouts
public import LoRA
public import Merge
public import Reporting
public import Sampling
public import StableDiffusion
public import Synthesis
public import Tensors

// Values that the command line takes by their names.
extension Severity: ExpressibleByArgument {}
extension ReportFormat: ExpressibleByArgument {}
extension Expectation: ExpressibleByArgument {}
extension SynthesisPreset: ExpressibleByArgument {}
extension OutputLayout: ExpressibleByArgument {}

/// A comma-separated list of components.
struct ComponentList: ExpressibleByArgument {
  let components: [Component]

  init?(argument: String) {
    var components: [Component] = []
    for name in argument.split(separator: ",") {
      guard let component = Component(name: name) else { return nil }
      if !components.contains(component) { components.append(component) }
    }
    guard !components.isEmpty else { return nil }
    self.components = components.sorted()
  }
}

extension OverflowPolicy: ExpressibleByArgument {}

extension Component: ExpressibleByArgument {
  /// The component that users call `argument`.
  public init?(argument: String) { self.init(name: argument) }
}

extension Arithmetic: ExpressibleByArgument {}
extension MergePolicies.Missing: ExpressibleByArgument {}
extension MergePolicies.Unknown: ExpressibleByArgument {}
extension MergePolicies.ConvIn: ExpressibleByArgument {}
extension MergePolicies.Overflow: ExpressibleByArgument {}

// How pictures are made.
extension TimestepSpacing: ExpressibleByArgument {}
extension SigmaSpacing: ExpressibleByArgument {
  /// The schedule that users call `argument`.
  public init?(argument: String) { self.init(named: argument) }
}
extension NoiseKind: ExpressibleByArgument {}
extension NoiseSchedule.Curve: ExpressibleByArgument {}
extension Prediction: ExpressibleByArgument {}
extension Precision: ExpressibleByArgument {}

extension LoRAMergeRequest.Overflow: ExpressibleByArgument {}
extension Magnitude.Axis: ExpressibleByArgument {}
extension LoRACompatibility: ExpressibleByArgument {}
extension Theme: ExpressibleByArgument {}
extension ModelReportFormat: ExpressibleByArgument {}
