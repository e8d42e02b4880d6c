import Comparison
import Testing

@Test("An empty histogram has no quantiles")
func emptyHistogram() {
  #expect(WeightHistogram().quantile(0.5) == nil)
  #expect(WeightHistogram().linear(in: -1...1, bins: 4) == [0, 0, 0, 0])
}
