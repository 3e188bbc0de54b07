import Testing

@testable import NeuralNetworks

// PyTorch 2.15:
//
//   o = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.5); s = make(o)
//   for i in range(13): print(o.param_groups[0]['lr']); o.step(); s.step()
@Suite struct ScheduleTests {
  private func expect(
    _ schedule: Schedule, _ wanted: [Float], sourceLocation: SourceLocation = #_sourceLocation
  ) {
    for (step, rate) in wanted.enumerated() {
      #expect(abs(schedule(step) - rate) < 1e-6, "step \(step)", sourceLocation: sourceLocation)
    }
  }

  @Test func `a line is LinearLR(o, 0.25, 1.0, 8)`() {
    expect(
      .linear(from: 0.125, to: 0.5, steps: 8),
      [0.125, 0.171875, 0.21875, 0.265625, 0.3125, 0.359375, 0.40625, 0.453125, 0.5, 0.5, 0.5, 0.5, 0.5])
  }

  @Test func `a cosine is CosineAnnealingLR(o, 12, 0.1), and then stays at its end`() {
    expect(
      .cosine(from: 0.5, to: 0.1, steps: 12),
      [
        0.5, 0.4931852, 0.4732051, 0.4414214, 0.4, 0.3517638, 0.3, 0.2482362, 0.2, 0.1585786, 0.1267949, 0.1068148, 0.1,
        0.1, 0.1,
      ])
  }

  @Test func `steps are StepLR(o, 4, 0.3)`() {
    expect(
      .steps(from: 0.5, factor: 0.3, every: 4),
      [0.5, 0.5, 0.5, 0.5, 0.15, 0.15, 0.15, 0.15, 0.045, 0.045, 0.045, 0.045, 0.0135])
  }

  @Test func `one after the other is SequentialLR(o, [LinearLR(o, 0.2, 1.0, 5), CosineAnnealingLR(o, 8)], [5])`() {
    expect(
      Schedule.linear(from: 0.1, to: 0.5, steps: 5).followed(by: .cosine(from: 0.5, steps: 8), after: 5),
      [
        0.1, 0.18, 0.26, 0.34, 0.42, 0.5, 0.4809699, 0.4267767, 0.3456709, 0.25, 0.1543291, 0.0732233, 0.01903012,
      ])
  }

  @Test func `warming up rises from 0 to the first rate; schedules multiply`() {
    expect(Schedule.cosine(from: 1, steps: 4).warmedUp(steps: 2), [0, 0.5, 1, 0.8535534, 0.5, 0.1464466, 0, 0])
    expect(.constant(0.5) * Schedule { Float($0) }, [0, 0.5, 1])
    expect(.linear(from: 1, to: 0.25, steps: 0), [0.25, 0.25])
  }
}
