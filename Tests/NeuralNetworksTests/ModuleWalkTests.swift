import Tensors
import Testing

@testable import NeuralNetworks

private final class Scaling: Module {
  @Parameter var factor = Tensor([1])
}

private struct Pair {
  let left = Scaling()
  @Parameter var weight = Tensor([2])
}

private enum Choice {
  case one(Scaling)
  case two(first: Scaling, second: Scaling?)
  case none
}

private final class Forgotten {
  let inner: Scaling? = Scaling()
}

@Suite struct ModuleWalkTests {
  @Test func `modules are found in dictionaries, tuples, structures, enumerations and lazy properties`() {
    final class Model: Module {
      let byName = ["b": Scaling(), "a": Scaling()]
      let byNumber: [Int: any Module] = [2: Scaling()]
      let pair = (Scaling(), named: Scaling())
      let structure = Pair()
      let choices = [Choice.one(Scaling()), .two(first: Scaling(), second: nil), .none]
      let some: Any = Scaling()
      lazy var later = Scaling()
      let nested: [String: [Scaling?]] = ["x": [nil, Scaling()]]
    }
    let model = Model()
    _ = model.later
    #expect(
      model.parameters.map(\.name) == [
        "byName.a.factor", "byName.b.factor", "byNumber.2.factor", "pair.0.factor", "pair.named.factor",
        "structure.left.factor", "structure.weight", "choices.0.one.factor", "choices.1.two.first.factor",
        "some.factor", "later.factor", "nested.x.1.factor",
      ])
  }

  @Test func `long arrays of numbers are not walked`() {
    final class Model: Module {
      let numbers = [Float](repeating: 1, count: 5_000_000)
      let counts = Set([1, 2, 3])
      let names = ["a": "b"]
      let tensor = Tensor([1])
      let closure: (Tensor) -> Tensor = { $0 }
      let scaling = Scaling()
      var owner: Model?
    }
    let model = Model()
    model.owner = model
    let time = ContinuousClock().measure { #expect(model.parameters.map(\.name) == ["scaling.factor"]) }
    #expect(time < .seconds(1))
    model.owner = nil
  }

  @Test func `what cannot be found stops with what to do`() async {
    let plain = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      final class Model: Module {
        let forgotten: Forgotten? = Forgotten()
      }
      _ = Model().parameters
    }
    let plainMessage = String(decoding: plain?.standardErrorContent ?? [], as: UTF8.self)
    #expect(
      plainMessage.contains(
        "Module: forgotten is of the class Forgotten, which holds parameters but is no Module; write Forgotten: Module"),
      "\(plainMessage)")
    let set = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      struct Item: Hashable {
        let module = Scaling()
        static func == (a: Item, b: Item) -> Bool { a.module === b.module }
        func hash(into hasher: inout Hasher) {}
      }
      final class Model: Module {
        let items: Set = [Item()]
      }
      _ = Model().parameters
    }
    let setMessage = String(decoding: set?.standardErrorContent ?? [], as: UTF8.self)
    #expect(setMessage.contains("Module: items is a set"), "\(setMessage)")
    let twice = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      final class Model: Module {
        @Parameter var scale = Tensor(1)
        let nested = ["": Scaling(), "x": Scaling()]
        let scaleAgain = [1.0: Scaling(), -0.5: Scaling()]
        let items: [AnyHashable: Scaling] = [1: Scaling(), "1": Scaling()]
      }
      _ = Model().parameters
    }
    let twiceMessage = String(decoding: twice?.standardErrorContent ?? [], as: UTF8.self)
    #expect(twiceMessage.contains("two tensors of Model have the name items.1.factor"), "\(twiceMessage)")
  }
}
