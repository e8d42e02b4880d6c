/// How the values of tensors are distributed, in bins that are the same for all models.
///
/// A bin holds the values that agree in the upper 12 bits of the F16 they round to: the sign, the
/// exponent, and six bits of the fraction. Bins are so at most 1/64 of their values wide, histograms
/// of different tensors can be added, and one pass is enough, since no range has to be known first.
/// Values below 2^-24 count as zero, and those above 65,504 as infinite.
///
///     var all = WeightHistogram()
///     for histogram in try source.histograms(of: indices, width: 2) { all.append(histogram) }
///     all.linear(in: -0.1...0.1, bins: 80)
public struct WeightHistogram: Hashable, Sendable {
  /// The number of bins.
  public static let binCount = 4096

  /// How many values are in each bin, by the upper 12 bits of their F16.
  public private(set) var counts: [Int]

  /// No values.
  public init() { counts = Array(repeating: 0, count: Self.binCount) }

  /// Counts by bin.
  init(counts: [Int]) { self.counts = counts }

  /// Includes other values.
  public mutating func append(_ next: WeightHistogram) {
    for bin in counts.indices { counts[bin] += next.counts[bin] }
  }
}

extension WeightHistogram {
  private static let signBit = 0x800
  private static let firstInfinite = 0x7C0

  /// The number of values, NaN and infinities too.
  public var count: Int { counts.reduce(0, +) }

  /// How many values are infinite, or beyond the range of F16.
  ///
  /// A signalling NaN of F16 with few bits counts too; no program that is known stores one.
  public var infinityCount: Int {
    counts[Self.firstInfinite] + counts[Self.firstInfinite | Self.signBit]
  }

  /// How many values are not a number.
  public var nanCount: Int {
    [0, Self.signBit].reduce(0) { total, sign in
      total + counts[(Self.firstInfinite + 1 | sign)...(0x7FF | sign)].reduce(0, +)
    }
  }

  /// How many values are neither infinite nor NaN.
  public var finiteCount: Int { count - infinityCount - nanCount }

  /// The magnitudes of a bin of positive numbers, from its lowest to the next bin's lowest.
  private static func magnitudes(_ bin: Int) -> (low: Double, high: Double) {
    func value(_ bin: Int) -> Double {
      bin < firstInfinite ? Double(value16(UInt16(bin << 4))) : 65_536
    }
    return (value(bin), value(bin + 1))
  }

  private static func value16(_ bits: UInt16) -> Double {
    let exponent = Int(bits >> 10 & 31), fraction = Double(bits & 0x3FF)
    var power = 0x1p-24
    for _ in 1..<max(exponent, 1) { power *= 2 }
    return (exponent == 0 ? fraction : fraction + 1024) * power
  }

  /// The bins of finite values that hold any, from the most negative to the most positive, with
  /// their limits.
  public var filledBins: [(range: ClosedRange<Double>, count: Int)] {
    var bins: [(range: ClosedRange<Double>, count: Int)] = []
    for bin in (0..<Self.firstInfinite).reversed() where counts[bin | Self.signBit] > 0 {
      let (low, high) = Self.magnitudes(bin)
      bins.append((-high ... -low, counts[bin | Self.signBit]))
    }
    for bin in 0..<Self.firstInfinite where counts[bin] > 0 {
      let (low, high) = Self.magnitudes(bin)
      bins.append((low...high, counts[bin]))
    }
    return bins
  }

  /// The value below which a share `p` of the finite values lies, or `nil` if there are none.
  ///
  /// Accurate to the width of a bin, 1/64 of the value.
  public func quantile(_ p: Double) -> Double? {
    let bins = filledBins
    let total = bins.reduce(0) { $0 + $1.count }
    guard total > 0 else { return nil }
    let wanted = max(0, min(1, p)) * Double(total)
    var below = 0.0
    for (range, count) in bins {
      if below + Double(count) >= wanted {
        let share = (wanted - below) / Double(count)
        return range.lowerBound + share * (range.upperBound - range.lowerBound)
      }
      below += Double(count)
    }
    return bins.last?.range.upperBound
  }

  /// How many finite values lie in each of `bins` equal parts of `range`.
  ///
  /// A bin that a limit cuts is shared out in proportion, so that counts are not whole numbers;
  /// values outside the range are not counted.
  public func linear(in range: ClosedRange<Double>, bins: Int) -> [Double] {
    guard bins > 0 else { return [] }
    var result = [Double](repeating: 0, count: bins)
    let width = (range.upperBound - range.lowerBound) / Double(bins)
    guard width > 0, width.isFinite else { return result }
    for (bin, count) in filledBins {
      let low = max(bin.lowerBound, range.lowerBound), high = min(bin.upperBound, range.upperBound)
      guard low <= high else { continue }
      let extent = bin.upperBound - bin.lowerBound
      let first = min(bins - 1, Int((low - range.lowerBound) / width))
      let last = min(bins - 1, max(first, Int((high - range.lowerBound) / width)))
      for index in first...last {
        let start = max(low, range.lowerBound + Double(index) * width)
        let end = min(high, range.lowerBound + Double(index + 1) * width)
        guard end > start else { continue }
        result[index] += Double(count) * (end - start) / extent
      }
    }
    return result
  }
}
