import ArgumentParser
import Drawing
import Inspection
import Reporting
import StableDiffusion
import Tensors

/// What histograms are made for.
enum HistogramGrouping: String, CaseIterable, ExpressibleByArgument {
  case all, component, role, place, tensor
}

extension SDTool.Draw {
  func difference(_ model: InspectedModel, from other: String) throws(Fault) -> Coloring {
    throw Fault(.unknownColoring, "is not there yet")
  }

  func effect(
    of path: String, on model: InspectedModel?, schema: Schema
  ) throws(Fault) -> Coloring {
    throw Fault(.unknownColoring, "is not there yet")
  }

  func valueChart(_ model: InspectedModel?) throws(Fault) -> Scene {
    throw Fault(.unknownColoring, "is not there yet")
  }
}
