import LessonKit
import Testing
