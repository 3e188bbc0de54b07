#if canImport(Lesson04_VAE)
  import LessonKit
  import Testing

  @testable import Exercises
  @testable import Lesson04_VAE

  @MainActor
  @Suite("Right answers to Lesson04-VAE, written differently, pass")
  struct RightAnswersTests {
    /// Judges implementations by the reference on every case, for some seeds.
    private func expectRight<Function>(
      _ exercise: Exercise<Function>, _ answers: [Function], at location: SourceLocation = #_sourceLocation
    ) {
      let candidates = exercise.knownMistakes(answers.map { Mistake("", $0) })
      for (index, outline) in exercise.outline.enumerated() {
        for seed in [1, 2, 1234] as [UInt64] {
          let reference = RecordedCase(values: exercise.values(ofCase: index, seed: seed), mistakes: [])
          for answer in answers.indices {
            let values = candidates.values(answer, index, seed)
            let verdict = Verdict(.answered(.values(values)), against: reference, by: outline.comparison)
            #expect(
              verdict.status == .passed, "answer \(answer), case \(index), seed \(seed)", sourceLocation: location)
          }
        }
      }
    }

    @Test("KL: from the library's laws, from σ, term by term, and by loops over numbers")
    func divergences() {
      expectRight(
        klExercise,
        [
          { klDivergence(Normal(mean: $0, logVariance: $1), .standard($0.shape)) },
          { mean, logVariance in
            let scale = sqrt(exp(logVariance))
            return ((scale * scale + mean * mean) / 2 - log(scale) - 0.5).sum(axis: 1)
          },
          { mean, logVariance in
            let (a, b) = (square(mean).sum(axis: 1), exp(logVariance).sum(axis: 1))
            return 0.5 * (a + b - logVariance.sum(axis: 1) - Float(mean.shape[1]))
          },
          { mean, logVariance in
            let (batch, latents) = (mean.shape[0], mean.shape[1])
            let (m, v) = (mean.scalars, logVariance.scalars)
            return Tensor(
              (0..<batch).map { row in
                var total: Float = 0
                for j in row * latents..<(row + 1) * latents { total -= 0.5 * (1 + v[j] - m[j] * m[j] - exp(v[j])) }
                return total
              })
          },
        ])
    }

    @Test("Reparameterisation: by a square root, from the other side, and row by row")
    func samples() {
      expectRight(
        sampleExercise,
        [
          { sqrt(exp($1)) * $2 + $0 },
          { $2 * exp($1 / 2) - (-$0) },
          { mean, logVariance, noise in
            let rows = (0..<mean.shape[0]).map { row in
              func part(_ x: Tensor) -> Tensor { x.sliced(row..<row + 1, axis: 0) }
              return part(mean) + exp(0.5 * part(logVariance)) * part(noise)
            }
            return concatenate(rows, axis: 0)
          },
        ])
    }

    @Test("Bound: from the library's laws, and with everything written out")
    func bounds() {
      expectRight(
        boundExercise,
        [
          { model, x, random in
            let (mean, logVariance) = model.encoder(x)
            let q = Normal(mean: mean, logVariance: logVariance)
            return Bound(
              reconstruction: model.decoder(q.sample(using: &random)).logProbability(of: x),
              divergence: klDivergence(q, .standard(mean.shape)))
          },
          { model, x, random in
            let (mean, logVariance) = model.encoder(x)
            let noise = Tensor.normal(mean.shape, using: &random)
            let z = noise * sqrt(exp(logVariance)) + mean
            let each = model.decoder(z).elementwiseLogProbability(of: x)
            let terms = 0.5 * (square(mean) + exp(logVariance) - logVariance - 1)
            return Bound(reconstruction: each.sum(axis: 1), divergence: terms.sum(axis: 1))
          },
        ])
    }

    @Test("Interpolation: by the difference, by loops over numbers, and step by step")
    func walks() {
      expectRight(
        interpolationExercise,
        [
          { start, end, steps in
            let rows = (0..<steps).map {
              (start + (end - start) * (Float($0) / Float(steps - 1))).reshaped(to: [1, start.count])
            }
            return concatenate(rows, axis: 0)
          },
          { start, end, steps in
            var values: [Float] = []
            for step in 0..<steps {
              for (a, b) in zip(start.scalars, end.scalars) {
                values.append((a * Float(steps - 1 - step) + b * Float(step)) / Float(steps - 1))
              }
            }
            return Tensor(values, shape: [steps, start.count])
          },
          { start, end, steps in
            let step = (end - start) / Float(steps - 1)
            var (code, rows) = (start, [start.reshaped(to: [1, start.count])])
            for _ in 1..<steps {
              code = code + step
              rows.append(code.reshaped(to: [1, start.count]))
            }
            return concatenate(rows, axis: 0)
          },
        ])
    }
  }
#endif
