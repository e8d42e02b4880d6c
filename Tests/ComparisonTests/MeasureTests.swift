import Comparison
import JSON
import SafeTensors
import StableDiffusion
import Synthesis
import Tensors
import TestSupport
import Testing

@Suite("Measures of a difference")
struct MeasureTests {
  @Test("Every measure of every type is what NumPy and PyTorch find", arguments: [1, 3])
  func measures(width: Int) throws {
    let (a, b) = try Expected.models()
    let difference = try ModelDifference.compare(a, b, width: width)
    let expected = try #require(try Expected.json()["tensors"]?.object)
    #expect(difference.tensors.count == expected.count)
    for tensor in difference.tensors {
      let name = tensor.name.string
      let wanted = try #require(expected[name])
      let found = try #require(tensor.measures, "\(name)")
      #expect((tensor.status == .identical) == wanted["identical"]?.bool, "\(name)")
      #expect(found.valueCount == wanted["values"]?.integer, "\(name)")
      #expect(found.changedCount == wanted["changed_values"]?.integer, "\(name)")
      #expect(found.finiteCount == wanted["finite"]?.integer, "\(name)")
      #expect(found.signFlipCount == wanted["sign_flips"]?.integer, "\(name)")
      #expect(found.nanCountA == wanted["nan_a"]?.integer, "\(name)")
      #expect(found.nanCountB == wanted["nan_b"]?.integer, "\(name)")
      #expect(found.infinityCountA == wanted["infinite_a"]?.integer, "\(name)")
      #expect(found.infinityCountB == wanted["infinite_b"]?.integer, "\(name)")
      #expect(found.maximumDifference == wanted["max_abs"]?.double, "\(name)")
      #expect(Expected.agree(found.relativeL2, wanted["relative_l2"]?.double), "\(name)")
      #expect(Expected.agree(found.rootMeanSquare, wanted["rms"]?.double), "\(name)")
      #expect(Expected.agree(found.cosine, wanted["cosine"]?.double), "\(name)")
      #expect(Expected.agree(found.meanULP, wanted["mean_ulp"]?.double), "\(name)")
      #expect(
        found.maximumULP.map { Double($0) } == wanted["max_ulp"]?.double, "\(name)")
    }
  }

  @Test("Every path of the loops gives the same bits", arguments: KernelPath.available)
  func paths(path: KernelPath) throws {
    let (a, b) = try Expected.models()
    let byName = b.indexByName()
    for (index, info) in a.tensors.enumerated() {
      let other = try #require(byName[info.name])
      let (x, y) = (try a.bytes(of: index), try b.bytes(of: other))
      let typeB = b.tensors[other].dtype
      func compare(_ path: KernelPath) -> [UInt64] {
        guard
          let found = unsafe ValueComparison(
            x.span.bytes, info.dtype, y.span.bytes, typeB, path: path)
        else { return [] }
        let sums = [
          found.squares.a, found.squares.b, found.squares.difference, found.maximumDifference,
          found.ulps.sum, unsafe info.dtype.sumOfSquares(x.span.bytes, path: path) ?? -1,
          unsafe info.dtype.sumOfSquaredSpacings(x.span.bytes, path: path),
        ]
        return sums.map(\.bitPattern)
          + [found.changedCount, found.signFlipCount, found.ulps.count, Int(found.ulps.maximum)]
          .map { UInt64($0) }
      }
      #expect(compare(path) == compare(.portable), "\(info.name)")
    }
  }

  @Test("The squares of a model with itself are the same by both loops")
  func squares() throws {
    let (a, _) = try Expected.models()
    for (index, info) in a.tensors.enumerated() {
      let bytes = try a.bytes(of: index)
      let found = unsafe try #require(
        ValueComparison(bytes.span.bytes, info.dtype, bytes.span.bytes, info.dtype))
      let squares = unsafe info.dtype.sumOfSquares(bytes.span.bytes)
      #expect((squares == nil) == (found.finiteCount < found.count), "\(info.name)")
      if let squares { #expect(squares == found.squares.a, "\(info.name)") }
    }
  }

  @Test("Results do not depend on the number of threads", arguments: [1, 2, 5])
  func threads(width: Int) throws {
    let once = try ModelDifference.compare(tiny(1), tiny(2), width: 1)
    let again = try ModelDifference.compare(tiny(1), tiny(2), width: width)
    #expect(once.tensors == again.tensors)
    #expect(try once.json.serialized() == again.json.serialized())
  }

  @Test("Groups cover the model: components, places and roles add up to it")
  func groups() throws {
    let difference = try ModelDifference.compare(tiny(1), tiny(2), width: 2)
    #expect(difference.places.count == 29)
    #expect(difference.components.count == 3 && difference.roles.count == 5)
    let network = difference.total.tensorCount - difference.others.tensorCount
    #expect(network == 1130)
    #expect(difference.places.values.reduce(0) { $0 + $1.tensorCount } == network)
    #expect(difference.roles.values.reduce(0) { $0 + $1.tensorCount } == network)
    #expect(difference.placeRoles.values.reduce(0) { $0 + $1.tensorCount } == network)
    let squares = difference.components.values.reduce(0) { $0 + $1.measures.squaresOfDifference }
    #expect(Expected.agree(squares, difference.total.measures.squaresOfDifference))
    let top = difference.mostChanged(5).compactMap { $0.measures?.relativeL2 }
    #expect(top.count == 5 && top == top.sorted(by: >))
  }

  @Test("A conversion to F16 is 0 units away, and not beyond a tolerance of a thousandth")
  func rounding() throws {
    let difference = try ModelDifference.compare(tiny(3, .f32), tiny(3, .f16), width: 2)
    #expect(difference.total.measures.maximumULP == 0)
    #expect(difference.exceeding(1e-3).isEmpty)
    #expect(!difference.exceeding(0).isEmpty)
    #expect(difference.total.typeChangeCount == 1130)
  }

  @Test("The cosine of two changes is that of the vectors")
  func threeWay() throws {
    let both = try ThreeWayDifference.compare(tiny(1), tiny(2), tiny(2), width: 2)
    #expect(both.total.cosine == 1)
    let other = try ThreeWayDifference.compare(tiny(1), tiny(2), tiny(3), width: 2)
    // B − A and C − A have A in common, and nothing else.
    #expect(abs((other.places[.in05]?.cosine ?? 0) - 0.5) < 0.05)
    #expect(other.b.tensors == (try ModelDifference.compare(tiny(1), tiny(2), width: 1)).tensors)
  }

  @Test("Bins count the F16 values that share their upper 12 bits")
  func histogram() throws {
    let (a, _) = try Expected.models()
    let large = try #require(a.indexByName()["large"])
    let found = try #require(try a.histograms(of: [large], width: 2).first)
    let expected = try #require(try Expected.json()["histogram"]?.object)
    #expect(found.count == 40_000 && found.finiteCount == 40_000)
    for (bin, count) in found.counts.enumerated() {
      #expect(count == expected["\(bin)"]?.integer ?? 0, "bin \(bin)")
    }
    #expect(abs(found.quantile(0.5) ?? 1) < 0.002)
    #expect(abs((found.quantile(0.8413) ?? 0) - 0.05) < 0.002)
    let linear = found.linear(in: -1...1, bins: 37)
    #expect(Expected.agree(linear.reduce(0, +), 40_000))
  }

  @Test("NaN and infinities are counted in histograms; an empty one has no quantiles")
  func specialHistogram() throws {
    let (a, _) = try Expected.models()
    let special = try #require(a.indexByName()["f16.special"])
    let found = try #require(try a.histograms(of: [special], width: 1).first)
    #expect(found.nanCount == 1 && found.infinityCount == 3)
    #expect(WeightHistogram().quantile(0.5) == nil)
    #expect(WeightHistogram().linear(in: -1...1, bins: 4) == [0, 0, 0, 0])
  }
}
