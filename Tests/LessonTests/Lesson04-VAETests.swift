import Testing

@testable import Lesson04_VAE
