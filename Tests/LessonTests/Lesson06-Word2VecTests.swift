import LessonKit
import Testing

@testable import Lesson06_Word2Vec
