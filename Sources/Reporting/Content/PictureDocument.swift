package import Comparison
import Drawing
import Inspection
package import StableDiffusion

extension Document {
  /// A page for one picture.
  package init(_ picture: Picture) {
    self.init(title: picture.scene.title, subtitle: picture.scene.summary)
    sections = [Section(anchor: "picture", title: "Picture", blocks: [.picture(picture)])]
  }

  /// A page about how two models differ, without what a report says about each.
  package init(_ difference: ModelDifference, _ a: ModelIdentity, _ b: ModelIdentity) {
    let models = [difference.a, difference.b]
    self.init(
      title: models.map { lastPart(of: $0.path) }.joined(separator: " and "),
      subtitle: models.map(\.title).joined(separator: "; "))
    sections = [difference.section(a, b)]
  }
}

/// The last part of a path.
func lastPart(of path: String) -> String {
  path.split(separator: "/").last.map(String.init) ?? path
}
