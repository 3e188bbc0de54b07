import LessonKit
import Testing

@testable import Lesson04_VQVAE
