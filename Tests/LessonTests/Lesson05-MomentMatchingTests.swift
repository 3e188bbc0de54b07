import LessonKit
import Testing
@testable import Lesson05_MomentMatching
