import Foundation
import LessonKit
import Testing

@Suite("README")
struct ReadmeTests {
  @Test("The tour of the library compiles, runs and gives the values it states")
  func tour() throws {
    var random = Random(seed: 1)  // explicit, splittable, the same on every run
    let x = Tensor.normal([128, 2], using: &random)  // [batch, features]; immutable values
    let y = (x * x).sum(axis: 1, keepingAxes: true)  // shapes broadcast; [128, 1]

    final class Network: Module {  // parameters are found by looking
      let hidden, output: Linear
      init(using random: inout Random) {
        hidden = Linear(2, 64, using: &random)
        output = Linear(64, 1, using: &random)
      }
      func callAsFunction(_ x: Tensor) -> Tensor { output(relu(hidden(x))) }
    }
    let network = Network(using: &random)
    var adam = Adam(network.parameters, learningRate: 1e-2)
    for _ in 1...500 { adam.minimize(square(network(x) - y).mean()) }  // no zero_grad, no requires_grad

    // A gradient may be differentiated again.
    let slope = gradient(at: Tensor([1, 2])) { square($0).sum() }  // [2, 4]
    let curvature = gradient(at: Tensor(3)) { gradient(at: $0) { $0 * $0 * $0 } }  // 18
    let p = Normal(mean: .zeros([128, 2]), logScale: .zeros([128, 2]))
    print(p.logProbability(of: x).mean(), slope, curvature)  // nats, [batch] until averaged
    #expect(slope.scalars == [2, 4])
    #expect(curvature.scalar == 18)
    #expect(square(network(x) - y).mean().scalar < 0.5)
  }

  @Test("Every line of the tour in README.md stands in this file")
  func tourIsTheSame() throws {
    let here = URL(fileURLWithPath: #filePath)
    let code = try String(contentsOf: here, encoding: .utf8).replacing(/\s+/, with: " ")
    let package = here.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let readme = try String(contentsOf: package.appending(path: "README.md"), encoding: .utf8)
    let tour = try #require(readme.firstMatch(of: /```swift\nimport LessonKit\n([\s\S]*?)```/)).1
    for line in tour.split(separator: "\n") {
      let text = line.trimmingCharacters(in: .whitespaces).replacing(/\s+/, with: " ")
      #expect(code.contains(text), "README.md has a line that is not tested: \(text)")
    }
  }
}
